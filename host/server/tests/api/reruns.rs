//! Decisions run again: proven, explained, replayed; and what is told when one differs.

use std::process::{Command, Output};

use niyam::Role;
use niyam_domain::{OnFailure, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::activating::activate;
use crate::harness::{Answer, On, TestHost, on_both, sale, set};

impl TestHost {
    /// Runs the program on this host's data.
    pub async fn niyam(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_niyam"));
        command.args(arguments).env("NIYAM_DATA", self.data());
        if let Some(url) = &self.database {
            command.env("NIYAM_DATABASE_URL", url);
        }
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    }

    /// Exit code and the first tenant's report.
    pub async fn verify(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.niyam(&[&["verify", "--tenant", "demo", "--json"], arguments].concat()).await;
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code().unwrap(), json["tenants"][0].clone())
    }

    /// Alters the payloads of the events of a type, as no server would.
    pub async fn alter_payloads(&self, sqlite: &'static str, postgres: &'static str) {
        let sql = if self.database.is_some() { postgres } else { sqlite };
        assert!(self.tamper(sql).await > 0);
    }

    /// The job at `path`, once it has ended.
    pub async fn ended(&self, path: &str) -> Value {
        for _ in 0..600 {
            let job = self.get(path).await;
            assert_eq!(job.status, 200, "{}", job.text);
            if !["queued", "running"].contains(&job.body["state"].as_str().unwrap()) {
                return job.body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{path} does not end");
    }

    /// Takes a job in; its path.
    pub async fn job(&self, path: &str, body: &Value) -> String {
        let asked = self.post(path, &[], body).await;
        assert_eq!(asked.status, 202, "{}", asked.text);
        asked.header("location").to_owned()
    }

    pub async fn delete(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::DELETE, path, headers, None).await
    }
}

fn kinds(differences: &Value) -> Vec<(&str, &str)> {
    differences
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["function"].as_str().unwrap(), one["kind"].as_str().unwrap()))
        .collect()
}

async fn decisions_are_proven_and_what_was_altered_is_told(on: On) {
    let host = TestHost::new(on).await;
    for _ in 0..2 {
        assert_eq!(host.issue(&sale("standard", "1")).await.1.status, 200);
    }
    let (code, report) = host.verify(&[]).await;
    // Each was drafted, and issued with two decisions.
    assert_eq!((code, &report["decisions"], &report["proven"]), (0, &json!(6), &json!(6)), "{report}");
    let path = host.job("/v1/verifications", &json!({})).await;
    let job = host.ended(&path).await;
    assert_eq!((&job["state"], &job["result"]["conclusion"]), (&json!("done"), &json!("proven")), "{job}");
    assert_eq!(job["result"]["proven"], 6);
    assert_eq!(job["progress"]["done"], job["progress"]["total"]);

    // Another fuel for the same answer is told apart, and forgiven only when that is asked for.
    host.alter_payloads(
        "update events set payload = cast(replace(cast(payload as text), '\"fuel\":', '\"fuel\":1') as blob) \
         where event_type = 'invoice.drafted.v1'",
        "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"fuel\":', '\"fuel\":1'), 'UTF8') \
         where event_type = 'invoice.drafted.v1'",
    )
    .await;
    let (code, report) = host.verify(&[]).await;
    assert_eq!((code, &report["other_fuel"], &report["differing"]), (1, &json!(2), &json!(0)), "{report}");
    assert_eq!(kinds(&report["differences"]), [("determine", "fuel"); 2]);
    let (code, report) = host.verify(&["--ignore-fuel"]).await;
    assert_eq!((code, &report["conclusion"]), (0, &json!("proven")));
    let (code, report) = host.verify(&["--since", "1000"]).await;
    assert_eq!((code, &report["decisions"], &report["conclusion"]), (2, &json!(0), &json!("unproven")));
    host.tenant("bravo", "vat-bd").await;
    // Who decided nothing is no reason to doubt the others.
    assert_eq!(host.niyam(&["verify", "--all-tenants", "--ignore-fuel"]).await.status.code(), Some(0));

    // An answer that was altered is no longer the one of the digest, and the issue was decided of another input.
    host.alter_payloads(
        "update events set payload = cast(replace(cast(payload as text), '\"tax_added\":\"150', '\"tax_added\":\"151') \
         as blob) where event_type = 'invoice.issued.v1'",
        "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"tax_added\":\"150', \
         '\"tax_added\":\"151'), 'UTF8') where event_type = 'invoice.issued.v1'",
    )
    .await;
    let (code, report) = host.verify(&["--ignore-fuel"]).await;
    assert_eq!((code, &report["differing"]), (1, &json!(4)), "{report}");
    let all = kinds(&report["differences"]);
    assert!(
        all.contains(&("determine", "stored-answer")) && all.contains(&("prepare-issue", "input")),
        "{all:?}"
    );
    let path = host.job("/v1/verifications", &json!({"ignore_fuel": true})).await;
    let job = host.ended(&path).await;
    assert_eq!(job["result"]["conclusion"], "differs");
    let first = host.get(&format!("{path}/differences?limit=1")).await;
    assert_eq!(first.body["items"].as_array().unwrap().len(), 1, "{}", first.text);
    let next = first.body["next"].as_str().unwrap();
    assert!(first.header("link").contains(next));
    let rest = host.get(&format!("{path}/differences?limit=100&after={next}")).await;
    let found = u64::try_from(rest.body["items"].as_array().unwrap().len()).unwrap() + 1;
    assert_eq!(job["result"]["differences"], found);
    assert_eq!(host.get(&format!("{path}/differences?after=x")).await.problem(), (422, "query-invalid"));
    let text = host.niyam(&["verify", "--all-tenants"]).await;
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("demo: DIFFERS: of 6 decisions") && text.contains("--ignore-fuel"), "{text}");
}

