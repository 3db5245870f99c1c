//! Values on their way into a module: borrowed, so that texts are copied once, into the guest.

use niyam_values as values;

use crate::bindings::exports::niyam::rules::{compliance, policy, tax, workflow};
use crate::bindings::niyam::rules::types;

type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Owns the lists that a lowered document borrows.
pub(crate) struct DocumentParts<'a> {
    document: &'a values::Document,
    supplier: PartyParts<'a>,
    customer: PartyParts<'a>,
    line_attributes: Vec<Pairs<'a>>,
    attributes: Pairs<'a>,
}

struct PartyParts<'a> {
    party: &'a values::Party,
    identifiers: Vec<types::Identifier<'a>>,
    attributes: Pairs<'a>,
}

impl<'a> DocumentParts<'a> {
    pub(crate) fn new(document: &'a values::Document) -> Self {
        Self {
            document,
            supplier: PartyParts::new(&document.supplier),
            customer: PartyParts::new(&document.customer),
            line_attributes: document.lines.iter().map(|line| pairs(&line.attributes)).collect(),
            attributes: pairs(&document.attributes),
        }
    }

    pub(crate) fn lines(&self) -> Vec<tax::Line<'_>> {
        self.document
            .lines
            .iter()
            .zip(&self.line_attributes)
            .map(|(line, attributes)| tax::Line {
                id: &line.id,
                description: &line.description,
                supply_code: &line.supply_code,
                quantity: decimal(line.quantity),
                unit: &line.unit,
                unit_price: decimal(line.unit_price),
                discount: decimal(line.discount),
                attributes,
            })
            .collect()
    }

    pub(crate) fn document<'b>(&'b self, lines: &'b [tax::Line<'b>]) -> tax::Document<'b> {
        let document = self.document;
        tax::Document {
            kind: &document.kind,
            direction: match document.direction {
                values::Direction::Sale => tax::Direction::Sale,
                values::Direction::Purchase => tax::Direction::Purchase,
            },
            tax_date: date(document.tax_date),
            currency: &document.currency,
            minor_units: document.minor_units,
            exchange_rate: document.exchange_rate.map(decimal),
            price_mode: match document.price_mode {
                values::PriceMode::Exclusive => tax::PriceMode::Exclusive,
                values::PriceMode::Inclusive => tax::PriceMode::Inclusive,
            },
            supplier: self.supplier.party(),
            customer: self.customer.party(),
            lines,
            attributes: &self.attributes,
        }
    }
}

impl<'a> PartyParts<'a> {
    fn new(party: &'a values::Party) -> Self {
        let identifiers = party
            .identifiers
            .iter()
            .map(|identifier| types::Identifier { kind: &identifier.kind, value: &identifier.value })
            .collect();
        Self { party, identifiers, attributes: pairs(&party.attributes) }
    }

    fn party(&self) -> types::Party<'_> {
        types::Party {
            id: &self.party.id,
            name: &self.party.name,
            address: self.party.address.as_deref(),
            country: &self.party.country,
            identifiers: &self.identifiers,
            attributes: &self.attributes,
        }
    }
}

/// Owns the lists that a lowered determination borrows.
pub(crate) struct TaxesParts<'a> {
    taxes: &'a values::Determination,
    items: Vec<Vec<tax::TaxItemParam<'a>>>,
    citations: Vec<types::CitationParam<'a>>,
    findings: Vec<types::FindingParam<'a>>,
}

impl<'a> TaxesParts<'a> {
    pub(crate) fn new(taxes: &'a values::Determination) -> Self {
        Self {
            taxes,
            items: taxes.lines.iter().map(|line| line.taxes.iter().map(tax_item).collect()).collect(),
            citations: taxes.citations.iter().map(citation).collect(),
            findings: taxes.findings.iter().map(finding).collect(),
        }
    }

    pub(crate) fn lines(&self) -> Vec<tax::LineTaxesParam<'_>> {
        self.taxes
            .lines
            .iter()
            .zip(&self.items)
            .map(|(line, taxes)| tax::LineTaxesParam {
                line_id: &line.line_id,
                net: decimal(line.net),
                taxes,
                gross: decimal(line.gross),
            })
            .collect()
    }

    pub(crate) fn determination<'b>(
        &'b self,
        lines: &'b [tax::LineTaxesParam<'b>],
    ) -> tax::DeterminationParam<'b> {
        tax::DeterminationParam {
            lines,
            net: decimal(self.taxes.net),
            tax_added: decimal(self.taxes.tax_added),
            tax_withheld: decimal(self.taxes.tax_withheld),
            gross: decimal(self.taxes.gross),
            payable: decimal(self.taxes.payable),
            citations: &self.citations,
            findings: &self.findings,
        }
    }
}

