//! What policies are asked: the same at the command and from history.

use std::fs;

use jiff::civil::date;
use niyam_domain::{
    Activation, ActivationState, Aggregate as _, DomainEvent as _, EXAMPLES, InvoiceId, ModuleActivated,
    ModuleRef, OnFailure, StreamId, TenantEvent, Version,
};
use niyam_modules::digest_hex;
use niyam_store::{Append, Batch, StreamWrite};
use niyam_values::Attributes;

use super::*;
use crate::app::AppConfig;
use crate::commands::Expected;
use crate::commands::metadata::{Metadata, new_event};
use crate::commands::tenant::{NewTenant, create_tenant};

const TODAY: Date = date(2026, 8, 15);

fn example(event_type: &str) -> (InvoiceEvent, &'static str) {
    let (_, payload) = EXAMPLES.iter().find(|(name, _)| *name == event_type).unwrap();
    (InvoiceEvent::read(event_type, payload.as_bytes()).unwrap(), payload)
}

fn asked(before: Option<&Invoice>, event: &InvoiceEvent) -> Request {
    policy_request(Subject::Invoice { before, event }, "rahima", &[Role::Accountant], TODAY).unwrap()
}

#[test]
fn a_body_holds_the_documents_of_the_events_word_for_word() {
    let (drafted, payload) = example("invoice.drafted.v1");
    let request = asked(None, &drafted);
    let invoice = Invoice::evolve(None, drafted).unwrap();
    let document = serde_json::to_string(&invoice.document).unwrap();
    let taxes = serde_json::to_string(&invoice.taxes).unwrap();
    assert!(payload.contains(&document) && payload.contains(&taxes));
    let body = |status: &str, reason: &str| {
        format!(
            r#"{{"today":"2026-08-15","document":{document},"taxes":{taxes},"status":{status},"reason":{reason}}}"#
        )
    };
    assert_eq!((request.command.as_str(), request.body_json), ("draft-invoice", body("null", "null")));
    assert_eq!(request.aggregate, invoice.id.to_string());
    assert_eq!((request.user.as_str(), request.roles), ("rahima", vec!["accountant".to_owned()]));

    let cancelled = InvoiceEvent::Cancelled(niyam_domain::InvoiceCancelled { reason: Some("twice".into()) });
    let request = asked(Some(&invoice), &cancelled);
    assert_eq!(request.command, "cancel-invoice");
    assert_eq!(request.body_json, body("\"draft\"", "\"twice\""));
    let approved = asked(Some(&invoice), &example("invoice.approved.v1").0);
    assert_eq!(
        (approved.command.as_str(), approved.body_json),
        ("approve-invoice", body("\"draft\"", "null"))
    );
    assert_eq!(asked(Some(&invoice), &example("invoice.revised.v1").0).command, "revise-invoice");
}

#[test]
fn an_issue_is_asked_about_before_its_number_is_known() {
    let invoice = Invoice::evolve(None, example("invoice.drafted.v1").0).unwrap();
    let (mut event, _) = example("invoice.issued.v1");
    let request = asked(Some(&invoice), &event);
    if let InvoiceEvent::Issued(issued) = &mut event {
        issued.serial += 1;
        issued.facts.number = "another".to_owned();
    }
    assert_eq!(request, asked(Some(&invoice), &event));
    assert_eq!(request.command, "issue-invoice");
}

#[test]
fn a_note_is_asked_about_as_what_it_changes_and_before_its_number_is_known() {
    let (mut event, _) = example("invoice.note-issued.v1");
    let request = asked(None, &event);
    assert_eq!(request.command, "issue-credit-note");
    let InvoiceEvent::NoteIssued(note) = &mut event else { panic!("a note") };
    assert_eq!(request.aggregate, note.note_id.to_string());
    let document = serde_json::to_string(&note.document).unwrap();
    assert!(request.body_json.contains(&document), "{}", request.body_json);
    note.facts.number = "another".to_owned();
    note.planned = None;
    assert_eq!(asked(None, &event), request);
    assert_eq!(
        asked(None, &{
            let InvoiceEvent::NoteIssued(mut note) = event else { panic!("a note") };
            note.kind = niyam_domain::NoteKind::DebitNote;
            InvoiceEvent::NoteIssued(note)
        })
        .command,
        "issue-debit-note"
    );
    let invoice = Invoice::evolve(None, example("invoice.drafted.v1").0).unwrap();
    let request = asked(Some(&invoice), &example("invoice.written-off.v1").0);
    assert_eq!(request.command, "write-off-invoice");
    assert!(request.body_json.contains("wound up"), "{}", request.body_json);
}

