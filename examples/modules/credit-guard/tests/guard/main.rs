//! The policy from outside: each rule obeyed, violated and at its boundary; natively, and as the compiled component.

use credit_guard::CreditGuard;
use niyam_sdk::policy::{Request, Ruling};
use niyam_sdk::{Context, Finding, PolicyModule as _};
use niyam_testkit::{TestError, TestModule, assert_deterministic};

const CONFIG: &str = r#"{"currency":"BDT","default_limit":"5000","warn_percent":90,"days_back_max":7,"limits":[
    {"name":"Padma Textile Mills Ltd","limit":"1150.00"},
    {"identifier":"001234567-0101","limit":"9000"},
    {"name":"Meghna Stores","limit":"0"}]}"#;

/// A body with parts to be replaced.
#[derive(Clone)]
struct Case {
    command: &'static str,
    today: &'static str,
    tax_date: &'static str,
    currency: &'static str,
    rate: &'static str,
    customer: &'static str,
    bin: &'static str,
    payable: &'static str,
}

const CASE: Case = Case {
    command: "draft-invoice",
    today: "2026-08-15",
    tax_date: "2026-08-15",
    currency: "BDT",
    rate: "null",
    customer: "Padma Textile Mills Ltd",
    bin: "009999999-0101",
    payable: "1000.00",
};

impl Case {
    fn request(&self) -> Request {
        let Self { command, today, tax_date, currency, rate, customer, bin, payable } = self;
        Request {
            command: (*command).into(),
            aggregate: "01989f6e-7a10-7c3e-9b0e-5d2f4a6b8c01".into(),
            body_json: format!(
                r#"{{"today":"{today}","document":{{"kind":"invoice","tax_date":"{tax_date}","currency":"{currency}",
                "exchange_rate":{rate},"customer":{{"name":"{customer}","country":"BD",
                "identifiers":[{{"kind":"bin","value":"{bin}"}}]}},"lines":[]}},
                "taxes":{{"lines":[],"payable":"{payable}"}},"status":null,"reason":null}}"#
            ),
            user: "rahima".into(),
            roles: vec!["accountant".into()],
        }
    }
}

