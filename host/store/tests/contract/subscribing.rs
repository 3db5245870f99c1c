//! Subscriptions while appends go on.

use std::time::Duration;

use futures::{Stream, StreamExt};
use niyam_domain::{Position, TenantId};
use niyam_store::{EventStore, Recorded, StoreError};

use crate::harness::{Kind, TestStore, append, tenant};

/// The next `count` events, which must follow `after` without a gap.
async fn follow(
    events: &mut (impl Stream<Item = Result<Recorded, StoreError>> + Unpin),
    after: u64,
    count: u64,
) -> anyhow::Result<Vec<Recorded>> {
    let mut followed = Vec::new();
    for expected in after + 1..=after + count {
        let event = events.next().await.ok_or_else(|| anyhow::anyhow!("the subscription ended"))??;
        assert_eq!(event.position, Position(expected));
        followed.push(event);
    }
    Ok(followed)
}

fn subscribe(
    store: &EventStore,
    tenant: &TenantId,
    after: u64,
) -> std::pin::Pin<Box<dyn Stream<Item = Result<Recorded, StoreError>> + Send>> {
    store.subscribe(tenant.clone(), Position(after)).boxed()
}

pub async fn a_subscription_catches_up_and_goes_on_live_without_a_gap(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    test.append(&acme, append("past", 0, 600)).await?;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (store, acme) = (test.store.clone(), acme.clone());
            tokio::spawn(async move {
                for version in 0..25 {
                    store.append(&acme, append(&format!("live/{writer}"), version, 1)).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    let (mut all, mut part) = (subscribe(&test, &acme, 0), subscribe(&test, &acme, 599));
    let (all, part) = tokio::try_join!(follow(&mut all, 0, 800), follow(&mut part, 599, 201))?;
    for writer in writers {
        writer.await??;
    }
    assert_eq!(all, test.history(&acme).await?);
    assert_eq!(part, all[599..]);
    Ok(())
}

pub async fn a_subscription_sees_what_another_host_appends(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::with(kind, |config| config.poll_every = Duration::from_millis(5)).await?;
    let (acme, other_host) = (tenant("acme"), test.another_host().await?);
    let mut events = subscribe(&test, &acme, 0);
    assert!(futures::future::poll_immediate(events.next()).await.is_none());
    for version in 0..5 {
        let store = if version % 2 == 0 { &other_host } else { &test.store };
        store.append(&acme, append("a", version, 1)).await?;
        follow(&mut events, version, 1).await?;
    }
    Ok(())
}

pub async fn a_subscriber_never_sees_another_tenant(kind: Kind) -> anyhow::Result<()> {
    let (test, acme, bravo) = (TestStore::new(kind).await?, tenant("acme"), tenant("bravo"));
    let mut events = subscribe(&test, &acme, 0);
    for version in 0..10 {
        test.append(&bravo, append("a", version * 3, 3)).await?;
        test.append(&acme, append("a", version, 1)).await?;
    }
    for event in follow(&mut events, 0, 10).await? {
        assert_eq!(event.tenant, acme);
    }
    assert!(futures::future::poll_immediate(events.next()).await.is_none());
    Ok(())
}

pub async fn a_subscription_survives_a_failure_and_ends_when_the_store_closes(
    kind: Kind,
) -> anyhow::Result<()> {
    let test = TestStore::with(kind, |config| config.poll_every = Duration::from_millis(5)).await?;
    let acme = tenant("acme");
    test.append(&acme, append("a", 0, 3)).await?;
    assert_eq!(test.tamper("update events set position = 9 where position = 2").await?, 1);
    let mut events = subscribe(&test, &acme, 1);
    for _ in 0..2 {
        let failed = events.next().await;
        assert!(
            matches!(&failed, Some(Err(StoreError::Damaged { position: Position(2), .. }))),
            "{failed:?}"
        );
    }
    test.tamper("update events set position = 2 where position = 9").await?;
    // What was under way while the row was put back may fail once more.
    let event = loop {
        if let Some(Ok(event)) = events.next().await {
            break event;
        }
    };
    assert_eq!(event.position, Position(2));
    follow(&mut events, 2, 1).await?;
    test.store.clone().close().await;
    let closed = events.next().await;
    assert!(matches!(closed, Some(Err(StoreError::Closed))), "{closed:?}");
    assert!(events.next().await.is_none());
    Ok(())
}

pub async fn waiting_for_appends_wakes_up(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let mut appended = test.appended();
    assert!(!appended.has_changed()?);
    test.append(&tenant("acme"), append("a", 0, 1)).await?;
    appended.changed().await?;
    Ok(())
}
