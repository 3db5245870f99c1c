//! One call, in an instance of its own that nothing survives.

use niyam_domain::ModuleRef;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Store, Trap};

use crate::error::ModuleFailure;
use crate::sandbox::{Sandbox, Watch};

/// Which module is called, and with what.
pub(crate) struct Call<'a> {
    pub(crate) module: &'a ModuleRef,
    pub(crate) instance_pre: &'a InstancePre<Sandbox>,
    pub(crate) config: &'a str,
    pub(crate) fuel: u64,
    pub(crate) watch: Option<&'a Watch>,
}

impl Call<'_> {
    /// Runs `ask` in a fresh instance; the answer, and the fuel that it took.
    pub(crate) fn run<T>(
        &self,
        ask: impl FnOnce(&mut Store<Sandbox>, &Instance) -> wasmtime::Result<T>,
    ) -> Result<(T, u64), ModuleFailure> {
        let engine = self.instance_pre.engine();
        let mut store = Sandbox::store(engine, &self.module.id, self.config, self.fuel, self.watch)
            .map_err(|error| self.failure(&error, false))?;
        let answer = self
            .instance_pre
            .instantiate(&mut store)
            .and_then(|instance| ask(&mut store, &instance))
            .map_err(|error| self.failure(&error, store.data().memory_refused))?;
        let left = store.get_fuel().unwrap_or(0);
        Ok((answer, self.fuel.saturating_sub(left)))
    }

    fn failure(&self, error: &wasmtime::Error, memory_refused: bool) -> ModuleFailure {
        let module = self.module.clone();
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return ModuleFailure::Busy { module };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => ModuleFailure::FuelExhausted { module },
            Some(Trap::Interrupt) => ModuleFailure::DeadlineExceeded { module },
            Some(Trap::StackOverflow) => ModuleFailure::StackExhausted { module },
            Some(_) if memory_refused => ModuleFailure::MemoryExhausted { module },
            Some(trap) => ModuleFailure::Trapped { module, reason: trap.to_string() },
            None if format!("{error:#}").contains("fuel") => ModuleFailure::OutputTooLarge { module },
            None => ModuleFailure::OutputInvalid { module, reason: format!("{error:#}") },
        }
    }
}
