//! Several hosts on one database; opening, closing, overload; components.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use niyam_domain::{Position, Version};
use niyam_store::{AppendError, Database, DatabaseUrl, EventStore, StoreError};

use crate::harness::{Kind, TestStore, append, config, issue, queued, stream, tenant};

pub async fn two_hosts_on_one_database_keep_positions_gapless(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let hosts = [test.store.clone(), test.another_host().await?];
    let tenants = [tenant("acme"), tenant("bravo"), tenant("charlie")];
    let writers = (0..16_usize).map(|writer| {
        let (store, tenants) = (hosts[writer % 2].clone(), tenants.clone());
        tokio::spawn(async move {
            for round in 0..12_usize {
                let name = format!("invoice/{writer}-{round}");
                store.append(&tenants[(writer + round) % 3], append(&name, 0, 1)).await?;
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
        hosts[1].verify_chain(tenant).await?;
    }
    assert_eq!(total, 16 * 12);
    Ok(())
}

pub async fn two_hosts_draw_from_one_series_without_a_gap(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let hosts = [test.store.clone(), test.another_host().await?];
    let issuers = (0..60_usize).map(|issuer| {
        let (store, acme) = (hosts[issuer % 2].clone(), acme.clone());
        tokio::spawn(async move { store.append(&acme, issue("series", &format!("invoice/{issuer}"))).await })
    });
    let mut numbers = BTreeSet::new();
    for answer in try_join_all(issuers).await? {
        numbers.insert(String::from_utf8(answer?.answer)?.parse::<u64>()?);
    }
    assert_eq!(numbers, (1..=60).collect());
    Ok(())
}

pub async fn two_hosts_may_open_a_new_database_together(kind: Kind) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config = config(kind, &folder).await?;
    let opened = join_all((0..4).map(|_| EventStore::open(config.clone()))).await;
    for (number, store) in opened.into_iter().enumerate() {
        store?.append(&tenant("acme"), append(&format!("a/{number}"), 0, 1)).await?;
    }
    Ok(())
}

pub async fn heads_tell_where_every_tenant_is(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    assert!(test.heads().await?.is_empty());
    test.ping().await?;
    test.append(&tenant("bravo"), append("a", 0, 2)).await?;
    test.append(&tenant("acme"), append("a", 0, 1)).await?;
    let refused = test.append(&tenant("charlie"), append("a", 3, 1)).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    let heads = test.heads().await?;
    let ends: Vec<(&str, u64)> =
        heads.iter().map(|head| (head.tenant.as_str(), head.last_position.0)).collect();
    assert_eq!(ends, [("acme", 1), ("bravo", 2)]);
    let last = test.read(&tenant("bravo"), Position(1), 1).await?.remove(0);
    assert_eq!(test.head(&tenant("bravo")).await?.map(|head| head.hash), Some(last.hash));
    assert_eq!(test.head(&tenant("charlie")).await?, None);
    Ok(())
}

/// The sha-256 of `component`.
pub const DIGEST: [u8; 32] = [
    0x69, 0x85, 0xca, 0x1f, 0x4d, 0xaa, 0x5a, 0x58, 0x4a, 0x28, 0xea, 0xe0, 0x43, 0xa2, 0x39, 0xcb, 0x96,
    0x68, 0x9a, 0xf1, 0x33, 0x7e, 0xa1, 0x3a, 0xfb, 0x63, 0xe0, 0x0c, 0x2b, 0xf5, 0x12, 0xfa,
];

pub async fn components_come_back_by_digest(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    assert_eq!(test.component(&DIGEST).await?, None);
    for _ in 0..2 {
        test.put_component(&DIGEST, b"component").await?;
    }
    assert_eq!(test.component(&DIGEST).await?.as_deref(), Some(b"component".as_slice()));
    let refused = test.put_component(&DIGEST, b"another").await;
    assert!(matches!(refused, Err(StoreError::DigestMismatch)), "{refused:?}");
    Ok(())
}

pub async fn a_damaged_component_is_refused(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    test.put_component(&DIGEST, b"component").await?;
    test.tamper("update components set bytes = digest").await?;
    let refused = test.component(&DIGEST).await;
    assert!(matches!(refused, Err(StoreError::DigestMismatch)), "{refused:?}");
    Ok(())
}

pub async fn closing_answers_what_waits_and_takes_no_more(kind: Kind) -> anyhow::Result<()> {
    let (mut test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let lock = test.lock().await?;
    let mut waiting = Vec::new();
    for number in 0..10 {
        waiting.push(queued(&test, &acme, append(&format!("a/{number}"), 0, 1)).await);
    }
    let closing = tokio::spawn(test.store.clone().close());
    lock.release().await?;
    closing.await?;
    for answer in join_all(waiting).await {
        answer?;
    }
    let refused = test.append(&acme, append("late", 0, 1)).await;
    assert!(matches!(refused, Err(AppendError::Store(StoreError::Closed))), "{refused:?}");
    assert!(matches!(test.ping().await, Err(StoreError::Closed)));
    test.reopen().await?;
    assert_eq!(test.history(&acme).await?.len(), 10);
    assert!(test.load(&acme, &stream("late"), Version(0)).await?.is_empty());
    Ok(())
}

pub async fn too_many_waiting_appends_are_refused(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::with(kind, |config| {
        config.queue_commands_max = 2;
        config.group_commands_max = 1;
        config.queue_wait = Duration::from_millis(1);
    })
    .await?;
    let acme = tenant("acme");
    let lock = test.lock().await?;
    // One under way and two in the queue, at most; the lane may not have taken the first yet.
    let mut answers = Vec::new();
    for number in 0..6 {
        answers.push(queued(&test, &acme, append(&format!("a/{number}"), 0, 1)).await);
    }
    let refused = answers.split_off(3);
    for refused in join_all(refused).await {
        assert!(matches!(refused, Err(AppendError::Store(StoreError::Overloaded))), "{refused:?}");
    }
    lock.release().await?;
    let accepted = join_all(answers).await.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(test.history(&acme).await?.len(), accepted);
    Ok(())
}

pub async fn unsafe_postgres_is_refused() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let config = config(Kind::Postgres, &folder).await?;
    let DatabaseUrl::Postgres(url) = &config.database else { anyhow::bail!("not PostgreSQL") };
    let pool = sqlx::PgPool::connect(url).await?;
    let sql = "do $$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $$";
    sqlx::query(sql).execute(&pool).await?;
    let refused = EventStore::open(config).await.err();
    let expected = matches!(&refused, Some(StoreError::UnsafeSetting { setting: "synchronous_commit", .. }));
    assert!(expected, "{refused:?}");
    Ok(())
}

pub async fn broken_connection_is_replaced() -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(Kind::Postgres).await?, tenant("acme"));
    let owner = test.owner().await?;
    let lock = test.lock().await?;
    let waiting = queued(&test, &acme, append("a", 0, 1)).await;
    // Ends the connection on which the append waits for the lock.
    let sql = "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query(sql).execute(&owner).await?.rows_affected() == 0 {
        tokio::task::yield_now().await;
    }
    lock.release().await?;
    assert_eq!(waiting.await?.position, Position(1));
    assert_eq!(test.history(&acme).await?.len(), 1);
    Ok(())
}

pub async fn sqlite_file_is_private() -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let test = TestStore::new(Kind::Sqlite).await?;
    test.append(&tenant("acme"), append("a", 0, 1)).await?;
    let Database::Sqlite { writer, .. } = test.database() else { anyhow::bail!("not SQLite") };
    let file = writer.connect_options().get_filename().to_owned();
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.clone().into_os_string();
        path.push(suffix);
        assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600, "{suffix}");
    }
    Ok(())
}