async fn what_cannot_be_run_again_is_neither_proven_nor_different(on: On) {
    let host = TestHost::new(on).await;
    host.draft(&sale("standard", "1")).await;
    assert!(host.tamper("delete from components").await > 0);
    let (code, report) = host.verify(&[]).await;
    assert_eq!(
        (code, &report["conclusion"], &report["untried"]),
        (2, &json!("unproven"), &json!(1)),
        "{report}"
    );
    assert_eq!(kinds(&report["differences"]), [("determine", "component-missing")]);
    for arguments in [&["verify"][..], &["verify", "--tenant", "nobody"]] {
        let output = host.niyam(arguments).await;
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{output:?}");
    }
}

/// Activates policies, begins the books, and brings invoices through their lives: how many decisions that takes.
async fn decide_everything(host: &TestHost) -> u64 {
    activate(host, "demo", "unruly-policy", World::PolicyModule, "{}", OnFailure::Block).await;
    let limit = r#"{"currency":"BDT","default_limit":"5000.00","warn_percent":20}"#;
    activate(host, "demo", "credit-guard", World::PolicyModule, limit, OnFailure::Block).await;
    let done = |answer: Answer| assert!(answer.status.is_success(), "{}", answer.text);
    done(host.post("/v1/accounts/from-template", &[], &json!({})).await);
    let account = json!({"code": "1999", "name": "Deposits", "class": "asset", "kind": "posting"});
    done(host.post("/v1/accounts", &[], &account).await);
    let year = host.post("/v1/fiscal-years", &[], &json!({"date": "2026-08-15"})).await;
    let months = year.body["items"].as_array().unwrap().len();
    done(year);
    let etag = host.get("/v1/tenant").await.etag;
    let profile = json!({
        "legal_name": "Another Ltd", "address": "7 Agrabad",
        "identifiers": [{"kind": "bin", "value": "000828395-0207"}],
    });
    done(host.put("/v1/tenant", &[("if-match", &etag)], &profile).await);
    // Drafted, revised, approved, issued; the next one drafted and given up.
    let (path, draft) = host.draft(&sale_to("c-1042")).await;
    let revised = host.put(&path, &[("if-match", &draft.etag)], &sale_to("c-1042")).await;
    let approved = host.change(&path, "approve", &revised.etag).await;
    done(host.change(&path, "issue", &approved.etag).await);
    let (path, draft) = host.draft(&sale("standard", "1")).await;
    done(
        host.post(&format!("{path}/cancel"), &[("if-match", &draft.etag)], &json!({"reason": "twice"})).await,
    );
    // Two policies for seven events; the taxes of four, and one issue.
    let documents = 4 + 1 + 2 * 7;
    1 + 1 + u64::try_from(months).unwrap() + documents
}