#[test]
fn what_happens_to_no_invoice_is_not_asked_about() {
    let subject = Subject::Invoice { before: None, event: &example("invoice.approved.v1").0 };
    assert!(policy_request(subject, "rahima", &[], TODAY).is_err());
}

#[test]
fn a_payments_body_says_what_it_is_and_what_the_command_names() {
    let example = |event_type: &str| {
        let (_, payload) = EXAMPLES.iter().find(|(name, _)| *name == event_type).unwrap();
        PaymentEvent::read(event_type, payload.as_bytes()).unwrap()
    };
    let asked = |before: Option<&Payment>, event: &PaymentEvent| {
        policy_request(Subject::Payment { before, event }, "rahima", &[], TODAY)
    };
    let created = example("payment.created.v1");
    let payment = Payment::evolve(None, created.clone()).unwrap();
    let terms = serde_json::to_string(&payment.terms).unwrap();
    let request = asked(None, &created).unwrap();
    assert_eq!((request.command.as_str(), request.aggregate), ("create-payment", payment.id.to_string()));
    assert_eq!(
        request.body_json,
        format!(
            r#"{{"today":"2026-08-15","payment":{terms},"status":null,"date":null,"amount":null,"allocations":null,"reason":null}}"#
        )
    );
    for (event_type, command) in [
        ("payment.completed.v1", "complete-payment"),
        ("payment.failed.v1", "fail-payment"),
        ("payment.reversed.v1", "reverse-payment"),
        ("payment.refunded.v1", "refund-payment"),
        ("payment.cheque-deposited.v1", "deposit-cheque"),
        ("payment.cheque-cleared.v1", "clear-cheque"),
        ("payment.cheque-bounced.v1", "bounce-cheque"),
        ("payment.advance-allocated.v1", "allocate-advance"),
        ("payment.advance-refunded.v1", "refund-advance"),
    ] {
        let request = asked(Some(&payment), &example(event_type)).unwrap();
        assert_eq!(request.command, command);
        assert!(request.body_json.contains("\"status\":\"pending\""), "{}", request.body_json);
        assert!(asked(None, &example(event_type)).is_err());
    }
}

fn guest(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/modules/guests");
    fs::read(format!("{folder}/{name}.wasm")).expect("`cargo xtask plugins` makes it")
}

/// An application with the tenant `demo`, whose pack taxes nothing, and whose one policy allows all and tells the roles.
async fn app(data: &tempfile::TempDir) -> (App, Actor) {
    let mut config = AppConfig::new(data.path().to_owned(), None);
    let policy = guest("unruly-policy");
    let digest = digest_hex(&policy);
    config.modules = vec![guest("plain-pack"), policy];
    let app = App::open(config).await.unwrap();
    let actor = Actor {
        tenant: "demo".parse().unwrap(),
        user: "rahima".to_owned(),
        roles: vec![Role::Accountant, Role::TenantAdmin],
        trace_id: "t".to_owned(),
    };
    let new = NewTenant {
        tenant: actor.tenant.clone(),
        pack: "plain-pack".to_owned(),
        config: None,
        legal_name: Some("Niyam Demo Ltd".to_owned()),
        address: None,
        time_zone: "Asia/Dhaka".to_owned(),
        identifiers: Vec::new(),
    };
    create_tenant(&app, new).await.unwrap();
    let activation = Activation {
        module: ModuleRef { id: "unruly-policy".to_owned(), version: "0.1.0".to_owned(), digest },
        world: World::PolicyModule,
        effective_from: date(2020, 1, 1),
        config: "{}".to_owned(),
        config_digest: digest_hex(b"{}"),
        on_failure: OnFailure::Block,
        state: ActivationState::Active,
    };
    let event = TenantEvent::ModuleActivated(ModuleActivated { activation });
    let event = new_event(app.ids.next_id(), &event, &actor, TODAY).unwrap();
    let expected = app.tenant(&actor.tenant).await.unwrap().version;
    let write = StreamWrite { stream: StreamId::tenant(), expected, events: vec![event] };
    let batch = Batch { writes: vec![write], answer: Vec::new() };
    app.store.append(&actor.tenant, Append::of(batch)).await.unwrap();
    (app, actor)
}

