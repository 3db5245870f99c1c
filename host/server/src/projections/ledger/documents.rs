//! What issued documents write: what is open of them, and the taxes that they bear.
//!
//! A document is open once its entry is posted, so that what is open agrees with the account of receivables or payables.
//! Notes, payments and what is written off move the invoice that they are against.

use std::collections::BTreeMap;

use niyam_domain::personal::{self, Sealed};
use niyam_domain::{Currency, EntryPosted, InvoiceEvent, Issue, NoteIssued, NoteKind, SourceKind, due_date};
use niyam_store::{Recorded, Writer};
use niyam_values::{Decimal, Direction, Document, Effect, Party, TaxItem, round_half_up};
use serde::Deserialize;

use super::amounts::units;
use super::signed;
use crate::projections::view::{ApplyError, Build};
use crate::projections::writer::run;

/// What an event of an invoice does to what is open, and to the taxes.
pub(super) async fn apply(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    read: &InvoiceEvent,
) -> Result<(), ApplyError> {
    let moved = match read {
        InvoiceEvent::Issued(_) | InvoiceEvent::Recorded(_) | InvoiceEvent::NoteIssued(_) => {
            let Some(issue) = read.issue() else { return Ok(()) };
            let note = match read {
                InvoiceEvent::NoteIssued(note) => Some(note),
                _ => None,
            };
            return register(writer, build, event, issue, note).await;
        }
        InvoiceEvent::Credited(credited) => Moved {
            kind: NoteKind::CreditNote.as_str(),
            source: credited.note.to_string(),
            amount: -credited.applied,
        },
        InvoiceEvent::Debited(debited) => Moved {
            kind: NoteKind::DebitNote.as_str(),
            source: debited.note.to_string(),
            amount: debited.amount,
        },
        InvoiceEvent::WrittenOff(written_off) => {
            Moved { kind: "write-off", source: item_of(event).to_owned(), amount: -written_off.amount }
        }
        InvoiceEvent::Settled(settled) => {
            Moved { kind: "payment", source: settled.payment.to_string(), amount: -settled.amount }
        }
        InvoiceEvent::SettlementReversed(reversed) => {
            Moved { kind: "payment-reversal", source: reversed.payment.to_string(), amount: reversed.amount }
        }
        InvoiceEvent::Drafted(_)
        | InvoiceEvent::Revised(_)
        | InvoiceEvent::Approved(_)
        | InvoiceEvent::Cancelled(_) => return Ok(()),
    };
    moved.write(writer, build, event).await
}

fn item_of(event: &Recorded) -> &str {
    event.stream.as_str().trim_start_matches("invoice/")
}

/// Keeps the document of an issue, and its taxes.
async fn register(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    issue: Issue<'_>,
    note: Option<&NoteIssued>,
) -> Result<(), ApplyError> {
    let document = issue.document;
    let id = item_of(event);
    let currency: Currency =
        document.currency.parse().map_err(|error| ApplyError::Unreadable(format!("{error}")))?;
    let (side, name, pointer, owed) = match document.direction {
        Direction::Sale => ("receivable", "customer", "customer", issue.taxes.gross),
        Direction::Purchase => ("payable", "supplier", "supplier", issue.taxes.payable),
    };
    let (prefix, total) = match note {
        None => ("/assessment/document", owed),
        // What a note changes is moved on the invoice; the rest of a credit note is open by itself.
        Some(note) => ("/document", -note.unapplied),
    };
    let party = OtherParty::of(event, document, name, &format!("{prefix}/{pointer}"));
    // As its entry has it.
    let total = round_half_up(total, currency.minor_units().into());
    run!(
        &mut *writer,
        "insert into open_items (tenant, build, item, side, kind, number, date, due, currency, total, party, party_name, \
         party_sealed, stream) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        event.tenant.as_str(),
        build.0,
        id,
        side,
        &document.kind,
        &issue.facts.number,
        document.tax_date.to_string(),
        due_date(document).to_string(),
        currency.code(),
        units(total)?,
        party.key,
        party.name,
        party.sealed,
        event.stream.as_str()
    )?;
    if let Some(note) = note {
        // A party without an id is known by the stream that first named it: the invoice's.
        run!(
            &mut *writer,
            "update open_items set party = coalesce((select o.party from open_items as o where o.tenant = $1 \
             and o.build = $2 and o.item = $4), party) where tenant = $1 and build = $2 and item = $3",
            event.tenant.as_str(),
            build.0,
            id,
            note.of.invoice.to_string()
        )?;
    }
    taxes(writer, build, event, (id, issue)).await
}

/// What lowers or raises what is open of a document.
struct Moved {
    kind: &'static str,
    source: String,
    /// As if the document were owed; what is owed to the other party, as the rest of a credit note, moves the other way.
    amount: Decimal,
}

