//! Papers of issued invoices: drawn by the pack that issued them, as JSON, as a printable page, or as PDF.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use niyam_documents::{COPY_MAX, Digits, FormView, Grouping, Numerals, Options};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::invoices::invoice_id;
use crate::api::problem::{ApiError, Problem};
use crate::api::respond;
use crate::api::router::Api;
use crate::commands::form::{Drawn, Medium};
use crate::roles::READERS;

/// What a paper can be shown as, the first if the client has no wish.
pub(crate) const MEDIA: [(&str, &str, Medium); 3] = [
    ("application", "json", Medium::Json),
    ("text", "html", Medium::Html),
    ("application", "pdf", Medium::Pdf),
];

/// How a page or a PDF is drawn. JSON has all languages, and plain numbers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaperQuery {
    /// Which copy it says it is, 1 to 9.
    copy: Option<u8>,
    /// The language of titles and labels, for example `bn` or `en`; `both`, or absent, for all that there are.
    lang: Option<String>,
    /// `latin`, or `bangla`.
    #[param(value_type = Option<String>)]
    digits: Option<DigitsText>,
    /// How numbers are grouped: `none`, `thousands` or `lakh`.
    #[param(value_type = Option<String>)]
    grouping: Option<GroupingText>,
}

/// Which digits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DigitsText {
    Latin,
    Bangla,
}

/// How numbers are grouped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GroupingText {
    None,
    Thousands,
    Lakh,
}

/// A paper of an issued invoice.
#[utoipa::path(get, path = "/v1/invoices/{id}/forms/{code}", tag = "invoices",
    params(("id" = String, Path), ("code" = String, Path, example = "mushak-6.3"), PaperQuery,
        ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, content(
            (FormView = "application/json"), (String = "text/html"), (Vec<u8> = "application/pdf")
        ), headers(("ETag" = String, description = "SHA-256 of the body"))),
        (status = 304, description = "it is what If-None-Match names"),
        (status = 404, body = Problem), (status = 406, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(crate) async fn draw(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((id, code)): Path<(String, String)>,
    query: Result<Query<PaperQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    caller.require(READERS)?;
    let medium = caller.preferred(&MEDIA)?;
    let (options, copy) = options(query)?;
    let drawn = api.app.draw_paper(&caller.actor, invoice_id(&id)?, code, medium, options).await?;
    Ok(respond_with(&caller, medium, copy, drawn))
}

/// How a paper is to be drawn, and which copy it says it is.
pub(crate) fn options(
    query: Result<Query<PaperQuery>, QueryRejection>,
) -> Result<(Options, Option<u8>), ApiError> {
    let Query(query) = query.map_err(|error| ApiError::new(Code::QueryInvalid, error.body_text()))?;
    let copy = query.copy;
    Ok((query.options()?, copy))
}

/// A paper that was drawn, unless the client has it.
pub(crate) fn respond_with(caller: &Caller, medium: Medium, copy: Option<u8>, drawn: Drawn) -> Response {
    let etag = format!("\"{}\"", drawn.digest);
    let known = caller.has(&etag);
    let mut response = Response::new(if known { Vec::new() } else { drawn.bytes }.into());
    respond::set(&mut response, header::ETAG, &etag);
    // It is about persons, and may be erased: nobody shows it again without asking.
    respond::set(&mut response, header::CACHE_CONTROL, "private, no-cache");
    respond::set(&mut response, header::VARY, "accept");
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let media_type = match medium {
        Medium::Json => "application/json",
        Medium::Html => "text/html; charset=utf-8",
        Medium::Pdf => "application/pdf",
    };
    respond::set(&mut response, header::CONTENT_TYPE, media_type);
    match medium {
        Medium::Json => {}
        Medium::Html => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'";
            respond::set(&mut response, header::CONTENT_SECURITY_POLICY, policy);
        }
        Medium::Pdf => {
            let copy = copy.map(|copy| format!("-copy-{copy}")).unwrap_or_default();
            let named = format!("inline; filename=\"{}{copy}.pdf\"", file_name(&drawn.name));
            respond::set(&mut response, header::CONTENT_DISPOSITION, &named);
            respond::set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        }
    }
    response
}

impl PaperQuery {
    fn options(self) -> Result<Options, ApiError> {
        let invalid = |detail: String| ApiError::new(Code::QueryInvalid, detail);
        if self.copy.is_some_and(|copy| !(1..=COPY_MAX).contains(&copy)) {
            return Err(invalid(format!("copy lies between 1 and {COPY_MAX}")));
        }
        let language = match self.lang.as_deref() {
            None | Some("both") => None,
            Some(code)
                if (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase()) =>
            {
                Some(code.to_owned())
            }
            Some(_) => {
                return Err(invalid(
                    "lang is `both`, or a language's code of two or three letters".to_owned(),
                ));
            }
        };
        let digits = match self.digits {
            None | Some(DigitsText::Latin) => Digits::Latin,
            Some(DigitsText::Bangla) => Digits::Bangla,
        };
        let grouping = match self.grouping {
            None | Some(GroupingText::None) => Grouping::None,
            Some(GroupingText::Thousands) => Grouping::Thousands,
            Some(GroupingText::Lakh) => Grouping::Lakh,
        };
        Ok(Options { language, numerals: Numerals { digits, grouping }, copy: self.copy })
    }
}

/// What of `name` is fit for the name of a file anywhere.
fn file_name(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let name: String = name
        .chars()
        .map(|character| if character == '.' { '.' } else { plain(character) })
        .take(100)
        .collect();
    let name = name.trim_matches(['.', '-']);
    if name.is_empty() { "paper".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_file_s_name_leads_nowhere_and_ends_nothing() {
        for (name, expected) in [
            ("mushak-6.3-17/2026-2027", "mushak-6.3-17-2026-2027"),
            ("../../etc/passwd", "etc-passwd"),
            ("a\"; x=\"b\r\nSet-Cookie: y", "a---x--b--Set-Cookie--y"),
            ("মূসক", "paper"),
            ("", "paper"),
        ] {
            assert_eq!(file_name(name), expected, "{name:?}");
        }
        assert!(file_name(&"x".repeat(5_000)).len() <= 100);
    }
}
