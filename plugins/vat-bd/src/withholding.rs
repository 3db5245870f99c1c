//! Tax that the customer keeps back and pays to the treasury: VAT deducted at source, and income tax.
//!
//! The law's table of services says from what VAT is deducted ([`Rate::withholding`]); rule 5 says from what it is not.

use niyam_sdk::{Date, Decimal, Effect, Finding, Line, LineTaxes, PriceMode, TaxItem, round_half_up};

use crate::amounts::{self, in_range, percentage, rounded};
use crate::config::{Base, Registration};
use crate::dates;
use crate::determine::Case;
use crate::line::place;
use crate::tables::{
    self, Charge, INCOME_TAX, INCOME_TAX_BASE, Person, Rate, TdsRow, WITHHOLDING, WITHHOLDING_EXCLUSIONS,
};

/// The first day from which a text of the table of services was read.
const VERIFIED_FROM: Date = Date::constant(2025, 7, 1);

/// The code under which goods of a trader are bought.
const PROCUREMENT: &str = "S037.00";

/// Whether rule 5 takes a line of the table out of the deduction; what it does not take out is told.
pub(crate) fn excluded(case: &mut Case, index: usize, line: &Line, rate: &Rate) -> bool {
    let (at, named) = match line.attributes.get("vds_exclusion") {
        Some(named) => (format!("/lines/{index}/attributes/vds_exclusion"), named),
        None => match case.document.attributes.get("vds_exclusion") {
            Some(named) => ("/attributes/vds_exclusion".to_owned(), named),
            None => return false,
        },
    };
    let customer = &case.document.customer;
    let why_not = match named.trim() {
        "" => return false,
        "manufacturer-invoice" if rate.code == PROCUREMENT => None,
        "manufacturer-invoice" | "trader-invoice" if rate.code != PROCUREMENT => {
            Some("VAT is deducted from a service of the table even with a Mushak-6.3")
        }
        "trader-invoice" => {
            Some("a trader's invoice takes goods out when it charges 15 percent: they are `standard`")
        }
        "efd-receipt" if customer.name.trim().is_empty() || customer.identifier("bin").is_none() => {
            Some("a fiscal device's receipt counts when it names the buyer and its BIN")
        }
        "utility" | "startup" | "efd-receipt" => None,
        _ => Some(
            "the exclusion is one of manufacturer-invoice, trader-invoice, utility, efd-receipt and startup",
        ),
    };
    if let Some(why_not) = why_not {
        let finding = Finding::warning("vds-exclusion-refused", why_not).at(at);
        case.findings.push(finding.citing(tables::citation(WITHHOLDING_EXCLUSIONS)));
        return false;
    }
    let message = format!("no VAT is deducted: {}", named.trim());
    let finding = Finding::info("vds-excluded", message).at(at);
    case.findings.push(finding.citing(tables::citation(WITHHOLDING_EXCLUSIONS)));
    true
}

/// What is to be said of VAT deducted anywhere in the document.
pub(crate) fn conclude(case: &mut Case, lines: &[LineTaxes]) {
    if !lines.iter().flat_map(|line| &line.taxes).any(|item| item.code == "vds") {
        return;
    }
    let day = case.document.tax_date;
    if day < VERIFIED_FROM && case.cited.has(WITHHOLDING) {
        let message = format!(
            "tax is deducted by the table of services read for {VERIFIED_FROM} and later; whether the earlier table \
             agrees is not verified"
        );
        let finding = Finding::warning("withholding-unverified", message).at("/tax_date");
        case.findings.push(finding.citing(tables::citation(WITHHOLDING)));
    }
    if case.purchase && case.config.registration != Registration::Registered {
        if let Some(levy) = tables::levy("vds-deposit-days", day) {
            let days = u32::try_from(levy.value).unwrap_or(0);
            let message = format!("deducted VAT is deposited by {}", dates::after(day, days));
            let finding = Finding::info("vds-deposit-due", message).at("/tax_date");
            case.findings.push(finding.citing(tables::citation(levy.citation)));
        }
    }
}

/// Income tax to be deducted from one line.
pub(crate) struct Deduction {
    row: &'static TdsRow,
    /// The row's percentage, or what no proof of a return makes of it.
    percent: Decimal,
    /// What the supplier is to receive, where the price says that.
    received: Option<Decimal>,
}

