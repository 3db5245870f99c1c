//! The OpenAPI document, from the handlers.

use axum::http::StatusCode;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};

use crate::api::code::Code;
use crate::api::{
    accounts, activations, bank_statements, data_subjects, dry_run, fiscal_periods, fiscal_years, forms,
    health, import, invoices, jobs, journal_entries, modules, notes, payments, reconciliations, reports,
    schedules, shadows, simulations, tax, tax_returns, tenant, verifications,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Niyam", description = "Amounts, quantities and rates are decimal strings; rates are percent."),
    paths(
        invoices::draft, invoices::revise, invoices::approve, invoices::issue, invoices::cancel, import::import, notes::credit, notes::debit, notes::write_off, invoices::show,
        invoices::list, invoices::events, invoices::decisions, forms::draw, tax::determine, tax::check_identifier,
        tax::fiscal_period, tax_returns::obligations, tax_returns::register, tax_returns::show, tax_returns::documents, tax_returns::prepare,
        tax_returns::review, tax_returns::file, accounts::from_template, accounts::add, accounts::list, accounts::show, accounts::change,
        accounts::deactivate, accounts::reactivate, accounts::assign_role, fiscal_periods::open, fiscal_periods::list,
        fiscal_periods::show, fiscal_periods::soft_close, fiscal_periods::close, fiscal_periods::reopen,
        fiscal_years::show, fiscal_years::close, fiscal_years::reopen, jobs::show,
        journal_entries::draft, journal_entries::show, journal_entries::revise, journal_entries::post,
        journal_entries::reverse, schedules::create, schedules::list, schedules::show, schedules::revise, schedules::end,
        schedules::preview, schedules::run, bank_statements::import, bank_statements::list, bank_statements::show,
        reconciliations::show, reconciliations::proposals, reconciliations::confirm, reconciliations::undo,
        payments::create, payments::list, payments::show, payments::complete, payments::fail,
        payments::reverse, payments::refund, payments::deposit, payments::clear, payments::bounce, payments::allocate,
        reports::show, tenant::show, tenant::change, modules::upload, modules::list, modules::show,
        modules::policy, modules::change_policy, activations::activate, activations::list, activations::show,
        activations::withdraw, shadows::differences, data_subjects::erase, verifications::ask, verifications::show,
        verifications::give_up, verifications::differences, simulations::ask, simulations::show, simulations::give_up,
        simulations::differences, simulations::differences_csv, health::live, health::ready, health::show
    ),
    security(("bearer" = []))
)]
struct Document;

/// The document, pretty-printed.
pub(crate) fn document() -> String {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for (path, item) in &mut document.paths.paths {
        if path.starts_with("/v1/") {
            if dry_run::is_offered(path) {
                [&mut item.put, &mut item.post].into_iter().flatten().for_each(add_dry_run);
            }
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete]
                .into_iter()
                .flatten()
                .for_each(add_problems);
        }
    }
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Every command may be tried.
fn add_dry_run(operation: &mut Operation) {
    let text = "`true`: nothing is recorded and no number is taken. The answer is what the command would answer, with \
                `\"dry_run\": true` and `would_record`, the events that it would record, its journal entry among them.";
    let schema = ObjectBuilder::new().schema_type(Type::Boolean);
    let parameter = ParameterBuilder::new()
        .name(dry_run::NAME)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

/// The problems that an operation's own line does not name: what the token, the headers and the body may bring.
fn add_problems(operation: &mut Operation) {
    let has_header = |name: &str| {
        let parameters = operation.parameters.iter().flatten();
        parameters.filter_map(of_parameter).any(|parameter| parameter.name == name)
    };
    let mut statuses = vec![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE];
    if operation.request_body.is_some() {
        statuses.extend([
            StatusCode::BAD_REQUEST,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ]);
    }
    if has_header("If-Match") {
        statuses.extend([
            StatusCode::NOT_FOUND,
            StatusCode::CONFLICT,
            StatusCode::PRECONDITION_FAILED,
            StatusCode::PRECONDITION_REQUIRED,
        ]);
    }
    if has_header("Idempotency-Key") {
        statuses.extend([StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY]);
    }
    let responses = &mut operation.responses.responses;
    statuses.extend(
        responses
            .keys()
            .filter_map(|status| status.parse::<StatusCode>().ok())
            .filter(|status| !status.is_success()),
    );
    for status in statuses {
        responses.insert(status.as_str().to_owned(), RefOr::T(problem(status)));
    }
}

fn of_parameter(parameter: &RefOr<Parameter>) -> Option<&Parameter> {
    match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    }
}

/// Says which codes come with `status`.
fn problem(status: StatusCode) -> Response {
    let codes = Code::ALL.iter().filter(|code| code.status() == status);
    let codes: Vec<_> = codes.map(|code| format!("`{}`", code.as_str())).collect();
    let schema = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(codes.join(", ")).content("application/problem+json", schema).build()
}
