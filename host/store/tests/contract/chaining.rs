//! The chain, whole and tampered with.

use niyam_domain::{Position, TenantId, Version};
use niyam_store::audit::{Alteration, HeadFault};
use niyam_store::{Audit, ChainError, ChainFault, EventStore, StoreError};

use crate::harness::{Kind, TestStore, append, stream, tenant};

/// A tenant with ten events on two streams, and another tenant beside it.
async fn ten_events(kind: Kind) -> anyhow::Result<(TestStore, TenantId)> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    for version in 0..5 {
        test.append(&acme, append("a", version, 1)).await?;
        test.append(&acme, append("b", version, 1)).await?;
        test.append(&tenant("bravo"), append("a", version, 1)).await?;
    }
    Ok((test, acme))
}

async fn breaks_at(store: &EventStore, tenant: &TenantId, position: u64, fault: ChainFault) {
    let verified = store.verify_chain(tenant).await;
    assert!(
        matches!(&verified, Err(ChainError::Broken(found))
            if found.tenant == tenant.as_str() && found.position == Position(position) && found.fault == fault),
        "{verified:?}"
    );
}

fn deleted(events: u64) -> ChainFault {
    ChainFault::Deleted { events, renumbered: false }
}

pub async fn an_untouched_chain_verifies(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    assert_eq!(test.verify_chain(&acme).await?, Position(10));
    assert_eq!(test.verify_chain(&tenant("nobody")).await?, Position(0));
    // Longer than a page, and exactly one.
    test.append(&acme, append("c", 0, 490)).await?;
    assert_eq!(test.verify_chain(&acme).await?, Position(500));
    test.append(&acme, append("c", 490, 510)).await?;
    assert_eq!(test.verify_chain(&acme).await?, Position(1010));
    Ok(())
}

pub async fn an_edited_event_is_found_at_its_position(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    for (column, value) in [
        ("payload", "metadata"),
        ("metadata", "payload"),
        ("event_type", "'x'"),
        ("recorded_at", "recorded_at + 1"),
        ("effective_date", "'2026-06-30'"),
        ("effective_date", "'no date'"),
        ("stream", "'other'"),
        ("hash", "(select hash from events where tenant = 'acme' and position = 1)"),
    ] {
        test.tamper("create table kept as select * from events where tenant = 'acme' and position = 4")
            .await?;
        let edit = format!("update events set {column} = {value} where tenant = 'acme' and position = 4");
        assert_eq!(test.tamper(&edit).await?, 1);
        let alteration = if column == "hash" { Alteration::Hash } else { Alteration::Contents };
        breaks_at(&test, &acme, 4, ChainFault::Altered(alteration)).await;
        test.tamper("delete from events where tenant = 'acme' and position = 4").await?;
        test.tamper("insert into events select * from kept").await?;
        test.tamper("drop table kept").await?;
        assert_eq!(test.verify_chain(&acme).await?, Position(10));
    }
    assert_eq!(test.verify_chain(&tenant("bravo")).await?, Position(5));
    Ok(())
}

pub async fn a_deleted_event_is_found_at_its_position(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    test.tamper("delete from events where tenant = 'acme' and position = 7").await?;
    breaks_at(&test, &acme, 7, deleted(1)).await;
    test.tamper("delete from events where tenant = 'acme' and position = 1").await?;
    breaks_at(&test, &acme, 1, deleted(1)).await;
    Ok(())
}

pub async fn two_swapped_events_are_found_at_the_first(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    for sql in [
        "update events set position = 99 where tenant = 'acme' and position = 5",
        "update events set position = 5 where tenant = 'acme' and position = 6",
        "update events set position = 6 where tenant = 'acme' and position = 99",
    ] {
        assert_eq!(test.tamper(sql).await?, 1);
    }
    breaks_at(&test, &acme, 5, ChainFault::Reordered { from: Position(5), to: Position(6) }).await;
    Ok(())
}

