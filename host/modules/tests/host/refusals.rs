//! Components that are not taken in, each for its own reason.

use niyam_modules::{COMPONENT_BYTES_MAX, LoadError, ModuleHost};

use crate::components::component;

fn code(bytes: &[u8]) -> &'static str {
    let folder = tempfile::tempdir().unwrap();
    let host = ModuleHost::new(folder.path().to_owned()).unwrap();
    host.load(bytes).expect_err("refused").code()
}

fn code_of(text: &str) -> &'static str {
    code(&wat::parse_str(text).unwrap())
}

#[test]
fn bytes_that_are_no_component() {
    assert_eq!(code(b""), "component-malformed");
    assert_eq!(code(b"\0asm\x0d\0\x01\0garbage"), "component-malformed");
    assert_eq!(code_of("(module)"), "component-malformed");
    let whole = component("guests/unruly.wasm");
    assert_eq!(code(&whole[..whole.len() - 100]), "component-malformed");
}

#[test]
fn more_bytes_than_allowed() {
    assert_eq!(code(&vec![0; COMPONENT_BYTES_MAX + 1]), "component-too-large");
}

#[test]
fn an_import_that_the_contract_does_not_offer() {
    assert_eq!(
        code_of(r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#),
        "import-not-allowed"
    );
    assert_eq!(code_of(r#"(component (import "clock" (func)))"#), "import-not-allowed");
}

#[test]
fn a_start_function() {
    assert_eq!(code_of("(component (core module (func $go) (start $go)))"), "start-function-not-allowed");
}

#[test]
fn a_memory_that_is_shared_or_of_64_bits() {
    assert_eq!(code_of("(component (core module (memory i64 1)))"), "wasm-feature-not-allowed");
    assert_eq!(code_of("(component (core module (memory 1 1 shared)))"), "wasm-feature-not-allowed");
}

#[test]
fn more_core_instances_than_allowed() {
    let instances = "(core instance (instantiate $m))".repeat(65);
    assert_eq!(code_of(&format!("(component (core module $m) {instances})")), "too-many-core-instances");
}

#[test]
fn a_component_without_a_world_of_the_contract() {
    assert_eq!(code_of("(component)"), "world-missing");
    assert_eq!(reason_of(&[("module", "describe")]), "no exported instance named `niyam:rules/tax@0.1.0`");
}

#[test]
fn a_function_with_other_types_than_the_contracts() {
    for (interface, function) in [("tax", "determine"), ("policy", "evaluate"), ("workflow", "advance")] {
        let reason = reason_of(&[("module", "describe"), (interface, function)]);
        let expected = format!("interface {interface}: ");
        assert!(reason.starts_with(&expected) && reason.contains("type mismatch"), "{reason}");
    }
}

/// Why a component is not of a world that exports these functions, none of which takes or gives anything.
fn reason_of(functions: &[(&str, &str)]) -> String {
    let exports = functions.iter().map(|(interface, function)| {
        format!(
            r#"(instance ${interface} (export "{function}" (func $f)))
               (export "niyam:rules/{interface}@0.1.0" (instance ${interface}))"#
        )
    });
    let text = format!(
        r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f"))) {})"#,
        exports.collect::<String>()
    );
    let folder = tempfile::tempdir().unwrap();
    let host = ModuleHost::new(folder.path().to_owned()).unwrap();
    match host.load(&wat::parse_str(text).unwrap()).expect_err("refused") {
        LoadError::WorldMissing { reason } => reason,
        other => panic!("{other}"),
    }
}
