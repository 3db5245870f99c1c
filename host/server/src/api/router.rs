//! The routes, and what happens to every request: a trace id, a time limit, a log line, problems rendered.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use niyam_modules::COMPONENT_BYTES_MAX;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::api::body::BODY_BYTES_MAX;
use crate::api::caller::TraceId;
use crate::api::code::Code;
use crate::api::problem::ApiError;
use crate::api::{
    accounts, activations, bank_statements, data_subjects, dry_run, fiscal_periods, fiscal_years, forms,
    health, import, invoices, jobs, journal_entries, modules, notes, payments, reconciliations, reports,
    respond, schedules, shadows, simulations, tax, tax_returns, tenant, verifications,
};
use crate::app::App;
use crate::projections::Progress;
use crate::proof::keeper::Proofs;

/// How long a request may take.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(30);

/// What handlers work with.
pub(crate) struct Api {
    pub(crate) app: App,
    pub(crate) progress: Progress,
    pub(crate) proofs: Proofs,
}

/// All routes.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let ids = Arc::clone(&api.app.ids);
    Router::new()
        .route("/v1/invoices", post(invoices::draft).get(invoices::list))
        .route("/v1/invoices/import", post(import::import).layer(DefaultBodyLimit::max(import::BYTES_MAX)))
        .route("/v1/invoices/{id}", get(invoices::show).put(invoices::revise))
        .route("/v1/invoices/{id}/approve", post(invoices::approve))
        .route("/v1/invoices/{id}/issue", post(invoices::issue))
        .route("/v1/invoices/{id}/cancel", post(invoices::cancel))
        .route("/v1/invoices/{id}/credit-notes", post(notes::credit))
        .route("/v1/invoices/{id}/debit-notes", post(notes::debit))
        .route("/v1/invoices/{id}/write-off", post(notes::write_off))
        .route("/v1/invoices/{id}/events", get(invoices::events))
        .route("/v1/invoices/{id}/decisions", get(invoices::decisions))
        .route("/v1/invoices/{id}/forms/{code}", get(forms::draw))
        .route("/v1/data-subjects/{id}/erase", post(data_subjects::erase))
        .route("/v1/tax/determinations", post(tax::determine))
        .route("/v1/identifiers/check", post(tax::check_identifier))
        .route("/v1/fiscal-periods", get(tax::fiscal_period))
        .merge(books())
        .merge(returns())
        .route("/v1/tenant", get(tenant::show).put(tenant::change))
        .route(
            "/v1/modules",
            post(modules::upload).layer(DefaultBodyLimit::max(COMPONENT_BYTES_MAX)).get(modules::list),
        )
        .route("/v1/modules/{digest}", get(modules::show))
        .route("/v1/module-policy", get(modules::policy).put(modules::change_policy))
        .route("/v1/activations", post(activations::activate).get(activations::list))
        .route("/v1/activations/{number}", get(activations::show))
        .route("/v1/activations/{number}/withdraw", post(activations::withdraw))
        .route("/v1/activations/{number}/differences", get(shadows::differences))
        .route("/v1/verifications", post(verifications::ask))
        .route("/v1/verifications/{id}", get(verifications::show).delete(verifications::give_up))
        .route("/v1/verifications/{id}/differences", get(verifications::differences))
        .route("/v1/simulations", post(simulations::ask))
        .route("/v1/simulations/{id}", get(simulations::show).delete(simulations::give_up))
        .route("/v1/simulations/{id}/differences", get(simulations::differences))
        .route("/v1/simulations/{id}/differences.csv", get(simulations::differences_csv))
        .route("/health", get(health::show))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/openapi.json", get(openapi))
        .merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
        .fallback(|| async { ApiError::new(Code::RouteUnknown, "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            ApiError::new(Code::MethodNotAllowed, "the method is not offered here")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(dry_run::layer))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let trace_id = ids.next_id().to_string();
            handle(trace_id, request, next)
        }))
        .with_state(api)
}

