//! Keys of data subjects: made and destroyed with the events that say so, and carried with the books.

use futures::{StreamExt, TryStreamExt, stream};
use niyam_domain::{SubjectKeyId, Version};
use niyam_store::{
    Append, AppendError, EventStore, ImportError, NewSubjectKey, Record, StoreError, SubjectKey,
};
use uuid::Uuid;

use crate::harness::{Kind, TestStore, append, batch, tenant, write};

fn key(number: u8) -> NewSubjectKey {
    let id = SubjectKeyId(Uuid::from_u128(number.into()));
    NewSubjectKey { id, subject: [7; 32], wrapped: vec![0xa0 | number; 81] }
}

/// An append that says that the key is destroyed, and destroys it.
fn erase(id: SubjectKeyId) -> Append {
    let stream = id.stream();
    Append::of(batch(vec![write(stream.as_str(), 0, 1)])).erased_keys([id])
}

async fn live(store: &EventStore, name: &str) -> anyhow::Result<Vec<SubjectKeyId>> {
    let keys = store.keys_of_subject(&tenant(name), &[7; 32]).await?;
    Ok(keys.into_iter().filter(|key| key.wrapped.is_some()).map(|key| key.id).collect())
}

pub async fn a_key_is_made_with_its_events_or_not_at_all(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let acme = tenant("acme");
    let first = key(1);
    test.append(&acme, append("a", 0, 1).new_keys([first.clone()])).await?;
    let kept = test.subject_keys(&acme, &[first.id]).await?.remove(0);
    assert_eq!((kept.subject, kept.wrapped, kept.erased_at), ([7; 32], Some(first.wrapped.clone()), None));
    let other = NewSubjectKey { subject: [8; 32], ..key(2) };
    let refused = test.append(&acme, append("a", 0, 1).new_keys([other.clone()])).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    assert!(test.subject_keys(&acme, &[other.id]).await?.is_empty());
    // Another tenant's are its own, also under the same names.
    assert!(test.subject_keys(&tenant("bravo"), &[first.id]).await?.is_empty());
    test.append(&tenant("bravo"), append("a", 0, 1).new_keys([first.clone()])).await?;
    assert_eq!(live(&test, "bravo").await?, [first.id]);
    Ok(())
}

pub async fn a_subject_has_one_key_at_a_time(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let acme = tenant("acme");
    // Together, so that they may share a transaction; one of another subject beside them.
    let racing = (1..=20_u8).map(|number| {
        let other = NewSubjectKey { subject: [number; 32], ..key(100 + number) };
        let key = if number % 5 == 0 { other } else { key(number) };
        let (store, acme) = (test.store.clone(), acme.clone());
        async move { store.append(&acme, append(&format!("a/{number}"), 0, 1).new_keys([key])).await }
    });
    let answers = futures::future::join_all(racing).await;
    let refused = answers.iter().filter(|answer| matches!(answer, Err(AppendError::SubjectKeyed))).count();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5, "{answers:?}");
    assert_eq!(refused, 15);
    assert_eq!(test.history(&acme).await?.len(), 5);
    assert_eq!(live(&test, "acme").await?.len(), 1);
    // On another host it is the same.
    let refused = test.another_host().await?.append(&acme, append("b", 0, 1).new_keys([key(21)])).await;
    assert!(matches!(refused, Err(AppendError::SubjectKeyed)), "{refused:?}");
    Ok(())
}

