//! Each command: what it does, and what it refuses.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Author, component, root};

#[test]
fn a_new_module_in_rust_is_built_tested_run_measured_shown_and_signed() {
    let author = Author::new();
    author.does(&["new", "vat-15", "--world", "tax-module"]);
    let tested = author.does(&["test", "vat-15"]);
    assert!(tested.contains("9 fixtures passed") && tested.contains("memory"), "{tested}");

    let input = author.path("vat-15/fixtures/one-line/input.json");
    let ran =
        author.run(&["run", "vat-15", "--input", input.to_str().unwrap(), "--config", r#"{"rate":"50"}"#]);
    assert!(ran.succeeded, "{}", ran.err);
    assert!(ran.out.contains(r#""rate": "50""#) && ran.out.contains(r#""payable": "150.00""#), "{}", ran.out);
    assert!(ran.err.contains("fuel") && ran.err.contains("memory"), "{}", ran.err);

    let measured = author.does(&["bench", "vat-15", "--milliseconds", "1"]);
    assert!(measured.contains("many-lines") && measured.contains("median"), "{measured}");

    let shown = author.does(&["inspect", "vat-15"]);
    for told in ["vat-15", "tax-module", "niyam:rules@0.1.0", "niyam:rules/context@0.1.0", "sha-256", "small"]
    {
        assert!(shown.contains(told), "{told} is not in\n{shown}");
    }

    let first = author.does(&["sign", "vat-15"]);
    assert!(first.contains("niyam publisher add NAME --key "), "{first}");
    let mode = fs::metadata(author.path("publisher.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = author.does(&["sign", "vat-15"]);
    assert!(!again.contains("made the key"), "{again}");
    author.does(&["sign", "vat-15", "--key", "second.key"]);
    let signatures = fs::read_to_string(author.path("vat-15/build/vat-15.sig")).unwrap();
    assert_eq!(signatures.lines().count(), 2, "{signatures}");

    // A rule that changed no longer does what is expected, and says where.
    let source = author.path("vat-15/src/lib.rs");
    let rule = fs::read_to_string(&source).unwrap();
    author.write("vat-15/src/lib.rs", rule.replace("recoverable: true", "recoverable: false"));
    let failed = author.fails(&["test", "vat-15"]);
    let place = "/answer/lines/0/taxes/0/recoverable: expected true, found false";
    assert!(failed.contains("FAILED one-line") && failed.contains(place), "{failed}");
    author.does(&["test", "vat-15", "--update"]);
    author.does(&["test", "vat-15"]);

    // What the compiler says of a broken source is shown.
    author.write("vat-15/src/lib.rs", rule.replace("TaxModule for Tax13", "TaxModule for Nobody"));
    let broken = author.fails(&["build", "vat-15"]);
    assert!(broken.contains("cannot find type `Nobody`"), "{broken}");
}

#[test]
fn new_refuses_names_worlds_and_folders() {
    let author = Author::new();
    for name in ["Upper", "9-first", "a--b", "ends-", "../out", "a/b", "", "test", &"x".repeat(65)] {
        author.fails(&["new", name, "--world", "tax-module"]);
    }
    let unknown = author.fails(&["new", "fine", "--world", "poetry-module"]);
    assert!(unknown.contains("tax-module") && unknown.contains("workflow-module"), "{unknown}");
    author.write("taken/file", "");
    let taken = author.fails(&["new", "taken", "--world", "tax-module"]);
    assert!(taken.contains("is there already"), "{taken}");
    assert_eq!(fs::read_dir(author.path("taken")).unwrap().count(), 1);
}

#[test]
fn each_language_and_world_has_a_template() {
    let author = Author::new();
    for world in ["tax-module", "compliance-module", "policy-module", "workflow-module"] {
        for (lang, source) in [("rust", "src/lib.rs"), ("js", "src/rule.js"), ("python", "src/rule.py")] {
            let name = format!("{lang}-{world}");
            author.does(&["new", &name, "--world", world, "--lang", lang]);
            let rule = fs::read_to_string(author.path(&name).join(source)).unwrap();
            assert!(rule.contains(&format!("\"{name}\"")), "{name}: {rule}");
            assert!(author.path(&name).join(".niyam/wit").is_dir());
            assert!(fs::read_dir(author.path(&name).join("fixtures")).unwrap().count() >= 3);
        }
    }
}

#[test]
fn a_language_that_is_not_here_says_what_to_install() {
    let author = Author::new();
    let nothing = author.path("nothing");
    for (lang, told) in [("rust", "install Rust"), ("js", "install Node.js"), ("python", "install Python")] {
        author.does(&["new", &format!("in-{lang}"), "--world", "policy-module", "--lang", lang]);
        let said =
            author.run_with(&["build", &format!("in-{lang}")], |command| command.env("PATH", &nothing));
        assert!(!said.succeeded && said.err.contains(told), "{}", said.err);
    }
}

#[test]
fn a_node_that_is_too_old_is_named() {
    let author = Author::new();
    author.does(&["new", "js", "--world", "policy-module", "--lang", "js"]);
    author.write("bin/node", "#!/bin/sh\necho v16.2.0\n");
    fs::set_permissions(author.path("bin/node"), fs::Permissions::from_mode(0o755)).unwrap();
    let said = author.run_with(&["build", "js"], |command| command.env("PATH", author.path("bin")));
    assert!(!said.succeeded && said.err.contains("v16.2.0"), "{}", said.err);
}

#[test]
fn a_fixture_that_is_no_call_says_where() {
    let author = Author::new();
    let component = component("guests/cancel-guard.wasm");
    let component = component.to_str().unwrap();
    author
        .write("fixtures/odd/input.json", r#"{"function":"evaluate","arguments":{"request":{"command":1}}}"#);
    let said = author.fails(&["test", component, "--fixtures", "fixtures"]);
    assert!(said.contains("odd/input.json") && said.contains("expected a string"), "{said}");
    author.write("fixtures/odd/input.json", r#"{"function":"sing","arguments":{}}"#);
    let said = author.fails(&["test", component, "--fixtures", "fixtures"]);
    assert!(said.contains("sing") && said.contains("determine"), "{said}");
    let said = author.fails(&["test", component, "--fixtures", "empty"]);
    assert!(said.contains("empty"), "{said}");
}

#[test]
fn a_failure_is_told_by_the_hosts_code_and_may_be_expected() {
    let author = Author::new();
    let unruly = component("guests/unruly.wasm");
    let unruly = unruly.to_str().unwrap();
    let template = root().join("examples/modules/tax-13-fixtures/one-line/input.json");
    let mut input: serde_json::Value = serde_json::from_slice(&fs::read(template).unwrap()).unwrap();
    input["arguments"]["document"]["lines"][0]["supply_code"] = "trap".into();
    author.write("fixtures/trap/input.json", input.to_string());
    author.write("fixtures/trap/expected.json", r#"{"failed":"module-trapped"}"#);
    author.does(&["test", unruly, "--fixtures", "fixtures"]);
    let said = author.fails(&["run", unruly, "--input", "fixtures/trap/input.json"]);
    assert!(said.contains("module-trapped"), "{said}");
}

#[test]
fn a_component_that_the_server_would_refuse_is_refused_here_with_its_code() {
    let author = Author::new();
    author.write("odd.wasm", "\0asm\x0d\0\x01\0garbage");
    let said = author.fails(&["inspect", "odd.wasm"]);
    assert!(said.contains("component-malformed"), "{said}");
    author.fails(&["sign", "odd.wasm"]);
    assert!(!author.path("publisher.key").exists(), "nothing was signed, so no key was made");
    let said = author.fails(&["inspect", "nowhere.wasm"]);
    assert!(said.contains("niyam module build"), "{said}");
    let said = author.fails(&["build", "."]);
    assert!(said.contains("niyam module new"), "{said}");
}
