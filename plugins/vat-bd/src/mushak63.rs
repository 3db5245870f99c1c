//! Mushak-6.3, the tax invoice: every field of the paper, in taka.

use niyam_sdk::{
    Block, Cell, Context, Decimal, Determination, Document, Field, Finding, Form, Grid, IssueFacts, Line,
    LineTaxes, TaxItem, round_half_up, with_places,
};

use crate::config::Config;
use crate::papers::sheet::{self, bin, column, labels, text};
use crate::tables::{
    self, COLUMNS, Charge, FOOTER, HEADER, INVOICE_PAPER, NOTE, Needed, Printed, TITLE, TOTAL, UNITS,
};
use crate::{determine, issue, rates};

/// Places of a unit price that is not whole at the places of the amounts: value divided by quantity may have no end.
const UNIT_PRICE_PLACES: u32 = 4;

/// Draws the paper of an issued invoice.
pub(crate) fn draw(
    context: &Context,
    document: &Document,
    taxes: &Determination,
    facts: &IssueFacts,
) -> Result<Form, Vec<Finding>> {
    issue::check_offered(document)?;
    let config = Config::of(context)?;
    let taka_rate = determine::taka_rate(document)?;
    let above = issue::buyer_threshold(document, taxes)?.is_some();
    let mut findings = Vec::new();
    let mut fields = |places: &'static [Printed]| -> Vec<Field> {
        places.iter().map(|place| field(place, document, facts, above, &mut findings)).collect()
    };
    let (header, footer) = (fields(&HEADER), fields(&FOOTER));
    let rows = Rows { document, places: config.places(), taka_rate }.grid(taxes);
    match rows {
        Ok(grid) if findings.is_empty() => Ok(Form {
            code: issue::MUSHAK_63.to_owned(),
            titles: labels(&TITLE[0]),
            blocks: blocks(&config, header, grid, footer),
        }),
        Ok(_) => Err(findings),
        Err(refused) => {
            findings.extend(refused);
            Err(findings)
        }
    }
}

/// The paper from top to bottom; its total also in words, where there are words for it.
fn blocks(config: &Config, header: Vec<Field>, grid: Grid, footer: Vec<Field>) -> Vec<Block> {
    let total = match grid.totals.last() {
        Some(Cell::Amount(total)) => sheet::in_words(config, *total),
        _ => None,
    };
    let mut blocks = vec![Block::Fields(header), Block::Grid(grid)];
    blocks.extend(total);
    blocks.push(Block::Fields(footer));
    blocks
}

fn field(
    place: &'static Printed,
    document: &Document,
    facts: &IssueFacts,
    above: bool,
    findings: &mut Vec<Finding>,
) -> Field {
    let (value, pointer) = value_of(place, document, facts);
    // A buyer abroad has no BIN.
    let abroad = place.key == "buyer_bin" && !document.customer.country.eq_ignore_ascii_case("BD");
    let needed = match place.needed {
        Needed::Always => true,
        Needed::AboveThreshold => above && !abroad,
        Needed::No => false,
    };
    if needed && value == Cell::Empty {
        let message = format!("the paper needs its {} ({})", place.key, place.en);
        let finding = Finding::error("field-missing", message).citing(tables::citation(INVOICE_PAPER));
        findings.push(finding.at(pointer));
    }
    Field { key: place.key.to_owned(), labels: labels(place), value }
}

/// What stands at a place of the paper, and where in the input it comes from.
fn value_of(place: &Printed, document: &Document, facts: &IssueFacts) -> (Cell, &'static str) {
    let (supplier, customer) = (&document.supplier, &document.customer);
    let fact = |name: &str| facts.attributes.get(name).or_else(|| document.attributes.get(name));
    match place.key {
        "supplier_name" => (text(Some(&supplier.name)), "/supplier/name"),
        "supplier_bin" => (bin(supplier.identifier("bin")), "/supplier/identifiers"),
        "issue_address" => (text(supplier.address.as_deref()), "/supplier/address"),
        "buyer_name" => (text(Some(&customer.name)), "/customer/name"),
        "buyer_bin" => (bin(customer.identifier("bin")), "/customer/identifiers"),
        "buyer_address" => (text(customer.address.as_deref()), "/customer/address"),
        // Without either, the supply is handed over where the invoice is issued.
        "destination" => {
            let named = document.attributes.get("destination").filter(|named| !named.trim().is_empty());
            let known = named.or(issue::address(customer)).or(issue::address(supplier));
            (text(known), "/attributes/destination")
        }
        "vehicle" => (text(document.attributes.get("vehicle")), "/attributes/vehicle"),
        "invoice_no" => (text(Some(&facts.number)), "/facts/number"),
        "issue_date" => (Cell::Day(facts.issued_on), "/facts/issued_on"),
        "issue_time" => (text(Some(&facts.issued_at)), "/facts/issued_at"),
        "responsible_person" => (text(fact("responsible_person")), "/facts/attributes/responsible_person"),
        "designation" => (text(fact("designation")), "/facts/attributes/designation"),
        "footnote" => (text(Some(NOTE[0].bn)), ""),
        // Signed and sealed by hand.
        _ => (Cell::Empty, ""),
    }
}

