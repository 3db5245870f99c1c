//! Snapshots: kept, replaced, and not used when they do not belong.

use niyam_domain::{Position, Version};
use niyam_store::{Recorded, Snapshot};

use crate::harness::{Kind, TestStore, append, stream, tenant};

const SCHEMA: [u8; 32] = [1; 32];
const OTHER_SCHEMA: [u8; 32] = [2; 32];

fn of(event: &Recorded, state: &str) -> Snapshot {
    Snapshot { version: event.version, event_hash: event.hash, state: state.as_bytes().to_vec() }
}

/// A tenant with five events on stream `a`.
async fn five_events(kind: Kind) -> anyhow::Result<(TestStore, Vec<Recorded>)> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("b", 0, 2)).await?;
    test.append(&acme, append("a", 0, 5)).await?;
    let events = test.load(&acme, &stream("a"), Version(0)).await?;
    Ok((test, events))
}

pub async fn a_snapshot_comes_back_and_a_later_one_takes_its_place(kind: Kind) -> anyhow::Result<()> {
    let (mut test, events) = five_events(kind).await?;
    let (acme, a) = (tenant("acme"), stream("a"));
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, None);
    let (third, fourth) = (of(&events[2], "third"), of(&events[3], "fourth"));
    assert!(test.save_snapshot(&acme, &a, &SCHEMA, &third).await?);
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, Some(third.clone()));
    assert!(test.save_snapshot(&acme, &a, &SCHEMA, &fourth).await?);
    // An older one never takes the place of a newer one, whatever made it.
    assert!(!test.save_snapshot(&acme, &a, &SCHEMA, &third).await?);
    assert!(!test.save_snapshot(&acme, &a, &OTHER_SCHEMA, &third).await?);
    test.reopen().await?;
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, Some(fourth));
    assert_eq!(test.tamper("update snapshots set recorded_at = 1").await?, 1, "one row for a stream");
    assert_eq!(test.verify_chain(&acme).await?, Position(7));
    Ok(())
}

pub async fn a_snapshot_of_another_schema_is_not_used_and_may_be_replaced(kind: Kind) -> anyhow::Result<()> {
    let (test, events) = five_events(kind).await?;
    let (acme, a) = (tenant("acme"), stream("a"));
    let (old, new) = (of(&events[4], "old"), of(&events[4], "new"));
    assert!(test.save_snapshot(&acme, &a, &SCHEMA, &old).await?);
    assert_eq!(test.load_snapshot(&acme, &a, &OTHER_SCHEMA).await?, None);
    assert!(test.save_snapshot(&acme, &a, &OTHER_SCHEMA, &new).await?);
    assert_eq!(test.load_snapshot(&acme, &a, &OTHER_SCHEMA).await?, Some(new));
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, None);
    Ok(())
}

pub async fn a_snapshot_that_does_not_belong_to_the_events_is_not_used(kind: Kind) -> anyhow::Result<()> {
    let (test, events) = five_events(kind).await?;
    let (acme, a) = (tenant("acme"), stream("a"));
    let snapshot = of(&events[2], "state");
    for tampering in [
        "update snapshots set version = 2",
        "update snapshots set version = 6",
        "update snapshots set state = seal",
        "update snapshots set seal = schema_hash",
        "update snapshots set stream = 'b', version = 2",
        "update events set hash = (select hash from events where position = 1) where stream = 'a' and version = 3",
    ] {
        test.tamper("delete from snapshots").await?;
        assert!(test.save_snapshot(&acme, &a, &SCHEMA, &snapshot).await?);
        assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, Some(snapshot.clone()));
        assert_eq!(test.tamper(tampering).await?, 1, "{tampering}");
        for stream in [&a, &stream("b")] {
            assert_eq!(test.load_snapshot(&acme, stream, &SCHEMA).await?, None, "{tampering}");
        }
    }
    Ok(())
}

pub async fn a_snapshot_of_a_version_that_is_not_there_does_not_stay(kind: Kind) -> anyhow::Result<()> {
    let (test, events) = five_events(kind).await?;
    let (acme, a) = (tenant("acme"), stream("a"));
    let forged = Snapshot { version: Version(u64::MAX), event_hash: [7; 32], state: b"forged".to_vec() };
    assert!(test.save_snapshot(&acme, &a, &SCHEMA, &forged).await?);
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, None);
    let sound = of(&events[4], "sound");
    assert!(test.save_snapshot(&acme, &a, &SCHEMA, &sound).await?);
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, Some(sound));
    Ok(())
}

pub async fn a_snapshot_is_of_one_tenant(kind: Kind) -> anyhow::Result<()> {
    let (test, events) = five_events(kind).await?;
    let (acme, bravo, a) = (tenant("acme"), tenant("bravo"), stream("a"));
    test.append(&bravo, append("a", 0, 5)).await?;
    let of_bravo = test.load(&bravo, &a, Version(0)).await?;
    let (first, second) = (of(&events[4], "of acme"), of(&of_bravo[4], "of bravo"));
    assert!(test.save_snapshot(&acme, &a, &SCHEMA, &first).await?);
    assert_eq!(test.load_snapshot(&bravo, &a, &SCHEMA).await?, None);
    assert!(test.save_snapshot(&bravo, &a, &SCHEMA, &second).await?);
    assert_eq!(test.load_snapshot(&acme, &a, &SCHEMA).await?, Some(first));
    // What was made for one is of no use to the other, even in its place.
    test.tamper("delete from snapshots where tenant = 'bravo'").await?;
    assert_eq!(test.tamper("update snapshots set tenant = 'bravo'").await?, 1);
    assert_eq!(test.load_snapshot(&bravo, &a, &SCHEMA).await?, None);
    Ok(())
}
