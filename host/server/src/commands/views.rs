//! JSON shapes of what the API answers.

use jiff::Timestamp;
use niyam_domain::{
    Activated, ActivationState, DUE_DATE, Decision, Invoice, InvoiceId, ModulePolicy, OnFailure, Position,
    Profile, Tenant, TenantId, Version, World,
};
use niyam_values::{
    Attributes, Citation, Date, Decimal, Determination, Direction, Document, Effect, Finding, Identifier,
    IssuePlan, Line, Party, PriceMode, Severity, with_places,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::commands::policy::PolicyDecision;
use crate::commands::policy_views::{PolicyFindingView, PolicyView, policy_findings};
use crate::commands::supplier_number::{SUPPLIER_DATE, SUPPLIER_NUMBER};

/// The law behind a figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CitationView {
    source: String,
    article: String,
    /// First day of the text applied.
    #[schema(value_type = Option<String>, format = Date)]
    effective_from: Option<Date>,
}

impl From<&Citation> for CitationView {
    fn from(citation: &Citation) -> Self {
        Self {
            source: citation.source.clone(),
            article: citation.article.clone(),
            effective_from: citation.effective_from,
        }
    }
}

/// What a rule found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// Stable, kebab-case.
    pub(crate) code: String,
    /// `error`, `warning` or `info`.
    #[schema(value_type = String)]
    severity: Severity,
    /// JSON Pointer into the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    citation: Option<CitationView>,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.code.clone(),
            severity: finding.severity,
            pointer: finding.pointer.clone(),
            message: finding.message.clone(),
            citation: finding.citation.as_ref().map(CitationView::from),
        }
    }
}

/// One tax on one line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaxView {
    /// `vat`, `sd`, `vds` …
    code: String,
    /// Percent; absent for an amount per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "15")]
    rate: Option<Decimal>,
    #[schema(value_type = String)]
    base: Decimal,
    #[schema(value_type = String)]
    amount: Decimal,
    /// `added`, `withheld` or `informative`.
    #[schema(value_type = String)]
    effect: Effect,
    recoverable: bool,
    citation: Option<CitationView>,
}

/// The taxes of one line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineTaxesView {
    line_id: String,
    #[schema(value_type = String)]
    net: Decimal,
    taxes: Vec<TaxView>,
    #[schema(value_type = String)]
    gross: Decimal,
}

/// What tax a document bears; amounts in the document's currency.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeterminationView {
    lines: Vec<LineTaxesView>,
    #[schema(value_type = String)]
    net: Decimal,
    #[schema(value_type = String)]
    tax_added: Decimal,
    #[schema(value_type = String)]
    tax_withheld: Decimal,
    #[schema(value_type = String)]
    gross: Decimal,
    /// `gross - tax_withheld`.
    #[schema(value_type = String)]
    payable: Decimal,
    findings: Vec<FindingView>,
}

impl From<&Determination> for DeterminationView {
    fn from(taxes: &Determination) -> Self {
        let citation = |index: u32| {
            usize::try_from(index).ok().and_then(|index| taxes.citations.get(index)).map(CitationView::from)
        };
        let lines = taxes
            .lines
            .iter()
            .map(|line| LineTaxesView {
                line_id: line.line_id.clone(),
                net: line.net,
                taxes: line
                    .taxes
                    .iter()
                    .map(|item| TaxView {
                        code: item.code.clone(),
                        rate: item.rate.map(|rate| with_places(rate, 0)),
                        base: item.base,
                        amount: item.amount,
                        effect: item.effect,
                        recoverable: item.recoverable,
                        citation: citation(item.citation),
                    })
                    .collect(),
                gross: line.gross,
            })
            .collect();
        Self {
            lines,
            net: taxes.net,
            tax_added: taxes.tax_added,
            tax_withheld: taxes.tax_withheld,
            gross: taxes.gross,
            payable: taxes.payable,
            findings: taxes.findings.iter().map(FindingView::from).collect(),
        }
    }
}

/// One registration.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IdentifierView {
    #[schema(example = "bin")]
    kind: String,
    #[schema(example = "000828395-0207")]
    value: String,
}

fn identifiers(identifiers: &[Identifier]) -> Vec<IdentifierView> {
    identifiers
        .iter()
        .map(|identifier| IdentifierView { kind: identifier.kind.clone(), value: identifier.value.clone() })
        .collect()
}

/// A party to a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartyView {
    /// The tenant's own id of the party.
    #[serde(skip_serializing_if = "str::is_empty")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    country: String,
    identifiers: Vec<IdentifierView>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: Attributes,
}

impl From<&Party> for PartyView {
    fn from(party: &Party) -> Self {
        Self {
            id: party.id.clone(),
            name: party.name.clone(),
            address: party.address.clone(),
            country: party.country.clone(),
            identifiers: identifiers(&party.identifiers),
            attributes: party.attributes.clone(),
        }
    }
}

