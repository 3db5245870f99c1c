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
    for (wish, code, limit) in [
        ("trap", "module-trapped", "trapped"),
        ("loop", "module-fuel-exhausted", "fuel"),
        ("memory", "module-memory-exhausted", "memory"),
        ("recurse", "module-stack-exhausted", "stack"),
        ("huge", "module-output-too-large", "answered more"),
    ] {
        for path in ["/v1/invoices", "/v1/tax/determinations"] {
            let answer = host.post(path, &headers, &sale(wish, "1")).await;
            assert_eq!(answer.problem(), (503, code), "{}", answer.text);
            assert_eq!(answer.body["module"], "unruly");
            assert_eq!(answer.header("retry-after"), "1");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("unruly") && detail.contains(limit), "{}", answer.text);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_whose_module_burns_its_budget_waits_for_itself_alone() {
    let host = TestHost::new(On::Sqlite).await;
    host.tenant("reckless", "unruly").await;
    let bearer = host.bearer("reckless", &[Role::Accountant]);
    let headers = [("authorization", bearer.as_str())];
    let (endless, document) = (sale("loop", "1"), sale("standard", "1"));
    let burning = (0..12).map(|_| host.post("/v1/tax/determinations", &headers, &endless));
    let working = async {
        for _ in 0..20 {
            assert_eq!(host.taxes(&document).await["tax_added"], "150.00");
        }
    };
    let (burnt, ()) = tokio::join!(futures::future::join_all(burning), working);
    for answer in burnt {
        // Those that found no turn in time hear so; none of them answers.
        let (status, code) = answer.problem();
        assert_eq!(status, 503, "{}", answer.text);
        let codes = ["module-fuel-exhausted", "module-deadline-exceeded", "modules-busy"];
        assert!(codes.contains(&code), "{}", answer.text);
    }
    // And once it has burnt enough, it is served again.
    let answer = host.post("/v1/tax/determinations", &headers, &sale("plain", "1")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

on_both! { a_module_that_fails_is_named_and_nothing_is_committed }
