//! Versions, positions, groups and serials.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::{join_all, try_join_all};
use niyam_domain::{Position, Version};
use niyam_store::{Append, AppendError, InvalidAppend, NewEvent, StreamWrite};

use crate::harness::{Kind, TestStore, append, batch, event, issue, queued, stream, tenant, write};

pub async fn events_come_back_as_they_were_appended(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let (acme, writes) = (tenant("acme"), vec![write("invoice/1", 0, 2), write("journal", 0, 1)]);
    let appended = test.append(&acme, Append::of(batch(writes.clone()))).await?;
    assert_eq!((appended.position, appended.answer.as_slice()), (Position(3), b"ok".as_slice()));
    assert!(!appended.replayed);
    let events = test.history(&acme).await?;
    assert_eq!(events.len(), 3);
    let given = writes.iter().flat_map(|write| write.events.iter().map(|event| (&write.stream, event)));
    for (recorded, (stream, event)) in events.iter().zip(given) {
        assert_eq!((&recorded.tenant, &recorded.stream), (&acme, stream));
        let NewEvent { id, event_type, payload, metadata, effective_date } = event;
        assert_eq!((&recorded.id, &recorded.event_type), (id, event_type));
        assert_eq!((&recorded.payload, &recorded.metadata), (payload, metadata));
        assert_eq!(&recorded.effective_date, effective_date);
    }
    let versions: Vec<u64> = events.iter().map(|event| event.version.0).collect();
    assert_eq!(versions, [1, 2, 1]);
    assert_eq!(test.read(&acme, Position(1), 1).await?, events[1..2]);
    assert!(test.read(&tenant("other"), Position(0), 10).await?.is_empty());
    Ok(())
}

pub async fn a_stream_is_loaded_after_a_version(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("a", 0, 2)).await?;
    test.append(&acme, append("b", 0, 1)).await?;
    test.append(&acme, append("a", 2, 1)).await?;
    let versions = |events: Vec<niyam_store::Recorded>| -> Vec<(u64, u64)> {
        events.iter().map(|event| (event.version.0, event.position.0)).collect()
    };
    assert_eq!(versions(test.load(&acme, &stream("a"), Version(0)).await?), [(1, 1), (2, 2), (3, 4)]);
    assert_eq!(versions(test.load(&acme, &stream("a"), Version(2)).await?), [(3, 4)]);
    assert!(test.load(&acme, &stream("c"), Version(0)).await?.is_empty());
    assert!(test.load(&tenant("other"), &stream("a"), Version(0)).await?.is_empty());
    Ok(())
}

pub async fn a_conflict_names_the_stream_and_both_versions(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("a", 0, 3)).await?;
    for wrong in [0, 2, 4] {
        let refused = test.append(&acme, append("a", wrong, 1)).await;
        let Err(AppendError::Conflict { stream: found_stream, expected, found }) = refused else {
            anyhow::bail!("{refused:?}")
        };
        assert_eq!((found_stream, expected, found), (stream("a"), Version(wrong), Version(3)));
    }
    assert_eq!(test.history(&acme).await?.len(), 3);
    Ok(())
}

pub async fn a_conflict_rejects_only_its_own_command_of_a_group(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let lock = test.lock().await?;
    let first = queued(&test, &acme, append("first", 0, 1)).await;
    let mut others = Vec::new();
    for (name, expected) in [("a", 0), ("a", 0), ("b", 0), ("b", 7), ("a", 1)] {
        others.push(queued(&test, &acme, append(name, expected, 1)).await);
    }
    lock.release().await?;
    first.await?;
    let answers = join_all(others).await;
    let accepted: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, true, false, true], "{answers:?}");
    let events = test.history(&acme).await?;
    let written: Vec<(&str, u64)> =
        events.iter().map(|event| (event.stream.as_str(), event.version.0)).collect();
    assert_eq!(written, [("first", 1), ("a", 1), ("b", 1), ("a", 2)]);
    // What the lane took at first waited for the lock; all the others queued behind it.
    let times: HashSet<_> = events.iter().map(|event| event.recorded_at).collect();
    assert!(times.len() <= 2, "they shared transactions");
    Ok(())
}

pub async fn several_streams_are_written_together_or_not_at_all(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("c", 0, 1)).await?;
    let writes = vec![write("a", 0, 1), write("b", 0, 1), write("c", 0, 1)];
    let refused = test.append(&acme, Append::of(batch(writes))).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    assert_eq!(test.history(&acme).await?.len(), 1);
    let writes = vec![write("a", 0, 1), write("b", 0, 1), write("c", 1, 1)];
    assert_eq!(test.append(&acme, Append::of(batch(writes))).await?.position, Position(4));
    Ok(())
}

