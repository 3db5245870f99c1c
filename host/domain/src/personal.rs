//! What of an event, or of a state, is about a person: where it lies in the JSON, and how it lies there sealed.
//!
//! A sealed place is a JSON object, `{"sealed":{"kind":…,"key":…,"nonce":…,"data":…}}`, with what is not about the
//! person beside. Its data is what was there, byte for byte, under the key of one data subject; once that key is gone,
//! the placeholder of its kind is read instead. Encryption is not done here: the caller brings it.

use std::collections::BTreeMap;
use std::ops::Range;

use niyam_values::{Direction, Document, Party};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::data_subject::SubjectKeyId;

/// The name of a party whose data were erased. No document names a party so.
pub const ERASED: &str = "[erased]";

/// How a sealed place begins. Within a JSON string the quotes would be escaped, so it is found nowhere else.
const MARK: &str = "{\"sealed\":{\"kind\":";

/// What lies at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    /// A party to a document.
    Party,
    /// A party as the API shows it.
    PartyView,
    /// Facts by name.
    Attributes,
}

impl PlaceKind {
    /// As written in a sealed place.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::PartyView => "party-view",
            Self::Attributes => "attributes",
        }
    }

    /// Fields that stay readable beside what is sealed: the books need them, and they tell nobody from others.
    const fn kept(self) -> &'static [&'static str] {
        match self {
            Self::Party | Self::PartyView => &["country"],
            // Who vouches for a document's exchange rate, and by when it is to be paid.
            Self::Attributes => &["exchange_rate_source", "due_date"],
        }
    }

    /// What is read once the key is gone, besides what was kept.
    const fn placeholder(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Party => &[
                ("id", "\"\""),
                ("name", "\"[erased]\""),
                ("address", "null"),
                ("country", "\"ZZ\""),
                ("identifiers", "[]"),
                ("attributes", "{}"),
            ],
            Self::PartyView => &[
                ("name", "\"[erased]\""),
                ("country", "\"ZZ\""),
                ("identifiers", "[]"),
                ("attributes", "{}"),
            ],
            Self::Attributes => &[],
        }
    }
}

/// A place in a JSON text that is about a data subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where: a JSON Pointer whose names need no escape.
    pub pointer: String,
    /// What lies there.
    pub kind: PlaceKind,
    /// The subject's name, which is the party's id; `None` if the party has none: then it is known by its document alone.
    pub subject: Option<String>,
}

/// Says where its JSON is about a person. An empty list says that it never is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say where it holds personal data",
    note = "implement `Personal` beside it; `nothing_personal!` says that it holds none"
)]
pub trait Personal {
    /// The places, none within another.
    fn personal(&self) -> Vec<Place>;
}

/// Says that these hold nothing about a person who is not a user or the tenant itself.
macro_rules! nothing_personal {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::personal::Personal for $type {
            fn personal(&self) -> Vec<$crate::personal::Place> {
                Vec::new()
            }
        }
    )+};
}
pub(crate) use nothing_personal;

/// The places of a document that lies at `at`: the party that is not the tenant, and the facts about the supply, which
/// tell where it went. Those of a party whose data were erased are no longer personal.
#[must_use]
pub fn personal_of_document(document: &Document, at: &str) -> Vec<Place> {
    let (party, name) = other_party(document);
    if is_erased(party) {
        return Vec::new();
    }
    let subject = (!party.id.is_empty()).then(|| party.id.clone());
    let place = |name: &str, kind| Place { pointer: format!("{at}/{name}"), kind, subject: subject.clone() };
    let mut places = vec![place(name, PlaceKind::Party)];
    if !document.attributes.is_empty() {
        places.push(place("attributes", PlaceKind::Attributes));
    }
    places
}

/// The party that is not the tenant, and the field that it lies in.
fn other_party(document: &Document) -> (&Party, &'static str) {
    match document.direction {
        Direction::Sale => (&document.customer, "customer"),
        Direction::Purchase => (&document.supplier, "supplier"),
    }
}

/// Whether the document's other party stands for one whose data were erased.
#[must_use]
pub fn is_document_erased(document: &Document) -> bool {
    is_erased(other_party(document).0)
}

fn is_erased(party: &Party) -> bool {
    party.name == ERASED
}

/// What lies encrypted at a place. Key, kind and texts as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// What lies there.
    pub kind: PlaceKind,
    /// Under which key.
    pub key: SubjectKeyId,
    /// 24 bytes, base64.
    pub nonce: String,
    /// The ciphertext and its tag, base64.
    pub data: String,
}

/// Why a JSON text could not be sealed or read.
#[derive(Debug, thiserror::Error)]
pub enum SealError<E> {
    /// A place that is said to be there is not.
    #[error("there is nothing to seal at {0}")]
    Missing(String),
    /// A place begins as a sealed one does, and is none.
    #[error("a sealed place does not have its shape")]
    Shape,
    /// The caller's encryption failed.
    #[error(transparent)]
    Cipher(E),
}

/// A JSON text with nothing sealed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The text.
    pub json: String,
    /// Whether a placeholder stands in it, since a key is gone.
    pub erased: bool,
}

