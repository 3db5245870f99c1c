//! A sample policy: what one document may have a customer pay, and how far back a document may be dated.
//!
//! It is asked before an invoice is drafted, revised, approved or issued. Cancelling one is always allowed. What it
//! cannot read, it denies.

mod config;
mod request;

use niyam_sdk::policy::{Request, Ruling};
use niyam_sdk::{Context, Decimal, Finding, Manifest, PolicyModule, Severity};

use crate::config::Config;
use crate::request::Body;

/// The commands that it looks at.
const COMMANDS: [&str; 4] = ["draft-invoice", "revise-invoice", "approve-invoice", "issue-invoice"];

/// The policy.
#[derive(Debug)]
pub struct CreditGuard;

niyam_sdk::export_policy!(CreditGuard);

impl PolicyModule for CreditGuard {
    fn manifest() -> Manifest {
        Manifest {
            id: "credit-guard".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            title: "Credit limits, and no back-dating".to_owned(),
            jurisdictions: Vec::new(),
            config_schema: include_str!("../config.schema.json").to_owned(),
            config_default: r#"{"currency":"BDT"}"#.to_owned(),
        }
    }

    fn evaluate(context: &Context, request: &Request) -> Ruling {
        if !COMMANDS.contains(&request.command.as_str()) {
            return Ruling::Allow(Vec::new());
        }
        match ruled(context, request) {
            Ok(findings) => Ruling::Allow(findings),
            Err(findings) => Ruling::Deny(findings),
        }
    }
}

/// What is worth telling of a request that goes on; every reason why one does not.
fn ruled(context: &Context, request: &Request) -> Result<Vec<Finding>, Vec<Finding>> {
    let (config, body) = (Config::of(context)?, Body::of(request)?);
    let found = back_dated(&config, &body).into_iter().chain(limit_met(&config, &body));
    let (denied, told): (Vec<_>, Vec<_>) = found.partition(|finding| finding.severity == Severity::Error);
    if denied.is_empty() { Ok(told) } else { Err(denied) }
}

/// A document dated exactly as many days back as allowed is allowed.
fn back_dated(config: &Config, body: &Body) -> Option<Finding> {
    let allowed = config.days_back_max?;
    let days = (body.today - body.document.tax_date).get_days();
    (days > allowed).then(|| {
        let message = format!("the tax date lies {days} days back, at most {allowed} are allowed");
        Finding::error("back-dated", message).at("/tax_date")
    })
}

/// A document of exactly the limit is allowed. A warning when it comes near.
fn limit_met(config: &Config, body: &Body) -> Option<Finding> {
    let limit = config.limit_of(&body.document.customer)?;
    let Some(payable) = body.payable_in(&config.currency) else {
        let message = format!("the amount cannot be told in {}: there is no exchange rate", config.currency);
        return Some(Finding::error("credit-currency-unknown", message).at("/currency"));
    };
    let currency = &config.currency;
    let said = format!("the customer pays {payable} {currency}, the limit is {limit} {currency}");
    if payable > limit {
        return Some(Finding::error("credit-limit-exceeded", said).at("/customer"));
    }
    let near = |percent: u32| payable * Decimal::ONE_HUNDRED >= limit * Decimal::from(percent);
    let warning = config.warn_percent.filter(|percent| near(*percent));
    warning.map(|_| Finding::warning("credit-limit-near", said).at("/customer"))
}
