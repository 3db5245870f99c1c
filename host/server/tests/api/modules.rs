//! A module that fails: named, nothing committed, and nobody else harmed.

use niyam::Role;
use serde_json::json;

use crate::harness::{On, TestHost, on_both, sale};

async fn a_module_that_fails_is_named_and_nothing_is_committed(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("reckless", "unruly").await;
    let bearer = host.bearer("reckless", &[Role::Accountant, Role::Approver]);
    let headers = [("authorization", bearer.as_str())];
    let store = host.server.app().store();
    let reckless = "reckless".parse().unwrap();
    let head = store.head(&reckless).await.unwrap();
    for (wish, code) in [
        ("trap", "module-trapped"),
        ("loop", "module-fuel-exhausted"),
        ("memory", "module-memory-exhausted"),
        ("recurse", "module-stack-exhausted"),
        ("huge", "module-output-too-large"),
    ] {
        for path in ["/v1/invoices", "/v1/tax/determinations"] {
            let answer = host.post(path, &headers, &sale(wish, "1")).await;
            assert_eq!(answer.problem(), (503, code), "{}", answer.text);
            assert_eq!(answer.body["module"], "unruly");
            assert_eq!(answer.header("retry-after"), "1");
            assert!(answer.body["detail"].as_str().unwrap().contains("unruly"), "{}", answer.text);
        }
        assert_eq!(store.head(&reckless).await.unwrap(), head, "{wish}");
        // Another tenant's module is none the worse.
        assert_eq!(host.taxes(&sale("standard", "1")).await["tax_added"], "150.00");
    }
    let list = host.get_with("/v1/invoices", &headers).await;
    assert_eq!(list.body["items"], json!([]));
    let health = host.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.body["status"]), (200, &json!("ok")));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_for_a_failing_module_leave_the_others_their_turn() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("reckless", "unruly").await;
    let bearer = host.bearer("reckless", &[Role::Accountant]);
    let headers = [("authorization", bearer.as_str())];
    let trapping = sale("trap", "1");
    let failing = (0..20).map(|_| host.post("/v1/invoices", &headers, &trapping));
    let document = sale("standard", "1");
    let working = (0..5).map(|_| host.post("/v1/invoices", &[], &document));
    let (failed, worked) =
        tokio::join!(futures::future::join_all(failing), futures::future::join_all(working));
    assert!(failed.iter().all(|answer| answer.status == 503));
    assert!(worked.iter().all(|answer| answer.status == 201));
}

on_both! { a_module_that_fails_is_named_and_nothing_is_committed }
