//! Calls of world `policy-module`.

use niyam_values::policy::{Request, Ruling};

use crate::check;
use crate::error::ModuleFailure;
use crate::lift::Lift;
use crate::lower;
use crate::module::{Decided, Module};

impl Module {
    /// Whether it is of world `policy-module`.
    #[must_use]
    pub fn is_policy(&self) -> bool {
        self.interfaces.policy.is_some()
    }

    /// Whether the command of `request` may commit.
    ///
    /// # Errors
    /// When the module does not answer, or breaks the contract. Its denial is an answer.
    pub fn evaluate(&self, config: &str, request: &Request) -> Result<Decided<Ruling>, ModuleFailure> {
        let roles = lower::texts(&request.roles);
        let policy = self.interfaces.policy.as_ref();
        let (ruling, used) =
            self.call("evaluate", policy, config, self.fuel(), |policy, store, instance| {
                policy.load(&mut *store, instance)?.call_evaluate(store, lower::request(request, &roles))
            })?;
        let ruling = self.must(ruling.lift())?;
        self.must(check::ruling(&ruling))?;
        Ok(self.decided("evaluate", config, &(request,), ruling, used))
    }
}