/// One line of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    id: String,
    description: String,
    supply_code: String,
    #[schema(value_type = String)]
    quantity: Decimal,
    unit: String,
    #[schema(value_type = String)]
    unit_price: Decimal,
    #[schema(value_type = String)]
    discount: Decimal,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: Attributes,
}

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        Self {
            id: line.id.clone(),
            description: line.description.clone(),
            supply_code: line.supply_code.clone(),
            quantity: line.quantity,
            unit: line.unit.clone(),
            unit_price: line.unit_price,
            discount: line.discount,
            attributes: line.attributes.clone(),
        }
    }
}

/// The document's attribute that says who vouches for its exchange rate.
pub(crate) const EXCHANGE_RATE_SOURCE: &str = "exchange_rate_source";

/// What one unit of the document's currency is worth.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExchangeRateView {
    #[schema(value_type = String, example = "122.50")]
    rate: Decimal,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// The supplier's own number and day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SupplierInvoiceView {
    number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    date: Option<String>,
}

/// A document as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentView {
    #[schema(value_type = String)]
    direction: Direction,
    kind: String,
    /// The supplier's own paper, of a purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier_invoice: Option<SupplierInvoiceView>,
    #[schema(value_type = String, format = Date)]
    tax_date: Date,
    /// By when it is to be paid, where it says so; the tax date otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    due_date: Option<String>,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_rate: Option<ExchangeRateView>,
    #[schema(value_type = String)]
    price_mode: PriceMode,
    supplier: PartyView,
    customer: PartyView,
    lines: Vec<LineView>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: Attributes,
}

impl From<&Document> for DocumentView {
    fn from(document: &Document) -> Self {
        let source = document.attributes.get(EXCHANGE_RATE_SOURCE);
        let number = document.attributes.get(SUPPLIER_NUMBER);
        let supplier_invoice = number.map(|number| SupplierInvoiceView {
            number: number.to_owned(),
            date: document.attributes.get(SUPPLIER_DATE).map(str::to_owned),
        });
        let apart = [EXCHANGE_RATE_SOURCE, SUPPLIER_NUMBER, SUPPLIER_DATE, DUE_DATE];
        let own = |(name, _): &(&str, &str)| !apart.contains(name);
        let own = document.attributes.iter().filter(own);
        Self {
            direction: document.direction,
            kind: document.kind.clone(),
            supplier_invoice,
            tax_date: document.tax_date,
            due_date: document.attributes.get(DUE_DATE).map(str::to_owned),
            currency: document.currency.clone(),
            exchange_rate: document
                .exchange_rate
                .map(|rate| ExchangeRateView { rate, source: source.map(str::to_owned) }),
            price_mode: document.price_mode,
            supplier: (&document.supplier).into(),
            customer: (&document.customer).into(),
            lines: document.lines.iter().map(LineView::from).collect(),
            attributes: own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

/// An invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvoiceView {
    #[schema(value_type = String)]
    id: InvoiceId,
    #[schema(value_type = u64)]
    version: Version,
    /// `draft`, `approved`, `issued` or `cancelled`.
    status: &'static str,
    /// Once issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1/2026-2027")]
    number: Option<String>,
    /// The paper that it was issued as.
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    issued_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    issued_at: Option<Timestamp>,
    #[serde(flatten)]
    document: DocumentView,
    taxes: DeterminationView,
    /// Once issued: what is left to be paid; of a credit note, what is left to be paid back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    outstanding: Option<Decimal>,
    /// What will never be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    written_off: Option<Decimal>,
    /// What a note is against.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<AgainstView>,
    /// What may still be credited of each line, once issued.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left: Vec<LeftView>,
    /// What the tenant's policies found; in the answer of the command that they let pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policy_findings: Vec<PolicyFindingView>,
}

/// The invoice that a note is against.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgainstView {
    #[schema(value_type = String)]
    invoice: InvoiceId,
    number: String,
}

/// What may still be credited of a line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LeftView {
    line_id: String,
    #[schema(value_type = String)]
    quantity: Decimal,
    #[schema(value_type = String)]
    net: Decimal,
    #[schema(value_type = String)]
    gross: Decimal,
}

impl InvoiceView {
    /// With what the policies found.
    pub(crate) fn with_policies(self, policies: &[PolicyDecision]) -> Self {
        Self { policy_findings: policy_findings(policies), ..self }
    }