pub async fn a_cut_off_end_is_found(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    test.tamper("delete from events where tenant = 'acme' and position > 8").await?;
    breaks_at(&test, &acme, 9, deleted(2)).await;
    // The head moved back too, but not its hash.
    test.tamper("update tenant_heads set last_position = 8 where tenant = 'acme'").await?;
    breaks_at(&test, &acme, 8, ChainFault::Head(HeadFault::Hash)).await;
    Ok(())
}

pub async fn an_event_put_in_after_the_head_is_found(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    let head = test.read(&acme, Position(8), 1).await?.remove(0);
    let hash = head.hash.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let literal = match kind {
        Kind::Sqlite => format!("x'{hash}'"),
        Kind::Postgres => format!("'\\x{hash}'::bytea"),
    };
    let edit =
        format!("update tenant_heads set last_position = 9, head_hash = {literal} where tenant = 'acme'");
    test.tamper(&edit).await?;
    breaks_at(&test, &acme, 10, ChainFault::Head(HeadFault::Behind { events: 1 })).await;
    Ok(())
}

pub async fn breaks_far_apart_are_found_over_many_pages(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    for stream in ["a", "b"] {
        test.append(&acme, append(stream, 0, 1000)).await?;
    }
    for sql in [
        "update events set position = 9999 where tenant = 'acme' and position = 100",
        "update events set position = 100 where tenant = 'acme' and position = 1900",
        "update events set position = 1900 where tenant = 'acme' and position = 9999",
        "delete from events where tenant = 'acme' and position between 128 and 129",
        "delete from events where tenant = 'acme' and position = 897",
        "update events set event_type = 'x.v1' where tenant = 'acme' and position = 1500",
        "update events set position = position + 10000 where tenant = 'acme' and position > 1998",
    ] {
        assert!(test.tamper(sql).await? > 0, "{sql}");
    }
    let verdict = Audit::new(test.database()).tenant(&acme, |_| {}).await?;
    let found: Vec<_> =
        verdict.breaks.iter().map(|broken| (broken.fault.kind(), broken.position.0)).collect();
    let expected = [
        ("reordered", 100),
        ("deleted", 128),
        ("deleted", 897),
        ("altered", 1500),
        ("reordered", 1999),
        ("uneven-versions", 130),
    ];
    assert_eq!(found, expected, "{verdict:?}");
    assert_eq!(verdict.breaks_found, 6);
    Ok(())
}

pub async fn a_chain_verifies_while_it_grows(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = (TestStore::new(kind).await?, tenant("acme"));
    let writing = async {
        for version in 0..150 {
            let write = |name| test.append(&acme, append(name, version, 1));
            tokio::try_join!(write("a"), write("b"), write("c"))?;
        }
        anyhow::Ok(())
    };
    let verifying = async {
        let mut reached = Position(0);
        while reached < Position(450) {
            let now = test.verify_chain(&acme).await?;
            assert!(now >= reached);
            reached = now;
            tokio::task::yield_now().await;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(writing, verifying)?;
    Ok(())
}

pub async fn reopening_continues_the_chain(kind: Kind) -> anyhow::Result<()> {
    let (mut test, acme) = ten_events(kind).await?;
    let before = test.head(&acme).await?;
    test.reopen().await?;
    assert_eq!(test.head(&acme).await?, before);
    assert_eq!(test.append(&acme, append("a", 5, 1)).await?.position, Position(11));
    assert_eq!(test.verify_chain(&acme).await?, Position(11));
    Ok(())
}

pub async fn a_hole_is_not_read_over(kind: Kind) -> anyhow::Result<()> {
    let (test, acme) = ten_events(kind).await?;
    test.tamper("delete from events where tenant = 'acme' and position = 3").await?;
    let read = test.read(&acme, Position(0), 100).await;
    assert!(matches!(&read, Err(StoreError::Damaged { position: Position(3), .. })), "{read:?}");
    // Position 3 was the second event of stream a.
    let loaded = test.load(&acme, &stream("a"), Version(0)).await;
    assert!(matches!(&loaded, Err(StoreError::Damaged { .. })), "{loaded:?}");
    assert_eq!(test.load(&acme, &stream("b"), Version(0)).await?.len(), 5);
    Ok(())
}
