//! Requests that come again, and callers that do not wait.

use std::time::Duration;

use futures::future::try_join_all;
use niyam_domain::Position;
use niyam_store::{Append, AppendError, Appended, InvalidAppend};

use crate::harness::{Kind, TestStore, append, batch, issue, queued, request, tenant};

/// On PostgreSQL a look-up that waits for the other host's lock is older than what that host wrote, and the head, which
/// an append without events does not move, cannot tell.
pub async fn two_hosts_give_one_answer_to_a_request_without_events(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let other = test.another_host().await?;
    test.append(&acme, append("a", 0, 1)).await?;
    for round in 0..30 {
        let asked = || Append::of(batch(Vec::new())).idempotent(request(&format!("key-{round}"), 1));
        let lock = test.lock().await?;
        let waiting = [queued(&test, &acme, asked()).await, queued(&other, &acme, asked()).await];
        lock.release().await?;
        let mut replayed = Vec::new();
        for answer in futures::future::join_all(waiting).await {
            let answer = answer?;
            assert_eq!((answer.position, answer.answer.as_slice()), (Position(1), b"ok".as_slice()));
            replayed.push(answer.replayed);
        }
        replayed.sort_unstable();
        assert_eq!(replayed, [false, true], "round {round}");
    }
    Ok(())
}

pub async fn a_repeated_request_gets_its_first_answer(kind: Kind) -> anyhow::Result<()> {
    let (mut test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    assert_eq!(test.answered(&acme, &request("key", 1)).await?, None);
    let first = test.append(&acme, issue("series", "invoice/1").idempotent(request("key", 1))).await?;
    test.append(&acme, append("other", 0, 1)).await?;
    let again = Appended { replayed: true, ..first.clone() };
    assert!(!first.replayed);
    assert_eq!(test.append(&acme, issue("series", "invoice/2").idempotent(request("key", 1))).await?, again);
    assert_eq!(test.answered(&acme, &request("key", 1)).await?, Some(again.clone()));
    test.reopen().await?;
    assert_eq!(test.append(&acme, issue("series", "invoice/2").idempotent(request("key", 1))).await?, again);
    assert_eq!(test.history(&acme).await?.len(), 3);
    Ok(())
}

pub async fn a_key_with_another_body_is_refused(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("a", 0, 1).idempotent(request("key", 1))).await?;
    let refused = test.append(&acme, append("b", 0, 1).idempotent(request("key", 2))).await;
    assert!(matches!(refused, Err(AppendError::KeyReused)), "{refused:?}");
    let refused = test.answered(&acme, &request("key", 2)).await;
    assert!(matches!(refused, Err(AppendError::KeyReused)), "{refused:?}");
    for key in ["", &"k".repeat(256), "line\nbreak"] {
        let refused = test.append(&acme, append("b", 0, 1).idempotent(request(key, 1))).await;
        assert!(matches!(refused, Err(AppendError::Invalid(InvalidAppend::Key))), "{refused:?}");
    }
    assert_eq!(test.history(&acme).await?.len(), 1);
    Ok(())
}

pub async fn a_hundred_parallel_requests_with_one_key_have_one_effect(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let other_host = test.another_host().await?;
    let requests = (0..100).map(|number| {
        let store = if number % 2 == 0 { test.store.clone() } else { other_host.clone() };
        let (acme, name) = (acme.clone(), format!("invoice/{number}"));
        tokio::spawn(async move {
            store.append(&acme, issue("series", &name).idempotent(request("key", 1))).await
        })
    });
    let mut fresh = 0;
    for answer in try_join_all(requests).await? {
        let Appended { position, answer, replayed } = answer?;
        assert_eq!((position.0, answer.as_slice()), (2, b"1".as_slice()));
        fresh += usize::from(!replayed);
    }
    assert_eq!(fresh, 1);
    assert_eq!(test.history(&acme).await?.len(), 2);
    Ok(())
}

pub async fn a_key_of_another_tenant_is_independent(kind: Kind) -> anyhow::Result<()> {
    let (test, acme, bravo) = (TestStore::new(kind).await?, tenant("acme"), tenant("bravo"));
    let lock = test.lock().await?;
    let first = queued(&test, &acme, append("a", 0, 1).idempotent(request("key", 1))).await;
    let second = queued(&test, &bravo, append("a", 0, 2).idempotent(request("key", 2))).await;
    lock.release().await?;
    assert!(!first.await?.replayed);
    assert!(!second.await?.replayed);
    assert_eq!(test.history(&acme).await?.len(), 1);
    assert_eq!(test.history(&bravo).await?.len(), 2);
    assert!(test.answered(&tenant("charlie"), &request("key", 1)).await?.is_none());
    Ok(())
}

pub async fn a_rejected_request_does_not_use_up_its_key(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let refused = test.append(&acme, append("a", 5, 1).idempotent(request("key", 1))).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    assert!(!test.append(&acme, append("a", 0, 1).idempotent(request("key", 1))).await?.replayed);
    Ok(())
}

pub async fn an_old_answer_is_forgotten(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::with(kind, |config| {
        config.lanes = 1;
        config.idempotency_kept = Duration::ZERO;
        config.purge_every = Duration::ZERO;
    })
    .await?;
    let acme = tenant("acme");
    test.append(&acme, append("a", 0, 1).idempotent(request("key", 1))).await?;
    // The lane purges after a transaction, so before it takes the next one.
    test.append(&acme, append("b", 0, 1)).await?;
    assert_eq!(test.answered(&acme, &request("key", 1)).await?, None);
    Ok(())
}

pub async fn a_caller_that_goes_away_still_commits_once(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let lock = test.lock().await?;
    let first = queued(&test, &acme, append("first", 0, 1)).await;
    let abandoned = queued(&test, &acme, append("a", 0, 1).idempotent(request("key", 1))).await;
    drop(abandoned);
    lock.release().await?;
    first.await?;
    // Behind the abandoned one in the queue.
    let again = test.append(&acme, append("a", 0, 1).idempotent(request("key", 1))).await?;
    assert!(again.replayed);
    assert_eq!(test.history(&acme).await?.len(), 2);
    Ok(())
}
