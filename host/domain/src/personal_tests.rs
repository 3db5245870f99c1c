//! Sealing by text: places are found, opened byte for byte, and told from texts that look like them.

use std::convert::Infallible;

use serde_json::Value;
use uuid::Uuid;

use super::*;
use crate::invoice::tests::document;

fn place(pointer: &str, kind: PlaceKind) -> Place {
    Place { pointer: pointer.to_owned(), kind, subject: None }
}

/// Hides nothing, but is undone by [`reveal`].
fn hide(json: &str, places: &[Place]) -> Result<String, SealError<Infallible>> {
    close(json, places, |place, plain| {
        let data = plain.chars().rev().collect();
        Ok(Sealed { kind: place.kind, key: SubjectKeyId(Uuid::from_u128(1)), nonce: String::new(), data })
    })
}

fn reveal(json: &str) -> Open {
    open(json, |sealed| Ok::<_, Infallible>(Some(sealed.data.chars().rev().collect()))).unwrap()
}

#[test]
fn what_was_sealed_comes_back_byte_for_byte() {
    let json = "{\"b\" : {\"name\":\"Rahima \\\"R\\\" খাতুন\",\"country\":\"BD\",\"n\":1.50} ,\"a\":{\"z\":\"1\",\"a\":\"2\"}}";
    // In the order of the text, whatever the order of the places.
    let closed = hide(json, &[place("/a", PlaceKind::Attributes), place("/b", PlaceKind::Party)]).unwrap();
    assert!(!closed.contains("Rahima"), "{closed}");
    let shown: Value = serde_json::from_str(&closed).unwrap();
    assert_eq!(shown["b"]["country"], "BD");
    assert_eq!(shown["b"]["sealed"]["kind"], "party");
    assert_eq!(keys(&closed).unwrap().len(), 2);
    assert_eq!(reveal(&closed), Open { json: json.to_owned(), erased: false });
    assert!(sealed_at(&closed, "/b").is_some_and(|text| text.ends_with(",\"country\":\"BD\"}")));
    assert_eq!(sealed_at(&closed, "/c"), None);
    assert_eq!(sealed_at(json, "/b"), None);
}

#[test]
fn without_a_key_there_is_a_placeholder_with_what_was_kept() {
    let json = r#"{"a":{"exchange_rate_source":"Bangladesh Bank","vehicle":"DM-1"},"p":{"id":"7","name":"R","country":"BD"}}"#;
    let closed = hide(json, &[place("/a", PlaceKind::Attributes), place("/p", PlaceKind::Party)]).unwrap();
    let erased = without(&closed).unwrap();
    let expected = r#"{"a":{"exchange_rate_source":"Bangladesh Bank"},"p":{"id":"","name":"[erased]","address":null,"country":"BD","identifiers":[],"attributes":{}}}"#;
    assert_eq!(erased, expected);
    let party: Party =
        serde_json::from_value(serde_json::from_str::<Value>(&erased).unwrap()["p"].take()).unwrap();
    assert!(is_erased(&party));
}

#[test]
fn a_text_that_looks_sealed_is_a_text() {
    let trick = r#"{"sealed":{"kind":"party","key":"x"}}"#;
    let json = serde_json::json!({"name": trick, "attributes": {"sealed": trick}}).to_string();
    assert_eq!(without(&json).unwrap(), json);
    assert!(!is_sealed(json.as_bytes()));
    // An object that begins so and is none is an error, not a guess.
    for broken in [
        r#"{"a":{"sealed":{"kind":"party"}}}"#,
        r#"{"a":{"sealed":{"kind":"party""#,
        r#"{"a":{"sealed":{"kind":"spy","key":"00000000-0000-0000-0000-000000000001","nonce":"","data":""}}}"#,
    ] {
        assert!(matches!(without(broken), Err(SealError::Shape)), "{broken}");
        assert!(matches!(keys(broken), Err(SealError::Shape)), "{broken}");
    }
}

#[test]
fn a_place_that_is_not_there_is_an_error() {
    for pointer in ["/c", "/a/b/c", "", "a"] {
        let refused = hide(r#"{"a":{"b":{}}}"#, &[place(pointer, PlaceKind::Party)]);
        assert!(matches!(refused, Err(SealError::Missing(_))), "{pointer}");
    }
}

#[test]
fn the_party_that_is_not_the_tenant_is_the_subject() {
    let mut document = document();
    document.customer.id = "c-1".to_owned();
    document.attributes = niyam_values::Attributes::new().with("vehicle", "DM-1");
    let pointers = |document: &Document| {
        let places = personal_of_document(document, "/at");
        places.into_iter().map(|place| (place.pointer, place.subject)).collect::<Vec<_>>()
    };
    let subject = Some("c-1".to_owned());
    assert_eq!(
        pointers(&document),
        [("/at/customer".to_owned(), subject.clone()), ("/at/attributes".to_owned(), subject)]
    );
    document.direction = Direction::Purchase;
    document.supplier.id = String::new();
    document.attributes = niyam_values::Attributes::new();
    assert_eq!(pointers(&document), [("/at/supplier".to_owned(), None)]);
    document.supplier.name = ERASED.to_owned();
    assert_eq!(pointers(&document), []);
    assert!(is_document_erased(&document));
}
