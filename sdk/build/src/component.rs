//! A core module to a component, and what the component asks of its host.

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// All that a component may import; the interface of types holds no function.
const IMPORTS_ALLOWED: [&str; 2] = ["niyam:rules/context@0.1.0", "niyam:rules/types@0.1.0"];

/// What every world exports.
const EXPORT_REQUIRED: &str = "niyam:rules/module@0.1.0";

/// A component, checked.
#[derive(Debug)]
pub struct Component {
    /// The component.
    pub bytes: Vec<u8>,
    /// Names of the interfaces that it imports.
    pub imports: Vec<String>,
    /// Pages of 64 KiB that its memory starts with.
    pub memory_pages: u64,
}

/// The component of `module`, a core module with the contract's world described in it.
///
/// # Errors
/// When it is none, or asks for more than a module may.
pub fn encode(module: &[u8]) -> Result<Component> {
    let bytes = ComponentEncoder::default()
        .module(module)
        .and_then(|encoder| encoder.validate(true).encode())
        .context("failed to make a component of the module")?;
    check(bytes)
}

/// A component that was made elsewhere.
///
/// # Errors
/// When it imports or exports anything else than a module does.
pub fn check(bytes: Vec<u8>) -> Result<Component> {
    let Interfaces { imports, exports } = interfaces(&bytes)?;
    if let Some(foreign) = imports.iter().find(|import| !IMPORTS_ALLOWED.contains(&import.as_str())) {
        bail!("the component imports {foreign}; a module may import only {}", IMPORTS_ALLOWED.join(", "));
    }
    if !exports.iter().any(|export| export == EXPORT_REQUIRED) {
        bail!(
            "the component does not export {EXPORT_REQUIRED}: in Rust, its crate calls no export macro of the SDK"
        );
    }
    Ok(Component { memory_pages: memory_pages(&bytes)?, bytes, imports })
}

/// Names of what a component imports and exports.
#[derive(Default)]
struct Interfaces {
    imports: Vec<String>,
    exports: Vec<String>,
}

fn interfaces(component: &[u8]) -> Result<Interfaces> {
    let mut names = Interfaces::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            // The last end is the component's own.
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

fn memory_pages(component: &[u8]) -> Result<u64> {
    let mut pages = 0;
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::MemorySection(section) = payload? {
            for memory in section {
                pages += memory?.initial;
            }
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn takes_a_component_that_imports_the_context_alone() {
        let component = parse(
            r#"(component (import "niyam:rules/context@0.1.0" (instance $context))
                (component (import "wasi:io/inner" (instance)))
                (core module (memory 2))
                (export "niyam:rules/module@0.1.0" (instance $context)))"#,
        );
        let component = check(component).expect("nothing foreign");
        assert_eq!(component.imports, ["niyam:rules/context@0.1.0"]);
        assert_eq!(component.memory_pages, 2);
    }

    #[test]
    fn refuses_an_import_outside_the_contract_by_name() {
        let component = parse(
            r#"(component (core module) (import "niyam:rules/context@0.1.0" (instance))
                (import "wasi:clocks/wall-clock@0.2.0" (instance)))"#,
        );
        let error = check(component).expect_err("a foreign import").to_string();
        assert!(error.contains("wasi:clocks/wall-clock@0.2.0"), "{error}");
    }

    #[test]
    fn refuses_a_component_that_exports_nothing() {
        let error = check(parse("(component)")).expect_err("no export").to_string();
        assert!(error.contains("niyam:rules/module@0.1.0"), "{error}");
    }

    fn parse(text: &str) -> Vec<u8> {
        wat::parse_str(text).expect("a component")
    }
}
