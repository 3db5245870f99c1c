//! What a candidate would answer on real documents: told, exported, and nothing changed.

use std::time::Duration;

use niyam::Role;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

use crate::harness::{On, TestHost, on_both, sale};
use crate::reruns::sale_to;

/// The digest of a bundled module's component.
fn digest_of(file: &str) -> String {
    let path = format!("{}/../../target/modules/{file}.wasm", env!("CARGO_MANIFEST_DIR"));
    niyam_modules::digest_hex(&std::fs::read(path).expect("`cargo xtask plugins` makes it"))
}

fn unruly(config: &Value) -> Value {
    json!({"module": digest_of("guests/unruly"), "config": config})
}

impl TestHost {
    /// Every table of SQLite but the jobs' own, row by row.
    async fn tables(&self) -> Vec<(String, Vec<String>)> {
        let file = format!("sqlite:{}", self.data().join("niyam.db").display());
        let mut connection = SqliteConnection::connect(&file).await.unwrap();
        let names = sqlx::query("select name from sqlite_schema where type = 'table' order by name")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let mut tables = Vec::new();
        for name in names.iter().map(|row| row.get::<String, _>(0)) {
            // Leases and checkpoints of views move by themselves.
            if name.starts_with("job") || name.starts_with("projection") {
                continue;
            }
            let columns = sqlx::query(AssertSqlSafe(format!("select name from pragma_table_info('{name}')")));
            let columns = columns.fetch_all(&mut connection).await.unwrap();
            let columns: Vec<String> =
                columns.iter().map(|row| format!("quote({})", row.get::<String, _>(0))).collect();
            let sql = format!("select {} from {name} order by 1", columns.join(" || ',' || "));
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            tables.push((name, rows.iter().map(|row| row.get(0)).collect()));
        }
        tables
    }
}

async fn a_candidate_is_tried_on_issued_documents(on: On) {
    let host = TestHost::new(on).await;
    for quantity in ["1", "2", "3"] {
        assert_eq!(host.issue(&sale("standard", quantity)).await.1.status, 200);
    }
    host.draft(&sale("standard", "10")).await;
    let head = host.server.app().store().head(&"demo".parse().unwrap()).await.unwrap();
    let list = host.get("/v1/invoices").await.body;
    // Every view holds what was recorded, so that none moves on meanwhile.
    let position = host.head().await.0.to_string();
    let caught_up = [("niyam-position", position.as_str())];
    for path in ["/v1/reports/trial-balance", "/v1/registers/mushak-6.10?period=2026-08-15"] {
        assert_eq!(host.get_with(path, &caught_up).await.status, 200, "{path}");
    }
    let before = if matches!(on, On::Sqlite) { host.tables().await } else { Vec::new() };

    // 13 instead of 15 percent.
    let path = host.job("/v1/simulations", &json!({"candidate": unruly(&json!({"rate": "13"}))})).await;
    let job = host.ended(&path).await;
    assert_eq!(job["state"], "done", "{job}");
    let result = &job["result"];
    assert_eq!((&result["documents"], &result["differ"]), (&json!(3), &json!(3)), "{result}");
    let total = &result["totals"][0];
    assert_eq!(
        (&total["code"], &total["currency"], &total["effect"]),
        (&json!("vat"), &json!("BDT"), &json!("added"))
    );
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    assert!(
        (number(&total["before"]) - 900.0).abs() < 1e-9 && (number(&total["after"]) - 780.0).abs() < 1e-9
    );
    let first = host.get(&format!("{path}/differences?limit=2")).await;
    let items = first.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{}", first.text);
    assert_eq!((&items[0]["kind"], &items[0]["number"]), (&json!("amounts"), &json!("1/2026-2027")));
    assert_eq!(items[0]["answer_before"]["lines"][0]["taxes"][0]["rate"], "15");
    assert_eq!(items[0]["answer_after"]["lines"][0]["taxes"][0]["rate"], "13");
    let next = first.body["next"].as_str().unwrap();
    let second = host.get(&format!("{path}/differences?limit=2&after={next}")).await.body;
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert!(second.get("next").is_none());
    let wanted = host.get_with(&format!("{path}/differences"), &[("accept", "text/csv")]).await;
    let csv = host.get(&format!("{path}/differences.csv")).await;
    assert_eq!((csv.status.as_u16(), &csv.text), (200, &wanted.text));
    assert!(csv.header("content-type").starts_with("text/csv"));
    let lines: Vec<&str> = csv.text.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("position,invoice,number"), "{}", csv.text);
    assert!(lines[1].contains("1/2026-2027"), "{}", csv.text);
    let neither = host.get_with(&format!("{path}/differences"), &[("accept", "image/png")]).await;
    assert_eq!(neither.problem(), (406, "not-acceptable"));

    // The same module with the same configuration answers the same; drafts count when that is asked for.
    let same = json!({"module": digest_of("vat-bd"), "config": {"rounding": {"places": 2}}});
    let body = json!({"candidate": same, "filter": {"drafts": true}});
    let job = host.ended(&host.job("/v1/simulations", &body).await).await;
    assert_eq!((&job["result"]["documents"], &job["result"]["same"]), (&json!(4), &json!(4)), "{job}");
    for (filter, documents) in [
        (json!({"from": "2026-08-16"}), 0),
        (json!({"to": "2026-08-14"}), 0),
        (json!({"from": "2026-08-15", "to": "2026-08-15", "kinds": ["invoice"]}), 3),
        (json!({"kinds": ["credit-note"]}), 0),
    ] {
        let body = json!({"candidate": same, "filter": filter});
        let path = host.job("/v1/simulations", &body).await;
        let job = host.ended(&path).await;
        assert_eq!(job["result"]["documents"], documents, "{job}");
        assert_eq!(host.delete(&path, &[]).await.status, 204);
    }

    // Nothing of the tenant changed.
    assert_eq!(host.server.app().store().head(&"demo".parse().unwrap()).await.unwrap(), head);
    assert_eq!(host.get("/v1/invoices").await.body, list);
    if matches!(on, On::Sqlite) {
        assert_eq!(host.tables().await, before);
    }
}

