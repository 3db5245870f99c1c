//! A document as clients send it.

use niyam_domain::{Currency, DUE_DATE, LINE_ACCOUNT};
use niyam_values::{Attributes, Decimal, Direction, Document, Identifier, Line, Party, PriceMode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::code::Code;
use crate::api::problem::ApiError;
use crate::api::text::{AttributesText, DateText, DecimalText, FilledText, Object};
use crate::commands::supplier_number::{PLACE as SUPPLIER_PLACE, SUPPLIER_DATE, SUPPLIER_NUMBER};
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
    /// Of a sale.
    #[schema(value_type = Option<PartyRequest>)]
    customer: Option<Object<PartyRequest>>,
    /// Of a purchase.
    #[schema(value_type = Option<PartyRequest>)]
    supplier: Option<Object<PartyRequest>>,
    /// By when it is to be paid; the tax date when absent.
    #[schema(value_type = Option<String>, format = Date)]
    due_date: Option<DateText>,
    /// The supplier's own paper, of a purchase.
    #[schema(value_type = Option<SupplierInvoiceRequest>)]
    supplier_invoice: Option<Object<SupplierInvoiceRequest>>,
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

/// The number that the supplier gave its paper. A supplier's number is recorded once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SupplierInvoiceRequest {
    /// 1 to 64 characters.
    #[schema(value_type = String, example = "INV-2041")]
    number: FilledText,
    /// The day that the paper bears.
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<DateText>,
}

impl SupplierInvoiceRequest {
    /// Puts it among the facts of a document.
    pub(crate) fn set(self, attributes: &mut Attributes) -> Result<(), ApiError> {
        let number = self.number.0.trim();
        if number.chars().count() > NUMBER_LENGTH_MAX || number.chars().any(char::is_control) {
            let message = format!("at most {NUMBER_LENGTH_MAX} printable characters");
            return Err(ApiError::at(Code::TextTooLong, SUPPLIER_PLACE, message));
        }
        attributes.set(SUPPLIER_NUMBER, number);
        if let Some(date) = self.date {
            attributes.set(SUPPLIER_DATE, date.0.to_string());
        }
        Ok(())
    }
}

/// Most characters of a supplier's number.
const NUMBER_LENGTH_MAX: usize = 64;

/// A reason that somebody gave.
pub(crate) fn reason(text: String) -> Result<String, ApiError> {
    let printable = !text.chars().any(|character| character.is_control() && character != '\n');
    if text.trim().is_empty() || !printable {
        return Err(ApiError::at(Code::ValueInvalid, "/reason", "1 to 500 printable characters"));
    }
    if text.chars().count() > 500 {
        return Err(ApiError::at(Code::TextTooLong, "/reason", "at most 500 characters"));
    }
    Ok(text)
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
    /// The account that a purchase's line is posted to; that of the role `purchases` when absent.
    #[schema(example = "5300")]
    account: Option<String>,
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    attributes: AttributesText,
}

/// The party that the direction wants, and no other. A purchase may name its supplier as `customer`, as it once had to.
fn other_party(request: &mut DocumentRequest) -> Result<Party, ApiError> {
    let (customer, supplier) = (request.customer.take(), request.supplier.take());
    let Object(party) = match (request.direction, customer, supplier) {
        (_, Some(party), None) | (Direction::Purchase, None, Some(party)) => party,
        (Direction::Sale, None, _) => {
            return Err(ApiError::at(Code::FieldMissing, "/customer", "a sale has a customer"));
        }
        (Direction::Purchase, None, None) => {
            return Err(ApiError::at(Code::FieldMissing, "/supplier", "a purchase has a supplier"));
        }
        (Direction::Sale, Some(_), Some(_)) => {
            return Err(ApiError::at(Code::FieldUnknown, "/supplier", "a sale has a customer alone"));
        }
        (Direction::Purchase, Some(_), Some(_)) => {
            return Err(ApiError::at(Code::FieldUnknown, "/customer", "a purchase has a supplier alone"));
        }
    };
    Ok(party.into())
}

impl TryFrom<DocumentRequest> for Document {
    type Error = ApiError;

    fn try_from(mut request: DocumentRequest) -> Result<Self, ApiError> {
        let customer = other_party(&mut request)?;
        let minor_units = request.currency.parse::<Currency>().map_or(2, Currency::minor_units);
        let mut attributes = request.attributes.0;
        let exchange_rate = request.exchange_rate.map(|Object(rate)| {
            attributes.set(EXCHANGE_RATE_SOURCE, rate.source.0);
            rate.rate.0
        });
        if let Some(due) = request.due_date {
            attributes.set(DUE_DATE, due.0.to_string());
        }
        if let Some(Object(supplier)) = request.supplier_invoice {
            if request.direction == Direction::Sale {
                let message = "a sale has no paper of a supplier";
                return Err(ApiError::at(Code::FieldUnknown, "/supplier_invoice", message));
            }
            supplier.set(&mut attributes)?;
        }
        let lines = request.lines.into_iter().zip(1_usize..);
        let lines = lines.map(|(Object(line), number)| line.line(number)).collect();
        Ok(Self {
            kind: request.kind.unwrap_or_else(|| "invoice".to_owned()),
            direction: request.direction,
            tax_date: request.tax_date.0,
            currency: request.currency,
            minor_units,
            exchange_rate,
            price_mode: request.price_mode,
            supplier: nobody(),
            customer,
            lines,
            attributes,
        })
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
        let mut attributes = self.attributes.0;
        if let Some(account) = self.account {
            attributes.set(LINE_ACCOUNT, account);
        }
        Line {
            id: number.to_string(),
            description: self.description,
            supply_code: self.supply_code,
            quantity: self.quantity.0,
            unit: self.unit,
            unit_price: self.unit_price.0,
            discount: self.discount.map_or(Decimal::ZERO, |discount| discount.0),
            attributes,
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
