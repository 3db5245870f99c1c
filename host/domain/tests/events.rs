//! What was ever stored can be read, and is written again as it was.
//!
//! `fixtures/events` holds stored payloads of every version of every event, kept for ever: `<type>.json` has every
//! field filled, `<type>.sparse.json` those that may be empty left so. A new version adds files and touches none.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use niyam_domain::personal::{self, Place, PlaceKind, Sealed};
use niyam_domain::{
    CertificateEvent, ChartEvent, ClaimEvent, DataSubjectEvent, DomainEvent, EXAMPLES, EntryEvent,
    InvoiceEvent, NumberSeriesEvent, PaymentEvent, PeriodEvent, ReturnEvent, ScheduleEvent, StatementEvent,
    SupplierNumberEvent, TenantEvent, UnreadableEvent,
};
use serde_json::Value;

/// A type, and a payload.
type Written = (&'static str, Vec<u8>);

/// The events of one aggregate.
struct Family {
    types: &'static [&'static str],
    older_types: &'static [&'static str],
    /// Reads a stored event, and writes it.
    rewrite: fn(&str, &[u8]) -> Result<Written, UnreadableEvent>,
    /// Where a stored event is about a data subject.
    personal: fn(&str, &[u8]) -> Vec<Place>,
}

macro_rules! families {
    ($($event:ty),+) => { [$(Family {
        types: <$event>::TYPES,
        older_types: <$event>::OLDER_TYPES,
        rewrite: rewrite::<$event>,
        personal: |event_type, payload| <$event>::read(event_type, payload).unwrap().personal(),
    }),+] };
}

fn families() -> [Family; 14] {
    families![
        DataSubjectEvent,
        InvoiceEvent,
        TenantEvent,
        NumberSeriesEvent,
        ChartEvent,
        PeriodEvent,
        EntryEvent,
        ScheduleEvent,
        StatementEvent,
        ClaimEvent,
        PaymentEvent,
        CertificateEvent,
        ReturnEvent,
        SupplierNumberEvent
    ]
}

fn rewrite<E: DomainEvent>(event_type: &str, payload: &[u8]) -> Result<Written, UnreadableEvent> {
    let event = E::read(event_type, payload)?;
    Ok((event.event_type(), event.payload().expect("what was read has a JSON form")))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events")
}

/// The fixtures, each with the type that it is of.
fn fixtures() -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut fixtures: Vec<(String, PathBuf)> = files
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let name = name.strip_suffix(".json").expect("a .json file");
            (name.strip_suffix(".sparse").unwrap_or(name).to_owned(), path)
        })
        .collect();
    fixtures.sort();
    fixtures
}

#[test]
fn every_version_of_every_event_has_a_fixture_and_every_fixture_its_event() {
    let known: BTreeSet<String> = families()
        .iter()
        .flat_map(|family| family.types.iter().chain(family.older_types))
        .map(|event_type| (*event_type).to_owned())
        .collect();
    let kept: BTreeSet<String> = fixtures().into_iter().map(|(event_type, _)| event_type).collect();
    assert_eq!(kept, known);
    for event_type in known {
        assert!(folder().join(format!("{event_type}.json")).exists(), "{event_type}.json");
    }
}

#[test]
fn every_fixture_reads_and_the_newest_is_written_as_it_was() {
    for (event_type, path) in fixtures() {
        let family = families()
            .into_iter()
            .find(|family| family.types.iter().chain(family.older_types).any(|known| *known == event_type))
            .unwrap_or_else(|| panic!("no event of type {event_type}"));
        let stored = fs::read(&path).unwrap();
        let (written_type, written) = (family.rewrite)(&event_type, &stored).unwrap_or_else(|error| {
            panic!("{}: {error}: {:?}", path.display(), std::error::Error::source(&error))
        });
        if family.types.contains(&event_type.as_str()) {
            assert_eq!(written_type, event_type);
            let (written, stored): (Value, Value) =
                (serde_json::from_slice(&written).unwrap(), serde_json::from_slice(&stored).unwrap());
            assert_eq!(written, stored, "{}", path.display());
        } else {
            let again = (family.rewrite)(written_type, &written).unwrap();
            assert_eq!(again, (written_type, written), "{}", path.display());
        }
    }
}

