use jiff::civil::date;

use super::*;
use crate::event::DomainEvent as _;
use crate::tenant::TenantEvent;

fn activation(id: &str, version: &str, world: World, effective_from: Date) -> Activation {
    Activation {
        module: ModuleRef { id: id.to_owned(), version: version.to_owned(), digest: String::new() },
        world,
        effective_from,
        config: "{}".to_owned(),
        config_digest: String::new(),
        on_failure: OnFailure::Block,
        state: ActivationState::Active,
    }
}

fn history(activations: Vec<Activation>) -> Activations {
    let mut history = Activations::default();
    for activation in activations {
        history.add(activation);
    }
    history
}

const MARCH: Date = Date::constant(2026, 3, 1);
const JULY: Date = Date::constant(2026, 7, 1);

#[test]
fn the_activation_of_the_tax_date_answers_and_a_withdrawn_one_gives_way() {
    let pack = |version, from| activation("vat-bd", version, World::ComplianceModule, from);
    let mut history = history(vec![pack("1", MARCH), pack("2", JULY), pack("3", JULY)]);
    let version = |history: &Activations, day| {
        let found = history.answering(World::ComplianceModule, day)?;
        Some(found.activation.module.version.clone())
    };
    assert_eq!(version(&history, date(2026, 2, 28)), None);
    assert_eq!(version(&history, date(2026, 6, 30)).as_deref(), Some("1"));
    assert_eq!(version(&history, JULY).as_deref(), Some("3"));
    history.withdraw(ActivationWithdrawn { number: 3, reason: None });
    assert_eq!(version(&history, JULY).as_deref(), Some("2"));
    assert_eq!(history.all().len(), 3);
}

#[test]
fn those_before_a_failed_one_come_newest_first() {
    let pack = |version| activation("vat-bd", version, World::ComplianceModule, MARCH);
    let history = history(vec![pack("1"), pack("2"), pack("3")]);
    let failed = history.answering(World::ComplianceModule, MARCH).unwrap();
    let before: Vec<u32> = history.before(failed, MARCH).map(|other| other.number).collect();
    assert_eq!(before, [2, 1]);
}

#[test]
fn a_chain_has_the_last_activation_of_each_module_in_order() {
    let policy = |id, version, from| activation(id, version, World::PolicyModule, from);
    let mut history = history(vec![
        policy("credit", "1", MARCH),
        policy("dates", "1", MARCH),
        policy("credit", "2", MARCH),
        policy("late", "1", JULY),
    ]);
    let chain = |history: &Activations| -> Vec<u32> {
        history.chain(World::PolicyModule, MARCH).iter().map(|member| member.number).collect()
    };
    assert_eq!(chain(&history), [3, 2]);
    history.withdraw(ActivationWithdrawn { number: 3, reason: None });
    assert_eq!(chain(&history), [1, 2]);
    let failed = history.get(1).unwrap().clone();
    assert_eq!(history.before(&failed, MARCH).count(), 0, "another policy is no stand-in");
}

#[test]
fn a_shadow_answers_nothing() {
    let mut shadow = activation("vat-bd", "2", World::ComplianceModule, MARCH);
    shadow.state = ActivationState::Shadow;
    let mut history = history(vec![activation("vat-bd", "1", World::ComplianceModule, MARCH), shadow]);
    assert_eq!(history.answering(World::ComplianceModule, MARCH).unwrap().number, 1);
    let shadows: Vec<u32> = history.shadows().map(|one| one.number).collect();
    assert_eq!(shadows, [2]);
    history.withdraw(ActivationWithdrawn { number: 2, reason: None });
    assert_eq!(history.shadows().count(), 0);
}

#[test]
fn the_last_pack_stays_and_nothing_is_withdrawn_twice() {
    let pack = || activation("vat-bd", "1", World::ComplianceModule, MARCH);
    let mut history = history(vec![pack(), activation("credit", "1", World::PolicyModule, MARCH)]);
    assert_eq!(history.check_withdrawal(1), Err(Rejection::LastPack));
    assert_eq!(history.check_withdrawal(3), Err(Rejection::ActivationMissing));
    assert_eq!(history.check_withdrawal(0), Err(Rejection::ActivationMissing));
    assert_eq!(history.check_withdrawal(2), Ok(()));
    history.withdraw(ActivationWithdrawn { number: 2, reason: None });
    assert_eq!(history.check_withdrawal(2), Err(Rejection::ActivationWithdrawn));
    history.add(pack());
    assert_eq!(history.check_withdrawal(1), Ok(()));
}

#[test]
fn an_activation_of_the_first_version_is_a_pack_in_force() {
    let stored = include_bytes!("../tests/fixtures/events/module.activated.v1.json");
    let TenantEvent::ModuleActivated(event) = TenantEvent::read("module.activated.v1", stored).unwrap()
    else {
        panic!("another event");
    };
    let Activation { world, on_failure, state, .. } = event.activation;
    assert_eq!(
        (world, on_failure, state),
        (World::ComplianceModule, OnFailure::Block, ActivationState::Active)
    );
}
