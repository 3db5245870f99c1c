//! A return that was drawn of what was issued for its period. The form itself is not kept: it is drawn again, and must
//! have the decision's digest.

use niyam_domain::{DomainEvent as _, InvoiceEvent, Position, ReturnEvent, ReturnPrepared, TenantId};
use niyam_modules::digest_json;
use niyam_store::{Recorded, StoreError};
use niyam_values::{Form, RegisterEntry};

use super::{Place, Stored, Verifier, is_named};
use crate::personal::{Opener, OpeningError};
use crate::rerun::asked::AskedError;
use crate::rerun::stored::Happened;

/// Events that are read at once.
const EVENTS_AT_ONCE: u32 = 256;

/// Whether it is the event of a return that was drawn.
pub(super) fn is_of_returns(event: &Recorded) -> bool {
    is_named(&event.event_type, &["tax-return.prepared"])
}

/// Types of the events that hold a return's decision.
pub(super) fn types() -> Vec<String> {
    let all = ReturnEvent::TYPES.iter().chain(ReturnEvent::OLDER_TYPES).copied();
    all.filter(|event_type| is_named(event_type, &["tax-return.prepared"])).map(str::to_owned).collect()
}

impl Verifier {
    pub(super) fn tax_return(&mut self, place: &mut Place<'_>) -> Result<(), StoreError> {
        let Recorded { event_type, payload, .. } = place.event;
        let prepared = match ReturnEvent::read(event_type, payload) {
            Ok(ReturnEvent::Prepared(prepared)) => prepared,
            read => {
                self.unknown(place, read.err());
                return Ok(());
            }
        };
        let (entries, erased) = match self.runtime.block_on(entries(&self.opener, &self.tenant, &prepared)) {
            Ok(entries) => entries,
            Err(AskedError::Opening(OpeningError::Store(error))) => return Err(error),
            Err(error) => {
                let decision = &prepared.decision;
                self.unreadable(place, &decision.function, &decision.module.digest, error.to_string());
                return Ok(());
            }
        };
        place.erased |= erased;
        let ReturnPrepared { code, period, opening, decision, .. } = &prepared;
        let input = digest_json(&(code, period, &entries, opening));
        self.check::<Form>(place, decision, input, Stored::Nowhere, |module, config| {
            module.draw_return_unproved(config, code, period, &entries, opening)
        })?;
        Ok(())
    }
}

/// What was issued for the return's period when it was drawn, in order, with who files it; and whether personal data of it
/// were erased.
async fn entries(
    opener: &Opener,
    tenant: &TenantId,
    prepared: &ReturnPrepared,
) -> Result<(Vec<RegisterEntry>, bool), AskedError> {
    let types = Happened::types(&Happened::REGISTERED);
    let period = &prepared.period;
    let (mut entries, mut erased, mut after) = (Vec::new(), false, Position(0));
    loop {
        let mut page =
            opener.books().of_types(tenant, &types, (after, prepared.known_at), EVENTS_AT_ONCE).await?;
        let more = page.len() >= EVENTS_AT_ONCE as usize;
        after = page.last().map_or(after, |last| last.position);
        page.retain(|event| (period.starts..=period.ends).contains(&event.effective_date));
        for opened in opener.opening(tenant).events(page).await? {
            erased |= opened.erased;
            let read = opened.read().map_err(|error| AskedError::Unreadable(error.to_string()))?;
            let read: InvoiceEvent = read;
            entries.extend(read.into_register_entry());
        }
        if !more {
            // Who files it, and when, comes last.
            entries.push(prepared.filing.clone());
            return Ok((entries, erased));
        }
    }
}
