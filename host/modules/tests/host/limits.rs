//! Each limit violated by a component that misbehaves; the host goes on.

use niyam_modules::{CALLS_MAX, ModuleFailure};

use crate::components::{Unruly, document};

const CONFIG: &str = r#"{"rate":"13"}"#;

fn failure(unruly: &Unruly, wish: &str) -> ModuleFailure {
    let failure = unruly.module.determine(CONFIG, &document(wish)).expect_err("the module misbehaves");
    assert_eq!(failure.module().id, "unruly");
    // A call after it finds the host as it was.
    assert!(unruly.module.determine(CONFIG, &document("plain")).is_ok());
    failure
}

#[test]
fn each_limit_has_its_own_code() {
    let unruly = Unruly::new();
    let expected = [
        ("trap", "module-trapped"),
        ("loop", "module-fuel-exhausted"),
        ("memory", "module-memory-exhausted"),
        ("recurse", "module-stack-exhausted"),
        ("huge", "module-output-too-large"),
    ];
    for (wish, code) in expected {
        let failure = failure(&unruly, wish);
        assert_eq!(failure.code(), code, "{wish}: {failure}");
    }
}

#[test]
fn a_flood_of_log_lines_is_cut_and_harms_nobody() {
    let unruly = Unruly::new();
    match unruly.module.determine(CONFIG, &document("log")) {
        Ok(decided) => assert_eq!(decided.answer.unwrap_err()[0].code, "unruly"),
        Err(failure) => assert_eq!(failure.code(), "module-fuel-exhausted"),
    }
}

#[test]
fn many_failures_leave_every_instance_free() {
    let unruly = Unruly::new();
    for _ in 0..CALLS_MAX * 2 {
        assert!(unruly.module.determine(CONFIG, &document("trap")).is_err());
    }
    assert!(unruly.module.determine(CONFIG, &document("plain")).is_ok());
}