pub async fn a_stream_that_was_only_read_must_not_have_moved(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("period/2026-07", 0, 1)).await?;
    let post = |name: &str, seen: u64| {
        append(name, 0, 1)
            .unchanged([(stream("period/2026-07"), Version(seen)), (stream("none"), Version(0))])
    };
    test.append(&acme, post("a", 1)).await?;
    // Closing the period and posting into it in one group: the later one sees the earlier.
    let lock = test.lock().await?;
    let close = queued(&test, &acme, append("period/2026-07", 1, 1)).await;
    let late = queued(&test, &acme, post("b", 1)).await;
    lock.release().await?;
    close.await?;
    let refused = late.await;
    let Err(AppendError::Conflict { stream: moved, expected, found }) = refused else {
        anyhow::bail!("{refused:?}")
    };
    assert_eq!((moved.as_str(), expected, found), ("period/2026-07", Version(1), Version(2)));
    assert!(test.load(&acme, &stream("b"), Version(0)).await?.is_empty());
    Ok(())
}

pub async fn positions_are_gapless_under_32_concurrent_writers(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let tenants = [tenant("acme"), tenant("bravo"), tenant("charlie")];
    let writers = (0..32).map(|writer| {
        let (store, tenants) = (test.store.clone(), tenants.clone());
        tokio::spawn(async move {
            for round in 0..10_u64 {
                let name = format!("invoice/{writer}-{round}");
                store.append(&tenants[writer % 3], append(&name, 0, 1 + writer % 2)).await?;
            }
            anyhow::Ok(())
        })
    });
    for done in try_join_all(writers).await? {
        done?;
    }
    let mut total = 0;
    for tenant in &tenants {
        total += test.history(tenant).await?.len();
        test.verify_chain(tenant).await?;
    }
    assert_eq!(total, 32 * 10 * 3 / 2);
    Ok(())
}

pub async fn of_64_writers_on_one_stream_one_wins_each_version(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    for version in 0..4 {
        let writers = (0..64).map(|_| {
            let (store, acme) = (test.store.clone(), acme.clone());
            tokio::spawn(async move { store.append(&acme, append("a", version, 1)).await })
        });
        let answers = try_join_all(writers).await?;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        let conflicts = answers.iter().filter(
            |answer| matches!(answer, Err(AppendError::Conflict { found, .. }) if found.0 == version + 1),
        );
        assert_eq!(conflicts.count(), 63);
    }
    assert_eq!(test.history(&acme).await?.len(), 4);
    Ok(())
}

pub async fn an_append_without_events_answers_with_the_head(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    assert_eq!(test.append(&acme, Append::of(batch(vec![]))).await?.position, Position(0));
    test.append(&acme, append("a", 0, 2)).await?;
    let nothing = Append::of(batch(vec![])).unchanged([(stream("a"), Version(2))]);
    let appended = test.append(&acme, nothing).await?;
    assert_eq!((appended.position, appended.answer), (Position(2), b"ok".to_vec()));
    Ok(())
}

pub async fn an_invalid_batch_is_refused_and_writes_nothing(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let with = |change: fn(&mut NewEvent)| {
        let mut event = event();
        change(&mut event);
        vec![StreamWrite { stream: stream("a"), expected: Version(0), events: vec![event] }]
    };
    let twice = event();
    let cases = [
        (vec![write("a", 0, 1), write("a", 1, 1)], InvalidAppend::StreamTwice(stream("a"))),
        (vec![write("a", 0, 0)], InvalidAppend::NoEvents(stream("a"))),
        (with(|event| event.event_type.clear()), InvalidAppend::EventType),
        (with(|event| event.event_type.push_str(" and more")), InvalidAppend::EventType),
        (with(|event| event.payload = vec![b' '; 1024 * 1024 + 1]), InvalidAppend::EventTooLarge),
        (vec![write("a", 0, 1001)], InvalidAppend::TooLarge),
        (
            vec![StreamWrite {
                stream: stream("a"),
                expected: Version(0),
                events: vec![twice.clone(), twice],
            }],
            InvalidAppend::EventIdUsed,
        ),
    ];
    for (writes, expected) in cases {
        let refused = test.append(&acme, Append::of(batch(writes))).await;
        assert!(matches!(&refused, Err(AppendError::Invalid(found)) if *found == expected), "{refused:?}");
    }
    assert_eq!(test.head(&acme).await?, None);
    // At the limit.
    let mut largest = write("a", 0, 1000);
    largest.events[0].payload = vec![b' '; 1024 * 1024];
    largest.events[0].metadata.clear();
    assert_eq!(test.append(&acme, Append::of(batch(vec![largest]))).await?.position, Position(1000));
    Ok(())
}