async fn every_kind_of_decision_is_run_again(on: On) {
    let host = TestHost::knowing(on, &["unruly-policy", "credit-guard"]).await;
    let decisions = decide_everything(&host).await;
    let (code, report) = host.verify(&[]).await;
    assert_eq!(
        (code, &report["decisions"], &report["proven"]),
        (0, &json!(decisions), &json!(decisions)),
        "{report}"
    );
    let job = host.ended(&host.job("/v1/verifications", &json!({})).await).await;
    assert_eq!(
        (&job["result"]["conclusion"], &job["result"]["proven"]),
        (&json!("proven"), &json!(decisions))
    );

    // A ruling, an account of the template and a period that were altered are told, each once.
    host.alter_payloads(
        "update events set metadata = cast(replace(cast(metadata as text), '\"roles\",\"severity\"', \
         '\"rules\",\"severity\"') as blob) where event_type = 'invoice.cancelled.v1'",
        "update events set metadata = convert_to(replace(convert_from(metadata, 'UTF8'), '\"roles\",\"severity\"', \
         '\"rules\",\"severity\"'), 'UTF8') where event_type = 'invoice.cancelled.v1'",
    )
    .await;
    host.alter_payloads(
        "update events set payload = cast(replace(cast(payload as text), '\"class\":\"income\"', \
         '\"class\":\"expense\"') as blob) where event_type = 'chart.created.v1'",
        "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"class\":\"income\"', \
         '\"class\":\"expense\"'), 'UTF8') where event_type = 'chart.created.v1'",
    )
    .await;
    host.alter_payloads(
        "update events set payload = cast(replace(cast(payload as text), '\"ends\":\"2026-08-31\"', \
         '\"ends\":\"2026-08-30\"') as blob) where event_type = 'fiscal-year.opened.v1'",
        "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"ends\":\"2026-08-31\"', \
         '\"ends\":\"2026-08-30\"'), 'UTF8') where event_type = 'fiscal-year.opened.v1'",
    )
    .await;
    let (code, report) = host.verify(&[]).await;
    assert_eq!((code, &report["differing"]), (1, &json!(3)), "{report}");
    let told = kinds(&report["differences"]);
    for function in ["evaluate", "chart-of-accounts", "fiscal-period-of"] {
        assert!(told.contains(&(function, "stored-answer")), "{function}: {told:?}");
    }
}

async fn what_policies_ruled_on_who_was_erased_is_not_run_again(on: On) {
    let host = TestHost::knowing(on, &["unruly-policy", "credit-guard"]).await;
    let decisions = decide_everything(&host).await;
    let erase = json!({"reason": "asked by letter"});
    assert_eq!(host.post("/v1/data-subjects/c-1042/erase", &[], &erase).await.status, 200);
    let (code, report) = host.verify(&[]).await;
    // Of the first invoice all: three with taxes, the issue, and two policies at each of four steps.
    assert_eq!(
        (code, &report["erased"], &report["conclusion"]),
        (0, &json!(3 + 1 + 8), &json!("proven")),
        "{report}"
    );
    assert_eq!(report["proven"], json!(decisions - 12));
}

/// A sale to a party that the tenant knows by `id`.
pub fn sale_to(id: &str) -> Value {
    let mut document = sale("standard", "1");
    set(&mut document, "/customer/id", json!(id));
    set(&mut document, "/customer/name", json!("Rahima Begum"));
    document
}