async fn what_cannot_be_tried_is_refused_with_its_place(on: On) {
    let host = TestHost::new(on).await;
    let good = unruly(&json!({}));
    let digest = good["module"].clone();
    for (body, code, pointer) in [
        (json!({"candidate": {"module": "00", "config": {}}}), "candidate-unknown", "/candidate/module"),
        (
            json!({"candidate": {"module": "0".repeat(64), "config": {}}}),
            "candidate-unknown",
            "/candidate/module",
        ),
        (
            json!({"candidate": {"module": digest, "config": {"rate": 13}}}),
            "config-invalid",
            "/candidate/config/rate",
        ),
        (json!({"candidate": {"module": digest}}), "field-missing", "/candidate/config"),
        (json!({"candidate": good, "filter": {"from": "2026-02-30"}}), "date-invalid", "/filter/from"),
        (
            json!({"candidate": good, "filter": {"from": "2026-08-15", "to": "2026-08-14"}}),
            "value-invalid",
            "/filter/to",
        ),
        (json!({"candidate": good, "filter": {"kinds": vec!["a"; 21]}}), "value-invalid", "/filter/kinds"),
        (
            json!({"candidate": good, "filter": {"kinds": ["a".repeat(65)]}}),
            "value-invalid",
            "/filter/kinds/0",
        ),
        (json!({"candidate": good, "filter": {"kind": "a"}}), "field-unknown", "/filter/kind"),
    ] {
        let answer = host.post("/v1/simulations", &[], &body).await;
        assert_eq!(answer.problem(), (422, code), "{}", answer.text);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    let viewer = host.bearer("demo", &[Role::Viewer]);
    let refused =
        host.post("/v1/simulations", &[("authorization", &viewer)], &json!({"candidate": good})).await;
    assert_eq!(refused.problem(), (403, "role-missing"));
    // A tenant has its share of jobs and no more: these belong to a host that still works on them.
    for number in 0..5 {
        let sql = format!(
            "insert into jobs (tenant, id, kind, state, request, requested_by, created_at, started_at, attempts, done, \
             total, lease_until) values ('demo', 'x{number}', 'simulation', 'running', '{{}}', 'x', 1, 1, 1, 0, 0, \
             9000000000000000)"
        );
        assert_eq!(host.tamper(String::leak(sql)).await, 1);
    }
    let many = host.post("/v1/simulations", &[], &json!({"candidate": good})).await;
    assert_eq!(many.problem(), (429, "jobs-too-many"));
}

async fn what_was_erased_is_counted_and_not_asked_about(on: On) {
    let host = TestHost::new(on).await;
    for id in ["c-1", "c-2"] {
        assert_eq!(host.issue(&sale_to(id)).await.1.status, 200);
    }
    let body = json!({"candidate": unruly(&json!({"rate": "13"}))});
    let before = host.job("/v1/simulations", &body).await;
    let job = host.ended(&before).await;
    assert_eq!((&job["result"]["differ"], &job["result"]["erased"]), (&json!(2), &json!(0)), "{job}");
    let erase = host.post("/v1/data-subjects/c-1/erase", &[], &json!({"reason": "asked by letter"})).await;
    assert_eq!(erase.status, 200, "{}", erase.text);

    let path = host.job("/v1/simulations", &body).await;
    let job = host.ended(&path).await;
    assert_eq!(job["state"], "done", "{job}");
    let result = &job["result"];
    assert_eq!(
        (&result["documents"], &result["differ"], &result["erased"], &result["unreadable"]),
        (&json!(1), &json!(1), &json!(1), &json!(0)),
        "{job}"
    );
    let told = host.get(&format!("{path}/differences")).await.body;
    assert_eq!(told["items"].as_array().unwrap().len(), 1, "{told}");
    // The filter still holds for what is erased.
    let later = json!({"candidate": unruly(&json!({})), "filter": {"from": "2026-08-16"}});
    let job = host.ended(&host.job("/v1/simulations", &later).await).await;
    assert_eq!(job["result"]["erased"], 0, "{job}");

    // What was told before is still told; the candidate is not asked about the erased one again.
    let told = host.get(&format!("{before}/differences")).await;
    assert_eq!(told.status, 200, "{}", told.text);
    let (erased, kept) = (&told.body["items"][0], &told.body["items"][1]);
    assert_eq!((&erased["erased"], erased.get("answer_after")), (&json!(true), None), "{erased}");
    assert_eq!(erased["answer_before"]["lines"][0]["taxes"][0]["rate"], "15");
    assert_eq!(
        (kept.get("erased"), &kept["answer_after"]["lines"][0]["taxes"][0]["rate"]),
        (None, &json!("13"))
    );
}

/// Documents of the module `unruly`, altered so that it does as `wish` says when it is asked again; their tenant's token.
async fn spoilt(host: &TestHost, count: u64, wish: &str) -> String {
    host.tenant("reckless", "unruly").await;
    let roles = [Role::Accountant, Role::Approver, Role::TenantAdmin];
    let bearer = host.bearer("reckless", &roles);
    for _ in 0..count {
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(host.post("/v1/invoices", &headers, &sale("goods", "1")).await.status, 201);
    }
    let sql = if host.database.is_some() {
        format!(
            "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"goods\"', '\"{wish}\"'), \
             'UTF8') where tenant = 'reckless' and event_type = 'invoice.drafted.v1'"
        )
    } else {
        format!(
            "update events set payload = cast(replace(cast(payload as text), '\"goods\"', '\"{wish}\"') as blob) \
             where tenant = 'reckless' and event_type = 'invoice.drafted.v1'"
        )
    };
    assert_eq!(host.tamper(String::leak(sql)).await, count);
    bearer.trim_start_matches("Bearer ").to_owned()
}

async fn a_candidate_that_fails_on_every_document_is_given_up_and_flagged(on: On) {
    let mut host = TestHost::new(on).await;
    let bearer = spoilt(&host, 105, "trap").await;
    host.token = bearer;
    let drafts = json!({"drafts": true});
    let body = json!({"candidate": unruly(&json!({})), "filter": drafts});
    let path = host.job("/v1/simulations", &body).await;
    let job = host.ended(&path).await;
    assert_eq!((&job["state"], &job["problem"]), (&json!("failed"), &json!("candidate-fails")), "{job}");
    assert_eq!(job["result"]["failures"], json!({"module-trapped": job["result"]["failed"]}));
    let failed = job["result"]["failed"].as_u64().unwrap();
    assert!((100..105).contains(&failed), "{job}");
    let told = host.get(&format!("{path}/differences?limit=1")).await.body;
    assert_eq!(
        (&told["items"][0]["kind"], &told["items"][0]["codes"]),
        (&json!("failed"), &json!(["module-trapped"]))
    );
    // One that refuses is heard to the end.
    let body = json!({"candidate": {"module": digest_of("vat-bd"), "config": {}}, "filter": drafts});
    let path = host.job("/v1/simulations", &body).await;
    let job = host.ended(&path).await;
    assert_eq!((&job["state"], &job["result"]["refused"]), (&json!("done"), &json!(105)), "{job}");
    let told = host.get(&format!("{path}/differences?limit=1")).await.body;
    assert!(!told["items"][0]["findings"].as_array().unwrap().is_empty(), "{told}");
}

async fn a_job_survives_a_restart_leaves_others_their_turn_and_is_cancelled(on: On) {
    let mut host = TestHost::new(on).await;
    let bearer = spoilt(&host, 90, "loop").await;
    let demo = host.token.clone();
    host.token = bearer;
    let body = json!({"candidate": unruly(&json!({})), "filter": {"drafts": true}});
    let path = host.job("/v1/simulations", &body).await;
    let running = async |host: &TestHost| {
        for _ in 0..200 {
            if host.get(&path).await.body["state"] == "running" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not begin");
    };
    running(&host).await;
    let bearer = format!("Bearer {demo}");
    let headers = [("authorization", bearer.as_str())];
    let taxes = host.post("/v1/tax/determinations", &headers, &sale("standard", "1")).await;
    assert_eq!(taxes.status, 200, "{}", taxes.text);
    let host = host.restart().await;
    running(&host).await;
    let cancelled = host.delete(&path, &[]).await;
    assert_eq!(cancelled.status, 204, "{}", cancelled.text);
    let job = host.get(&path).await.body;
    assert_eq!((&job["state"], job.get("result")), (&json!("cancelled"), None), "{job}");
    // Its place is free for another at once.
    let body =
        json!({"candidate": {"module": digest_of("vat-bd"), "config": {}}, "filter": {"drafts": true}});
    assert_eq!(host.ended(&host.job("/v1/simulations", &body).await).await["state"], "done");
    assert_eq!(host.get(&path).await.body["state"], "cancelled");
}

on_both! {
    a_candidate_is_tried_on_issued_documents
    what_cannot_be_tried_is_refused_with_its_place
    what_was_erased_is_counted_and_not_asked_about
    a_candidate_that_fails_on_every_document_is_given_up_and_flagged
    a_job_survives_a_restart_leaves_others_their_turn_and_is_cancelled
}
