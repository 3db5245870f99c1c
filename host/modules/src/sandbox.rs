//! The state of one call: what it may reach and how much it may use.

use std::sync::Arc;

use wasmtime::component::HasData;
use wasmtime::{ResourceLimiter, Store};

use crate::bindings::niyam::rules::context::{Host, Level};
use crate::limits::{DEADLINE_TICKS, LOG_BYTES_MAX, MEMORY_BYTES_MAX, OUTPUT_BYTES_MAX, TABLE_ELEMENTS_MAX};

/// What one call used and logged, told when it ends, however it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Most bytes of linear memory at one time: memory only grows.
    pub memory_bytes: usize,
    /// The lines that it logged, with `debug`, `info` or `warn`.
    pub log: Vec<(&'static str, String)>,
    /// Lines that were dropped, since it logged more than it may.
    pub log_dropped: u32,
}

/// Is told what each call used.
pub(crate) type Watch = Arc<dyn Fn(Usage) + Send + Sync>;

/// Lives for one call.
pub(crate) struct Sandbox {
    module_id: String,
    config: String,
    logged_bytes: usize,
    dropped_lines: u32,
    memory_bytes: usize,
    /// Who wants to know, and what was logged for it.
    watch: Option<(Watch, Vec<(&'static str, String)>)>,
    /// Whether the module asked for more memory than it may have.
    pub(crate) memory_refused: bool,
}

/// Tells the bindings where the context is: the sandbox itself.
pub(crate) struct InSandbox;

impl HasData for InSandbox {
    type Data<'a> = &'a mut Sandbox;
}

impl Sandbox {
    /// A store for one call, with its limits set.
    pub(crate) fn store(
        engine: &wasmtime::Engine,
        module_id: &str,
        config: &str,
        fuel: u64,
        watch: Option<&Watch>,
    ) -> wasmtime::Result<Store<Self>> {
        let sandbox = Self {
            module_id: module_id.to_owned(),
            config: config.to_owned(),
            logged_bytes: 0,
            dropped_lines: 0,
            memory_bytes: 0,
            watch: watch.map(|watch| (Arc::clone(watch), Vec::new())),
            memory_refused: false,
        };
        let mut store = Store::new(engine, sandbox);
        store.limiter(|sandbox| sandbox);
        store.set_fuel(fuel)?;
        store.set_hostcall_fuel(OUTPUT_BYTES_MAX);
        store.epoch_deadline_trap();
        store.set_epoch_deadline(DEADLINE_TICKS);
        Ok(store)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.dropped_lines > 0 {
            tracing::warn!(
                module.id = self.module_id,
                dropped_lines = self.dropped_lines,
                "module logged more than it may"
            );
        }
        if let Some((watch, log)) = self.watch.take() {
            watch(Usage { memory_bytes: self.memory_bytes, log, log_dropped: self.dropped_lines });
        }
    }
}

impl Host for Sandbox {
    fn config(&mut self) -> String {
        self.config.clone()
    }

    fn log(&mut self, level: Level, message: String) {
        self.logged_bytes = self.logged_bytes.saturating_add(message.len()).saturating_add(1);
        if self.logged_bytes > LOG_BYTES_MAX {
            self.dropped_lines = self.dropped_lines.saturating_add(1);
            return;
        }
        if let Some((_, log)) = &mut self.watch {
            let level = match level {
                Level::Debug => "debug",
                Level::Info => "info",
                Level::Warn => "warn",
            };
            log.push((level, message.clone()));
        }
        let module = self.module_id.as_str();
        match level {
            Level::Debug => tracing::debug!(module.id = module, guest.message = message, "module says"),
            Level::Info => tracing::info!(module.id = module, guest.message = message, "module says"),
            Level::Warn => tracing::warn!(module.id = module, guest.message = message, "module says"),
        }
    }
}

impl ResourceLimiter for Sandbox {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired <= MEMORY_BYTES_MAX;
        self.memory_refused |= !granted;
        if granted {
            self.memory_bytes = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired <= TABLE_ELEMENTS_MAX;
        self.memory_refused |= !granted;
        Ok(granted)
    }
}
