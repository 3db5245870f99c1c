//! Streams, histories and types, longer than a page.

use std::collections::BTreeSet;

use futures::{Stream, StreamExt as _, TryStreamExt as _};
use niyam_domain::{Position, Version};
use niyam_store::{Append, EventStore, Recorded, StoreError, StreamWrite};

use crate::harness::{Kind, TestStore, append, batch, event, stream, tenant};

/// More than two pages, and not a whole number of them.
const EVENTS: usize = 600;

fn types(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn of_types(
    store: &EventStore,
    names: &[&str],
    after: u64,
    up_to: u64,
) -> Result<Vec<Recorded>, StoreError> {
    store.of_types(tenant("acme"), types(names), Position(after), Position(up_to)).try_collect().await
}

/// Reads on until a failure, and past it.
async fn to_the_failure(
    events: impl Stream<Item = Result<Recorded, StoreError>>,
) -> (Vec<Recorded>, Vec<StoreError>) {
    let (mut read, mut failures) = (Vec::new(), Vec::new());
    for item in events.collect::<Vec<_>>().await {
        match item {
            Ok(event) if failures.is_empty() => read.push(event),
            Ok(event) => panic!("{event:?} after {failures:?}"),
            Err(error) => failures.push(error),
        }
    }
    (read, failures)
}

pub async fn a_stream_of_any_length_is_read_from_any_version(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("other", 0, 3)).await?;
    test.append(&tenant("bravo"), append("a", 0, 3)).await?;
    let mut version = 0;
    // Page boundaries: none, one less, a whole page, two, and some.
    for length in [0, 1, 255, 256, 257, 512, EVENTS] {
        if length > version {
            test.append(&acme, append("a", version as u64, length - version)).await?;
            version = length;
        }
        let whole: Vec<Recorded> = test.stream(acme.clone(), stream("a"), Version(0)).try_collect().await?;
        assert_eq!(whole.len(), length);
        for (expected, event) in (1..).zip(&whole) {
            assert_eq!((event.version, event.stream.as_str()), (Version(expected), "a"));
        }
        for after in [1, length / 2, length.saturating_sub(1), length] {
            let rest: Vec<Recorded> =
                test.stream(acme.clone(), stream("a"), Version(after as u64)).try_collect().await?;
            assert_eq!(rest, whole.get(after..).unwrap_or_default());
        }
    }
    assert_eq!(test.load(&acme, &stream("a"), Version(0)).await?.len(), EVENTS);
    Ok(())
}

pub async fn a_reader_sees_what_is_appended_before_it_gets_there(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("a", 0, 300)).await?;
    let mut events = std::pin::pin!(test.stream(acme.clone(), stream("a"), Version(0)));
    let first = events.try_next().await?;
    assert_eq!(first.map(|event| event.version), Some(Version(1)));
    // Only the first page was read so far.
    test.append(&acme, append("a", 300, 10)).await?;
    assert_eq!(events.try_collect::<Vec<_>>().await?.len(), 309);
    Ok(())
}

pub async fn a_history_is_read_up_to_a_position(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    for version in 0..EVENTS / 100 {
        test.append(&acme, append("a", version as u64 * 50, 50)).await?;
        test.append(&tenant("bravo"), append("a", version as u64 * 10, 10)).await?;
        test.append(&acme, append("b", version as u64 * 50, 50)).await?;
    }
    let all = test.history(&acme).await?;
    assert_eq!(all.len(), EVENTS);
    for (after, up_to) in [(0, 0), (0, 1), (0, 256), (0, 257), (100, 356), (0, EVENTS), (599, EVENTS), (9, 3)]
    {
        let (from, to) = (Position(after as u64), Position(up_to as u64));
        let read: Vec<Recorded> = test.store.history(acme.clone(), from, to).try_collect().await?;
        assert_eq!(read, all[after.min(up_to)..up_to], "{after} to {up_to}");
    }
    // What must be there and is not is damage.
    let beyond = test.store.history(acme.clone(), Position(590), Position(EVENTS as u64 + 1));
    let (read, failures) = to_the_failure(beyond).await;
    assert!(read.len() <= 10);
    let expected = Position(EVENTS as u64 + 1);
    assert!(
        matches!(&failures[..], [StoreError::Damaged { position, .. }] if *position == expected),
        "{failures:?}"
    );
    Ok(())
}

pub async fn a_hole_ends_a_reading(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("a", 0, EVENTS)).await?;
    assert_eq!(test.tamper("delete from events where position = 300").await?, 1);
    let (read, failures) = to_the_failure(test.stream(acme.clone(), stream("a"), Version(0))).await;
    assert_eq!(read.len(), 256);
    // The event that came instead.
    assert!(matches!(&failures[..], [StoreError::Damaged { position: Position(301), .. }]), "{failures:?}");
    let history = test.store.history(acme, Position(0), Position(EVENTS as u64));
    let (read, failures) = to_the_failure(history).await;
    assert_eq!(read.len(), 256);
    assert!(matches!(&failures[..], [StoreError::Damaged { position: Position(300), .. }]), "{failures:?}");
    Ok(())
}

pub async fn events_of_some_types_are_read_in_order(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    // One in 7 is of type b, one in 100 of type c, and the others of type a; d is of another tenant alone.
    let name = |number: usize| match number {
        number if number % 100 == 0 => "c.done.v1",
        number if number % 7 == 0 => "b.done.v1",
        _ => "a.done.v1",
    };
    let numbered = |event_type: &str| niyam_store::NewEvent { event_type: event_type.to_owned(), ..event() };
    let events: Vec<_> = (1..=1000).map(|number| numbered(name(number))).collect();
    let write = StreamWrite { stream: stream("s"), expected: Version(0), events };
    test.append(&acme, Append::of(batch(vec![write]))).await?;
    let others = vec![numbered("d.done.v1"), numbered("b.done.v1")];
    let write = StreamWrite { stream: stream("s"), expected: Version(0), events: others };
    test.append(&tenant("bravo"), Append::of(batch(vec![write]))).await?;
    let all = test.history(&acme).await?;
    for names in [
        &["b.done.v1"][..],
        &["c.done.v1"],
        &["b.done.v1", "c.done.v1"],
        &["a.done.v1", "b.done.v1", "c.done.v1", "d.done.v1"],
        &["d.done.v1"],
        &["a\"\\'.v1", "c.done.v1"],
        &[],
    ] {
        for (after, up_to) in [(0, 1000), (0, 999), (100, 1000), (99, 700), (1000, 1000), (0, 2000), (7, 3)] {
            let expected: Vec<&Recorded> = all
                .iter()
                .filter(|event| names.contains(&event.event_type.as_str()))
                .filter(|event| event.position > Position(after) && event.position <= Position(up_to))
                .collect();
            let read = of_types(&test, names, after, up_to).await?;
            assert_eq!(read.iter().collect::<Vec<_>>(), expected, "{names:?} {after} {up_to}");
        }
    }
    Ok(())
}