impl Moved {
    /// Only a document that is open moves: one that was issued before there was a chart of accounts never is.
    async fn write(self, writer: &mut Writer, build: Build, event: &Recorded) -> Result<(), ApplyError> {
        if self.amount.is_zero() {
            return Ok(());
        }
        let amount = units(self.amount)?;
        run!(
            writer,
            "insert into open_item_moves (tenant, build, item, position, recorded_at, date, kind, source, amount) \
             select i.tenant, i.build, i.item, $4, $5, $6, $7, $8, case when i.total < 0 then - ($9) else $9 end \
             from open_items as i where i.tenant = $1 and i.build = $2 and i.item = $3 and exists \
             (select 1 from open_item_moves as m where m.tenant = i.tenant and m.build = i.build and m.item = i.item)",
            event.tenant.as_str(),
            build.0,
            item_of(event),
            signed(event.position.0),
            event.recorded_at.as_microsecond(),
            event.effective_date.to_string(),
            self.kind,
            self.source,
            amount
        )?;
        Ok(())
    }
}

/// The document of `posted` is open from now on.
pub(super) async fn post(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    posted: &EntryPosted,
) -> Result<(), ApplyError> {
    let Some(source) = posted.source.filter(|source| source.kind == SourceKind::Invoice) else {
        return Ok(());
    };
    run!(
        writer,
        "insert into open_item_moves (tenant, build, item, position, recorded_at, date, kind, source, amount) \
         select tenant, build, item, $4, $5, $6, kind, item, total from open_items \
         where tenant = $1 and build = $2 and item = $3 and total <> 0",
        event.tenant.as_str(),
        build.0,
        source.id.to_string(),
        signed(event.position.0),
        event.recorded_at.as_microsecond(),
        posted.entry.date.to_string()
    )?;
    Ok(())
}

/// The other party, as rows know it.
struct OtherParty<'a> {
    key: String,
    name: &'a str,
    sealed: Option<&'a str>,
}

impl<'a> OtherParty<'a> {
    fn of(event: &'a Recorded, document: &'a Document, name: &str, pointer: &str) -> Self {
        #[derive(Deserialize)]
        struct Place {
            sealed: Sealed,
        }
        let party: &Party = if name == "customer" { &document.customer } else { &document.supplier };
        let json = std::str::from_utf8(&event.payload).unwrap_or_default();
        // It stays sealed: what is erased is nowhere in this view.
        let sealed = personal::sealed_at(json, pointer);
        let key = sealed.and_then(|sealed| serde_json::from_str::<Place>(sealed).ok());
        let key = match key {
            Some(place) => place.sealed.key.to_string(),
            // Recorded before parties were sealed.
            None if party.id.is_empty() => event.stream.to_string(),
            None => party.id.clone(),
        };
        Self { key, name: &party.name, sealed }
    }
}

/// Sums of a document's taxes by code, rate, effect and whether they are recoverable.
async fn taxes(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    (id, issue): (&str, Issue<'_>),
) -> Result<(), ApplyError> {
    let document = issue.document;
    let sign = if issue.note == Some(NoteKind::CreditNote) { -Decimal::ONE } else { Decimal::ONE };
    let mut sums: BTreeMap<(&str, String, &str, bool), (Decimal, Decimal)> = BTreeMap::new();
    for item in issue.taxes.lines.iter().flat_map(|line| &line.taxes) {
        let (base, amount) = sums.entry(key(item)).or_default();
        let inexact = || ApplyError::Unreadable(format!("taxes {} that have no exact sum", item.code));
        *base = base.checked_add(item.base * sign).ok_or_else(inexact)?;
        *amount = amount.checked_add(item.amount * sign).ok_or_else(inexact)?;
    }
    let direction = match document.direction {
        Direction::Sale => "sale",
        Direction::Purchase => "purchase",
    };
    for ((code, rate, effect, recoverable), (base, amount)) in sums {
        run!(
            &mut *writer,
            "insert into tax_items (tenant, build, date, document, code, rate, effect, recoverable, direction, currency, \
             recorded_at, base, amount) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            event.tenant.as_str(),
            build.0,
            document.tax_date.to_string(),
            id,
            code,
            rate,
            effect,
            i64::from(recoverable),
            direction,
            &document.currency,
            event.recorded_at.as_microsecond(),
            base.to_string(),
            amount.to_string()
        )?;
    }
    Ok(())
}

fn key(item: &TaxItem) -> (&str, String, &'static str, bool) {
    let rate = item.rate.map(|rate| rate.normalize().to_string()).unwrap_or_default();
    let effect = match item.effect {
        Effect::Added => "added",
        Effect::Withheld => "withheld",
        Effect::Informative => "informative",
    };
    (&item.code, rate, effect, item.recoverable)
}
