//! The OpenAPI document, from the handlers.

use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::api::{forms, health, invoices, tax, tenant};

#[derive(OpenApi)]
#[openapi(
    info(title = "Niyam", description = "Amounts, quantities and rates are decimal strings; rates are percent."),
    paths(
        invoices::draft, invoices::revise, invoices::approve, invoices::issue, invoices::cancel, invoices::show,
        invoices::list, invoices::events, invoices::decisions, forms::draw, tax::determine, tax::check_identifier,
        tax::fiscal_period, tenant::show, tenant::change, health::live, health::ready, health::show
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
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
