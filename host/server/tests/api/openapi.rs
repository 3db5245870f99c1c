//! The committed description is the code's.

#[test]
fn the_committed_openapi_document_is_the_one_that_is_served() {
    let committed = include_str!("../../openapi.json");
    assert!(committed == niyam::openapi_json(), "`cargo xtask openapi` writes it anew");
}
