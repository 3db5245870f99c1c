//! What tax a document bears: checks what concerns it as a whole, taxes its lines, adds up.
//!
//! Every finding of every line is collected; only when none of them is an error there is an answer. The lines
//! themselves are [`line`](crate::line)'s.

use niyam_sdk::{
    Citation, Context, Decimal, Determination, Direction, Document, Finding, Line, LineTaxes, Severity,
};

use crate::config::{Config, Registration, TAKA};
use crate::tables::{self, CITATIONS, COMMENCEMENT, LAW_FROM};
use crate::{amounts, credit, identifiers, imports, line, movements, statements, turnover, withholding};

/// What the taxes of a line depend on beyond the line, and what they are added to.
pub(crate) struct Case<'a> {
    pub(crate) document: &'a Document,
    pub(crate) config: &'a Config,
    /// Whether the tenant buys.
    pub(crate) purchase: bool,
    /// Places of every amount.
    pub(crate) places: u32,
    /// Taka for one unit of the document's currency.
    pub(crate) taka_rate: Decimal,
    /// Whether the customer deducts VAT at source.
    pub(crate) withholding: bool,
    /// Whether the customer deducts income tax.
    pub(crate) income_tax: bool,
    pub(crate) cited: Cited,
    pub(crate) findings: Vec<Finding>,
}

/// What tax `document` bears, or what it states for the return.
pub(crate) fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
    let config = Config::of(context)?;
    let mut case = Case::of(&config, document);
    let taxes: Taxes = match document.kind.as_str() {
        imports::KIND => imports::taxes,
        kind if statements::is_kind(kind) => statements::taxes,
        kind if movements::is_kind(kind) => movements::taxes,
        _ if !case.purchase && config.registration != Registration::Registered => turnover::taxes,
        _ => line::taxes,
    };
    let mut lines = Vec::with_capacity(document.lines.len());
    for (index, line) in document.lines.iter().enumerate() {
        lines.extend(taxes(&mut case, index, line));
    }
    if case.withholding {
        withholding::conclude(&mut case, &lines);
    }
    if case.purchase && credit::concerns(document) {
        credit::conclude(&mut case, &mut lines);
    }
    if is_refused(&case.findings) {
        return Err(case.findings);
    }
    match Totals::of(&lines, case.places) {
        Some(totals) => Ok(totals.determination(lines, case)),
        None => Err(vec![line::out_of_range("the document's total").at("/lines")]),
    }
}

/// How the lines of one kind of document are taxed; nothing where one is refused.
type Taxes = for<'a> fn(&mut Case<'a>, usize, &'a Line) -> Option<LineTaxes>;

impl<'a> Case<'a> {
    fn of(config: &'a Config, document: &'a Document) -> Self {
        let mut findings = Vec::new();
        check_document(document, &mut findings);
        let taka_rate = taka_rate(document).unwrap_or_else(|refused| {
            findings.extend(refused);
            Decimal::ONE
        });
        let purchase = document.direction == Direction::Purchase;
        let customer = &document.customer.attributes;
        // When the tenant buys, it is the customer.
        let withholding = purchase && config.withholding.vat || customer.is_true("withholding_entity");
        let income_tax = purchase && config.withholding.income_tax || customer.is_true("deducts_income_tax");
        let (places, cited) = (config.places_of(document), Cited::default());
        Self { document, config, purchase, places, taka_rate, withholding, income_tax, cited, findings }
    }
}

/// Taka for one unit of the document's currency.
pub(crate) fn taka_rate(document: &Document) -> Result<Decimal, Vec<Finding>> {
    let finding = |code, message: &str| Err(vec![Finding::error(code, message).at("/exchange_rate")]);
    match document.exchange_rate {
        Some(rate) if rate <= Decimal::ZERO => {
            finding("exchange-rate-invalid", "an exchange rate is above zero")
        }
        Some(rate) if document.currency == TAKA && rate != Decimal::ONE => {
            finding("exchange-rate-invalid", "a document in taka has no exchange rate but 1")
        }
        Some(rate) => Ok(rate),
        None if document.currency == TAKA => Ok(Decimal::ONE),
        None => finding("exchange-rate-missing", "a document in a foreign currency needs its rate in taka"),
    }
}

fn check_document(document: &Document, findings: &mut Vec<Finding>) {
    if document.tax_date < LAW_FROM {
        let day = document.tax_date;
        let message = format!("the pack holds the law from {LAW_FROM}; {day} is before it");
        let finding = Finding::error("law-not-covered", message).at("/tax_date");
        findings.push(finding.citing(tables::citation(COMMENCEMENT)));
    }
    if document.lines.is_empty() {
        findings.push(Finding::error("lines-missing", "a document has at least one line").at("/lines"));
    }
    identifiers::check_party(&document.supplier, "/supplier", findings);
    identifiers::check_party(&document.customer, "/customer", findings);
}

fn is_refused(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}

struct Totals {
    net: Decimal,
    gross: Decimal,
    withheld: Decimal,
}

impl Totals {
    fn of(lines: &[LineTaxes], places: u32) -> Option<Self> {
        let zero = niyam_sdk::round_half_up(Decimal::ZERO, places);
        let mut totals = Self { net: zero, gross: zero, withheld: zero };
        for line in lines {
            totals.net = totals.net.checked_add(line.net)?;
            totals.gross = totals.gross.checked_add(line.gross)?;
            for tax in line.taxes.iter().filter(|tax| tax.effect == niyam_sdk::Effect::Withheld) {
                totals.withheld = totals.withheld.checked_add(tax.amount)?;
            }
        }
        amounts::in_range(totals.gross).then_some(totals)
    }

    fn determination(self, lines: Vec<LineTaxes>, case: Case) -> Determination {
        Determination {
            lines,
            net: self.net,
            tax_added: self.gross - self.net,
            tax_withheld: self.withheld,
            gross: self.gross,
            payable: self.gross - self.withheld,
            citations: case.cited.said,
            findings: case.findings,
        }
    }
}

/// The determination's citations, each said once.
pub(crate) struct Cited {
    said: Vec<Citation>,
    /// Where each of [`CITATIONS`] stands in `said`.
    places: [Option<u32>; CITATIONS.len()],
}

impl Default for Cited {
    fn default() -> Self {
        Self { said: Vec::new(), places: [None; CITATIONS.len()] }
    }
}

impl Cited {
    /// The index of a citation of the table.
    pub(crate) fn index(&mut self, citation: u16) -> u32 {
        let at = usize::from(citation);
        if let Some(index) = self.places[at] {
            return index;
        }
        let index = self.push(CITATIONS[at].citation());
        self.places[at] = Some(index);
        index
    }

    /// The index of an article that the document itself names.
    pub(crate) fn article(&mut self, citation: u16, article: &str) -> u32 {
        let source = CITATIONS[usize::from(citation)].source;
        let same = |said: &Citation| said.article == article && said.source == source;
        match self.said.iter().position(same) {
            Some(index) => index_of(index),
            None => self.push(Citation {
                source: source.to_owned(),
                article: article.to_owned(),
                effective_from: None,
            }),
        }
    }

    pub(crate) fn has(&self, citation: u16) -> bool {
        self.places[usize::from(citation)].is_some()
    }

    fn push(&mut self, citation: Citation) -> u32 {
        self.said.push(citation);
        index_of(self.said.len() - 1)
    }
}

fn index_of(place: usize) -> u32 {
    u32::try_from(place).expect("a document has fewer lines than a u32 counts")
}