/// Runs every policy of a stream's history again and compares with what was kept; how many there were.
async fn prove(app: &App, actor: &Actor, stream: StreamId) -> usize {
    let at = app.tenant(&actor.tenant).await.unwrap();
    let (mut proven, mut before) = (0, None);
    let recorded = app.store.load(&actor.tenant, &stream, Version(0)).await.unwrap();
    for opened in app.vault.opening(&actor.tenant).events(recorded).await.unwrap() {
        let recorded = opened.event;
        let metadata: Metadata = serde_json::from_slice(&recorded.metadata).unwrap();
        let invoice = InvoiceEvent::read(&recorded.event_type, &recorded.payload).ok();
        let tenant = TenantEvent::read(&recorded.event_type, &recorded.payload).ok();
        let subject = match (&invoice, &tenant) {
            (Some(event), _) => Some(Subject::Invoice { before: before.as_ref(), event }),
            (_, Some(TenantEvent::ProfileChanged(changed))) => {
                Some(Subject::Profile { tenant: &actor.tenant, profile: &changed.profile })
            }
            _ => None,
        };
        for kept in metadata.policies {
            let PolicyDecision { today, ruling, decision } = kept;
            let request = policy_request(subject.unwrap(), &metadata.user, &metadata.roles, today).unwrap();
            let activation = at.tenant.activations.all().iter().map(|found| &found.activation);
            let activation = activation
                .filter(|found| found.config_digest == decision.config_digest)
                .find(|found| found.module.digest == decision.module.digest)
                .unwrap();
            let again = app
                .packs
                .call(&actor.tenant, activation, move |module, config| module.evaluate(config, &request))
                .await
                .unwrap();
            assert_eq!((again.answer, again.decision), (ruling, decision), "{}", recorded.event_type);
            proven += 1;
        }
        if let Some(event) = invoice {
            before = Some(Invoice::evolve(before, event).unwrap());
        }
    }
    proven
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_said_can_be_run_again_from_history() {
    let data = tempfile::tempdir().unwrap();
    let (app, actor) = app(&data).await;
    let InvoiceEvent::Drafted(drafted) = example("invoice.drafted.v1").0 else { panic!("a draft") };
    let mut document = drafted.assessment.document;
    document.currency = "BDT".to_owned();
    document.exchange_rate = None;
    document.lines.truncate(1);
    document.attributes = Attributes::new().with("vehicle", "Dhaka-Metro \"11\"-1234");
    let id = |location: Option<String>| -> InvoiceId {
        location.unwrap().rsplit('/').next().unwrap().parse().unwrap()
    };
    let draft = app.draft_invoice(&actor, None, document.clone()).await.unwrap();
    assert!(draft.answer.body.get().contains("\"policy_findings\""));
    let one = id(draft.answer.location);
    document.lines[0].quantity += niyam_values::Decimal::TEN;
    app.revise_invoice(&actor, one, Expected::Any, document.clone()).await.unwrap();
    app.approve_invoice(&actor, None, one, Expected::Any).await.unwrap();
    app.issue_invoice(&actor, None, one, Expected::Any).await.unwrap();
    let two = id(app.draft_invoice(&actor, None, document).await.unwrap().answer.location);
    let reason = Some("ordered \"twice\"".to_owned());
    app.cancel_invoice(&actor, None, two, Expected::Any, reason).await.unwrap();
    let profile = app.tenant(&actor.tenant).await.unwrap().tenant.profile.clone();
    let profile = Profile { address: Some("7 Agrabad".to_owned()), ..profile };
    app.change_profile(&actor, Expected::Any, profile).await.unwrap();

    assert_eq!(prove(&app, &actor, one.stream()).await, 4);
    assert_eq!(prove(&app, &actor, two.stream()).await, 2);
    assert_eq!(prove(&app, &actor, StreamId::tenant()).await, 1);
    app.close().await;
}
