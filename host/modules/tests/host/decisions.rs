//! What a decision says, and that it can be had again.

use niyam_modules::{CONTRACT, ModuleHost, digest_hex};
use niyam_values::{Date, Decimal};

use crate::components::{Unruly, component, document};

const CONFIG: &str = r#"{"rate":"13"}"#;

#[test]
fn a_decision_names_component_configuration_input_and_cost() {
    let unruly = Unruly::new();
    let decided = unruly.module.determine(CONFIG, &document("plain")).unwrap();
    let taxes = decided.answer.unwrap();
    assert_eq!(taxes.tax_added, Decimal::new(130, 0));
    assert_eq!(taxes.payable, Decimal::new(1130, 0));
    let decision = decided.decision;
    assert_eq!(decision.module.id, "unruly");
    assert_eq!(decision.module.digest, digest_hex(&component("guests/unruly.wasm")));
    assert_eq!(decision.config_digest, digest_hex(CONFIG.as_bytes()));
    assert_eq!(decision.contract, CONTRACT);
    assert!(decision.fuel > 0);
}

#[test]
fn the_same_input_costs_and_answers_the_same_on_another_host() {
    let (one, other) = (Unruly::new(), Unruly::new());
    let first = one.module.determine(CONFIG, &document("plain")).unwrap();
    for _ in 0..20 {
        assert_eq!(one.module.determine(CONFIG, &document("plain")).unwrap(), first);
    }
    assert_eq!(other.module.determine(CONFIG, &document("plain")).unwrap(), first);
    let dearer = one.module.determine(r#"{"rate":"14"}"#, &document("plain")).unwrap();
    assert_ne!(dearer.decision.config_digest, first.decision.config_digest);
    assert_ne!(dearer.decision.output_digest, first.decision.output_digest);
}

#[test]
fn every_function_of_a_pack_answers() {
    let unruly = Unruly::new();
    let document = document("plain");
    let taxes = unruly.module.determine(CONFIG, &document).unwrap().answer.unwrap();
    let day = Date::constant(2026, 8, 15);
    let plan = unruly.module.prepare_issue(CONFIG, &document, &taxes, day).unwrap().answer.unwrap();
    assert_eq!((plan.form.as_str(), plan.number_pattern.as_str()), ("plain-invoice", "P-{serial}"));
    let period = unruly.module.fiscal_period_of(CONFIG, day).unwrap().answer;
    assert!(period.starts <= day && day <= period.ends);
    let forms = unruly.module.form_codes(CONFIG, &document).unwrap().answer;
    let facts = niyam_values::IssueFacts {
        number: "P-1".to_owned(),
        issued_on: day,
        issued_at: "10:00:00".to_owned(),
        attributes: niyam_values::Attributes::new(),
    };
    let form = unruly.module.draw_form(CONFIG, &forms[0], &document, &taxes, &facts).unwrap().answer.unwrap();
    assert_eq!(form.code, forms[0]);
    let accounts = unruly.module.chart_of_accounts(CONFIG).unwrap();
    assert_eq!((accounts.answer.len(), accounts.decision.function.as_str()), (0, "chart-of-accounts"));
    let allowed = unruly.module.check_account_code(CONFIG, "A.1").unwrap();
    assert_eq!((allowed.answer, allowed.decision.function.as_str()), (Ok(()), "check-account-code"));
}

#[test]
fn a_configuration_is_checked_against_the_module_s_schema() {
    let unruly = Unruly::new();
    assert_eq!(unruly.module.check_config("{ \"rate\" : \"13\" }").unwrap(), CONFIG);
    let wrong = unruly.module.check_config(r#"{"rate":13}"#).unwrap_err();
    assert_eq!((wrong[0].code.as_str(), wrong[0].pointer.as_deref()), ("config-invalid", Some("/rate")));
    assert_eq!(unruly.module.check_config("{").unwrap_err()[0].code, "config-malformed");
}

#[test]
fn a_compiled_component_is_kept_and_a_damaged_one_is_made_again() {
    let unruly = Unruly::new();
    let cache = unruly.folder.path().join("cache");
    let kept: Vec<_> = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    let whole = std::fs::read(&kept[0]).unwrap();
    for damaged in [&b"junk"[..], &whole[..whole.len() / 2], &[0; 4096]] {
        std::fs::write(&kept[0], damaged).unwrap();
        let again = ModuleHost::new(cache.clone()).unwrap();
        let module = again.load(&component("guests/unruly.wasm")).unwrap();
        assert!(module.determine(CONFIG, &document("plain")).is_ok());
        assert_eq!(std::fs::read(&kept[0]).unwrap(), whole);
    }
}
