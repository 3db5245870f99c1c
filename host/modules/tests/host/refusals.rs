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
fn a_function_that_an_interface_of_the_contract_does_not_have() {
    for function in ["clock", "config"] {
        let import = format!(
            r#"(import "niyam:rules/context@0.1.0" (instance (export "{function}" (func (result u64)))))"#
        );
        let policy = exporting("0.1.0", &[("module", "describe"), ("policy", "evaluate")], &import);
        assert_eq!(code_of(&policy), "import-not-allowed", "{function}");
    }
}

#[test]
fn what_is_not_deterministic_or_not_offered() {
    for module in [
        // Relaxed SIMD, atomics, garbage collection, exceptions, wide tables.
        "(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))",
        "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))",
        "(type (struct (field i32)))",
        "(table 1 externref)",
        "(tag (param i32))",
        "(table i64 1 funcref)",
        "(memory 1 (pagesize 1))",
        "(func (param i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0)))",
    ] {
        assert_eq!(
            code_of(&format!("(component (core module {module}))")),
            "component-malformed",
            "{module}"
        );
    }
    for component in ["(type (stream u8))", "(type (future u8))", "(core func (canon task.cancel))"] {
        assert_eq!(code_of(&format!("(component {component})")), "component-malformed", "{component}");
    }
}

#[test]
fn more_at_the_start_than_allowed() {
    for (module, expected) in [
        ("(memory 1024)", "world-missing"),
        ("(memory 1025)", "component-limit-exceeded"),
        ("(memory 65536)", "component-limit-exceeded"),
        ("(memory 1) (memory 1) (memory 1)", "component-limit-exceeded"),
        ("(table 20000 funcref)", "world-missing"),
        ("(table 20001 funcref)", "component-limit-exceeded"),
    ] {
        assert_eq!(code_of(&format!("(component (core module {module}))")), expected, "{module}");
    }
    // Two memories in a module that is instantiated twice: found when it is compiled, and no fault of the host's.
    let twice = "(core module $two (memory 1) (memory 1))
        (core instance (instantiate $two)) (core instance (instantiate $two))";
    let policy = exporting("0.1.0", &[("module", "describe"), ("policy", "evaluate")], twice);
    assert_eq!(code_of(&policy), "component-not-compilable");
}

#[test]
fn components_within_components_without_end() {
    let nested = format!("{}{}", "(component ".repeat(400), ")".repeat(400));
    // Whether the text is taken depends on its parser; the host is not asked more than it can answer.
    if let Ok(bytes) = wat::parse_str(nested) {
        assert_eq!(code(&bytes), "component-malformed");
    }
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..5000 {
        // A component section that holds the rest.
        bytes.extend(b"\x04\xff\xff\x03\0asm\x0d\0\x01\0");
    }
    assert_eq!(code(&bytes), "component-malformed");
}

#[test]
fn random_bytes() {
    use rand::{Rng as _, SeedableRng as _};

    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    for length in [1, 8, 100, 10_000, 1 << 20] {
        let mut bytes = vec![0; length];
        random.fill(bytes.as_mut_slice());
        assert_eq!(code(&bytes), "component-malformed");
        // And behind the head of a component.
        let headed = [b"\0asm\x0d\0\x01\0", bytes.as_slice()].concat();
        assert_eq!(code(&headed), "component-malformed");
    }
}

#[test]
fn a_component_without_a_world_of_the_contract() {
    assert_eq!(code_of("(component)"), "world-missing");
    for (functions, reason) in [
        (&[][..], "it exports nothing"),
        (&[("module", "describe")], "it exports niyam:rules/module@0.1.0"),
        (&[("tax", "determine")], "it exports niyam:rules/tax@0.1.0"),
        (&[("module", "name"), ("policy", "evaluate")], "niyam:rules/module@0.1.0 has no function describe"),
        (
            &[("module", "describe"), ("tax", "determine"), ("compliance", "check-identifier")],
            "niyam:rules/compliance@0.1.0 has no function fiscal-period-of",
        ),
    ] {
        assert_eq!(reason_of(functions), reason);
    }
}

#[test]
fn another_version_of_the_contract_and_what_no_world_needs_are_told_before_anything_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let host = ModuleHost::new(folder.path().to_owned()).unwrap();
    for (version, functions, code) in [
        ("0.2.0", &[("module", "describe"), ("policy", "evaluate")][..], "contract-unknown"),
        ("0.1.0", &[("module", "describe")], "world-missing"),
        ("0.1.0", &[("module", "describe"), ("tax", "evaluate")], "world-missing"),
    ] {
        // More than the compiler takes, which it would say first.
        let heavy = "(core module $two (memory 1) (memory 1))
            (core instance (instantiate $two)) (core instance (instantiate $two))";
        let bytes = wat::parse_str(exporting(version, functions, heavy)).unwrap();
        let refused = host.load(&bytes).expect_err("refused");
        assert_eq!(refused.code(), code, "{refused}");
        assert_eq!(niyam_modules::inspect(&bytes).expect_err("refused").code(), code);
    }
    let compiled = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(compiled, 0);
}

#[test]
fn a_function_with_other_types_than_the_contracts() {
    for (interface, function) in [("tax", "determine"), ("policy", "evaluate"), ("workflow", "advance")] {
        let reason = reason_of(&[("module", "describe"), (interface, function)]);
        let expected = format!("interface {interface}: ");
        assert!(reason.starts_with(&expected) && reason.contains("type mismatch"), "{reason}");
    }
}

/// A component that exports these functions of these interfaces of a version of the contract, and has `more` in it.
fn exporting(version: &str, functions: &[(&str, &str)], more: &str) -> String {
    let exports = functions.iter().map(|(interface, function)| {
        format!(
            r#"(instance ${interface} (export "{function}" (func $f)))
               (export "niyam:rules/{interface}@{version}" (instance ${interface}))"#
        )
    });
    format!(
        r#"(component {more} (core module $m (func (export "f"))) (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f"))) {})"#,
        exports.collect::<String>()
    )
}

/// Why a component is not of a world that exports these functions, none of which takes or gives anything.
fn reason_of(functions: &[(&str, &str)]) -> String {
    let text = exporting("0.1.0", functions, "");
    let folder = tempfile::tempdir().unwrap();
    let host = ModuleHost::new(folder.path().to_owned()).unwrap();
    match host.load(&wat::parse_str(text).unwrap()).expect_err("refused") {
        LoadError::WorldMissing { reason } => reason,
        other => panic!("{other}"),
    }
}