    pub(crate) fn new(invoice: &Invoice, version: Version) -> Self {
        let issued = invoice.issued.as_ref();
        let places = invoice.document.minor_units.into();
        let left = invoice.left.iter().map(|line| LeftView {
            line_id: line.line_id.clone(),
            quantity: line.quantity,
            net: line.net,
            gross: line.gross,
        });
        let against = invoice.note.as_ref();
        Self {
            id: invoice.id,
            version,
            status: invoice.status.as_str(),
            number: issued.map(|issued| issued.facts.number.clone()),
            form: issued.and_then(|issued| issued.planned.as_ref()).map(|(plan, _)| plan.form.clone()),
            issued_on: issued.map(|issued| issued.facts.issued_on),
            issued_at: issued.map(|issued| issued.issued_at),
            document: (&invoice.document).into(),
            taxes: (&invoice.taxes).into(),
            outstanding: issued.map(|_| with_places(invoice.outstanding, places)),
            written_off: Some(with_places(invoice.written_off, places)).filter(|amount| !amount.is_zero()),
            against: against.map(|of| AgainstView { invoice: of.invoice, number: of.number.clone() }),
            left: left.collect(),
            policy_findings: Vec::new(),
        }
    }
}

/// An activation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivationView {
    /// 1, 2, 3 … in the order recorded: its name within the tenant.
    number: u32,
    module: ModuleView,
    /// `compliance-module`, `tax-module`, `policy-module` or `workflow-module`.
    #[schema(value_type = String)]
    world: World,
    /// First tax date that it answers for.
    #[schema(value_type = String, format = Date)]
    effective_from: Date,
    #[schema(value_type = Object)]
    config: serde_json::Value,
    config_digest: String,
    /// `block`: a command whose module fails commits nothing; `previous`: the activation before answers.
    #[schema(value_type = String)]
    on_failure: OnFailure,
    /// `active`; `shadow`: asked beside the one that answers, and decides nothing.
    #[schema(value_type = String)]
    state: ActivationState,
    withdrawn: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawal_reason: Option<String>,
}

impl From<&Activated> for ActivationView {
    fn from(activated: &Activated) -> Self {
        let Activated { number, activation, withdrawn } = activated;
        Self {
            number: *number,
            module: (&activation.module).into(),
            world: activation.world,
            effective_from: activation.effective_from,
            config: serde_json::from_str(&activation.config).unwrap_or_default(),
            config_digest: activation.config_digest.clone(),
            on_failure: activation.on_failure,
            state: activation.state,
            withdrawn: withdrawn.is_some(),
            withdrawal_reason: withdrawn.as_ref().and_then(|withdrawal| withdrawal.reason.clone()),
        }
    }
}

/// Whose modules the tenant accepts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModulePolicyBody {
    /// Names of publishers; any that the operator trusts when absent.
    pub(crate) publishers: Option<Vec<String>>,
    /// How many of them must have signed a module, 1 to 8.
    #[schema(example = 1)]
    pub(crate) signatures: u32,
}

impl From<&ModulePolicy> for ModulePolicyBody {
    fn from(policy: &ModulePolicy) -> Self {
        Self { publishers: policy.publishers.clone(), signatures: policy.signatures }
    }
}

/// A module, by name and content.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModuleView {
    id: String,
    version: String,
    /// SHA-256 of the component.
    digest: String,
}

impl From<&niyam_domain::ModuleRef> for ModuleView {
    fn from(module: &niyam_domain::ModuleRef) -> Self {
        Self { id: module.id.clone(), version: module.version.clone(), digest: module.digest.clone() }
    }
}

/// The tenant's profile, as its papers show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TenantView {
    #[schema(value_type = String)]
    name: TenantId,
    #[schema(value_type = u64)]
    version: Version,
    legal_name: Option<String>,
    address: Option<String>,
    country: String,
    time_zone: String,
    identifiers: Vec<IdentifierView>,
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: Attributes,
    activations: Vec<ActivationView>,
    /// What the tenant's policies found; in the answer of the command that they let pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policy_findings: Vec<PolicyFindingView>,
}

impl TenantView {
    /// With what the policies found.
    pub(crate) fn with_policies(self, policies: &[PolicyDecision]) -> Self {
        Self { policy_findings: policy_findings(policies), ..self }
    }

    pub(crate) fn new(tenant: &Tenant, version: Version) -> Self {
        let Profile { legal_name, address, country, time_zone, identifiers: own, attributes } =
            &tenant.profile;
        Self {
            name: tenant.id.clone(),
            version,
            legal_name: legal_name.clone(),
            address: address.clone(),
            country: country.clone(),
            time_zone: time_zone.clone(),
            identifiers: identifiers(own),
            attributes: attributes.clone(),
            activations: tenant.activations.all().iter().map(ActivationView::from).collect(),
            policy_findings: Vec::new(),
        }
    }
}