/// Facts of issue, with `attributes` from [`pairs`].
pub(crate) fn issue_facts<'a>(
    facts: &'a values::IssueFacts,
    attributes: &'a [(&'a str, &'a str)],
) -> compliance::IssueFacts<'a> {
    compliance::IssueFacts {
        number: &facts.number,
        issued_on: date(facts.issued_on),
        issued_at: &facts.issued_at,
        attributes,
    }
}

/// A command that a policy rules on, with `roles` from [`texts`].
pub(crate) fn request<'a>(request: &'a values::policy::Request, roles: &'a [&'a str]) -> policy::Request<'a> {
    policy::Request {
        command: &request.command,
        aggregate: &request.aggregate,
        body_json: &request.body_json,
        user: &request.user,
        roles,
    }
}

/// A workflow's subject, with `facts` from [`pairs`].
pub(crate) fn subject<'a>(
    subject: &'a values::workflow::Subject,
    facts: &'a [(&'a str, &'a str)],
) -> workflow::Subject<'a> {
    workflow::Subject { kind: &subject.kind, id: &subject.id, amount: subject.amount.map(decimal), facts }
}

/// What happened to a workflow, with the roles of who acted from [`texts`].
pub(crate) fn input<'a>(input: &'a values::workflow::Input, roles: &'a [&'a str]) -> workflow::Input<'a> {
    use values::workflow::{Input, Verdict};

    let actor = |actor: &'a values::workflow::Actor| workflow::Actor { user: &actor.user, roles };
    match input {
        Input::Started(by) => workflow::Input::Started(actor(by)),
        Input::Decided(decision) => workflow::Input::Decided(workflow::Decision {
            task: &decision.task,
            by: actor(&decision.by),
            verdict: match decision.verdict {
                Verdict::Approved => workflow::Verdict::Approved,
                Verdict::Rejected => workflow::Verdict::Rejected,
                Verdict::Returned => workflow::Verdict::Returned,
            },
            comment: decision.comment.as_deref(),
        }),
        Input::TimerFired(timer) => workflow::Input::TimerFired(timer),
        Input::Cancelled(by) => workflow::Input::Cancelled(actor(by)),
    }
}

pub(crate) fn texts(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

pub(crate) fn pairs(attributes: &values::Attributes) -> Pairs<'_> {
    attributes.iter().collect()
}

pub(crate) fn date(date: values::Date) -> types::Date {
    // The API takes no date outside 1971 to 2199, so nothing is lost.
    types::Date {
        year: date.year().unsigned_abs(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the two halves of 128 bits")]
pub(crate) fn decimal(decimal: values::Decimal) -> types::Decimal {
    let mantissa = decimal.mantissa();
    types::Decimal { low: mantissa as u64, high: (mantissa >> 64) as i64, scale: decimal.scale() as u8 }
}

fn tax_item(item: &values::TaxItem) -> tax::TaxItemParam<'_> {
    tax::TaxItemParam {
        code: &item.code,
        rate: item.rate.map(decimal),
        base: decimal(item.base),
        amount: decimal(item.amount),
        effect: match item.effect {
            values::Effect::Added => tax::Effect::Added,
            values::Effect::Withheld => tax::Effect::Withheld,
            values::Effect::Informative => tax::Effect::Informative,
        },
        recoverable: item.recoverable,
        citation: item.citation,
    }
}

fn citation(citation: &values::Citation) -> types::CitationParam<'_> {
    types::CitationParam {
        source: &citation.source,
        article: &citation.article,
        effective_from: citation.effective_from.map(date),
    }
}

fn finding(finding: &values::Finding) -> types::FindingParam<'_> {
    types::FindingParam {
        code: &finding.code,
        severity: match finding.severity {
            values::Severity::Error => types::Severity::Error,
            values::Severity::Warning => types::Severity::Warning,
            values::Severity::Info => types::Severity::Info,
        },
        pointer: finding.pointer.as_deref(),
        message: &finding.message,
        citation: finding.citation.as_ref().map(citation),
    }
}
