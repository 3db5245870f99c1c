//! What tax a document bears: checks what concerns it as a whole, taxes its lines, adds up.
//!
//! Every finding of every line is collected; only when none of them is an error there is an answer. The lines
//! themselves are [`line`](crate::line)'s.

use niyam_sdk::{
    Citation, Context, Decimal, Determination, Direction, Document, Finding, LineTaxes, Severity,
};

use crate::config::{Config, TAKA};
use crate::tables::{self, CITATIONS, COMMENCEMENT, LAW_FROM, WITHHOLDING};
use crate::{identifiers, line};

/// What the taxes of a line depend on beyond the line, and what they are added to.
pub(crate) struct Case<'a> {
    pub(crate) document: &'a Document,
    /// Places of every amount.
    pub(crate) places: u32,
    /// Taka for one unit of the document's currency.
    pub(crate) taka_rate: Decimal,
    /// Whether the customer deducts tax at source.
    pub(crate) withholding: bool,
    pub(crate) cited: Cited,
    pub(crate) findings: Vec<Finding>,
}

/// What tax `document` bears.
pub(crate) fn determine(context: &Context, document: &Document) -> Result<Determination, Vec<Finding>> {
    let places = Config::of(context)?.places_of(document);
    let mut findings = Vec::new();
    check_document(document, &mut findings);
    let taka_rate = taka_rate(document).unwrap_or_else(|refused| {
        findings.extend(refused);
        Decimal::ONE
    });
    let withholding =
        document.direction == Direction::Sale && document.customer.attributes.is_true("withholding_entity");
    let cited = Cited::default();
    let mut case = Case { document, places, taka_rate, withholding, cited, findings };

    let mut lines = Vec::with_capacity(document.lines.len());
    for (index, line) in document.lines.iter().enumerate() {
        lines.extend(line::taxes(&mut case, index, line));
    }
    if case.withholding && document.tax_date < WITHHOLDING_VERIFIED_FROM && case.cited.has(WITHHOLDING) {
        case.findings.push(withholding_unverified());
    }
    if is_refused(&case.findings) {
        return Err(case.findings);
    }
    match Totals::of(&lines, places) {
        Some(totals) => Ok(totals.determination(lines, case)),
        None => Err(vec![line::out_of_range("the document's total").at("/lines")]),
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

/// The first day from which a text of the table of services was read.
const WITHHOLDING_VERIFIED_FROM: niyam_sdk::Date = niyam_sdk::Date::constant(2025, 7, 1);

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

fn withholding_unverified() -> Finding {
    let message = format!(
        "tax is deducted by the table of services read for {WITHHOLDING_VERIFIED_FROM} and later; whether the \
         earlier table agrees is not verified"
    );
    Finding::warning("withholding-unverified", message).at("/tax_date").citing(tables::citation(WITHHOLDING))
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
        line::in_range(totals.gross).then_some(totals)
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

    fn has(&self, citation: u16) -> bool {
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
