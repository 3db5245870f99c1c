//! Modules that fail, and the earlier activations that answer in their place.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use niyam_domain::{Activation, Activations, OnFailure, Rejection, TenantId, World};
use niyam_modules::{Module, ModuleFailure};
use niyam_values::Date;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::commands::CommandError;
use crate::packs::PackError;

/// A module that failed, and that another one answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fallback {
    /// Its id.
    pub(crate) module: String,
    /// SHA-256 of the component, hex.
    pub(crate) digest: String,
    /// What happened, for example `module-trapped`.
    pub(crate) code: String,
}

/// An answer, and which modules failed to give it.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    pub(crate) fallbacks: Vec<Fallback>,
}

/// The activation of `world` that answers for `day`, and behind it those that may answer in its place.
pub(crate) fn in_turn(activations: &Activations, world: World, day: Date) -> Vec<&Activation> {
    let Some(first) = activations.answering(world, day) else { return Vec::new() };
    std::iter::once(first).chain(activations.before(first, day)).map(|found| &found.activation).collect()
}

impl App {
    /// Asks the first of `in_turn`. Where a module fails and its activation says `previous`, the next one is asked.
    ///
    /// A refusal is an answer. A module that is busy or cannot be loaded has not failed: the command may be tried again.
    ///
    /// # Errors
    /// The failure of the first, when none answers; `no-active-pack` when there is none to ask.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        in_turn: Vec<&Activation>,
        call: impl Fn(&Module, &str) -> Result<T, ModuleFailure> + Send + Sync + 'static,
    ) -> Result<Answered<T>, CommandError> {
        let call = Arc::new(call);
        let mut fallbacks = Vec::new();
        let mut first_failure = None;
        for activation in in_turn {
            let once = Arc::clone(&call);
            let asked = self.packs.call(tenant, activation, move |module, config| once(module, config)).await;
            let failure = match asked {
                Ok(answer) => {
                    self.fallbacks.fetch_add(fallbacks.len(), Ordering::Relaxed);
                    return Ok(Answered { answer, fallbacks });
                }
                Err(PackError::Failed(failure)) if !matches!(failure, ModuleFailure::Busy { .. }) => failure,
                Err(error) => return Err(error.into()),
            };
            let goes_on = activation.on_failure == OnFailure::Previous;
            let (module, code) = (failure.module(), failure.code());
            if goes_on {
                tracing::warn!(tenant.id = %tenant, module.id = module.id, module.digest = module.digest, code,
                    "a module failed: the activation before it is asked");
            }
            let (module, digest) = (module.id.clone(), module.digest.clone());
            fallbacks.push(Fallback { module, digest, code: code.to_owned() });
            first_failure.get_or_insert(failure);
            if !goes_on {
                break;
            }
        }
        Err(match first_failure {
            Some(failure) => PackError::Failed(failure).into(),
            None => Rejection::NoActivePack.into(),
        })
    }
}