pub async fn a_destroyed_key_leaves_its_row_and_stops_who_counts_on_it(kind: Kind) -> anyhow::Result<()> {
    let test = TestStore::new(kind).await?;
    let acme = tenant("acme");
    let first = key(1);
    let under = |name: &str, id: SubjectKeyId| append(name, 0, 1).unchanged([(id.stream(), Version(0))]);
    test.append(&acme, append("a", 0, 1).new_keys([first.clone()])).await?;
    test.append(&acme, under("b", first.id)).await?;
    test.append(&tenant("bravo"), append("a", 0, 1).new_keys([first.clone()])).await?;
    test.append(&acme, erase(first.id)).await?;
    let gone = test.subject_keys(&acme, &[first.id]).await?.remove(0);
    assert!(gone.wrapped.is_none() && gone.erased_at.is_some(), "{gone:?}");
    assert_eq!(test.erased_subject_keys().await?, [(acme.clone(), gone)]);
    assert_eq!(live(&test, "bravo").await?, [first.id]);
    for store in [test.store.clone(), test.another_host().await?] {
        let refused = store.append(&acme, under("c", first.id)).await;
        let Err(AppendError::Conflict { stream, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(SubjectKeyId::of_stream(&stream), Some(first.id));
    }
    let refused = test.append(&acme, erase(first.id)).await;
    assert!(matches!(refused, Err(AppendError::Conflict { .. })), "{refused:?}");
    // The subject may get another.
    test.append(&acme, append("d", 0, 1).new_keys([key(2)])).await?;
    assert_eq!(live(&test, "acme").await?, [key(2).id]);
    test.scrub().await?;
    if kind == Kind::Sqlite {
        let mut bytes = std::fs::read(test.file())?;
        bytes.extend(std::fs::read(test.file().with_extension("db-wal")).unwrap_or_default());
        let holds = |wanted: &[u8]| bytes.windows(wanted.len()).any(|found| found == wanted);
        assert!(holds(&key(2).wrapped));
        // bravo's has the same bytes here: only once it is destroyed as well, nothing of them is left.
        test.append(&tenant("bravo"), erase(first.id)).await?;
        test.scrub().await?;
        let bytes = std::fs::read(test.file())?;
        assert!(!bytes.windows(64).any(|found| found == &first.wrapped[..64]));
    }
    Ok(())
}

async fn records(store: &EventStore) -> anyhow::Result<Vec<Record>> {
    Ok(store.export(store.heads().await?).try_collect().await?)
}

async fn import(store: &EventStore, records: Vec<Record>) -> Result<u64, ImportError> {
    let records = stream::iter(records).map(Ok::<_, StoreError>);
    Ok(store.import(records, |_| {}).await?.erased)
}

pub async fn a_key_that_was_destroyed_anywhere_is_destroyed_everywhere(kind: Kind) -> anyhow::Result<()> {
    let (source, target) = (TestStore::new(kind).await?, TestStore::new(kind).await?);
    let acme = tenant("acme");
    for number in 1..=5 {
        let key = NewSubjectKey { subject: [number; 32], ..key(number) };
        source.append(&acme, append(&format!("a/{number}"), 0, 1).new_keys([key])).await?;
    }
    let old = records(&source).await?;
    assert_eq!(old.iter().filter(|record| matches!(record, Record::SubjectKey(..))).count(), 5);
    assert_eq!(import(&target, old.clone()).await?, 0);
    let ids: Vec<_> = (1..=5).map(|number| key(number).id).collect();
    assert_eq!(target.subject_keys(&acme, &ids).await?, source.subject_keys(&acme, &ids).await?);

    // Erased at the source, and recorded about again since.
    source.append(&acme, erase(ids[1])).await?;
    let again = NewSubjectKey { subject: [2; 32], ..key(6) };
    source.append(&acme, append("again", 0, 1).new_keys([again.clone()])).await?;
    assert_eq!(import(&target, records(&source).await?).await?, 1);
    assert_eq!(import(&target, records(&source).await?).await?, 0);
    let keys = target.keys_of_subject(&acme, &[2; 32]).await?;
    let shown: Vec<_> = keys.iter().map(|key| (key.id, key.wrapped.is_some())).collect();
    assert_eq!(shown, [(again.id, true), (ids[1], false)]);
    // An old backup brings nothing back.
    assert_eq!(import(&target, old).await?, 0);
    assert_eq!(target.keys_of_subject(&acme, &[2; 32]).await?, keys);
    // Nor does a record that says so plainly.
    let alive = SubjectKey { wrapped: Some(vec![1]), erased_at: None, ..keys[1].clone() };
    assert_eq!(target.put_subject_keys(&acme, &[alive]).await?, 0);
    assert_eq!(target.keys_of_subject(&acme, &[2; 32]).await?, keys);
    Ok(())
}

pub async fn keys_are_carried_over_many_pages(kind: Kind) -> anyhow::Result<()> {
    let (source, target) = (TestStore::new(kind).await?, TestStore::new(kind).await?);
    let acme = tenant("acme");
    let keys = (0..1203_u128).map(|number| {
        let mut subject = [0; 32];
        subject[..16].copy_from_slice(&number.to_be_bytes());
        NewSubjectKey { id: SubjectKeyId(Uuid::from_u128(number)), subject, wrapped: vec![1] }
    });
    let ids: Vec<_> = keys.clone().map(|key| key.id).collect();
    source.append(&acme, append("a", 0, 1).new_keys(keys)).await?;
    for id in [3, 600, 1202] {
        source.append(&acme, erase(ids[id])).await?;
    }
    import(&target, records(&source).await?).await?;
    let sorted = |mut keys: Vec<SubjectKey>| {
        keys.sort_by_key(|key| key.id);
        keys
    };
    let (here, there) = (source.subject_keys(&acme, &ids).await?, target.subject_keys(&acme, &ids).await?);
    assert_eq!(sorted(here), sorted(there.clone()));
    assert_eq!((there.len(), target.erased_subject_keys().await?.len()), (1203, 3));
    Ok(())
}
