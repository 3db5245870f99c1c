//! `/v1/accounts` and `/v1/account-roles`: the chart of accounts.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use niyam_domain::{
    AccountClass, AccountCode, AccountKind, AccountRole, AssignRole, ChartCommand, DeactivateAccount,
    NewAccount, ReactivateAccount, Rejection,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::invoices::Nothing;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::accounts::{AccountView, ChartView};
use crate::roles::{DRAFTERS, READERS};

/// Begins the chart of accounts with what the compliance pack proposes.
#[utoipa::path(post, path = "/v1/accounts/from-template", tag = "books",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = ChartView), (status = 409, body = Problem)))]
pub(crate) async fn from_template(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let Nothing {} = body.parse_or_default()?;
    let key = caller.idempotency(&body.0)?;
    Ok(respond::committed(api.app.create_chart(&caller.actor, key).await?))
}

/// An account to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRequest {
    /// 1 to 32 letters, digits, dots and hyphens, as the pack allows; it never changes.
    #[schema(example = "1211")]
    code: String,
    name: String,
    /// `asset`, `liability`, `equity`, `income` or `expense`; as the header above it.
    #[schema(value_type = String)]
    class: AccountClass,
    /// The header above it; absent at the top.
    parent: Option<String>,
    /// `header` or `posting`; it never changes.
    #[schema(value_type = String)]
    kind: AccountKind,
    /// What postings know it by, for example `receivable`.
    role: Option<String>,
}

/// Adds an account.
#[utoipa::path(post, path = "/v1/accounts", request_body = AccountRequest, tag = "books",
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = AccountView), (status = 409, body = Problem)))]
pub(crate) async fn add(
    State(api): State<Arc<Api>>,
    caller: Caller,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let AccountRequest { code, name, class, parent, kind, role } = body.parse()?;
    let account = NewAccount {
        code: named(&code, "/code")?,
        name,
        class,
        parent: parent.map(|parent| named(&parent, "/parent")).transpose()?,
        kind,
        role: role.map(|role| named(&role, "/role")).transpose()?,
    };
    let key = caller.idempotency(&body.0)?;
    Ok(respond::committed(api.app.add_account(&caller.actor, key, account).await?))
}

/// The chart of accounts, whole.
#[utoipa::path(get, path = "/v1/accounts", tag = "books", responses((status = 200, body = ChartView)))]
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    api.app.tenant(&caller.actor.tenant).await?;
    let (chart, version) =
        api.app.chart(&caller.actor.tenant).await?.map(|at| (at.state, at.version)).unwrap_or_default();
    respond::versioned(&ChartView::new(&chart, version), version)
}

/// An account.
#[utoipa::path(get, path = "/v1/accounts/{code}", tag = "books", params(("code" = String, Path)),
    responses((status = 200, body = AccountView), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let code = account_code(&code)?;
    let at = api.app.chart(&caller.actor.tenant).await?.ok_or(Rejection::AccountMissing)?;
    let account = at.state.accounts.get(&code).ok_or(Rejection::AccountMissing)?;
    respond::versioned(&AccountView::new(&at.state, &code, account), at.version)
}

/// What may change of an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    name: String,
    /// The header above it, of the same class; absent for the top.
    parent: Option<String>,
}

/// Renames or moves an account. The `ETag` of an account is that of the chart.
#[utoipa::path(put, path = "/v1/accounts/{code}", request_body = AccountChange, tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = AccountView), (status = 412, body = Problem)))]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let (code, expected) = (account_code(&code)?, caller.expected()?);
    let AccountChange { name, parent } = body.parse()?;
    let parent = parent.map(|parent| named(&parent, "/parent")).transpose()?;
    Ok(respond::committed(api.app.change_account(&caller.actor, expected, code, name, parent).await?))
}

/// Lets an account take no more postings.
#[utoipa::path(post, path = "/v1/accounts/{code}/deactivate", tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = AccountView), (status = 409, body = Problem)))]
pub(crate) async fn deactivate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    command(&api, &caller, &code, &body, |code| ChartCommand::Deactivate(DeactivateAccount { code })).await
}

/// Lets an account take postings again.
#[utoipa::path(post, path = "/v1/accounts/{code}/reactivate", tag = "books",
    params(("code" = String, Path), ("If-Match" = String, Header), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = AccountView), (status = 409, body = Problem)))]
pub(crate) async fn reactivate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(code): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    command(&api, &caller, &code, &body, |code| ChartCommand::Reactivate(ReactivateAccount { code })).await
}

async fn command(
    api: &Api,
    caller: &Caller,
    code: &str,
    body: &Body,
    command: impl FnOnce(AccountCode) -> ChartCommand,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let (code, expected, key) = (account_code(code)?, caller.expected()?, caller.idempotency(&body.0)?);
    let Nothing {} = body.parse_or_default()?;
    let commands = vec![command(code.clone())];
    Ok(respond::committed(api.app.change_chart(&caller.actor, key, expected, code, commands).await?))
}

/// The account of a role.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleRequest {
    /// Code of an active posting account.
    account: String,
}

/// Lets the postings of a role go to an account.
#[utoipa::path(put, path = "/v1/account-roles/{role}", request_body = RoleRequest, tag = "books",
    params(("role" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = AccountView), (status = 412, body = Problem)))]
pub(crate) async fn assign_role(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(role): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    caller.require(DRAFTERS)?;
    let role: AccountRole = named(&role, "")?;
    let expected = caller.expected()?;
    let RoleRequest { account } = body.parse()?;
    let code: AccountCode = named(&account, "/account")?;
    let command = ChartCommand::AssignRole(AssignRole { role, code: code.clone() });
    Ok(respond::committed(api.app.change_chart(&caller.actor, None, expected, code, vec![command]).await?))
}

/// A text that is no code names no account.
fn account_code(text: &str) -> Result<AccountCode, ApiError> {
    text.parse().map_err(|_| Rejection::AccountMissing.into())
}

fn named<T: std::str::FromStr<Err = niyam_domain::InvalidAccount>>(
    text: &str,
    pointer: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error: niyam_domain::InvalidAccount| {
        ApiError::at(Code::ValueInvalid, pointer, error.to_string())
    })
}