/// One amount of a document, and why it is what it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AmountView {
    line_id: String,
    /// What is supplied, as the line says.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supply_code: Option<String>,
    /// Which tax: `vat`, `sd`, `vds` …
    tax: String,
    /// How it came about: `15 % of 1000.00`, or `3 units` of an amount per unit.
    rule: String,
    /// Percent; absent for an amount per unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "15")]
    rate: Option<Decimal>,
    #[schema(value_type = String)]
    base: Decimal,
    #[schema(value_type = String)]
    amount: Decimal,
    /// `added`, `withheld` or `informative`.
    #[schema(value_type = String)]
    effect: Effect,
    /// The law, and the first day of the text that was applied.
    citation: Option<CitationView>,
}

fn amounts(document: &Document, taxes: &Determination) -> Vec<AmountView> {
    let mut amounts = Vec::new();
    for line in &taxes.lines {
        let supplied = document.lines.iter().find(|supplied| supplied.id == line.line_id);
        for item in &line.taxes {
            let rate = item.rate.map(|rate| with_places(rate, 0));
            let citation = usize::try_from(item.citation).ok().and_then(|index| taxes.citations.get(index));
            amounts.push(AmountView {
                line_id: line.line_id.clone(),
                description: supplied.map(|supplied| supplied.description.clone()),
                supply_code: supplied.map(|supplied| supplied.supply_code.clone()),
                tax: item.code.clone(),
                rule: match rate {
                    Some(rate) => format!("{rate} % of {}", item.base),
                    None => format!("{} units", item.base),
                },
                rate,
                base: item.base,
                amount: item.amount,
                effect: item.effect,
                citation: citation.map(CitationView::from),
            });
        }
    }
    amounts
}

/// How a document was issued.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// The paper.
    #[schema(example = "mushak-6.3")]
    form: String,
    /// What its number was drawn from.
    series: String,
    number_pattern: String,
    findings: Vec<FindingView>,
}

/// What was decided of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answered<'a> {
    /// The document's taxes.
    Taxes(&'a Document, &'a Determination),
    /// The document's issue.
    Plan(&'a Document, &'a IssuePlan),
    /// Whether the command may commit.
    Policy(&'a PolicyDecision),
}

/// A module's decision, with all that is needed to run it again. Digests are SHA-256, hex.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionView {
    /// Of the event that it shaped, in the tenant's history.
    #[schema(value_type = u64)]
    position: Position,
    /// The event that it shaped.
    #[schema(value_type = u64)]
    pub(crate) version: Version,
    pub(crate) event_type: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) recorded_at: Timestamp,
    function: String,
    module: ModuleView,
    contract: String,
    config_digest: String,
    input_digest: String,
    output_digest: String,
    /// What it cost; the same input always costs the same.
    fuel: u64,
    /// The day whose law was applied; a policy applies none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    tax_date: Option<Date>,
    /// How the module was configured, if the tenant's activations still tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    config: Option<serde_json::Value>,
    /// What it said, when it said taxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    taxes: Option<DeterminationView>,
    /// What it said, when it is a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyView>,
    /// Each amount of `taxes` by itself: its rule, its law, and the day from which that text applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amounts: Vec<AmountView>,
    /// What it said, when it said how to issue.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanView>,
}

impl DecisionView {
    /// `activations` are all that the tenant ever had.
    pub(crate) fn new(
        (position, version, event_type, recorded_at): (Position, Version, &str, Timestamp),
        decision: &Decision,
        answered: Answered,
        activations: &[Activated],
    ) -> Self {
        let config = activations
            .iter()
            .map(|activated| &activated.activation)
            .find(|activation| activation.config_digest == decision.config_digest)
            .and_then(|activation| serde_json::from_str(&activation.config).ok());
        let (document, taxes, plan) = match answered {
            Answered::Taxes(document, taxes) => (Some(document), Some((document, taxes)), None),
            Answered::Plan(document, plan) => (Some(document), None, Some(plan)),
            Answered::Policy(_) => (None, None, None),
        };
        let policy = match answered {
            Answered::Policy(policy) => Some(policy.into()),
            _ => None,
        };
        Self {
            position,
            version,
            event_type: event_type.to_owned(),
            recorded_at,
            function: decision.function.clone(),
            module: (&decision.module).into(),
            contract: decision.contract.clone(),
            config_digest: decision.config_digest.clone(),
            input_digest: decision.input_digest.clone(),
            output_digest: decision.output_digest.clone(),
            fuel: decision.fuel,
            tax_date: document.map(|document| document.tax_date),
            config,
            taxes: taxes.map(|(_, taxes)| DeterminationView::from(taxes)),
            amounts: taxes.map(|(document, taxes)| amounts(document, taxes)).unwrap_or_default(),
            plan: plan.map(|plan| PlanView {
                form: plan.form.clone(),
                series: plan.series.clone(),
                number_pattern: plan.number_pattern.clone(),
                findings: plan.findings.iter().map(FindingView::from).collect(),
            }),
            policy,
        }
    }
}