async fn sealed_decisions_are_proven_and_erased_ones_are_told(on: On) {
    let host = TestHost::new(on).await;
    let (erased, issued) = host.issue(&sale_to("c-1")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let (kept, issued) = host.issue(&sale_to("c-2")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    host.alter_payloads(
        "update events set payload = payload where event_type = 'invoice.issued.v1' \
         and cast(payload as text) like '%{\"sealed\":%' and cast(payload as text) not like '%Rahima Begum%'",
        "update events set payload = payload where event_type = 'invoice.issued.v1' \
         and convert_from(payload, 'UTF8') like '%{\"sealed\":%' and convert_from(payload, 'UTF8') not like '%Rahima Begum%'",
    )
    .await;
    let (code, report) = host.verify(&[]).await;
    assert_eq!((code, &report["proven"], &report["erased"]), (0, &json!(6), &json!(0)), "{report}");

    // Without the master key nothing is said of any decision, and none is made.
    let folder = tempfile::tempdir().unwrap();
    let replay = |path: &str, out: &str| {
        let invoice = path.rsplit('/').next().unwrap().to_owned();
        (invoice, folder.path().join(out).to_str().unwrap().to_owned())
    };
    let (invoice, out) = replay(&kept, "kept");
    let key = host.data().join("master.key");
    let whole = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let replay_kept = ["module", "replay", &invoice, "--tenant", "demo", "--out", &out];
    for (other, wanted) in
        [(None, "master.key is not there"), (Some("ab".repeat(32)), "is not the master key")]
    {
        if let Some(other) = other {
            std::fs::write(&key, other).unwrap();
        }
        for (arguments, code) in [(&["verify", "--tenant", "demo"][..], 2), (&replay_kept[..], 1)] {
            let output = host.niyam(arguments).await;
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(code) && said.contains(wanted), "{output:?}");
            assert!(output.stdout.is_empty(), "{output:?}");
        }
    }
    assert!(!folder.path().join("kept").exists());
    std::fs::write(&key, whole).unwrap();

    let answer = host.post("/v1/data-subjects/c-1/erase", &[], &json!({"reason": "asked by letter"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let (code, report) = host.verify(&[]).await;
    assert_eq!(
        (code, &report["conclusion"], &report["decisions"], &report["proven"], &report["erased"]),
        (0, &json!("proven"), &json!(6), &json!(3), &json!(3)),
        "{report}"
    );
    assert_eq!((&report["untried"], &report["differing"]), (&json!(0), &json!(0)));
    let told = [("determine", "erased"), ("determine", "erased"), ("prepare-issue", "erased")];
    assert_eq!(kinds(&report["differences"]), told);
    let gone = erased.rsplit('/').next().unwrap();
    assert!(report["differences"].as_array().unwrap().iter().all(|one| one["invoice"] == gone), "{report}");
    let text = String::from_utf8(host.niyam(&["verify", "--tenant", "demo"]).await.stdout).unwrap();
    assert!(
        text.contains("demo: proven: 3 decisions") && text.contains("of 6 decisions 3 cannot be run again"),
        "{text}"
    );
    let path = host.job("/v1/verifications", &json!({})).await;
    let job = host.ended(&path).await;
    assert_eq!((&job["state"], &job["result"]["conclusion"]), (&json!("done"), &json!("proven")), "{job}");
    assert_eq!((&job["result"]["proven"], &job["result"]["erased"]), (&json!(3), &json!(3)), "{job}");
    assert_eq!(kinds(&host.get(&format!("{path}/differences")).await.body["items"]), told);

    // What is erased makes no fixture; the other one is what the module was given.
    let (invoice, out) = replay(&erased, "erased");
    let output = host.niyam(&["module", "replay", &invoice, "--tenant", "demo", "--out", &out]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("were erased"), "{output:?}");
    assert!(!folder.path().join("erased").exists());
    let output = host.niyam(&replay_kept).await;
    assert!(output.status.success(), "{output:?}");
    let input = std::fs::read(folder.path().join("kept/input.json")).unwrap();
    let input: Value = serde_json::from_slice(&input).unwrap();
    assert_eq!(input["arguments"]["document"]["customer"]["name"], "Rahima Begum");

    // An erasure hides no answer that was altered.
    host.alter_payloads(
        "update events set payload = cast(replace(cast(payload as text), '\"tax_added\":\"150', '\"tax_added\":\"151') \
         as blob) where event_type = 'invoice.drafted.v1'",
        "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"tax_added\":\"150', \
         '\"tax_added\":\"151'), 'UTF8') where event_type = 'invoice.drafted.v1'",
    )
    .await;
    let (code, report) = host.verify(&[]).await;
    assert_eq!(
        (code, &report["differing"], &report["erased"], &report["proven"]),
        (1, &json!(2), &json!(2), &json!(2)),
        "{report}"
    );
    // One that does not open is told, and the others are gone through.
    host.alter_payloads(
        "update events set payload = cast(replace(cast(payload as text), '\"nonce\":\"', '\"nonce\":\"AA') as blob) \
         where event_type = 'invoice.drafted.v1'",
        "update events set payload = convert_to(replace(convert_from(payload, 'UTF8'), '\"nonce\":\"', \
         '\"nonce\":\"AA'), 'UTF8') where event_type = 'invoice.drafted.v1'",
    )
    .await;
    let (code, report) = host.verify(&[]).await;
    assert_eq!((code, &report["proven"]), (1, &json!(2)), "{report}");
    assert!(kinds(&report["differences"]).contains(&("", "unreadable")), "{report}");
}

async fn a_decision_is_explained(on: On) {
    let host = TestHost::new(on).await;
    let (path, issued) = host.issue(&sale("standard", "2")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let decisions = host.get(&format!("{path}/decisions")).await.body;
    let decisions = decisions["items"].as_array().unwrap();
    let (determined, planned) = (&decisions[decisions.len() - 2], &decisions[decisions.len() - 1]);
    let amount = &determined["amounts"][0];
    assert_eq!((&amount["tax"], &amount["rate"]), (&json!("vat"), &json!("15")), "{determined}");
    assert_eq!((&amount["supply_code"], &amount["description"]), (&json!("standard"), &json!("Work")));
    assert!(amount["rule"].as_str().unwrap().starts_with("15 % of 2000"), "{amount}");
    for field in ["source", "article", "effective_from"] {
        assert!(amount["citation"][field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {amount}");
    }
    assert_eq!(
        (&determined["tax_date"], &determined["module"]["id"]),
        (&json!("2026-08-15"), &json!("vat-bd"))
    );
    assert_eq!(determined["config"], json!({"rounding": {"places": 2}}));
    assert_eq!(
        (&planned["plan"]["form"], &planned["function"]),
        (&json!("mushak-6.3"), &json!("prepare-issue"))
    );
    assert!(planned.get("amounts").is_none() && determined.get("plan").is_none());
}

async fn a_decision_is_written_as_a_fixture(on: On) {
    let host = TestHost::new(on).await;
    let (path, issued) = host.issue(&sale("standard", "2")).await;
    assert_eq!(issued.status, 200, "{}", issued.text);
    let invoice = path.rsplit('/').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (function, arguments) in [("determine", 1), ("prepare-issue", 3)] {
        let out = folder.path().join("cases").join(function);
        let decision = format!("{invoice}:{function}");
        let replay = ["module", "replay", &decision, "--tenant", "demo", "--out", out.to_str().unwrap()];
        let output = host.niyam(&replay).await;
        assert!(output.status.success(), "{output:?}");
        let read = |name: &str| -> Value {
            serde_json::from_slice(&std::fs::read(out.join(name)).unwrap()).unwrap()
        };
        let (input, expected) = (read("input.json"), read("expected.json"));
        assert_eq!(input["function"], function);
        assert_eq!(input["arguments"].as_object().unwrap().len(), arguments, "{input}");
        assert_eq!(input["config"], json!({"rounding": {"places": 2}}));
        assert!(expected["answer"].is_object());
        // What is there is not written over.
        let output = host.niyam(&replay).await;
        assert!(!output.status.success());
    }
    for decision in ["999:determine", "1:prepare-issue", "nonsense"] {
        let out = folder.path().join("none");
        let output = host
            .niyam(&["module", "replay", decision, "--tenant", "demo", "--out", out.to_str().unwrap()])
            .await;
        assert!(!output.status.success() && !out.exists(), "{decision}: {output:?}");
    }
}

async fn a_job_is_its_tenants_and_needs_a_role(on: On) {
    let host = TestHost::new(on).await;
    host.tenant("other", "vat-bd").await;
    let keyed = [("idempotency-key", "one")];
    let asked = host.post("/v1/verifications", &keyed, &json!({})).await;
    let again = host.post("/v1/verifications", &keyed, &json!({})).await;
    let path = asked.header("location").to_owned();
    assert_eq!((again.status.as_u16(), again.header("location"), again.replayed), (202, &*path, true));
    let reused = host.post("/v1/verifications", &keyed, &json!({"since": 3})).await;
    assert_eq!(reused.problem(), (422, "idempotency-key-reused"));
    host.ended(&path).await;

    let all = [Role::Accountant, Role::Approver, Role::TenantAdmin];
    let (viewer, other) =
        (host.bearer("demo", &[Role::Viewer, Role::Accountant]), host.bearer("other", &all));
    let id = path.rsplit('/').next().unwrap();
    let simulation = format!("/v1/simulations/{id}");
    let other = [("authorization", other.as_str())];
    for path in [&path, &format!("{path}/differences"), &simulation, &"/v1/verifications/x".to_owned()] {
        assert_eq!(host.get_with(path, &other).await.problem(), (404, "job-not-found"), "{path}");
    }
    assert_eq!(host.get(&simulation).await.problem(), (404, "job-not-found"));
    assert_eq!(host.delete(&path, &other).await.problem(), (404, "job-not-found"));
    let viewer = [("authorization", viewer.as_str())];
    assert_eq!(host.get_with(&path, &viewer).await.status, 200);
    assert_eq!(host.post("/v1/verifications", &viewer, &json!({})).await.problem(), (403, "role-missing"));
    assert_eq!(host.delete(&path, &viewer).await.problem(), (403, "role-missing"));
    assert_eq!(host.delete(&path, &[]).await.status, 204);
    assert_eq!(host.delete(&path, &[]).await.problem(), (404, "job-not-found"));
    let unknown = host.post("/v1/verifications", &[], &json!({"sinse": 1})).await;
    assert_eq!(unknown.problem(), (422, "field-unknown"));
}

async fn a_job_whose_host_was_killed_is_begun_again_and_not_for_ever(on: On) {
    let host = TestHost::new(on).await;
    host.draft(&sale("standard", "1")).await;
    // As a host leaves them that is killed: another's, under a lease that ran out.
    for (id, attempts) in
        [("00000000-0000-4000-8000-000000000001", 1), ("00000000-0000-4000-8000-000000000002", 5)]
    {
        let sql = format!(
            "insert into jobs (tenant, id, kind, state, request, requested_by, created_at, started_at, attempts, done, \
             total, host, lease_until) values ('demo', '{id}', 'verification', 'running', '{{}}', 'x', 1, 1, {attempts}, \
             3, 9, {}, 2)",
            if host.database.is_some() { "decode(repeat('00', 16), 'hex')" } else { "zeroblob(16)" }
        );
        assert_eq!(host.tamper(String::leak(sql)).await, 1);
    }
    let again = host.ended("/v1/verifications/00000000-0000-4000-8000-000000000001").await;
    assert_eq!((&again["state"], &again["result"]["proven"]), (&json!("done"), &json!(1)), "{again}");
    let abandoned = host.ended("/v1/verifications/00000000-0000-4000-8000-000000000002").await;
    assert_eq!((&abandoned["state"], &abandoned["problem"]), (&json!("failed"), &json!("job-abandoned")));
}

on_both! {
    decisions_are_proven_and_what_was_altered_is_told
    every_kind_of_decision_is_run_again
    what_policies_ruled_on_who_was_erased_is_not_run_again
    what_cannot_be_run_again_is_neither_proven_nor_different
    sealed_decisions_are_proven_and_erased_ones_are_told
    a_decision_is_explained
    a_decision_is_written_as_a_fixture
    a_job_is_its_tenants_and_needs_a_role
    a_job_whose_host_was_killed_is_begun_again_and_not_for_ever
}
