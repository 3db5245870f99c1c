//! A document as clients send it.

use niyam_domain::Currency;
use niyam_values::{Attributes, Decimal, Direction, Document, Identifier, Line, Party, PriceMode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::text::{AttributesText, DateText, DecimalText, FilledText, Object};
use crate::commands::views::EXCHANGE_RATE_SOURCE;

/// A document that may bear tax. The tenant is its other party.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentRequest {
    /// `sale` or `purchase`.
    #[schema(value_type = String, example = "sale")]
    direction: Direction,
    /// `invoice` when absent.
    kind: Option<String>,
    /// The day whose law applies.
    #[schema(value_type = String, format = Date)]
    tax_date: DateText,
    /// ISO 4217.
    #[schema(example = "BDT")]
    currency: String,
    /// Needed when the currency is not the country's own.
    #[schema(value_type = Option<ExchangeRateRequest>)]
    exchange_rate: Option<Object<ExchangeRateRequest>>,
    /// `exclusive` or `inclusive`.
    #[schema(value_type = String, example = "exclusive")]
    price_mode: PriceMode,
    #[schema(value_type = PartyRequest)]
    customer: Object<PartyRequest>,
    #[schema(value_type = Vec<LineRequest>)]
    lines: Vec<Object<LineRequest>>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: AttributesText,
}

/// What one unit of the document's currency is worth.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeRateRequest {
    /// Units of the country's own currency for one of the document's.
    #[schema(value_type = String, example = "122.50")]
    rate: DecimalText,
    /// Who says so.
    #[schema(value_type = String)]
    source: FilledText,
}

/// The other party.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartyRequest {
    /// The tenant's own id of the party: 64 letters, digits and `-_.:@+`. What is recorded about the party can be erased
    /// by it.
    #[serde(default)]
    #[schema(example = "c-1042")]
    id: String,
    name: String,
    address: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "BD")]
    country: String,
    #[serde(default)]
    #[schema(value_type = Vec<IdentifierRequest>)]
    identifiers: Vec<Object<IdentifierRequest>>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: AttributesText,
}

/// One registration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentifierRequest {
    #[schema(example = "bin")]
    pub(crate) kind: String,
    #[schema(example = "000828395-0207")]
    pub(crate) value: String,
}

/// One line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineRequest {
    description: String,
    /// The pack's code of the supply, for example `S001.20`.
    supply_code: String,
    #[schema(value_type = String, example = "25")]
    quantity: DecimalText,
    unit: String,
    #[schema(value_type = String, example = "160.00")]
    unit_price: DecimalText,
    /// An amount off the line.
    #[schema(value_type = Option<String>)]
    discount: Option<DecimalText>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: AttributesText,
}

impl From<DocumentRequest> for Document {
    fn from(request: DocumentRequest) -> Self {
        let minor_units = request.currency.parse::<Currency>().map_or(2, Currency::minor_units);
        let mut attributes = request.attributes.0;
        let exchange_rate = request.exchange_rate.map(|Object(rate)| {
            attributes.set(EXCHANGE_RATE_SOURCE, rate.source.0);
            rate.rate.0
        });
        let lines = request.lines.into_iter().zip(1_usize..);
        let lines = lines.map(|(Object(line), number)| line.line(number)).collect();
        Self {
            kind: request.kind.unwrap_or_else(|| "invoice".to_owned()),
            direction: request.direction,
            tax_date: request.tax_date.0,
            currency: request.currency,
            minor_units,
            exchange_rate,
            price_mode: request.price_mode,
            supplier: nobody(),
            customer: request.customer.0.into(),
            lines,
            attributes,
        }
    }
}

impl From<PartyRequest> for Party {
    fn from(request: PartyRequest) -> Self {
        Self {
            id: request.id,
            name: request.name,
            address: request.address,
            country: request.country,
            identifiers: identifiers(request.identifiers),
            attributes: request.attributes.0,
        }
    }
}

impl From<IdentifierRequest> for Identifier {
    fn from(request: IdentifierRequest) -> Self {
        Self { kind: request.kind, value: request.value }
    }
}

/// The identifiers that a request lists.
pub(crate) fn identifiers(requests: Vec<Object<IdentifierRequest>>) -> Vec<Identifier> {
    requests.into_iter().map(|Object(request)| request.into()).collect()
}

impl LineRequest {
    fn line(self, number: usize) -> Line {
        Line {
            id: number.to_string(),
            description: self.description,
            supply_code: self.supply_code,
            quantity: self.quantity.0,
            unit: self.unit,
            unit_price: self.unit_price.0,
            discount: self.discount.map_or(Decimal::ZERO, |discount| discount.0),
            attributes: self.attributes.0,
        }
    }
}

/// Stands where the tenant will.
fn nobody() -> Party {
    Party {
        id: String::new(),
        name: String::new(),
        address: None,
        country: String::new(),
        identifiers: Vec::new(),
        attributes: Attributes::new(),
    }
}
