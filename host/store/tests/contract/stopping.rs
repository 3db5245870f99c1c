//! A database that goes away and comes back.

use std::time::Duration;

use anyhow::Context as _;
use futures::future::join_all;
use niyam_domain::Position;
use niyam_store::{AppendError, DatabaseUrl, StoreError};
use niyam_testdb::Postgres;

use crate::harness::{Kind, TestStore, append, request, tenant};

/// Asked one after the other, sixty would wait for minutes.
const PATIENCE: Duration = Duration::from_mins(1);

pub async fn a_database_that_is_away_is_told_to_all_at_once() -> anyhow::Result<()> {
    let mut cluster = tokio::task::spawn_blocking(Postgres::start).await??;
    let url = cluster.create_database()?;
    let test = TestStore::with(Kind::Postgres, |config| {
        config.database = DatabaseUrl::Postgres(url);
        config.lock_wait = Duration::from_secs(3);
        config.lanes = 1;
    })
    .await?;
    let acme = tenant("acme");
    test.append(&acme, append("before", 0, 1)).await?;
    cluster.stop_immediately()?;
    let appends = |suffix: &str| {
        let names: Vec<String> = (0..60).map(|number| format!("{suffix}/{number}")).collect();
        let (store, acme) = (test.store.clone(), acme.clone());
        async move {
            let answers = names.iter().map(|name| store.append(&acme, append(name, 0, 1)));
            join_all(answers).await
        }
    };
    let answers = tokio::time::timeout(PATIENCE, appends("away")).await.context("the lane is stuck")?;
    for answer in answers {
        assert!(matches!(answer, Err(AppendError::Store(StoreError::Unavailable(_)))), "{answer:?}");
    }
    assert!(matches!(test.ping().await, Err(StoreError::Unavailable(_))));
    cluster.start_again()?;
    for answer in tokio::time::timeout(PATIENCE, appends("back")).await.context("the store is stuck")? {
        answer?;
    }
    test.append(&acme, append("away/0", 0, 1).idempotent(request("key", 1))).await?;
    assert_eq!(test.history(&acme).await?.len(), 62);
    assert_eq!(test.verify_chain(&acme).await?, Position(62));
    test.store.clone().close().await;
    Ok(())
}
