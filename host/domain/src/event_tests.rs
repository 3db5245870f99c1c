//! An event that had two other shapes before, as no event of the product has yet.

use serde::{Deserialize, Serialize};

use super::*;

/// What is written now. `v1` had `name` alone, `v2` had `first_name` and `last_name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Renamed {
    names: Vec<String>,
    facts: niyam_values::Attributes,
    reason: Option<String>,
}

/// Never had another shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {}

crate::personal::nothing_personal!(Renamed, Closed);

domain_events! {
    /// What happens to a thing.
    ThingEvent {
        /// See [`Renamed`].
        Renamed(Renamed) = "thing.renamed.v3" {
            "thing.renamed.v1" => split_name,
            "thing.renamed.v2" => list_names,
        },
        /// See [`Closed`].
        Closed(Closed) = "thing.closed.v1",
    }
}

/// v2 tells the first name from the last.
fn split_name(mut fields: Fields) -> Result<Fields, serde_json::Error> {
    let name: String = fields.take("name")?;
    let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
    fields.put("first_name", &first)?;
    fields.put("last_name", &last)?;
    Ok(fields)
}

/// v3 has any number of names, says why, and calls the attributes facts.
fn list_names(mut fields: Fields) -> Result<Fields, serde_json::Error> {
    let names: [String; 2] = [fields.take("first_name")?, fields.take("last_name")?];
    fields.put("names", &names)?;
    fields.put("reason", &None::<String>)?;
    fields.rename("attributes", "facts")?;
    Ok(fields)
}

fn read(event_type: &str, payload: &str) -> Result<ThingEvent, UnreadableEvent> {
    ThingEvent::read(event_type, payload.as_bytes())
}

fn renamed(facts: &[(&str, &str)], reason: Option<&str>) -> ThingEvent {
    ThingEvent::Renamed(Renamed {
        names: vec!["Rahima".to_owned(), "Khatun".to_owned()],
        facts: facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        reason: reason.map(str::to_owned),
    })
}

#[test]
fn every_version_is_read_into_the_newest_shape() {
    let facts = [("zone", "1"), ("area", "2")];
    for (event_type, payload) in [
        ("thing.renamed.v1", r#"{"name":"Rahima Khatun","attributes":{"zone":"1","area":"2"}}"#),
        (
            "thing.renamed.v2",
            r#"{"first_name":"Rahima","last_name":"Khatun","attributes":{"zone":"1","area":"2"}}"#,
        ),
        (
            "thing.renamed.v3",
            r#"{"names":["Rahima","Khatun"],"facts":{"zone":"1","area":"2"},"reason":null}"#,
        ),
    ] {
        let event = read(event_type, payload).unwrap();
        // The facts are in the order stored, which is not the alphabet's.
        assert_eq!(event, renamed(&facts, None), "{event_type}");
        assert_eq!(event.event_type(), "thing.renamed.v3");
        let written = event.payload().unwrap();
        assert_eq!(ThingEvent::read(event.event_type(), &written).unwrap(), event);
    }
}

#[test]
fn what_is_written_has_the_newest_version() {
    let event = renamed(&[], Some("married"));
    assert_eq!(event.event_type(), "thing.renamed.v3");
    assert_eq!(event.payload().unwrap(), br#"{"names":["Rahima","Khatun"],"facts":{},"reason":"married"}"#);
    assert_eq!(ThingEvent::TYPES, ["thing.renamed.v3", "thing.closed.v1"]);
    assert_eq!(ThingEvent::KINDS[1].meaning.trim(), "See [`Closed`].");
    assert_eq!(ThingEvent::OLDER_TYPES, ["thing.renamed.v1", "thing.renamed.v2"]);
}

#[test]
fn what_is_not_touched_stays_byte_for_byte() {
    let payload = br#"{"name":"A B","b":{"z":1.50,"a":1e3},"a":[ 1, 2 ]}"#;
    let fields = split_name(serde_json::from_slice(payload).unwrap()).unwrap();
    let expected = r#"{"b":{"z":1.50,"a":1e3},"a":[ 1, 2 ],"first_name":"A","last_name":"B"}"#;
    assert_eq!(serde_json::to_string(&fields).unwrap(), expected);
}

#[test]
fn a_version_of_tomorrow_is_told_from_an_unknown_type() {
    for (event_type, newest) in
        [("thing.renamed.v4", "thing.renamed.v3"), ("thing.closed.v19", "thing.closed.v1")]
    {
        let refused = read(event_type, "{}").unwrap_err();
        let expected = format!("event type {event_type} is newer than this program, which knows {newest}");
        assert_eq!(refused.to_string(), expected);
    }
    for event_type in
        ["thing.lost.v1", "thing.closed.v0", "thing.closed.v01", "thing.closed.v+2", "closed", ""]
    {
        let refused = read(event_type, "{}").unwrap_err();
        assert_eq!(refused.to_string(), format!("event type {event_type} is unknown"));
    }
}

#[test]
fn an_old_payload_that_does_not_fit_is_an_error_that_names_its_type() {
    for (event_type, payload) in [
        ("thing.renamed.v1", r#"{"first_name":"A","last_name":"B","attributes":{}}"#),
        ("thing.renamed.v1", "[]"),
        ("thing.renamed.v2", r#"{"first_name":"A","last_name":7,"attributes":{}}"#),
        ("thing.renamed.v2", r#"{"first_name":"A","last_name":"B"}"#),
        ("thing.renamed.v3", r#"{"names":[]}"#),
    ] {
        let refused = read(event_type, payload).unwrap_err();
        assert_eq!(refused.to_string(), format!("payload of {event_type} does not have its shape"));
    }
}

#[test]
fn the_versions_of_an_event_have_no_gap() {
    assert!(is_lineage(&[], "a.v1"));
    assert!(is_lineage(&["a.v1", "a.v2"], "a.v3"));
    let nine = ["a.v1", "a.v2", "a.v3", "a.v4", "a.v5", "a.v6", "a.v7", "a.v8", "a.v9"];
    assert!(is_lineage(&nine, "a.v10"));
    assert!(!is_lineage(&nine, "a.v11"));
    for (older, newest) in [
        (&[][..], "a.v2"),
        (&["a.v2"], "a.v2"),
        (&["a.v2"], "a.v1"),
        (&["b.v1"], "a.v2"),
        (&["ab.v1"], "a.v2"),
        (&[], "a"),
        (&[], ".v1"),
        (&[], "a.v01"),
    ] {
        assert!(!is_lineage(older, newest), "{older:?} {newest}");
    }
}