/// ss.89 and 90: what is to be deducted from a line whose attribute `tds` names the nature of the payment.
pub(crate) fn income_tax(case: &mut Case, index: usize, line: &Line) -> Result<Option<Deduction>, ()> {
    let own = case.config.supply(&line.supply_code).and_then(|own| own.tds.as_deref());
    let Some(nature) = line.attributes.get("tds").or(own).map(str::trim).filter(|nature| !nature.is_empty())
    else {
        return Ok(None);
    };
    let at = format!("/lines/{index}/attributes/tds");
    let (day, supplier) = (case.document.tax_date, &case.document.supplier.attributes);
    let person = match supplier.get("person") {
        Some("natural") => Person::Natural,
        Some("other") => Person::Other,
        _ => Person::Any,
    };
    let Some(row) = tables::tds(nature, person, day) else {
        let shown: String = nature.chars().take(32).collect();
        let known = tables::TDS.iter().any(|row| row.key == nature);
        let (code, message) = if known {
            ("rate-not-known", format!("the rate of deduction from {shown} on {day} is not known"))
        } else {
            ("tds-nature-unknown", format!("the pack knows no payment of nature {shown}"))
        };
        case.findings.push(Finding::error(code, message).at(at).citing(tables::citation(INCOME_TAX)));
        return Err(());
    };
    if person == Person::Any && row.person != Person::Any {
        let message = "whether the supplier is a natural person is not said: the higher rate is deducted";
        let finding = Finding::warning("tds-person-unknown", message).at("/supplier/attributes/person");
        case.findings.push(finding.citing(tables::citation(row.citation)));
    }
    let own_proof = !case.purchase && case.config.income_tax.proof_of_return;
    let proven = supplier.is_true("proof_of_return") || own_proof;
    let multiplier = tables::levy("no-return-multiplier", day).filter(|_| !proven);
    if let Some(levy) = multiplier {
        let message = format!("without proof of a return the rate is multiplied by {}", levy.value);
        let finding = Finding::info("tds-without-return", message).at("/supplier/attributes/proof_of_return");
        case.findings.push(finding.citing(tables::citation(levy.citation)));
    }
    let percent = row.percent * multiplier.map_or(Decimal::ONE, |levy| levy.value);
    Ok(Some(Deduction { row, percent: percent.normalize(), received: None }))
}

impl Deduction {
    /// The line's value when its price, by the attribute `gross_up`, is what the supplier receives after the deduction.
    ///
    /// With t deducted and VAT at v: a price N without VAT comes from N/(1−t), or from N/(1−t(1+v)) when VAT is in the
    /// base; a price with VAT from N/(1−t), or from N/(1−t/(1+v)) when it is not.
    pub(crate) fn grossed_up(
        &mut self,
        case: &mut Case,
        index: usize,
        value: Decimal,
        charge: Charge,
        dutied: bool,
    ) -> Option<Decimal> {
        let attributes = &case.document.lines[index].attributes;
        if !attributes.is_true("gross_up") {
            return Some(value);
        }
        let vat = match charge {
            Charge::Percent(rate) => rate,
            Charge::Zero | Charge::Exempt => Decimal::ZERO,
            Charge::Specific { .. } => Decimal::NEGATIVE_ONE,
        };
        let stated = ["contract_value", "payment_value"].iter().any(|name| attributes.get(name).is_some());
        if dutied || stated || vat.is_sign_negative() {
            let message =
                "a price is grossed up for a rate in percent, without duty and without another base";
            let at = format!("/lines/{index}/attributes/gross_up");
            case.findings.push(Finding::error("gross-up-not-possible", message).at(at));
            return None;
        }
        let with_vat = Decimal::ONE_HUNDRED + vat;
        let rate = match (case.document.price_mode, case.config.income_tax.base) {
            (PriceMode::Exclusive, Base::WithVat) => self.percent * with_vat / Decimal::ONE_HUNDRED,
            (PriceMode::Inclusive, Base::WithoutVat) => self.percent * Decimal::ONE_HUNDRED / with_vat,
            _ => self.percent,
        };
        let left = Decimal::ONE_HUNDRED - rate;
        let received = rounded(value, case.places);
        let whole = received.checked_mul(Decimal::ONE_HUNDRED).and_then(|value| value.checked_div(left));
        let Some(whole) = whole.filter(|whole| left > Decimal::ZERO && in_range(*whole)) else {
            case.findings
                .push(crate::line::out_of_range("the grossed up price").at(place(index, "unit_price")));
            return None;
        };
        self.received = Some(received);
        Some(round_half_up(whole, case.places))
    }

    /// Adds the tax to the taxes of its line.
    pub(crate) fn add(self, case: &mut Case, index: usize, line: &Line, taxed: &mut LineTaxes) -> Option<()> {
        let bill = match case.config.income_tax.base {
            Base::WithVat => taxed.gross,
            Base::WithoutVat => taxed.net,
        };
        let mut base = bill;
        for name in ["contract_value", "payment_value"] {
            let Some(text) = line.attributes.get(name) else { continue };
            let Some(amount) = amounts::taka(text) else {
                let at = format!("/lines/{index}/attributes/{name}");
                case.findings.push(Finding::error("amount-invalid", format!("{name} is no amount")).at(at));
                return None;
            };
            base = base.max(rounded(amount, case.places));
        }
        let priced = match case.document.price_mode {
            PriceMode::Exclusive => taxed.net,
            PriceMode::Inclusive => taxed.gross,
        };
        // What was agreed is paid to the paisa, so the tax is what lies between.
        let amount = match self.received {
            Some(received) => Some(priced - received),
            None => percentage(base, self.percent, case.places),
        };
        let Some(amount) = amount else {
            case.findings.push(crate::line::out_of_range("the income tax").at(place(index, "unit_price")));
            return None;
        };
        if base > bill {
            let message = "the base is the highest of contract, bill and payment";
            let finding = Finding::info("tds-base-raised", message).at(place(index, "attributes"));
            case.findings.push(finding.citing(tables::citation(INCOME_TAX_BASE)));
        }
        taxed.taxes.push(TaxItem {
            code: "tds".to_owned(),
            rate: Some(self.percent),
            base,
            amount,
            effect: Effect::Withheld,
            // The supplier sets it off against its income tax.
            recoverable: true,
            citation: case.cited.index(self.row.citation),
        });
        Some(())
    }
}
