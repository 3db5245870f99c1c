//! What the tenant's policies ruled on a command, as kept with the event that they let pass.

use niyam_domain::Decision;
use niyam_modules::digest_json;
use niyam_store::StoreError;
use niyam_values::Date;
use niyam_values::policy::Ruling;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Place, Stored, Verifier};
use crate::personal::{Opened, OpeningError};
use crate::rerun::asked::{Asked, AskedError};

/// An event's metadata, as far as it tells of policies.
#[derive(Deserialize)]
struct Rulings<'a> {
    #[serde(borrow, default)]
    policies: Vec<StoredRuling<'a>>,
}

#[derive(Deserialize)]
struct StoredRuling<'a> {
    today: Date,
    #[serde(borrow)]
    ruling: &'a RawValue,
    decision: Decision,
}

impl Verifier {
    pub(super) fn policies(&mut self, opened: &Opened, place: &mut Place<'_>) -> Result<(), StoreError> {
        let rulings: Rulings<'_> = match serde_json::from_slice(&opened.event.metadata) {
            Ok(rulings) => rulings,
            Err(error) => {
                self.unreadable(place, "evaluate", "", error.to_string());
                return Ok(());
            }
        };
        if rulings.policies.is_empty() {
            return Ok(());
        }
        let asked = self.runtime.block_on(Asked::about(&self.opener, &self.tenant, opened));
        let asked = match asked {
            Ok(asked) => Ok(asked),
            Err(AskedError::Opening(OpeningError::Store(error))) => return Err(error),
            Err(error) => Err(error.to_string()),
        };
        place.erased |= asked.as_ref().is_ok_and(|asked| asked.erased);
        for StoredRuling { today, ruling, decision } in &rulings.policies {
            let request = asked.as_ref().map_err(Clone::clone);
            let request = request.and_then(|asked| asked.request(*today).map_err(|error| error.to_string()));
            let request = match request {
                Ok(request) => request,
                Err(reason) => {
                    self.unreadable(place, &decision.function, &decision.module.digest, reason);
                    continue;
                }
            };
            let input = digest_json(&(&request,));
            self.check::<Ruling>(place, decision, input, Stored::Plain(ruling.get()), |module, config| {
                let decided = module.evaluate(config, &request)?;
                Ok((Ok(decided.answer), decided.decision.fuel))
            })?;
        }
        Ok(())
    }
}
