//! What a module may use, each by name.

use std::time::Duration;

/// The contract between host and module.
pub const CONTRACT: &str = "niyam:rules@0.1.0";

/// Largest component. Room for an interpreter of JavaScript or Python.
pub const COMPONENT_BYTES_MAX: usize = 32 << 20;
/// Most core instances in a component.
pub const CORE_INSTANCES_MAX: u32 = 64;
/// Most linear memories of a component.
pub const MEMORIES_MAX: u32 = 2;
/// Most linear memory of one instance.
pub const MEMORY_BYTES_MAX: usize = 64 << 20;
/// Most elements of one table.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Largest native stack of one call.
pub const STACK_BYTES_MAX: usize = 512 << 10;
/// Most bytes that one answer may hold.
pub const OUTPUT_BYTES_MAX: usize = 4 << 20;
/// Most bytes that one call may log; what exceeds it is dropped and counted.
pub const LOG_BYTES_MAX: usize = 16 << 10;

/// Most bytes of a workflow's state, which the event of each of its steps keeps.
pub const WORKFLOW_STATE_BYTES_MAX: usize = 64 << 10;

/// Fuel of any call.
pub const FUEL_BASE: u64 = 50_000_000;
/// Fuel on top for each line of the document, so that a large document is not a small one's failure.
pub const FUEL_PER_LINE: u64 = 1_000_000;

/// How often the clock of the deadline ticks.
pub const EPOCH_TICK: Duration = Duration::from_millis(5);
/// Ticks before a call is stopped, whatever its fuel: the backstop in wall-clock time, 2 s.
pub const DEADLINE_TICKS: u64 = 400;

/// Most bytes of a module's version, which every one of its decisions keeps.
pub const VERSION_BYTES_MAX: usize = 64;
/// Most bytes of a module's title.
pub const TITLE_BYTES_MAX: usize = 256;
/// Most bytes of a configuration's schema.
pub const SCHEMA_BYTES_MAX: usize = 64 << 10;
/// Most values of a configuration's schema when each reference is replaced by what it refers to.
pub const SCHEMA_UNFOLDED_MAX: usize = 20_000;
/// How deep values of a configuration's schema may nest, references replaced.
pub const SCHEMA_DEPTH_MAX: usize = 64;

/// Most calls at one time.
pub const CALLS_MAX: u32 = 64;
