//! The SDK's examples, as their authors would test them.

use niyam_sdk::policy::{Request, Ruling};
use niyam_sdk::workflow::{Actor, Decision, Effect, Input, Subject, Transition, Verdict};
use niyam_sdk::{Attributes, Block, Cell, Date, Decimal, IssueFacts};
use niyam_testkit::{TestModule, assert_deterministic};

use crate::document;

#[test]
fn flat_tax_taxes_everything_alike() {
    let module = TestModule::bundled("guests/flat-tax").unwrap();
    let taxes = assert_deterministic(|| module.determine(&document("anything"))).unwrap().accepted();
    assert_eq!((taxes.net, taxes.tax_added), (Decimal::from(200), Decimal::from(10)));
}

#[test]
fn plain_pack_numbers_and_prints_what_it_does_not_tax() {
    let module = TestModule::bundled("guests/plain-pack").unwrap();
    let (document, day) = (document("anything"), Date::constant(2026, 8, 15));
    let taxes = module.determine(&document).unwrap().accepted();
    assert_eq!((taxes.payable, taxes.tax_added), (Decimal::from(200), Decimal::ZERO));
    let plan = module.prepare_issue(&document, &taxes, day).unwrap().accepted();
    assert_eq!((plan.series.as_str(), plan.number_pattern.as_str()), ("plain-invoice/2026", "{serial}/2026"));
    let facts = IssueFacts {
        number: "1/2026".into(),
        issued_on: day,
        issued_at: "10:00:00".into(),
        attributes: Attributes::new(),
    };
    let form = module.draw_form(&plan.form, &document, &taxes, &facts).unwrap().accepted();
    let [Block::Fields(fields)] = form.blocks.as_slice() else { panic!("one group of fields: {form:?}") };
    let values: Vec<&Cell> = fields.iter().map(|field| &field.value).collect();
    let expected = [Cell::Text("1/2026".into()), Cell::Day(day), Cell::Amount(Decimal::from(200))];
    assert_eq!(values, expected.iter().collect::<Vec<_>>());
    let period = module.fiscal_period_of(day).unwrap().value;
    assert_eq!((period.starts, period.ends), (Date::constant(2026, 1, 1), Date::constant(2026, 12, 31)));
    assert_eq!(module.check_identifier("bin", "1").unwrap().refused()[0].code, "identifier-kind-unknown");
    let refused = module.draw_form("mushak-6.3", &document, &taxes, &facts).unwrap().refused();
    assert_eq!(refused[0].code, "form-not-offered");
}

#[test]
fn cancel_guard_lets_only_approvers_cancel() {
    let module = TestModule::bundled("guests/cancel-guard").unwrap();
    let rule = |command: &str, role: &str| {
        let request = Request {
            command: command.into(),
            aggregate: "invoice-7".into(),
            body_json: "{}".into(),
            user: "rahim".into(),
            roles: vec![role.into()],
        };
        assert_deterministic(|| module.evaluate(&request)).unwrap().value
    };
    assert_eq!(rule("cancel-invoice", "approver"), Ruling::Allow(Vec::new()));
    assert_eq!(rule("draft-invoice", "accountant"), Ruling::Allow(Vec::new()));
    assert_eq!(rule("issue-invoice", "accountant"), Ruling::NeedsApproval("rahim is no approver".into()));
    let Ruling::Deny(findings) = rule("cancel-invoice", "accountant") else { panic!("denied") };
    assert_eq!(findings[0].code, "approver-only");
}

/// The example's workflow for one invoice, from its start.
struct TwoApprovals {
    module: TestModule,
    subject: Subject,
    state: String,
}

impl TwoApprovals {
    fn of(amount: i64) -> Self {
        let subject = Subject {
            kind: "invoice".into(),
            id: "7".into(),
            amount: Some(Decimal::from(amount)),
            facts: Attributes::new(),
        };
        let module = TestModule::bundled("guests/two-approvals").expect("a component");
        Self { module, subject, state: String::new() }
    }

    fn goes_on(&mut self, input: &Input) -> Vec<Effect> {
        let step = || self.module.advance(&self.subject, &self.state, input);
        let Transition { state, effects } = assert_deterministic(step).expect("an answer").accepted();
        self.state = state;
        effects
    }

    fn refuses(&self, input: &Input) -> String {
        let answer = self.module.advance(&self.subject, &self.state, input).expect("an answer");
        answer.refused().remove(0).code
    }
}

fn by(user: &str) -> Actor {
    Actor { user: user.into(), roles: vec!["approver".into()] }
}

fn decided(user: &str, verdict: Verdict) -> Input {
    Input::Decided(Decision { task: "approval".into(), by: by(user), verdict, comment: None })
}

fn ends(verdict: Verdict) -> [Effect; 2] {
    [Effect::Withdraw("approval".into()), Effect::Complete(verdict)]
}

#[test]
fn two_approvals_asks_one_approver_for_a_small_amount() {
    let mut workflow = TwoApprovals::of(100_000);
    let effects = workflow.goes_on(&Input::Started(by("rahim")));
    assert!(matches!(&effects[0], Effect::Assign(task) if task.quorum == 1), "{effects:?}");
    assert_eq!(effects[1], Effect::StartTimer("reminder".into(), 48));
    assert_eq!(workflow.goes_on(&decided("karim", Verdict::Approved)), ends(Verdict::Approved));
    assert_eq!(workflow.goes_on(&Input::TimerFired("reminder".into())), []);
    assert_eq!(workflow.refuses(&decided("salma", Verdict::Approved)), "out-of-turn");
}

#[test]
fn two_approvals_asks_two_people_for_a_large_amount() {
    let mut workflow = TwoApprovals::of(100_001);
    let effects = workflow.goes_on(&Input::Started(by("rahim")));
    assert!(matches!(&effects[0], Effect::Assign(task) if task.quorum == 2), "{effects:?}");
    assert_eq!(workflow.goes_on(&decided("karim", Verdict::Approved)), []);
    assert_eq!(workflow.refuses(&decided("karim", Verdict::Approved)), "approved-already");
    let effects = workflow.goes_on(&Input::TimerFired("reminder".into()));
    let [Effect::Notify(role, _)] = effects.as_slice() else { panic!("one reminder") };
    assert_eq!(role, "tenant-admin");
    assert_eq!(workflow.goes_on(&decided("salma", Verdict::Approved)), ends(Verdict::Approved));
}

#[test]
fn two_approvals_ends_with_the_first_no() {
    for (input, verdict) in [
        (decided("karim", Verdict::Rejected), Verdict::Rejected),
        (decided("karim", Verdict::Returned), Verdict::Returned),
        (Input::Cancelled(by("rahim")), Verdict::Rejected),
    ] {
        let mut workflow = TwoApprovals::of(500_000);
        workflow.goes_on(&Input::Started(by("rahim")));
        assert_eq!(workflow.goes_on(&input), ends(verdict));
        assert_eq!(workflow.refuses(&Input::Started(by("rahim"))), "out-of-turn");
    }
}