/// `json` with what `seal` makes of each of `places`.
///
/// # Errors
/// When a place is not there, or `seal` fails.
pub fn close<E>(
    json: &str,
    places: &[Place],
    mut seal: impl FnMut(&Place, &str) -> Result<Sealed, E>,
) -> Result<String, SealError<E>> {
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        let range = locate(json, &place.pointer).ok_or_else(|| SealError::Missing(place.pointer.clone()))?;
        found.push((range, place));
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut text = String::with_capacity(json.len() + json.len() / 2);
    let mut end = 0;
    for (range, place) in found {
        let plain = &json[range.clone()];
        let fields = fields(plain).ok_or_else(|| SealError::Missing(place.pointer.clone()))?;
        let sealed = seal(place, plain).map_err(SealError::Cipher)?;
        text.push_str(&json[end..range.start]);
        text.push_str("{\"sealed\":");
        text.push_str(&serde_json::to_string(&sealed).map_err(|_| SealError::Shape)?);
        for name in place.kind.kept() {
            if let Some(value) = fields.get(*name) {
                push_field(&mut text, name, value.get());
            }
        }
        text.push('}');
        end = range.end;
    }
    text.push_str(&json[end..]);
    Ok(text)
}

/// `json` with what `open` makes of each sealed place: what was there, or `None` once the key is gone.
///
/// # Errors
/// When a place does not have its shape, or `open` fails.
pub fn open<E>(
    json: &str,
    mut open: impl FnMut(&Sealed) -> Result<Option<String>, E>,
) -> Result<Open, SealError<E>> {
    let mut text = String::with_capacity(json.len());
    let mut erased = false;
    let mut rest = json;
    while let Some(at) = rest.find(MARK) {
        text.push_str(&rest[..at]);
        let (length, sealed, kept) = parse(&rest[at..]).ok_or(SealError::Shape)?;
        if let Some(plain) = open(&sealed).map_err(SealError::Cipher)? {
            text.push_str(&plain);
        } else {
            erased = true;
            push_placeholder(&mut text, sealed.kind, &kept);
        }
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    Ok(Open { json: text, erased })
}

/// The keys of the sealed places of `json`, as often as they are there.
///
/// # Errors
/// When a place does not have its shape.
pub fn keys(json: &str) -> Result<Vec<SubjectKeyId>, SealError<std::convert::Infallible>> {
    let mut keys = Vec::new();
    let mut rest = json;
    while let Some(at) = rest.find(MARK) {
        let (length, sealed, _) = parse(&rest[at..]).ok_or(SealError::Shape)?;
        keys.push(sealed.key);
        rest = &rest[at + length..];
    }
    Ok(keys)
}

/// `json` as who holds no key reads it: with a placeholder in each sealed place.
///
/// # Errors
/// When a place does not have its shape.
pub fn without(json: &str) -> Result<String, SealError<std::convert::Infallible>> {
    open(json, |_| Ok(None)).map(|open| open.json)
}

/// The sealed place at `pointer`, as stored; `None` if nothing sealed is there.
#[must_use]
pub fn sealed_at<'a>(json: &'a str, pointer: &str) -> Option<&'a str> {
    locate(json, pointer).map(|range| &json[range]).filter(|text| text.starts_with(MARK))
}

/// Whether anything is sealed in `json`.
#[must_use]
pub fn is_sealed(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok_and(|json| json.contains(MARK))
}

/// The length of the sealed place that `json` begins with, what it holds, and what was kept beside.
fn parse(json: &str) -> Option<(usize, Sealed, BTreeMap<String, &RawValue>)> {
    let place = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>().next()?.ok()?.get();
    let mut kept = fields(place)?;
    let sealed = serde_json::from_str(kept.remove("sealed")?.get()).ok()?;
    Some((place.len(), sealed, kept))
}

fn push_placeholder(text: &mut String, kind: PlaceKind, kept: &BTreeMap<String, &RawValue>) {
    text.push('{');
    for (name, value) in kind.placeholder() {
        push_field(text, name, kept.get(*name).map_or(*value, |kept| kept.get()));
    }
    let others = kept.iter().filter(|(name, _)| !kind.placeholder().iter().any(|(known, _)| known == name));
    for (name, value) in others {
        push_field(text, name, value.get());
    }
    text.push('}');
}

/// `name` needs no escape.
fn push_field(text: &mut String, name: &str, value: &str) {
    if !text.ends_with('{') {
        text.push(',');
    }
    for part in ["\"", name, "\":", value] {
        text.push_str(part);
    }
}

/// Where the value at `pointer` lies.
fn locate(json: &str, pointer: &str) -> Option<Range<usize>> {
    let mut value = json.trim();
    for name in pointer.strip_prefix('/')?.split('/') {
        value = fields(value)?.remove(name)?.get();
    }
    let start = value.as_ptr().addr().checked_sub(json.as_ptr().addr())?;
    Some(start..start + value.len())
}

fn fields(object: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(object).ok()
}

#[cfg(test)]
#[path = "personal_tests.rs"]
mod tests;