/// What the component and the native code agree on.
fn rule(config: &str, request: &Request) -> Ruling {
    let native = CreditGuard::evaluate(&Context::native(config), request);
    let module = component().with_config(config).unwrap_or_else(|error| panic!("{error}"));
    let compiled =
        assert_deterministic(|| module.evaluate(request)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(compiled.value, native);
    native
}

fn component() -> TestModule {
    TestModule::bundled("guests/credit-guard").unwrap_or_else(|error| panic!("{error}"))
}

/// `allow` or `deny`, and the codes.
fn codes(ruling: Ruling) -> (&'static str, Vec<String>) {
    let codes = |findings: Vec<Finding>| findings.into_iter().map(|finding| finding.code).collect();
    match ruling {
        Ruling::Allow(findings) => ("allow", codes(findings)),
        Ruling::Deny(findings) => ("deny", codes(findings)),
        Ruling::NeedsApproval(why) => panic!("it asks for no approval: {why}"),
    }
}

#[track_caller]
fn assert_rules(case: &Case, ruling: &str, expected: &[&str]) {
    let (said, found) = codes(rule(CONFIG, &case.request()));
    assert_eq!((said, found.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), (ruling, expected));
}

#[test]
fn a_document_within_the_limit_is_allowed_and_one_above_is_not() {
    for (payable, ruling, code) in [
        ("0.00", "allow", None),
        ("1034.99", "allow", None),
        ("1035.00", "allow", Some("credit-limit-near")),
        ("1150.00", "allow", Some("credit-limit-near")),
        ("1150", "allow", Some("credit-limit-near")),
        ("1150.01", "deny", Some("credit-limit-exceeded")),
        ("79228162514264337593543950335", "deny", Some("credit-limit-exceeded")),
    ] {
        assert_rules(&Case { payable, ..CASE }, ruling, code.as_slice());
    }
}

#[test]
fn another_spelling_of_a_customer_has_the_same_limit() {
    for customer in ["PADMA TEXTILE MILLS LTD", " padma  textile mills\\tltd "] {
        assert_rules(&Case { customer, payable: "1150.01", ..CASE }, "deny", &["credit-limit-exceeded"]);
    }
    for bin in ["001234567-0101", "0012345670101", "001 234 567 0101"] {
        let case = Case { customer: "Somebody", bin, ..CASE };
        assert_rules(&Case { payable: "8000", ..case.clone() }, "allow", &[]);
        assert_rules(&Case { payable: "9000.01", ..case }, "deny", &["credit-limit-exceeded"]);
    }
    // Both limits name this customer: the smaller one counts.
    let case = Case { bin: "001234567-0101", payable: "1150.01", ..CASE };
    assert_rules(&case, "deny", &["credit-limit-exceeded"]);
}

#[test]
fn a_customer_that_no_limit_names_has_the_default_or_none() {
    let case = Case { customer: "Somebody", payable: "5000.01", ..CASE };
    assert_rules(&case, "deny", &["credit-limit-exceeded"]);
    assert_eq!(codes(rule(r#"{"currency":"BDT"}"#, &case.request())), ("allow", Vec::new()));
    let nothing = Case { customer: "Meghna Stores", payable: "0.01", ..CASE };
    assert_rules(&nothing, "deny", &["credit-limit-exceeded"]);
}

#[test]
fn a_foreign_currency_is_told_in_the_limits_currency() {
    let case = Case { currency: "USD", rate: "\"115.00\"", ..CASE };
    assert_rules(&Case { payable: "10.00", ..case.clone() }, "allow", &["credit-limit-near"]);
    assert_rules(&Case { payable: "10.01", ..case.clone() }, "deny", &["credit-limit-exceeded"]);
    assert_rules(&Case { rate: "null", ..case.clone() }, "deny", &["credit-currency-unknown"]);
    let payable = "79228162514264337593543950335";
    assert_rules(&Case { payable, ..case }, "deny", &["credit-currency-unknown"]);
}

#[test]
fn a_tax_date_lies_as_many_days_back_as_allowed_and_no_more() {
    assert_rules(&Case { tax_date: "2026-08-08", ..CASE }, "allow", &[]);
    assert_rules(&Case { tax_date: "2026-08-07", ..CASE }, "deny", &["back-dated"]);
    assert_rules(&Case { tax_date: "2026-08-16", ..CASE }, "allow", &[]);
    // Across the end of a year, and of a February with 29 days.
    assert_rules(&Case { today: "2027-01-03", tax_date: "2026-12-27", ..CASE }, "allow", &[]);
    assert_rules(&Case { today: "2028-03-03", tax_date: "2028-02-24", ..CASE }, "deny", &["back-dated"]);
    let both = Case { tax_date: "2026-08-07", payable: "1150.01", ..CASE };
    assert_rules(&both, "deny", &["back-dated", "credit-limit-exceeded"]);
}

#[test]
fn every_command_that_moves_an_invoice_on_is_looked_at() {
    for command in ["draft-invoice", "revise-invoice", "approve-invoice", "issue-invoice"] {
        assert_rules(&Case { command, payable: "1150.01", ..CASE }, "deny", &["credit-limit-exceeded"]);
    }
    for command in ["cancel-invoice", "change-profile"] {
        assert_rules(&Case { command, payable: "1150.01", ..CASE }, "allow", &[]);
    }
}

#[test]
fn what_it_cannot_read_is_denied() {
    for body in ["", "{}", "null", r#"{"today":"2026-13-01"}"#] {
        let request = Request { body_json: body.into(), ..CASE.request() };
        assert_eq!(codes(rule(CONFIG, &request)), ("deny", vec!["request-unreadable".to_owned()]));
    }
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused() {
    for config in [
        "{}",
        r#"{"currency":"taka"}"#,
        r#"{"currency":"BDT","default_limit":"-1"}"#,
        r#"{"currency":"BDT","default_limit":1000}"#,
        r#"{"currency":"BDT","days_back_max":-1}"#,
        r#"{"currency":"BDT","limits":[{"limit":"1"}]}"#,
        r#"{"currency":"BDT","limits":[{"name":" ","limit":"1"}]}"#,
        r#"{"currency":"BDT","colour":"red"}"#,
    ] {
        let refused = component().with_config(config).expect_err(config);
        assert!(matches!(refused, TestError::ConfigRefused(_)), "{config}: {refused}");
    }
    assert!(component().with_config(CONFIG).is_ok());
}

#[test]
fn the_largest_body_and_configuration_are_read_within_the_fuel() {
    let limits: Vec<String> = (0..1_000)
        .map(|at| format!(r#"{{"name":"Customer number {at} of many","limit":"{at}.00"}}"#))
        .collect();
    let config = format!(r#"{{"currency":"BDT","limits":[{}]}}"#, limits.join(","));
    let line =
        r#"{"id":"1","description":"Repair of a pump, as agreed","quantity":"2.50","attributes":{"a":"b"}}"#;
    let lines = vec![line; (1 << 20) / line.len()].join(",");
    let mut request = CASE.request();
    request.body_json = request.body_json.replacen(r#""lines":[]"#, &format!(r#""lines":[{lines}]"#), 1);
    assert!(request.body_json.len() > 1_000_000);
    assert_eq!(codes(rule(&config, &request)), ("allow", Vec::new()));
}
