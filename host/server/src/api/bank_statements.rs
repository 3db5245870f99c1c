//! `/v1/bank-statements`: what banks say of an account, imported from their files.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::Response;
use niyam_domain::{AccountCode, NewStatement, Position, Rejection, StatementFormat, StatementId};
use niyam_store::Scope;
use niyam_values::Finding;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::invoices::{HEAD_WAIT, POSITION_WAIT};
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::api::text::{DecimalText, Object};
use crate::bank::{Balances, ColumnMap, DateOrder, Unreadable, read_camt, read_csv, read_mt940};
use crate::commands::CommandError;
use crate::commands::bank_views::{StatementSummary, StatementView};
use crate::projections::ledger::NAME;
use crate::projections::ledger::bank::StatementListItem;
use crate::projections::ledger::snapshot::Snapshot;
use crate::roles::{ISSUERS, READERS};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// A file of a bank.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportRequest {
    /// Code of the account of the books that it is of.
    account: String,
    /// `csv`, `mt940` or `camt.053`.
    format: String,
    /// The file, as text.
    content: String,
    /// Which statement, by the bank's number, where a file has several.
    number: Option<String>,
    /// What a CSV file does not say itself.
    #[schema(value_type = Option<CsvRequest>)]
    csv: Option<Object<CsvRequest>>,
}

/// How a CSV file is read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CsvRequest {
    /// ISO 4217.
    currency: String,
    /// What the account held before.
    #[schema(value_type = String)]
    opening: DecimalText,
    /// What it held afterwards: the opening balance and all rows.
    #[schema(value_type = String)]
    closing: DecimalText,
    /// One character; a comma when absent.
    delimiter: Option<String>,
    /// What stands before decimals: `.` when absent, or `,`.
    decimal: Option<String>,
    /// `YYYY-MM-DD` when absent, `DD/MM/YYYY` or `MM/DD/YYYY`; between the parts may stand `/`, `-` or `.`.
    dates: Option<String>,
    /// Names of columns, as the first row has them.
    #[schema(value_type = ColumnsRequest)]
    columns: Object<ColumnsRequest>,
}

/// Which column is what: `amount`, or `credit` and `debit`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnsRequest {
    date: String,
    /// Above zero where money came in.
    amount: Option<String>,
    /// What came in.
    credit: Option<String>,
    /// What went out.
    debit: Option<String>,
    reference: Option<String>,
    description: Option<String>,
    counterparty: Option<String>,
}

fn refused(error: Unreadable) -> ApiError {
    Rejection::Findings(vec![Finding::error(error.rule, error.message).at("/content")]).into()
}

impl CsvRequest {
    fn read(self, content: &str, number: Option<String>) -> Result<NewStatement, ApiError> {
        let invalid = |pointer: &str, message: &str| ApiError::at(Code::ValueInvalid, pointer, message);
        let delimiter = match self.delimiter.as_deref().unwrap_or(",").as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' => *byte,
            _ => {
                return Err(invalid(
                    "/csv/delimiter",
                    "a delimiter is one character that is no letter or digit",
                ));
            }
        };
        let is_decimal_comma = match self.decimal.as_deref() {
            None | Some(".") => false,
            Some(",") => true,
            Some(_) => return Err(invalid("/csv/decimal", "a point or a comma stands before decimals")),
        };
        let dates = match self.dates.as_deref() {
            None | Some("YYYY-MM-DD") => DateOrder::YearMonthDay,
            Some("DD/MM/YYYY") => DateOrder::DayMonthYear,
            Some("MM/DD/YYYY") => DateOrder::MonthDayYear,
            Some(_) => {
                return Err(invalid("/csv/dates", "dates are YYYY-MM-DD, DD/MM/YYYY or MM/DD/YYYY"));
            }
        };
        let currency = self.currency.parse().map_err(|_| {
            let message = "a currency is a code of ISO 4217, for example BDT";
            let finding = Finding::error("currency-unknown", message).at("/csv/currency");
            ApiError::from(Rejection::Findings(vec![finding]))
        })?;
        let Object(columns) = self.columns;
        let map = ColumnMap {
            delimiter,
            is_decimal_comma,
            dates,
            date: columns.date,
            amount: columns.amount,
            credit: columns.credit,
            debit: columns.debit,
            reference: columns.reference,
            description: columns.description,
            counterparty: columns.counterparty,
        };
        let (opening, closing) = (self.opening.0, self.closing.0);
        read_csv(content, &map, Balances { number, currency, opening, closing }).map_err(refused)
    }
}

