//! Hosts that remember where they left a history, while others go on with it.

use futures::future::join_all;
use niyam_domain::{Position, Version};
use niyam_store::{AppendError, EventStore};

use crate::harness::{Kind, TestStore, append, issue, queued, request, stream, tenant};

/// A host that knows the tenant's history, and the streams `a` and `series` at version 1.
async fn warm(kind: Kind) -> anyhow::Result<(TestStore, EventStore)> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("a", 0, 1)).await?;
    test.append(&acme, issue("series", "invoice/1")).await?;
    let other = test.another_host().await?;
    Ok((test, other))
}

pub async fn what_another_host_wrote_counts_rather_than_what_is_remembered(kind: Kind) -> anyhow::Result<()> {
    let ((test, other), acme) = (warm(kind).await?, tenant("acme"));
    other.append(&acme, append("a", 1, 1)).await?;
    let refused = test.append(&acme, append("a", 1, 1)).await;
    let Err(AppendError::Conflict { found, .. }) = refused else { anyhow::bail!("{refused:?}") };
    assert_eq!(found, Version(2));

    other.append(&acme, append("a", 2, 1)).await?;
    // Whoever read it from the database knows better than the host.
    test.append(&acme, append("a", 3, 1)).await?;

    other.append(&acme, issue("series", "invoice/2")).await?;
    assert_eq!(test.append(&acme, issue("series", "invoice/3")).await?.answer, b"3");

    other.append(&acme, append("period", 0, 1)).await?;
    let refused = test.append(&acme, append("b", 0, 1).unchanged([(stream("period"), Version(0))])).await;
    let Err(AppendError::Conflict { found, .. }) = refused else { anyhow::bail!("{refused:?}") };
    assert_eq!(found, Version(1));

    let events = test.history(&acme).await?;
    assert_eq!(test.verify_chain(&acme).await?, Position(events.len() as u64));
    assert_eq!(events.len(), 11);
    Ok(())
}

pub async fn a_request_that_another_host_answered_is_answered_again(kind: Kind) -> anyhow::Result<()> {
    let ((test, other), acme) = (warm(kind).await?, tenant("acme"));
    let asked = || append("a", 1, 1).idempotent(request("key", 1));
    let first = other.append(&acme, asked()).await?;
    let again = test.append(&acme, asked()).await?;
    assert!(again.replayed && again.position == first.position, "{again:?}");
    // Beside others, and where the host remembers a version at which it would be refused.
    test.append(&acme, append("a", 2, 1)).await?;
    let lock = test.lock().await?;
    let waiting = [
        queued(&test, &acme, append("b", 0, 1)).await,
        queued(&test, &acme, append("c", 0, 1)).await,
        queued(&test, &acme, asked()).await,
        queued(&test, &acme, append("d", 0, 1).idempotent(request("key", 2))).await,
    ];
    lock.release().await?;
    let answers = join_all(waiting).await;
    assert!(answers[0].is_ok() && answers[1].is_ok(), "{answers:?}");
    assert!(matches!(&answers[2], Ok(again) if again.replayed && again.position == first.position));
    assert!(matches!(answers[3], Err(AppendError::KeyReused)), "{answers:?}");
    test.verify_chain(&acme).await?;
    Ok(())
}

pub async fn a_version_that_is_not_as_supposed_rejects_only_its_own_command(
    kind: Kind,
) -> anyhow::Result<()> {
    let (mut test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("old", 0, 3)).await?;
    test.append(&acme, append("other", 0, 1)).await?;
    // A host that remembers nothing but the head.
    test.reopen().await?;
    test.append(&acme, append("first", 0, 1)).await?;
    for (wrong, right) in [(0, 3), (2, 4), (9, 5)] {
        let lock = test.lock().await?;
        let waiting = [
            queued(&test, &acme, append(&format!("a/{right}"), 0, 1)).await,
            queued(&test, &acme, append("old", wrong, 1)).await,
            queued(&test, &acme, append("old", right, 1)).await,
            queued(&test, &acme, append(&format!("b/{right}"), 0, 1)).await,
        ];
        lock.release().await?;
        let answers = join_all(waiting).await;
        let accepted: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(accepted, [true, false, true, true], "{answers:?}");
        let Err(AppendError::Conflict { expected, found, .. }) = &answers[1] else {
            anyhow::bail!("{answers:?}")
        };
        assert_eq!((expected.0, found.0), (wrong, right));
        test.reopen().await?;
        test.append(&acme, append(&format!("warm/{right}"), 0, 1)).await?;
    }
    test.verify_chain(&acme).await?;
    Ok(())
}

pub async fn hosts_that_take_turns_lose_nothing(kind: Kind) -> anyhow::Result<()> {
    let ((test, other), acme) = (warm(kind).await?, tenant("acme"));
    let hosts = [test.store.clone(), other];
    let appends = (0..8).map(|number| {
        let (store, acme) = (hosts[number % 2].clone(), acme.clone());
        tokio::spawn(async move {
            for round in 0..12 {
                let name = format!("invoice/{number}-{round}");
                if round % 3 == 0 {
                    store.append(&acme, issue("series", &format!("{name}-issued"))).await?;
                }
                store.append(&acme, append(&name, 0, 1).idempotent(request(&name, 1))).await?;
                store.append(&acme, append(&name, 1, 1)).await?;
            }
            anyhow::Ok(())
        })
    });
    for done in join_all(appends).await {
        done??;
    }
    let events = test.history(&acme).await?;
    assert_eq!(events.len(), 3 + 8 * (12 * 2 + 4 * 2));
    assert_eq!(test.verify_chain(&acme).await?, Position(events.len() as u64));
    let numbers: Vec<u64> =
        events.iter().filter(|event| event.stream == stream("series")).map(|event| event.version.0).collect();
    assert_eq!(numbers, (1..=33).collect::<Vec<_>>());
    Ok(())
}
