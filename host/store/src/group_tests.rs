//! What becomes of appends, decided without a database.

use jiff::Timestamp;
use jiff::civil::date;
use niyam_domain::{Position, TenantId, Version};
use uuid::Uuid;

use super::{Command, Known, Settled, Tip, Unknown, settle};
use crate::append::{Append, AppendError, Batch, NewEvent, StreamWrite};

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

/// Writes an event of this id to the stream `a`.
fn command(id: u128, expected: u64) -> Command {
    let event = NewEvent {
        id: Uuid::from_u128(id),
        event_type: "t".to_owned(),
        payload: Vec::new(),
        metadata: Vec::new(),
        effective_date: date(2026, 7, 1),
    };
    let write =
        StreamWrite { stream: "a".parse().unwrap(), expected: Version(expected), events: vec![event] };
    Command { tenant: tenant(), append: Append::of(Batch { writes: vec![write], answer: Vec::new() }) }
}

fn known() -> Known {
    let tip = Tip { position: Position(7), ..Tip::GENESIS };
    Known { tips: [(tenant(), tip)].into(), ..Known::default() }
}

#[test]
fn a_version_that_nobody_looked_up_is_supposed_once_and_told() {
    let commands = [command(1, 3), command(2, 4), command(3, 9)];
    let commands: Vec<&Command> = commands.iter().collect();
    let Settled::Done(outcome) = settle(&commands, &known(), Unknown::Supposed, Timestamp::UNIX_EPOCH) else {
        panic!("nothing has to be looked up")
    };
    let stream = "a".parse().unwrap();
    assert_eq!(outcome.supposed, [((tenant(), stream), Version(3))].into());
    let versions: Vec<(u64, u64)> =
        outcome.events.iter().map(|event| (event.position.0, event.version.0)).collect();
    assert_eq!(versions, [(8, 4), (9, 5)]);
    let refused = &outcome.results[2];
    assert!(
        matches!(refused, Err(AppendError::Conflict { found: Version(5), .. })),
        "what the group itself wrote counts: {refused:?}"
    );
    assert_eq!(outcome.tips[&tenant()].hash, outcome.events[1].hash);
}

#[test]
fn a_number_is_not_drawn_from_a_version_that_is_supposed() {
    let mut command = command(1, 3);
    command.append.serials = vec!["a".parse().unwrap()];
    let settled = settle(&[&command], &known(), Unknown::Supposed, Timestamp::UNIX_EPOCH);
    assert!(matches!(settled, Settled::Missing(streams) if streams.len() == 1));
}
