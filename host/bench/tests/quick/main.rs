//! Whether measuring works; how fast things are is nobody's business here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_niyam-bench")).args(arguments).output().unwrap()
}

#[test]
fn modules_are_measured_beside_native_code_and_beside_each_other() {
    let output = bench(&["modules", "--quick"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let measured: Vec<Value> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert!(measured.iter().all(|measured| measured["group"] == "modules"));
    let of = |measure: &str| -> Vec<&Value> {
        measured.iter().filter(|measured| measured["measure"] == measure).collect()
    };
    let determined = of("determine");
    let lines: Vec<_> = determined.iter().filter_map(|measured| measured["lines"].as_u64()).collect();
    assert_eq!(lines, [1, 10, 100, 1, 10, 100]);
    for determined in determined {
        assert!(determined["ratio"].as_f64().unwrap() > 0.0, "{determined}");
        assert!(determined["fuel"].as_u64().unwrap() > 0, "{determined}");
    }
    let many = of("many-modules");
    assert_eq!(many.len(), 2);
    assert!(many.iter().all(|many| many["compiled_bytes"].as_u64().unwrap() > 0));
    let [beside] = of("beside-a-burning-module")[..] else { panic!("{measured:?}") };
    assert!(beside["burnt"].as_u64().unwrap() > 0, "{beside}");
}

#[test]
fn an_unknown_group_measures_nothing_and_says_what_there_is() {
    let output = bench(&["modules", "speed"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("speed") && said.contains("modules, issue-invoice"), "{said}");
}

#[test]
fn every_group_is_listed() {
    let output = bench(&["--list"]);
    let listed = String::from_utf8(output.stdout).unwrap();
    assert!(listed.contains("modules") && listed.contains("issue-invoice"), "{listed}");
}

#[test]
fn the_store_is_measured_beside_what_the_databases_can_do() {
    let output = bench(&["store", "--quick"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let measured: Vec<Value> = output
        .stdout
        .trim_ascii()
        .split(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let of = |measure: &str| -> Vec<&Value> {
        measured.iter().filter(|measured| measured["measure"] == measure).collect()
    };
    let (appends, replays, rebuilds, loads) = (of("append"), of("replay"), of("rebuild"), of("load"));
    assert_eq!([appends.len(), replays.len(), rebuilds.len(), loads.len()], [6, 2, 2, 8]);
    for append in appends {
        let ratio = if append["database"] == "postgres" { "to_pgbench" } else { "to_raw" };
        assert!(append[ratio].as_f64().unwrap() > 0.0, "{append}");
    }
    for reading in replays.iter().chain(&rebuilds) {
        assert!(reading["to_raw"].as_f64().unwrap() > 0.0, "{reading}");
        assert!(reading["peak_bytes"].as_u64().unwrap() > 0, "{reading}");
    }
    // What a snapshot saves is not asked here; that one was used is checked where it is measured.
    assert!(loads.iter().any(|load| load["events"] == 1000 && load["snapshot"] == true));
}

#[test]
fn reports_of_the_books_are_measured_beside_their_raw_lines() {
    let output = bench(&["books", "--quick"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let measured: Vec<Value> = output
        .stdout
        .trim_ascii()
        .split(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let of = |measure: &str| measured.iter().filter(|measured| measured["measure"] == measure).count();
    assert_eq!([of("written"), of("report")], [2, 8]);
    assert!(measured.iter().all(|measured| measured["lines"] == 2000), "{measured:?}");
}
