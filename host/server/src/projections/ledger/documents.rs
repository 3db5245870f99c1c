//! What issued documents write: what is open of them, and the taxes that they bear.
//!
//! A document is open once its entry is posted, so that what is open agrees with the account of receivables.

use std::collections::BTreeMap;

use niyam_domain::personal::{self, Sealed};
use niyam_domain::{Currency, EntryPosted, InvoiceIssued, SourceKind};
use niyam_store::{Recorded, Writer};
use niyam_values::{Decimal, Direction, Document, Effect, Party, TaxItem, round_half_up};
use serde::Deserialize;

use super::amounts::units;
use super::signed;
use crate::projections::view::{ApplyError, Build};
use crate::projections::writer::run;

/// Keeps the document of `issued`, and its taxes.
pub(super) async fn issue(
    writer: &mut Writer,
    build: Build,
    event: &Recorded,
    issued: &InvoiceIssued,
) -> Result<(), ApplyError> {
    let document = &issued.assessment.document;
    let Some(id) = event.stream.as_str().strip_prefix("invoice/") else { return Ok(()) };
    let currency: Currency =
        document.currency.parse().map_err(|error| ApplyError::Unreadable(format!("{error}")))?;
    let (side, name) = match document.direction {
        Direction::Sale => ("receivable", "customer"),
        Direction::Purchase => ("payable", "supplier"),
    };
    let party = OtherParty::of(event, document, name);
    // As its entry has it.
    let total = round_half_up(issued.assessment.taxes.gross, currency.minor_units().into());
    run!(
        &mut *writer,
        "insert into open_items (tenant, build, item, side, kind, number, date, due, currency, total, party, party_name, \
         party_sealed, stream) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        event.tenant.as_str(),
        build.0,
        id,
        side,
        &document.kind,
        &issued.facts.number,
        document.tax_date.to_string(),
        document.tax_date.to_string(),
        currency.code(),
        units(total)?,
        party.key,
        party.name,
        party.sealed,
        event.stream.as_str()
    )?;
    taxes(writer, build, event, (id, document), issued).await
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
         where tenant = $1 and build = $2 and item = $3",
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
    fn of(event: &'a Recorded, document: &'a Document, name: &str) -> Self {
        #[derive(Deserialize)]
        struct Place {
            sealed: Sealed,
        }
        let party: &Party = if name == "customer" { &document.customer } else { &document.supplier };
        let json = std::str::from_utf8(&event.payload).unwrap_or_default();
        // It stays sealed: what is erased is nowhere in this view.
        let sealed = personal::sealed_at(json, &format!("/assessment/document/{name}"));
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
    (id, document): (&str, &Document),
    issued: &InvoiceIssued,
) -> Result<(), ApplyError> {
    let mut sums: BTreeMap<(&str, String, &str, bool), (Decimal, Decimal)> = BTreeMap::new();
    for item in issued.assessment.taxes.lines.iter().flat_map(|line| &line.taxes) {
        let (base, amount) = sums.entry(key(item)).or_default();
        let inexact = || ApplyError::Unreadable(format!("taxes {} that have no exact sum", item.code));
        *base = base.checked_add(item.base).ok_or_else(inexact)?;
        *amount = amount.checked_add(item.amount).ok_or_else(inexact)?;
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