impl ImportRequest {
    /// The statement that is meant, and its format.
    fn read(self) -> Result<(StatementFormat, NewStatement), ApiError> {
        let unwanted = || ApiError::at(Code::FieldUnknown, "/csv", "only a CSV file is read so");
        let format = match self.format.as_str() {
            "csv" => {
                let missing = || ApiError::at(Code::FieldMissing, "/csv", "a CSV file needs a column map");
                let Object(csv) = self.csv.ok_or_else(missing)?;
                return Ok((StatementFormat::Csv, csv.read(&self.content, self.number)?));
            }
            "mt940" => StatementFormat::Mt940,
            "camt.053" => StatementFormat::Camt053,
            _ => {
                let message = "a statement is csv, mt940 or camt.053";
                return Err(ApiError::at(Code::ValueInvalid, "/format", message));
            }
        };
        if self.csv.is_some() {
            return Err(unwanted());
        }
        let read = if format == StatementFormat::Mt940 { read_mt940 } else { read_camt };
        let mut all = read(&self.content).map_err(refused)?;
        let numbers: Vec<String> =
            all.iter().map(|found| found.number.clone().unwrap_or_else(|| "none".to_owned())).collect();
        if let Some(wanted) = &self.number {
            all.retain(|found| found.number.as_ref() == Some(wanted));
        }
        if let (Some(found), true) = (all.pop(), all.is_empty()) {
            return Ok((format, found));
        }
        let message = format!("name one of the file's statements: {:.500}", numbers.join(", "));
        Err(ApiError::at(Code::ValueInvalid, "/number", message))
    }
}

/// Imports a statement: a CSV file with a column map, MT940 or camt.053. One that does not add up is refused, and so is one
/// that was imported before, from whatever file.
#[utoipa::path(post, path = "/v1/bank-statements", request_body = ImportRequest, tag = "books",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = StatementSummary), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(ISSUERS)?;
    let request: ImportRequest = body.parse()?;
    let key = caller.idempotency(&body.0)?;
    let account = request.account.clone();
    // A large file takes its time, off the workers that answer others.
    let read = tokio::task::spawn_blocking(move || request.read()).await;
    let (format, new) = read.map_err(|error| CommandError::Defect(error.to_string()))??;
    Ok(respond::committed(api.app.import_statement(&caller.actor, key, (&account, format), new).await?))
}

/// A statement with its lines, and the lines of the books that they are.
#[utoipa::path(get, path = "/v1/bank-statements/{id}", tag = "books", params(("id" = String, Path)),
    responses((status = 200, body = StatementView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let view = api.app.statement_view(&caller.actor, statement_id(&id)?).await?;
    respond::versioned(&view, view.at)
}

/// What to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatementQuery {
    /// Only those of this account.
    account: Option<String>,
    /// At most so many, 1 to 200; 50 when absent.
    limit: Option<u32>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// A page of statements, the last imported first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementPage {
    items: Vec<StatementListItem>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists statements, the last imported first.
#[utoipa::path(get, path = "/v1/bank-statements", tag = "books", params(StatementQuery),
    responses((status = 200, body = StatementPage)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Result<Query<StatementQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
    let Query(StatementQuery { account, limit, after }) =
        query.map_err(|error| invalid(error.body_text()))?;
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid(format!("limit lies between 1 and {LIMIT_MAX}")));
    }
    let cursor = |text: String| {
        text.parse().map(Position).map_err(|_| invalid("after is no cursor of this list".to_owned()))
    };
    let before = after.map(cursor).transpose()?;
    let account: Option<AccountCode> =
        account.map(|code| code.parse()).transpose().map_err(|_| Rejection::AccountMissing)?;
    let wanted = ledger_known(&api, &caller).await?;
    let tenant = &caller.actor.tenant;
    let database = api.app.store.database();
    let mut reader = database.read(&Scope::Tenant(tenant)).await?;
    let mut ledger = Snapshot::of(&mut reader, tenant).await?;
    check_reached(wanted, ledger.position)?;
    let mut items = ledger.statements(account.as_ref(), before, limit + 1).await?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > page;
    items.truncate(page);
    let next = items.last().filter(|_| more).map(|item| item.created_position.to_string());
    let account = account.map(|code| format!("&account={code}")).unwrap_or_default();
    let link = next
        .as_ref()
        .map(|cursor| format!("</v1/bank-statements?limit={limit}&after={cursor}{account}>; rel=\"next\""));
    let reached = ledger.position;
    let mut response = respond::json(&StatementPage { items, next })?;
    if let Some(link) = link {
        respond::set(&mut response, header::LINK, &link);
    }
    respond::set_position(&mut response, reached);
    Ok(response)
}

/// Waits until the ledger holds what the client wants, or what was recorded before; the position that it wants.
pub(crate) async fn ledger_known(api: &Api, caller: &Caller) -> Result<Option<Position>, ApiError> {
    let tenant = &caller.actor.tenant;
    api.app.tenant(tenant).await?;
    let wanted = caller.position()?;
    if let Some(position) = wanted {
        if !api.progress.wait(NAME, tenant, position, POSITION_WAIT).await {
            return Err(behind());
        }
    } else if let Some(head) = api.app.store.head(tenant).await? {
        api.progress.wait(NAME, tenant, head.last_position, HEAD_WAIT).await;
    }
    Ok(wanted)
}

/// A database that crashed may have taken back what the view was known to hold.
pub(crate) fn check_reached(wanted: Option<Position>, reached: Position) -> Result<(), ApiError> {
    if wanted.is_some_and(|position| reached < position) { Err(behind()) } else { Ok(()) }
}

fn behind() -> ApiError {
    ApiError::new(Code::ViewBehind, "the ledger does not hold that position yet")
}

/// A text that is no id names no statement.
pub(crate) fn statement_id(text: &str) -> Result<StatementId, ApiError> {
    text.parse().map_err(|_| Rejection::StatementMissing.into())
}
