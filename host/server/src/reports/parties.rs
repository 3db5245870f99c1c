//! The names of parties, opened for who may read them; of those that were erased, what stands for them.

use std::collections::BTreeMap;

use niyam_values as values;

use super::read::{Reading, ReportError};
use crate::personal::OpeningError;
use crate::projections::ledger::items::Party;

/// A party as a report shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// Its id in the tenant's own records, where it has one.
    pub(super) id: String,
    pub(super) name: String,
}

/// Who the parties are, by what tells them apart.
pub(super) async fn open(
    reading: &Reading<'_, '_>,
    parties: impl IntoIterator<Item = &Party>,
) -> Result<BTreeMap<String, Shown>, ReportError> {
    let mut all: BTreeMap<&str, &Party> = BTreeMap::new();
    for party in parties {
        all.insert(&party.key, party);
    }
    let sealed: Vec<(String, &str)> =
        all.values().filter_map(|party| Some((party.stream.clone(), party.sealed.as_deref()?))).collect();
    let mut opened = reading.app.vault.opening(reading.tenant).copies(&sealed).await?.into_iter();
    let mut shown = BTreeMap::new();
    for party in all.into_values() {
        let one = if party.sealed.is_some() {
            let read = opened.next().and_then(|json| serde_json::from_slice::<values::Party>(&json).ok());
            let read = read.ok_or_else(|| OpeningError::Damaged { place: party.stream.clone() })?;
            Shown { id: read.id, name: read.name }
        } else {
            // Recorded before parties were sealed.
            let id = if party.key == party.stream { String::new() } else { party.key.clone() };
            Shown { id, name: party.name.clone() }
        };
        shown.insert(party.key.clone(), one);
    }
    Ok(shown)
}
