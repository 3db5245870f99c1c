//! A workflow: one approver decides, two when the amount is above 100,000; after two days without a decision the
//! administrators are told.

use niyam_sdk::workflow::{Decision, Effect, Input, Subject, Task, Transition, Verdict};
use niyam_sdk::{Context, Decimal, Finding, Manifest, WorkflowModule};

const TASK: &str = "approval";
const OVER: &str = "over";

struct TwoApprovals;

niyam_sdk::export_workflow!(TwoApprovals);

impl WorkflowModule for TwoApprovals {
    fn manifest() -> Manifest {
        Manifest {
            id: "two-approvals".into(),
            version: "1.0.0".into(),
            title: "Two approvals above 100,000".into(),
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
        let waiting = Waiting::read(state);
        let effects = match (input, waiting) {
            (Input::Started(_), None) if state.is_empty() => return Ok(start(subject)),
            (Input::Decided(decision), Some(waiting)) if decision.task == TASK => {
                return waiting.decided(decision);
            }
            (Input::Cancelled(_), Some(_)) => over(Verdict::Rejected),
            (Input::TimerFired(_), Some(_)) => {
                let message = format!("{} {} waits for approval", subject.kind, subject.id);
                return Ok(Transition {
                    state: state.into(),
                    effects: vec![Effect::Notify("tenant-admin".into(), message)],
                });
            }
            // It was decided in time.
            (Input::TimerFired(_), None) => Vec::new(),
            _ => return Err(vec![Finding::error("out-of-turn", "the workflow does not wait for this")]),
        };
        Ok(Transition { state: OVER.into(), effects })
    }
}

fn start(subject: &Subject) -> Transition {
    let large = subject.amount.is_some_and(|amount| amount > Decimal::from(100_000));
    let waiting = Waiting { quorum: if large { 2 } else { 1 }, approved: Vec::new() };
    let task = Task {
        id: TASK.into(),
        title: format!("Approve {} {}", subject.kind, subject.id),
        assignee_roles: vec!["approver".into()],
        quorum: waiting.quorum,
        due_in_hours: Some(48),
    };
    let effects = vec![Effect::Assign(task), Effect::StartTimer("reminder".into(), 48)];
    Transition { state: waiting.write(), effects }
}

fn over(verdict: Verdict) -> Vec<Effect> {
    vec![Effect::Withdraw(TASK.into()), Effect::Complete(verdict)]
}

/// The state: how many must approve, and who did, a line each.
struct Waiting<'a> {
    quorum: u32,
    approved: Vec<&'a str>,
}

impl<'a> Waiting<'a> {
    fn read(state: &'a str) -> Option<Self> {
        let mut lines = state.lines();
        Some(Self { quorum: lines.next()?.parse().ok()?, approved: lines.collect() })
    }

    fn write(&self) -> String {
        format!("{}\n{}", self.quorum, self.approved.join("\n"))
    }

    fn decided(mut self, decision: &'a Decision) -> Result<Transition, Vec<Finding>> {
        if decision.verdict != Verdict::Approved {
            return Ok(Transition { state: OVER.into(), effects: over(decision.verdict) });
        }
        if self.approved.contains(&decision.by.user.as_str()) {
            return Err(vec![Finding::error("approved-already", "two approvals are of two people")]);
        }
        self.approved.push(&decision.by.user);
        if self.approved.len() < self.quorum as usize {
            return Ok(Transition { state: self.write(), effects: Vec::new() });
        }
        Ok(Transition { state: OVER.into(), effects: over(Verdict::Approved) })
    }
}