/// The routes of the books.
fn books() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/accounts", post(accounts::add).get(accounts::list))
        .route("/v1/accounts/from-template", post(accounts::from_template))
        .route("/v1/accounts/{code}", get(accounts::show).put(accounts::change))
        .route("/v1/accounts/{code}/deactivate", post(accounts::deactivate))
        .route("/v1/accounts/{code}/reactivate", post(accounts::reactivate))
        .route("/v1/account-roles/{role}", put(accounts::assign_role))
        .route("/v1/fiscal-years", post(fiscal_periods::open).get(fiscal_periods::list))
        .route("/v1/fiscal-years/{code}", get(fiscal_years::show))
        .route("/v1/fiscal-years/{code}/close", post(fiscal_years::close))
        .route("/v1/fiscal-years/{code}/reopen", post(fiscal_years::reopen))
        .route("/v1/jobs/{id}", get(jobs::show))
        .route("/v1/fiscal-periods/{code}", get(fiscal_periods::show))
        .route("/v1/fiscal-periods/{code}/soft-close", post(fiscal_periods::soft_close))
        .route("/v1/fiscal-periods/{code}/close", post(fiscal_periods::close))
        .route("/v1/fiscal-periods/{code}/reopen", post(fiscal_periods::reopen))
        .route("/v1/journal-entries", post(journal_entries::draft))
        .route("/v1/journal-entries/{id}", get(journal_entries::show).put(journal_entries::revise))
        .route("/v1/journal-entries/{id}/post", post(journal_entries::post))
        .route("/v1/journal-entries/{id}/reverse", post(journal_entries::reverse))
        .route("/v1/schedules", post(schedules::create).get(schedules::list))
        .route("/v1/schedules/run", post(schedules::run))
        .route("/v1/schedules/{id}", get(schedules::show).put(schedules::revise))
        .route("/v1/schedules/{id}/end", post(schedules::end))
        .route("/v1/schedules/{id}/preview", get(schedules::preview))
        .route("/v1/bank-statements", post(bank_statements::import).get(bank_statements::list))
        .route("/v1/bank-statements/{id}", get(bank_statements::show))
        .route("/v1/reconciliations/{statement}", get(reconciliations::show))
        .route("/v1/reconciliations/{statement}/proposals", get(reconciliations::proposals))
        .route("/v1/reconciliations/{statement}/confirm", post(reconciliations::confirm))
        .route("/v1/reconciliations/{statement}/undo", post(reconciliations::undo))
        .merge(payments())
        .route("/v1/reports/{name}", get(reports::show))
}

/// The routes of payments.
fn payments() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/payments", post(payments::create).get(payments::list))
        .route("/v1/payments/{id}", get(payments::show))
        .route("/v1/payments/{id}/complete", post(payments::complete))
        .route("/v1/payments/{id}/fail", post(payments::fail))
        .route("/v1/payments/{id}/reverse", post(payments::reverse))
        .route("/v1/payments/{id}/refund", post(payments::refund))
        .route("/v1/payments/{id}/deposit", post(payments::deposit))
        .route("/v1/payments/{id}/clear", post(payments::clear))
        .route("/v1/payments/{id}/bounce", post(payments::bounce))
        .route("/v1/payments/{id}/allocate", post(payments::allocate))
}

/// The routes of registers and tax returns.
fn returns() -> Router<Arc<Api>> {
    Router::new()
        .route("/v1/obligations", get(tax_returns::obligations))
        .route("/v1/registers/{code}", get(tax_returns::register))
        .route("/v1/tax-returns/{code}", get(tax_returns::show))
        .route("/v1/tax-returns/{code}/documents", get(tax_returns::documents))
        .route("/v1/tax-returns/{code}/prepare", post(tax_returns::prepare))
        .route("/v1/tax-returns/{code}/review", post(tax_returns::review))
        .route("/v1/tax-returns/{code}/file", post(tax_returns::file))
}

async fn openapi() -> Response {
    let mut response = Response::new(super::openapi::document().into());
    respond::set(&mut response, header::CONTENT_TYPE, "application/json");
    response
}

async fn handle(trace_id: String, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(TraceId(trace_id.clone()));
    let method = request.method().clone();
    let began = Instant::now();
    let span = tracing::info_span!("request", trace_id);
    let answered = tokio::time::timeout(REQUEST_TIME, next.run(request).instrument(span)).await;
    let response = answered.unwrap_or_else(|_| {
        ApiError::new(Code::RequestTimeout, "the request took too long; try again").into_response()
    });
    let problem = response.extensions().get::<ApiError>().cloned().or_else(|| of_the_framework(&response));
    let mut response = problem.map_or(response, |problem| problem.render(&trace_id));
    respond::set(&mut response, HeaderName::from_static("x-request-id"), &trace_id);
    tracing::debug!(
        trace_id,
        http.method = %method,
        http.status = response.status().as_u16(),
        duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request answered"
    );
    response
}

/// What the framework refused by itself, before a handler saw it: as a problem, like all others.
fn of_the_framework(response: &Response) -> Option<ApiError> {
    match response.status() {
        StatusCode::BAD_REQUEST => {
            Some(ApiError::new(Code::PathInvalid, "the path is no UTF-8 with percent escapes"))
        }
        StatusCode::NOT_FOUND => Some(ApiError::new(Code::RouteUnknown, "there is nothing here")),
        status if status.is_client_error() || status.is_server_error() => {
            tracing::error!(http.status = status.as_u16(), "answered without a problem");
            Some(ApiError::new(Code::InternalError, "the request failed"))
        }
        _ => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer wants")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let reason =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(reason, "a handler panicked");
    ApiError::new(Code::InternalError, "the request failed").into_response()
}
