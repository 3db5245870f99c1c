//! A workflow's steps, and what is none.

use niyam_modules::{CONTRACT, ModuleFailure, WORKFLOW_STATE_BYTES_MAX, digest_hex};
use niyam_values::workflow::{Actor, Decision, Effect, Input, Subject, Task, Transition, Verdict};
use niyam_values::{Attributes, Decimal, Finding};

use crate::components::{Unruly, component};

const WORKFLOW: &str = "guests/unruly-workflow.wasm";

fn subject(kind: &str, id: &str) -> Subject {
    Subject {
        kind: kind.to_owned(),
        id: id.to_owned(),
        amount: Some(Decimal::new(-1_250, 2)),
        facts: Attributes::new().with("branch", "Dhaka").with("urgent", "yes"),
    }
}

fn actor() -> Actor {
    Actor { user: "karim".to_owned(), roles: vec!["viewer".to_owned(), "approver".to_owned()] }
}

fn advance(unruly: &Unruly, subject: &Subject) -> Result<Result<Transition, Vec<Finding>>, ModuleFailure> {
    let decided = unruly.module.advance("{}", subject, "", &Input::Started(actor()))?;
    Ok(decided.answer)
}

#[test]
fn a_step_is_given_all_that_happened() {
    let workflow = Unruly::of(WORKFLOW).module;
    let decision = |verdict, comment: Option<&str>| {
        Input::Decided(Decision {
            task: "t1".to_owned(),
            by: actor(),
            verdict,
            comment: comment.map(str::to_owned),
        })
    };
    for (input, told) in [
        (Input::Started(actor()), "started by karim viewer approver"),
        (decision(Verdict::Approved, None), "t1 approved by karim (no comment) viewer approver"),
        (decision(Verdict::Rejected, Some("dear")), "t1 rejected by karim (dear) viewer approver"),
        (decision(Verdict::Returned, Some("")), "t1 returned by karim () viewer approver"),
        (Input::TimerFired("reminder".to_owned()), "timer reminder "),
        (Input::Cancelled(actor()), "cancelled by karim viewer approver"),
    ] {
        let step = workflow.advance("{}", &subject("invoice", "7"), "before", &input).unwrap();
        let expected = format!("before|invoice 7 -12.50 branch=Dhaka,urgent=yes {told}");
        assert_eq!(step.answer.unwrap().state, expected);
    }
    let worthless = Subject { amount: None, facts: Attributes::new(), ..subject("invoice", "7") };
    let step = workflow.advance("{}", &worthless, "", &Input::TimerFired("x".to_owned())).unwrap();
    assert_eq!(step.answer.unwrap().state, "|invoice 7 nothing  timer x ");
}

#[test]
fn a_step_has_effects_of_each_kind() {
    let step = advance(&Unruly::of(WORKFLOW), &subject("invoice", "7")).unwrap().unwrap();
    let task = Task {
        id: "1".to_owned(),
        title: "Decide".to_owned(),
        assignee_roles: vec!["approver".to_owned(), "tenant-admin".to_owned()],
        quorum: 1,
        due_in_hours: Some(24),
    };
    let expected = [
        Effect::Assign(task),
        Effect::Withdraw("0".to_owned()),
        Effect::StartTimer("reminder".to_owned(), 48),
        Effect::Notify("approver".to_owned(), "there is work".to_owned()),
        Effect::Complete(Verdict::Returned),
    ];
    assert_eq!(step.effects, expected);
}

#[test]
fn a_step_names_component_configuration_input_and_cost() {
    let (one, other) = (Unruly::of(WORKFLOW).module, Unruly::of(WORKFLOW).module);
    let (subject, input) = (subject("invoice", "7"), Input::Started(actor()));
    let first = one.advance("{}", &subject, "", &input).unwrap();
    assert_eq!(other.advance("{}", &subject, "", &input).unwrap(), first);
    let decision = &first.decision;
    assert_eq!((decision.function.as_str(), decision.contract.as_str()), ("advance", CONTRACT));
    assert_eq!(decision.module.digest, digest_hex(&component(WORKFLOW)));
    assert_eq!(decision.config_digest, digest_hex(b"{}"));
    assert!(decision.fuel > 0);
    let later = one.advance("{}", &subject, "later", &input).unwrap().decision;
    assert_ne!(later.input_digest, decision.input_digest);
    assert_ne!(later.output_digest, decision.output_digest);
}

#[test]
fn a_refusal_is_an_answer() {
    let findings = advance(&Unruly::of(WORKFLOW), &subject("refuse", "7")).unwrap().unwrap_err();
    assert_eq!((findings[0].code.as_str(), findings[0].pointer.as_deref()), ("refused", Some("/input")));
}

#[test]
fn a_workflow_that_misbehaves_takes_no_step_and_harms_nobody() {
    let unruly = Unruly::of(WORKFLOW);
    for (wish, code) in [
        ("trap", "module-trapped"),
        ("loop", "module-fuel-exhausted"),
        ("refuse-in-silence", "module-output-invalid"),
        ("no-quorum", "module-output-invalid"),
        ("nobody", "module-output-invalid"),
        ("one-task-twice", "module-output-invalid"),
        ("two-ends", "module-output-invalid"),
    ] {
        let failure = advance(&unruly, &subject(wish, "7")).expect_err(wish);
        assert_eq!(failure.code(), code, "{wish}: {failure}");
        assert!(advance(&unruly, &subject("invoice", "7")).is_ok());
    }
}

#[test]
fn a_state_is_as_long_as_it_may_be_and_no_longer() {
    let unruly = Unruly::of(WORKFLOW);
    let state_of = |bytes: usize| advance(&unruly, &subject("state", &bytes.to_string()));
    let kept = state_of(WORKFLOW_STATE_BYTES_MAX).unwrap().unwrap();
    assert_eq!(kept.state.len(), WORKFLOW_STATE_BYTES_MAX);
    assert_eq!(state_of(WORKFLOW_STATE_BYTES_MAX + 1).unwrap_err().code(), "module-output-invalid");
}
