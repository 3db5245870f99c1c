//! Whether the input tax of a purchase may be credited, and why not (s.46).
//!
//! Facts come from the document's attributes: `mushak_6_3` is the number of the supplier's invoice, `payment_channel` how it was
//! paid, `register` where it stands, the supplier's `registration` what it is. A register's entry may add to them.

use niyam_sdk::{Attributes, Date, Decimal, Document, Finding, LineTaxes, Party};

use crate::config::{Config, Window};
use crate::determine::Case;
use crate::line::REVERSED;
use crate::tables::{self, CREDIT_BARRED};
use crate::{dates, issue};

/// Whether a document claims credit by an invoice of its supplier.
pub(crate) fn concerns(document: &Document) -> bool {
    document.kind == "invoice" || document.kind == "debit-note"
}

/// A purchase, with what is known of it.
pub(crate) struct Claim<'a> {
    pub(crate) document: &'a Document,
    /// What became known later, for example its payment.
    pub(crate) later: Option<&'a Attributes>,
    /// Value with all taxes, in taka.
    pub(crate) gross: Decimal,
}

/// Why a credit is barred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bar {
    /// The supplier pays turnover tax.
    Enlisted,
    /// The supplier is not registered.
    Unregistered,
    /// Its invoice, its payment or the register does not do.
    Other,
}

impl<'a> Claim<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let later = self.later.and_then(|facts| facts.get(name));
        later.or_else(|| self.document.attributes.get(name)).map(str::trim).filter(|text| !text.is_empty())
    }

    /// Every reason that bars the credit, each with its place and the law.
    pub(crate) fn bars(&self) -> Vec<(Bar, Finding)> {
        let mut bars = Vec::new();
        let mut bar = |bar: Bar, code: &str, message: String, at: String| {
            let finding = Finding::warning(code, message).at(at).citing(tables::citation(CREDIT_BARRED));
            bars.push((bar, finding));
        };
        let standing = match self.document.supplier.attributes.get("registration") {
            Some("enlisted") => Some((Bar::Enlisted, "turnover tax is never credited")),
            Some("unregistered") => {
                Some((Bar::Unregistered, "a supplier that is not registered charges no VAT"))
            }
            _ => None,
        };
        if let Some((kind, message)) = standing {
            let at = "/supplier/attributes/registration".to_owned();
            bar(kind, "credit-supplier-not-registered", message.to_owned(), at);
        }
        if self.get("mushak_6_3").is_none() {
            let message = "there is no credit without the supplier's Mushak-6.3".to_owned();
            bar(Bar::Other, "credit-invoice-missing", message, "/attributes/mushak_6_3".to_owned());
        }
        for (who, party) in [("supplier", &self.document.supplier), ("customer", &self.document.customer)] {
            for (field, missing) in blanks(party) {
                let message = format!("the supplier's Mushak-6.3 lacks the {who}'s {missing}");
                bar(Bar::Other, "credit-invoice-incomplete", message, format!("/{who}/{field}"));
            }
        }
        if let Some((threshold, "cash" | "other")) = self.above_threshold().zip(self.get("payment_channel")) {
            let message = format!("more than {threshold} taka were paid outside a bank or a mobile wallet");
            bar(Bar::Other, "credit-paid-outside-bank", message, "/attributes/payment_channel".to_owned());
        }
        if self.get("register") == Some("none") {
            let message = "the purchase does not stand in Mushak-6.1 or Mushak-6.2.1".to_owned();
            bar(Bar::Other, "credit-not-in-register", message, "/attributes/register".to_owned());
        }
        bars
    }

    /// The threshold of payment through a bank, where the invoice is above it.
    fn above_threshold(&self) -> Option<Decimal> {
        let threshold = tables::threshold("bank-payment", self.document.tax_date)?;
        (self.gross > threshold.taka).then_some(threshold.taka)
    }
}

fn blanks(party: &Party) -> Vec<(&'static str, &'static str)> {
    let mut blanks = Vec::new();
    if party.name.trim().is_empty() {
        blanks.push(("name", "name"));
    }
    if issue::address(party).is_none() {
        blanks.push(("address", "address"));
    }
    if party.identifier("bin").is_none() {
        blanks.push(("identifiers", "BIN"));
    }
    blanks
}

/// The tax periods after a purchase's own in which its tax may still be credited, and the window's citation.
pub(crate) fn window(config: &Config, day: Date) -> Option<(i32, u16)> {
    let levy = tables::levy("credit-window", day)?;
    Some((periods(config, i32::try_from(levy.value).ok()?), levy.citation))
}

/// How many periods after its own a window of `count` periods ends.
pub(crate) fn periods(config: &Config, count: i32) -> i32 {
    match config.input_credit.window {
        Window::OwnPeriodCounts => count - 1,
        Window::AfterOwnPeriod => count,
    }
}

/// Says of a purchase's taxes which may be credited: sets [`recoverable`](niyam_sdk::TaxItem::recoverable).
pub(crate) fn conclude(case: &mut Case, lines: &mut [LineTaxes]) {
    let taxed =
        lines.iter().flat_map(|line| &line.taxes).any(|item| item.code == "vat" && !item.amount.is_zero());
    if !taxed {
        return;
    }
    let sum: Option<Decimal> = lines.iter().try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.gross));
    let gross = sum.and_then(|sum| sum.checked_mul(case.taka_rate)).unwrap_or(Decimal::MAX);
    let claim = Claim { document: case.document, later: None, gross };
    let bars = claim.bars();
    let barred = !bars.is_empty();
    case.findings.extend(bars.into_iter().map(|(_, finding)| finding));
    if claim.above_threshold().is_some() && claim.get("payment_channel").is_none() {
        let message = "the credit is lost if this is paid wholly outside a bank or a mobile wallet";
        let finding = Finding::info("payment-channel-unknown", message).at("/attributes/payment_channel");
        case.findings.push(finding.citing(tables::citation(CREDIT_BARRED)));
    }
    if let Some(claimed) = claim.get("claimed_on") {
        check_window(case, claimed);
    }
    for item in lines.iter_mut().flat_map(|line| &mut line.taxes) {
        if item.code == "vat" {
            item.recoverable =
                !barred && (item.recoverable || case.config.input_credit.other_rates && item.rate.is_some());
        }
        debug_assert!(item.code != REVERSED || item.recoverable || item.rate.is_none());
    }
}

/// Refuses a claim, stated with the day `claimed_on`, after the window.
fn check_window(case: &mut Case, claimed: &str) {
    let (day, at) = (case.document.tax_date, "/attributes/claimed_on");
    let Some(claimed) = dates::parse(claimed) else {
        case.findings.push(Finding::error("date-invalid", "claimed_on is a day, as 2026-07-15").at(at));
        return;
    };
    let Some((periods, citation)) = window(case.config, day) else { return };
    if let Some(finding) = missed(day, claimed, periods, citation) {
        case.findings.push(finding.at(at));
    }
}

/// The finding that a claim in the period of `claimed` comes too late, or before the purchase.
pub(crate) fn missed(day: Date, claimed: Date, periods: i32, citation: u16) -> Option<Finding> {
    let passed = dates::month(claimed) - dates::month(day);
    let message = match passed {
        ..0 => "a credit is not claimed before its purchase".to_owned(),
        _ if passed > periods => {
            format!(
                "the credit of {day} could be claimed within {periods} tax periods after its own; {passed} have passed"
            )
        }
        _ => return None,
    };
    Some(Finding::error("credit-window-missed", message).citing(tables::citation(citation)))
}
