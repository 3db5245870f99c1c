//! What a component is, read from its bytes before anything is compiled.

use wasmparser::{Encoding, Instance, Parser, Payload, Validator, WasmFeatures};

use crate::engine::Class;
use crate::error::LoadError;
use crate::limits::{
    COMPONENT_BYTES_MAX, CORE_INSTANCES_MAX, MEMORIES_MAX, MEMORY_BYTES_MAX, TABLE_ELEMENTS_MAX,
};
use crate::world;

/// The whole of what a component may import.
const IMPORTS_ALLOWED: [&str; 2] = ["niyam:rules/context@0.1.0", "niyam:rules/types@0.1.0"];

/// Refuses what the contract does not allow; the class of what is allowed.
///
/// # Errors
/// A reason with a code of its own.
pub fn inspect(bytes: &[u8]) -> Result<Class, LoadError> {
    if bytes.len() > COMPONENT_BYTES_MAX {
        return Err(LoadError::TooLarge { found: bytes.len(), allowed: COMPONENT_BYTES_MAX });
    }
    let mut instances = 0_u32;
    let mut memories = 0_u32;
    let mut depth = 0_usize;
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(LoadError::Malformed("a core module, not a component".to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::StartSection { .. } | Payload::ComponentStartSection { .. } => {
                return Err(LoadError::StartFunction);
            }
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let name = import.map_err(malformed)?.name.name;
                    if !IMPORTS_ALLOWED.contains(&name) {
                        return Err(LoadError::ImportNotAllowed(name.to_owned()));
                    }
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    // The others only bundle what is there, and cost nothing.
                    if matches!(instance.map_err(malformed)?, Instance::Instantiate { .. }) {
                        instances = instances.saturating_add(1);
                    }
                }
            }
            Payload::MemorySection(section) => {
                memories = memories.saturating_add(section.count());
                for memory in section {
                    let memory = memory.map_err(malformed)?;
                    if memory.memory64 {
                        return Err(LoadError::FeatureNotAllowed("a 64-bit memory"));
                    }
                    if memory.shared {
                        return Err(LoadError::FeatureNotAllowed("a shared memory"));
                    }
                    at_most("pages of memory at the start", memory.initial, MEMORY_BYTES_MAX / PAGE_BYTES)?;
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let elements = table.map_err(malformed)?.ty.initial;
                    at_most("elements of a table at the start", elements, TABLE_ELEMENTS_MAX)?;
                }
            }
            _ => {}
        }
    }
    at_most("memories", memories.into(), MEMORIES_MAX as usize)?;
    if instances > CORE_INSTANCES_MAX {
        return Err(LoadError::TooManyInstances { found: instances, allowed: CORE_INSTANCES_MAX });
    }
    let types = Validator::new_with_features(features()).validate_all(bytes).map_err(malformed)?;
    world::check(&exports, &types)?;
    Ok(Class::of(bytes.len(), instances))
}

/// Bytes of a page of memory.
const PAGE_BYTES: usize = 64 << 10;

fn at_most(what: &'static str, found: u64, allowed: usize) -> Result<(), LoadError> {
    let allowed = allowed as u64;
    if found > allowed { Err(LoadError::TooMuch { what, found, allowed }) } else { Ok(()) }
}

/// What guests may use of WebAssembly: all that is deterministic and standard.
fn features() -> WasmFeatures {
    // References to what a host holds would need a collector of garbage.
    WasmFeatures::WASM2.difference(WasmFeatures::GC_TYPES)
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::TAIL_CALL
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Malformed(error.message().to_owned())
}
