//! The committed descriptions are the code's, and the server shows its own.

use niyam::Reference;

use crate::harness::{On, TestHost};

#[test]
fn the_committed_descriptions_are_those_of_the_code() {
    for (reference, committed) in [
        (Reference::Openapi, include_str!("../../openapi.json")),
        (Reference::Cli, include_str!("../../cli.md")),
        (Reference::Events, include_str!("../../events.md")),
        (Reference::Problems, include_str!("../../problems.md")),
    ] {
        assert!(reference.text() == committed, "{reference:?}: `cargo xtask generate` writes it anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_of_the_api_is_served_and_shown_without_another_server() {
    let host = TestHost::empty(On::Sqlite).await;
    let served = host.get("/openapi.json").await;
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(served.text, Reference::Openapi.text());
    assert_eq!(served.body["openapi"], "3.1.0");
    let page = host.get("/docs").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
    // Each part of the page comes from here.
    let parts: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.text.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(parts.len() > 3, "{}", page.text);
    for part in parts {
        assert!(!part.contains("//"), "{part} is elsewhere");
        let answer = host.get(&format!("/docs/{}", part.trim_start_matches("./"))).await;
        assert_eq!(answer.status, 200, "{part}");
    }
    let initializer = host.get("/docs/swagger-initializer.js").await;
    assert!(initializer.text.contains("/openapi.json"), "{}", initializer.text);
}
