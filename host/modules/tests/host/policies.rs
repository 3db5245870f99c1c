//! A policy's rulings, and what is none.

use niyam_modules::{CONTRACT, digest_hex};
use niyam_values::policy::{Request, Ruling};

use crate::components::{Unruly, component};

const POLICY: &str = "guests/unruly-policy.wasm";

fn request(command: &str, roles: &[&str]) -> Request {
    Request {
        command: command.to_owned(),
        aggregate: "invoice-7".to_owned(),
        body_json: r#"{"reason":"typo"}"#.to_owned(),
        user: "rahim".to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

#[test]
fn a_policy_rules_on_the_whole_request_by_its_configuration() {
    let policy = Unruly::of(POLICY).module;
    let config = r#"{"denied":"cancel-invoice"}"#;
    let rule = |config, command, roles| policy.evaluate(config, &request(command, roles)).unwrap().answer;
    let Ruling::Deny(findings) = rule(config, "cancel-invoice", &["approver"]) else { panic!("denied") };
    assert_eq!((findings[0].code.as_str(), findings[0].pointer.as_deref()), ("denied", Some("/command")));
    assert_eq!(findings[0].message, r#"rahim may not cancel-invoice invoice-7 with {"reason":"typo"}"#);
    let Ruling::Allow(findings) = rule("{}", "cancel-invoice", &["viewer", "approver"]) else {
        panic!("allowed")
    };
    assert_eq!(findings[0].message, "viewer approver");
    assert_eq!(rule(config, "issue-invoice", &[]), Ruling::NeedsApproval("rahim has no role".to_owned()));
}

#[test]
fn a_ruling_names_component_configuration_input_and_cost() {
    let (one, other) = (Unruly::of(POLICY).module, Unruly::of(POLICY).module);
    let first = one.evaluate("{}", &request("issue-invoice", &["approver"])).unwrap();
    assert_eq!(other.evaluate("{}", &request("issue-invoice", &["approver"])).unwrap(), first);
    let decision = &first.decision;
    assert_eq!((decision.function.as_str(), decision.contract.as_str()), ("evaluate", CONTRACT));
    assert_eq!(decision.module.id, "unruly-policy");
    assert_eq!(decision.module.digest, digest_hex(&component(POLICY)));
    assert_eq!(decision.config_digest, digest_hex(b"{}"));
    assert!(decision.fuel > 0);
    let denied = one.evaluate("{}", &request("issue-invoice", &[])).unwrap().decision;
    assert_ne!(denied.input_digest, decision.input_digest);
    assert_ne!(denied.output_digest, decision.output_digest);
}

#[test]
fn a_policy_that_misbehaves_rules_nothing_and_harms_nobody() {
    let policy = Unruly::of(POLICY).module;
    for (wish, code) in [
        ("trap", "module-trapped"),
        ("loop", "module-fuel-exhausted"),
        ("huge", "module-output-too-large"),
        ("deny-in-silence", "module-output-invalid"),
        ("deny-with-a-warning", "module-output-invalid"),
        ("allow-with-an-error", "module-output-invalid"),
        ("approval-in-silence", "module-output-invalid"),
        ("shout", "module-output-invalid"),
    ] {
        let failure = policy.evaluate("{}", &request(wish, &["approver"])).expect_err(wish);
        assert_eq!(failure.code(), code, "{wish}: {failure}");
        assert!(policy.evaluate("{}", &request("issue-invoice", &["approver"])).is_ok());
    }
}