#[test]
fn no_family_of_events_is_left_out() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let declared: usize = sources
        .iter()
        .filter(|path| !path.to_str().unwrap().ends_with("_tests.rs"))
        .map(|path| {
            fs::read_to_string(path).unwrap().lines().filter(|line| *line == "domain_events! {").count()
        })
        .sum();
    assert_eq!(declared, families().len());
}

/// The files under `folder`, at any depth.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn every_type_has_an_example() {
    for family in families() {
        for event_type in family.types.iter().chain(family.older_types) {
            assert!(EXAMPLES.iter().any(|(name, _)| name == event_type), "{event_type}");
        }
    }
}

/// Names that a fixture's parties bear; nothing of them may stay readable.
const PERSONAL_TEXTS: [&str; 6] = ["Padma", "Textile", "p-17", "Motijheel", "Dhaka-Metro 11-1234", "Tongi"];

#[test]
fn what_is_personal_is_there_and_nothing_of_it_stays_readable() {
    let mut places_seen = 0;
    for (event_type, path) in fixtures() {
        // Only the newest version is written, and so sealed.
        let written = |family: &Family| family.types.contains(&event_type.as_str());
        let Some(family) = families().into_iter().find(written) else { continue };
        // One party is the tenant, and nobody's data subject.
        let stored = fs::read_to_string(&path).unwrap();
        let mut whole: Value = serde_json::from_str(&stored).unwrap();
        let place = if whole.get("document").is_some() { "/document" } else { "/assessment/document" };
        let direction = whole.pointer(&format!("{place}/direction"));
        let own = if direction.is_some_and(|found| found == "purchase") { "customer" } else { "supplier" };
        if let Some(own) = whole.pointer_mut(&format!("{place}/{own}")) {
            for (name, value) in [("id", "demo"), ("name", "Demo"), ("address", "Mirpur")] {
                own[name] = value.into();
            }
            own["attributes"] = serde_json::json!({});
        }
        let json = if event_type.starts_with("tenant.") { stored } else { whole.to_string() };
        let places = (family.personal)(&event_type, json.as_bytes());
        if !event_type.starts_with("tenant.") && PERSONAL_TEXTS.iter().any(|text| json.contains(text)) {
            assert!(!places.is_empty(), "{event_type} does not say what of it is personal");
        }
        places_seen += places.len();
        let mut plain = Vec::new();
        let closed = personal::close(&json, &places, |place, text| {
            plain.push(text.to_owned());
            let number = plain.len() - 1;
            let key = niyam_domain::SubjectKeyId(uuid::Uuid::from_u128(7));
            Ok::<_, Infallible>(Sealed {
                kind: place.kind,
                key,
                nonce: number.to_string(),
                data: String::new(),
            })
        })
        .unwrap();
        assert_eq!(plain.len(), places.len(), "{}", path.display());
        if !places.is_empty() {
            for text in PERSONAL_TEXTS {
                assert!(!closed.contains(text), "{text} in {closed}");
            }
            assert!(
                (family.rewrite)(&event_type, closed.as_bytes())
                    .is_err_and(|error| { matches!(error, UnreadableEvent::Sealed { .. }) })
            );
        }
        // Opened it is what it was, byte for byte; erased it has its shape.
        let opened = personal::open(&closed, |sealed| {
            Ok::<_, Infallible>(Some(plain[sealed.nonce.parse::<usize>().unwrap()].clone()))
        });
        assert_eq!(opened.unwrap(), personal::Open { json, erased: false });
        let erased = personal::without(&closed).unwrap();
        (family.rewrite)(&event_type, erased.as_bytes()).unwrap();
        assert!((family.personal)(&event_type, erased.as_bytes()).is_empty(), "{erased}");
        // Facts by name are left out.
        let named = places.iter().any(|place| place.kind != PlaceKind::Attributes);
        assert!(!named || erased.contains(personal::ERASED), "{erased}");
        assert!(places.iter().all(|place| place.kind != PlaceKind::PartyView));
    }
    assert!(places_seen >= 9, "{places_seen}");
}