struct Rows<'a> {
    document: &'a Document,
    places: u32,
    taka_rate: Decimal,
}

/// The sums of the columns that the paper adds up.
#[derive(Default)]
struct Sums {
    net: Decimal,
    duty: Decimal,
    vat: Decimal,
    gross: Decimal,
}

impl Rows<'_> {
    fn grid(&self, taxes: &Determination) -> Result<Grid, Vec<Finding>> {
        let lines = &self.document.lines;
        let same = lines.len() == taxes.lines.len()
            && lines.iter().zip(&taxes.lines).all(|(line, taxed)| line.id == taxed.line_id);
        if !same {
            let message = "the determination is not that of the document's lines";
            return Err(vec![Finding::error("determination-mismatch", message).at("/lines")]);
        }
        let mut sums = Sums::default();
        let mut rows = Vec::with_capacity(lines.len());
        for (index, (line, taxed)) in lines.iter().zip(&taxes.lines).enumerate() {
            let row = self.row(index, line, taxed, &mut sums).ok_or_else(|| {
                let pointer = format!("/lines/{index}");
                let message = "an amount is too large for the paper";
                vec![Finding::error("amount-out-of-range", message).at(pointer)]
            })?;
            rows.push(row);
        }
        Ok(Grid { columns: COLUMNS.iter().map(column).collect(), rows, totals: self.totals(&sums) })
    }

    fn row(&self, index: usize, line: &Line, taxed: &LineTaxes, sums: &mut Sums) -> Option<Vec<Cell>> {
        let item = |code: &str| taxed.taxes.iter().find(|item| item.code == code);
        let (duty, vat) = (item("sd"), item("vat"));
        let net = self.taka(taxed.net)?;
        let duty_taka = duty.map_or(Some(Decimal::ZERO), |item| self.taka(item.amount))?;
        let vat_taka = vat.map_or(Some(Decimal::ZERO), |item| self.taka(item.amount))?;
        let gross = net.checked_add(duty_taka)?.checked_add(vat_taka)?;
        sums.net = sums.net.checked_add(net)?;
        sums.duty = sums.duty.checked_add(duty_taka)?;
        sums.vat = sums.vat.checked_add(vat_taka)?;
        sums.gross = sums.gross.checked_add(gross)?;
        // After the discount: the value that bears tax, for one unit.
        let unit_price = net.checked_div(line.quantity)?;
        Some(vec![
            Cell::Amount(Decimal::from(index + 1)),
            text(Some(&description(line))),
            text(Some(&line.unit)),
            Cell::Amount(line.quantity),
            Cell::Amount(with_places(round_half_up(unit_price, UNIT_PRICE_PLACES), self.places)),
            Cell::Amount(net),
            duty.and_then(|item| item.rate).map_or(Cell::Empty, Cell::Amount),
            duty.map_or(Cell::Empty, |_| Cell::Amount(duty_taka)),
            vat.map_or(Cell::Empty, |item| self.vat_rate(line, item)),
            vat.map_or(Cell::Empty, |_| Cell::Amount(vat_taka)),
            Cell::Amount(gross),
        ])
    }

    fn totals(&self, sums: &Sums) -> Vec<Cell> {
        let sum = |amount| Cell::Amount(round_half_up(amount, self.places));
        let totals = COLUMNS.iter().enumerate().map(|(index, column)| match column.key {
            "total_ex_tax" => sum(sums.net),
            "sd_amount" => sum(sums.duty),
            "vat_amount" => sum(sums.vat),
            "total_incl" => sum(sums.gross),
            _ if index == 0 => Cell::Text(TOTAL[0].bn.to_owned()),
            _ => Cell::Empty,
        });
        totals.collect()
    }

    /// The rate in percent, or the taka per unit of the day's law.
    fn vat_rate(&self, line: &Line, item: &TaxItem) -> Cell {
        if let Some(rate) = item.rate {
            return Cell::Amount(rate);
        }
        let found = rates::find(&line.supply_code, line.attributes.get("variant"), self.document.tax_date);
        match found.map(|rate| rate.charge) {
            Ok(Charge::Specific { taka, unit }) => {
                Cell::Text(format!("{taka} / {}", UNITS[usize::from(unit)].name))
            }
            _ => Cell::Empty,
        }
    }

    fn taka(&self, amount: Decimal) -> Option<Decimal> {
        Some(round_half_up(amount.checked_mul(self.taka_rate)?, self.places))
    }
}

fn description(line: &Line) -> String {
    match line.attributes.get("brand").map(str::trim).filter(|brand| !brand.is_empty()) {
        Some(brand) => format!("{} ({brand})", line.description),
        None => line.description.clone(),
    }
}