pub async fn an_event_id_is_used_once_and_its_reuse_harms_no_other_command(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let reused = write("a", 0, 1);
    test.append(&acme, Append::of(batch(vec![reused.clone()]))).await?;
    let again = StreamWrite { stream: stream("b"), ..reused };
    let lock = test.lock().await?;
    let waiting = [
        queued(&test, &acme, append("first", 0, 1)).await,
        queued(&test, &acme, append("c", 0, 1)).await,
        queued(&test, &acme, Append::of(batch(vec![again.clone()]))).await,
        queued(&test, &acme, append("d", 0, 1)).await,
    ];
    lock.release().await?;
    let answers = join_all(waiting).await;
    let accepted: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, true, false, true], "{answers:?}");
    assert!(matches!(&answers[2], Err(AppendError::Invalid(InvalidAppend::EventIdUsed))), "{:?}", answers[2]);
    assert_eq!(test.history(&acme).await?.len(), 4);
    // Another tenant's ids are its own.
    test.append(&tenant("bravo"), Append::of(batch(vec![again]))).await?;
    Ok(())
}

pub async fn a_build_that_panics_rejects_only_its_own_command(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let panics = Append::with_serials(vec![], |_| panic!("on purpose"));
    let refused = test.append(&acme, panics).await;
    assert!(matches!(refused, Err(AppendError::Invalid(InvalidAppend::BuildPanicked))), "{refused:?}");
    test.append(&acme, append("a", 0, 1)).await?;
    Ok(())
}

pub async fn a_build_that_names_other_streams_each_time_is_refused(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let count = AtomicU64::new(0);
    let unstable = Append::with_serials(vec![], move |_| {
        batch(vec![write(&format!("a/{}", count.fetch_add(1, Ordering::Relaxed)), 0, 1)])
    });
    let lock = test.lock().await?;
    let waiting = [
        queued(&test, &acme, append("first", 0, 1)).await,
        queued(&test, &acme, unstable).await,
        queued(&test, &acme, append("b", 0, 1)).await,
    ];
    lock.release().await?;
    let answers = join_all(waiting).await;
    assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
    assert!(matches!(answers[1], Err(AppendError::Invalid(InvalidAppend::BuildUnstable))), "{answers:?}");
    assert_eq!(test.history(&acme).await?.len(), 2);
    Ok(())
}

pub async fn a_serial_that_is_not_taken_is_refused(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let series = stream("series/2026");
    for writes in [vec![], vec![write("series/2026", 0, 2)], vec![write("series/2026", 1, 1)]] {
        let append = Append::with_serials(vec![series.clone()], move |_| batch(writes.clone()));
        let refused = test.append(&acme, append).await;
        let expected = InvalidAppend::SerialNotTaken(series.clone());
        assert!(matches!(&refused, Err(AppendError::Invalid(found)) if *found == expected), "{refused:?}");
    }
    assert_eq!(test.head(&acme).await?, None);
    Ok(())
}

pub async fn serials_are_gapless_under_100_concurrent_issuers(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let issuers = (0..100).map(|issuer| {
        let (store, acme) = (test.store.clone(), acme.clone());
        tokio::spawn(
            async move { store.append(&acme, issue("series/2026", &format!("invoice/{issuer}"))).await },
        )
    });
    let mut numbers = BTreeSet::new();
    for answer in try_join_all(issuers).await? {
        numbers.insert(String::from_utf8(answer?.answer)?.parse::<u64>()?);
    }
    assert_eq!(numbers, (1..=100).collect());
    assert_eq!(test.load(&acme, &stream("series/2026"), Version(0)).await?.len(), 100);
    assert_eq!(test.history(&acme).await?.len(), 200);
    Ok(())
}

pub async fn a_rejected_command_of_a_group_does_not_use_up_its_serial(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("invoice/taken", 0, 1)).await?;
    let lock = test.lock().await?;
    let mut waiting = vec![queued(&test, &acme, append("first", 0, 1)).await];
    for name in ["invoice/1", "invoice/taken", "invoice/2"] {
        waiting.push(queued(&test, &acme, issue("series/2026", name)).await);
    }
    lock.release().await?;
    let answers = join_all(waiting).await;
    let numbers: Vec<Option<&[u8]>> = answers[1..]
        .iter()
        .map(|answer| answer.as_ref().ok().map(|appended| appended.answer.as_slice()))
        .collect();
    assert_eq!(numbers, [Some(b"1".as_slice()), None, Some(b"2".as_slice())]);
    assert!(
        matches!(&answers[2], Err(AppendError::Conflict { stream, .. }) if stream.as_str() == "invoice/taken")
    );
    Ok(())
}
