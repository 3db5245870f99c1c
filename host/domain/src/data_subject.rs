//! A data subject: somebody whom a tenant's documents are about, and whose data can be erased.
//!
//! What documents say about a subject is encrypted under a key of the subject's own. Erasing is destroying that key;
//! events stay as they are. Each key has a stream, which is empty while the key is there, so that nothing is written
//! under a key that is gone.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::domain_events;
use crate::ids::StreamId;
use crate::personal::nothing_personal;

/// A key of a data subject. It names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectKeyId(pub Uuid);

impl SubjectKeyId {
    /// The stream that tells that the key was destroyed.
    #[must_use]
    pub fn stream(self) -> StreamId {
        StreamId::of(format!("data-subject/{}", self.0))
    }

    /// The key whose stream this is; `None` if it is another thing's.
    #[must_use]
    pub fn of_stream(stream: &StreamId) -> Option<Self> {
        stream.as_str().strip_prefix("data-subject/")?.parse().ok().map(Self)
    }
}

impl fmt::Display for SubjectKeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The data of a subject were erased: this key of theirs was destroyed. Who did it is in the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSubjectErased {
    /// The key.
    pub key_id: SubjectKeyId,
    /// Why, when said. It should not name the subject.
    pub reason: Option<String>,
}

domain_events! {
    /// What happens to a data subject.
    DataSubjectEvent {
        /// The data of a subject were erased: the key that they were under was destroyed in the same transaction.
        Erased(DataSubjectErased) = "data-subject.erased.v1",
    }
}

nothing_personal!(DataSubjectErased);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_stream() {
        let key = SubjectKeyId(Uuid::from_u128(7));
        assert_eq!(SubjectKeyId::of_stream(&key.stream()), Some(key));
        assert_eq!(SubjectKeyId::of_stream(&StreamId::tenant()), None);
    }
}
