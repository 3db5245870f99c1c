//! A workflow that misbehaves on demand, for tests of the sandbox: the subject's kind says how. Else it tells in its
//! state what it was given, and does one of each effect.

use std::hint::black_box;

use niyam_sdk::workflow::{Effect, Input, Subject, Task, Transition, Verdict};
use niyam_sdk::{Context, Finding, Manifest, WorkflowModule};

struct UnrulyWorkflow;

niyam_sdk::export_workflow!(UnrulyWorkflow);

impl WorkflowModule for UnrulyWorkflow {
    fn manifest() -> Manifest {
        Manifest {
            id: "unruly-workflow".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            title: "Misbehaves on demand".into(),
            jurisdictions: Vec::new(),
            config_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            config_default: "{}".into(),
        }
    }

    fn advance(
        _: &Context,
        subject: &Subject,
        state: &str,
        input: &Input,
    ) -> Result<Transition, Vec<Finding>> {
        let with = |effects| Ok(Transition { state: String::new(), effects });
        match subject.kind.as_str() {
            "trap" => panic!("as asked"),
            "loop" => loop {
                black_box(());
            },
            "refuse" => Err(vec![Finding::error("refused", "as asked").at("/input")]),
            "refuse-in-silence" => Err(Vec::new()),
            "no-quorum" => with(vec![Effect::Assign(Task { quorum: 0, ..task("1") })]),
            "nobody" => with(vec![Effect::Assign(Task { assignee_roles: Vec::new(), ..task("1") })]),
            "one-task-twice" => with(vec![Effect::Assign(task("1")), Effect::Assign(task("1"))]),
            "two-ends" => {
                with(vec![Effect::Complete(Verdict::Approved), Effect::Complete(Verdict::Rejected)])
            }
            // As much state as the subject's id says.
            "state" => Ok(Transition {
                state: "x".repeat(subject.id.parse().expect("the id is a number")),
                effects: Vec::new(),
            }),
            _ => Ok(Transition {
                state: format!("{state}|{}", told(subject, input)),
                effects: vec![
                    Effect::Assign(task("1")),
                    Effect::Withdraw("0".into()),
                    Effect::StartTimer("reminder".into(), 48),
                    Effect::Notify("approver".into(), "there is work".into()),
                    Effect::Complete(Verdict::Returned),
                ],
            }),
        }
    }
}

fn task(id: &str) -> Task {
    Task {
        id: id.into(),
        title: "Decide".into(),
        assignee_roles: vec!["approver".into(), "tenant-admin".into()],
        quorum: 1,
        due_in_hours: Some(24),
    }
}

/// What came in, in one line.
fn told(subject: &Subject, input: &Input) -> String {
    let amount = subject.amount.map_or_else(|| "nothing".to_owned(), |amount| amount.to_string());
    let facts = subject.facts.iter().map(|(name, value)| format!("{name}={value}"));
    let facts = facts.collect::<Vec<_>>().join(",");
    let roles = input.actor().map(|actor| actor.roles.join(" ")).unwrap_or_default();
    let what = match input {
        Input::Started(actor) => format!("started by {}", actor.user),
        Input::Decided(decision) => format!(
            "{} {} by {} ({})",
            decision.task,
            match decision.verdict {
                Verdict::Approved => "approved",
                Verdict::Rejected => "rejected",
                Verdict::Returned => "returned",
            },
            decision.by.user,
            decision.comment.as_deref().unwrap_or("no comment")
        ),
        Input::TimerFired(timer) => format!("timer {timer}"),
        Input::Cancelled(actor) => format!("cancelled by {}", actor.user),
    };
    format!("{} {} {amount} {facts} {what} {roles}", subject.kind, subject.id)
}
