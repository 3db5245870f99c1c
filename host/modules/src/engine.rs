//! The one engine: deterministic, pooled, metered.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::limits::{
    CALLS_MAX, CORE_INSTANCES_MAX, EPOCH_TICK, MEMORIES_MAX, MEMORY_BYTES_MAX, STACK_BYTES_MAX,
    TABLE_ELEMENTS_MAX,
};

/// Memory of a slot that stays mapped and is cleared by hand: a small guest's stack and data fit, so that a call
/// makes no system call and no page fault.
const KEEP_RESIDENT_BYTES: usize = 256 << 10;

/// Builds the engine. No WASI, no threads, no relaxed SIMD, NaNs in one form.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool()))
        .memory_init_cow(false)
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

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(CALLS_MAX)
        .total_core_instances(CALLS_MAX * 8)
        .total_memories(CALLS_MAX * MEMORIES_MAX)
        .total_tables(CALLS_MAX * 8)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(CORE_INSTANCES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(MEMORY_BYTES_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .max_unused_warm_slots(0);
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
