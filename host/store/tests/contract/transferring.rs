//! Everything that one store holds, taken in by another.

use futures::{StreamExt, TryStreamExt, stream};
use niyam_domain::Position;
use niyam_store::{EventStore, ImportError, Imported, Record, StoreError};

use crate::harness::{Kind, TestStore, append, issue, request, tenant};

/// A store with two tenants, answers, a number series and a component.
async fn filled(kind: Kind) -> anyhow::Result<TestStore> {
    let test = TestStore::new(kind).await?;
    let (acme, bravo) = (tenant("acme"), tenant("bravo"));
    for number in 0..7 {
        let keyed = append(&format!("a/{number}"), 0, 200).idempotent(request(&format!("key-{number}"), 1));
        test.append(&acme, keyed).await?;
        test.append(&bravo, issue("series", &format!("invoice/{number}"))).await?;
    }
    let bytes = b"component".as_slice();
    test.put_component(&crate::hosting::DIGEST, bytes).await?;
    Ok(test)
}

type Change = fn(&mut Vec<Record>, usize);

async fn records(store: &EventStore) -> anyhow::Result<Vec<Record>> {
    Ok(store.export(store.heads().await?).try_collect().await?)
}

async fn import(store: &EventStore, records: Vec<Record>) -> Result<Imported, ImportError> {
    store.import(stream::iter(records).map(Ok::<_, StoreError>), |_| {}).await
}

async fn carried(from: Kind, to: Kind) -> anyhow::Result<()> {
    let (source, target) = (filled(from).await?, TestStore::new(to).await?);
    let mut steps = 0;
    let imported = target.import(source.export(source.heads().await?), |_| steps += 1).await?;
    assert_eq!((imported.events, imported.known), (1414, 0));
    assert!(steps > 2, "{steps}");
    assert_eq!(target.heads().await?, source.heads().await?);
    for head in source.heads().await? {
        assert_eq!(target.history(&head.tenant).await?, source.history(&head.tenant).await?);
        assert_eq!(target.verify_chain(&head.tenant).await?, head.last_position);
    }
    assert_eq!(records(&target).await?, records(&source).await?);
    // The target is a store like any other: answers are given again, streams and series go on.
    let again = target.append(&tenant("acme"), append("x", 0, 1).idempotent(request("key-3", 1))).await?;
    assert!(again.replayed);
    let next = target.append(&tenant("bravo"), issue("series", "invoice/next")).await?;
    assert_eq!(next.answer, b"8");
    Ok(())
}

pub async fn everything_is_carried_to_sqlite(kind: Kind) -> anyhow::Result<()> {
    carried(kind, Kind::Sqlite).await
}

pub async fn everything_is_carried_to_postgres(kind: Kind) -> anyhow::Result<()> {
    carried(kind, Kind::Postgres).await
}

pub async fn an_import_brings_what_is_new(kind: Kind) -> anyhow::Result<()> {
    let (source, target) = (filled(kind).await?, TestStore::new(kind).await?);
    // Interrupted in the middle of a tenant.
    let beginning: Vec<Record> = records(&source).await?.into_iter().take(900).collect();
    import(&target, beginning).await?;
    source.append(&tenant("acme"), append("new", 0, 3)).await?;
    let imported = import(&target, records(&source).await?).await?;
    assert_eq!(imported.events + imported.known, 1417);
    assert!(imported.known >= 500, "{imported:?}");
    assert_eq!(target.heads().await?, source.heads().await?);
    Ok(())
}

pub async fn an_import_refuses_what_does_not_fit(kind: Kind) -> anyhow::Result<()> {
    let source = filled(kind).await?;
    let whole = records(&source).await?;
    let at = whole.iter().position(|record| matches!(record, Record::Event(_))).expect("events") + 10;
    let changes: [Change; 4] = [
        |records, at| drop(records.remove(at)),
        |records, at| records.swap(at, at + 1),
        |records, at| {
            let Record::Event(event) = &mut records[at] else { return };
            event.payload[0] ^= 1;
        },
        |records, at| {
            let Record::Event(event) = &mut records[at] else { return };
            event.hash[5] ^= 1;
        },
    ];
    for change in changes {
        let target = TestStore::new(kind).await?;
        let mut spoilt = whole.clone();
        change(&mut spoilt, at);
        let refused = import(&target, spoilt).await;
        assert!(matches!(refused, Err(ImportError::Broken { .. })), "{refused:?}");
        // What was taken in before is a sound beginning.
        for head in target.heads().await? {
            target.verify_chain(&head.tenant).await?;
        }
    }
    let other = TestStore::new(kind).await?;
    other.append(&tenant("acme"), append("mine", 0, 1)).await?;
    let refused = import(&other, whole.clone()).await;
    assert!(matches!(refused, Err(ImportError::Diverged { position: Position(1), .. })), "{refused:?}");
    // Also where the target is longer than what comes.
    other.append(&tenant("acme"), append("long", 0, 900)).await?;
    other.append(&tenant("acme"), append("longer", 0, 900)).await?;
    let refused = import(&other, whole).await;
    assert!(matches!(refused, Err(ImportError::Diverged { position: Position(1400), .. })), "{refused:?}");
    Ok(())
}
