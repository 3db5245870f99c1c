//! The engines: deterministic, pooled, metered. One for each class of components, since what makes a small instance
//! quick (its memory is cleared by hand and stays mapped) makes a large one slow, and the other way round.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::{
    CALLS_MAX, CORE_INSTANCES_MAX, EPOCH_TICK, FUEL_BASE, FUEL_PER_LINE, LARGE_CALLS_MAX, LARGE_FUEL_BASE,
    LARGE_FUEL_PER_LINE, MEMORIES_MAX, MEMORY_BYTES_MAX, SMALL_COMPONENT_BYTES_MAX, SMALL_CORE_INSTANCES_MAX,
    STACK_BYTES_MAX, TABLE_ELEMENTS_MAX,
};

/// What a component may use, by its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A compiled language: a page or two of memory, up to [`SMALL_COMPONENT_BYTES_MAX`] and
    /// [`SMALL_CORE_INSTANCES_MAX`].
    Small,
    /// An interpreter with its program: megabytes of memory, which are mapped from an image.
    Large,
}

impl Class {
    /// The class of a component of so many bytes and core instances.
    pub(crate) const fn of(bytes: usize, core_instances: u32) -> Self {
        if bytes <= SMALL_COMPONENT_BYTES_MAX && core_instances <= SMALL_CORE_INSTANCES_MAX {
            Self::Small
        } else {
            Self::Large
        }
    }

    /// Fuel of a call about a document of so many lines: base, plus so much per line.
    #[must_use]
    pub const fn fuel(self, lines: u64) -> u64 {
        let (base, per_line) = match self {
            Self::Small => (FUEL_BASE, FUEL_PER_LINE),
            Self::Large => (LARGE_FUEL_BASE, LARGE_FUEL_PER_LINE),
        };
        base.saturating_add(per_line.saturating_mul(lines))
    }

    /// Most calls at one time.
    #[must_use]
    pub const fn calls_max(self) -> u32 {
        match self {
            Self::Small => CALLS_MAX,
            Self::Large => LARGE_CALLS_MAX,
        }
    }
}

/// Memory of a slot that stays mapped and is cleared by hand: a small guest's stack and data fit, so that a call
/// makes no system call and no page fault.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

/// Builds a class's engine. No WASI, no threads, no relaxed SIMD, NaNs in one form.
pub(crate) fn engine(class: Class) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(class)))
        .memory_init_cow(class == Class::Large)
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES_MAX)
        .concurrency_support(false)
        .wasm_backtrace_max_frames(None)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .wasm_tail_call(true);
    Engine::new(&config)
}

fn pool(class: Class) -> PoolingAllocationConfig {
    let calls = class.calls_max();
    let core_instances = match class {
        Class::Small => SMALL_CORE_INSTANCES_MAX,
        Class::Large => CORE_INSTANCES_MAX,
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * core_instances)
        .total_memories(calls * MEMORIES_MAX)
        .total_tables(calls * core_instances)
        .max_core_instances_per_component(core_instances)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(core_instances)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(MEMORY_BYTES_MAX);
    if class == Class::Small {
        pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(KEEP_RESIDENT_BYTES)
            .max_unused_warm_slots(0);
    }
    pool
}

/// Most ticks that a late clock makes up for at once: a process that stood still for long is not its modules' fault.
const CATCH_UP_TICKS: u128 = 20;

/// Moves the deadline's clock on, for as long as it lives.
pub(crate) struct Ticker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let engine = engine.weak();
        let thread = thread::Builder::new().name("niyam-epoch".to_owned()).spawn(move || {
            let mut last = Instant::now();
            while stopped.recv_timeout(EPOCH_TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                // A machine that is busy wakes this thread late, and a deadline is no later for that.
                let due = (last.elapsed().as_nanos() / EPOCH_TICK.as_nanos()).max(1);
                last = Instant::now();
                for _ in 0..due.min(CATCH_UP_TICKS) {
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A ticker that panicked has nothing left to stop.
            let _ = thread.join();
        }
    }
}
