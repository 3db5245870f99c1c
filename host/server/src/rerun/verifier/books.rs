//! What a pack said of the books: the accounts that a chart begins with, an account's code, the periods of a year.

use niyam_domain::{
    AccountAdded, ChartCreated, ChartEvent, Decision, DomainEvent as _, FiscalYearOpened, NewAccount,
    PeriodEvent,
};
use niyam_modules::digest_json;
use niyam_store::{Recorded, StoreError};
use niyam_values::{AccountTemplate, Date, FiscalPeriod};

use super::{Place, Stored, Verifier, is_named};

/// Whether it is an event of the chart of accounts, or of the fiscal periods.
pub(super) fn is_of_books(event: &Recorded) -> bool {
    is_named(&event.event_type, &["chart.created", "account.added", "fiscal-year.opened"])
}

/// Types of the events of the books that hold decisions.
pub(super) fn types() -> Vec<String> {
    let chart = ChartEvent::TYPES.iter().chain(ChartEvent::OLDER_TYPES);
    let periods = PeriodEvent::TYPES.iter().chain(PeriodEvent::OLDER_TYPES);
    let all = chart.chain(periods).copied();
    let with_decisions =
        |event_type: &&str| is_named(event_type, &["chart.created", "account.added", "fiscal-year.opened"]);
    all.filter(with_decisions).map(str::to_owned).collect()
}

impl Verifier {
    pub(super) fn books(&mut self, place: &mut Place<'_>) -> Result<(), StoreError> {
        let Recorded { event_type, payload, .. } = place.event;
        if is_named(event_type, &["fiscal-year.opened"]) {
            return match PeriodEvent::read(event_type, payload) {
                Ok(PeriodEvent::YearOpened(opened)) => self.year(place, &opened),
                read => {
                    self.unknown(place, read.err());
                    Ok(())
                }
            };
        }
        match ChartEvent::read(event_type, payload) {
            Ok(ChartEvent::Created(created)) => self.chart(place, &created),
            Ok(ChartEvent::Added(added)) => self.account(place, &added),
            read => {
                self.unknown(place, read.err());
                Ok(())
            }
        }
    }

    pub(super) fn unknown(&mut self, place: &mut Place<'_>, error: Option<niyam_domain::UnreadableEvent>) {
        let reason = error.map_or_else(|| "it holds no decision".to_owned(), |error| error.to_string());
        self.unreadable(place, "", "", reason);
    }

    fn chart(&mut self, place: &mut Place<'_>, created: &ChartCreated) -> Result<(), StoreError> {
        let template: Vec<AccountTemplate> = created.accounts.iter().map(template).collect();
        let stored = json(&template);
        let stored = Stored::Plain(&stored);
        let input = digest_json(&());
        self.check::<Vec<AccountTemplate>>(place, &created.decision, input, stored, |module, config| {
            let decided = module.chart_of_accounts(config)?;
            Ok((Ok(decided.answer), decided.decision.fuel))
        })?;
        Ok(())
    }

    fn account(&mut self, place: &mut Place<'_>, added: &AccountAdded) -> Result<(), StoreError> {
        let code = added.account.code.as_str();
        let input = digest_json(&(code,));
        self.check::<()>(place, &added.decision, input, Stored::Accepted("null"), |module, config| {
            let decided = module.check_account_code(config, code)?;
            Ok((decided.answer, decided.decision.fuel))
        })?;
        Ok(())
    }

    /// One decision for each period. A year that has more decisions than periods, or fewer, cannot be read.
    fn year(&mut self, place: &mut Place<'_>, opened: &FiscalYearOpened) -> Result<(), StoreError> {
        let FiscalYearOpened { periods, decisions } = opened;
        if periods.len() != decisions.len() {
            let reason = format!("it has {} decisions for {} periods", decisions.len(), periods.len());
            self.unreadable(place, "fiscal-period-of", "", reason);
            return Ok(());
        }
        for (period, decision) in periods.iter().zip(decisions) {
            let day = asked_day(period, decision).unwrap_or(period.starts);
            let stored = json(period);
            let input = digest_json(&(day,));
            self.check::<FiscalPeriod>(place, decision, input, Stored::Plain(&stored), |module, config| {
                let decided = module.fiscal_period_of(config, day)?;
                Ok((Ok(decided.answer), decided.decision.fuel))
            })?;
        }
        Ok(())
    }
}

/// The day of the period that the pack was asked about: only its digest is kept.
fn asked_day(period: &FiscalPeriod, decision: &Decision) -> Option<Date> {
    let days = period.starts.series(jiff::ToSpan::days(1));
    let mut days = days.take_while(|day| *day <= period.ends);
    days.find(|day| digest_json(&(day,)) == decision.input_digest)
}

/// The account as the pack's template had it: whether it is a header follows from the others.
fn template(account: &NewAccount) -> AccountTemplate {
    AccountTemplate {
        code: account.code.as_str().to_owned(),
        name: account.name.clone(),
        class: account.class.as_str().to_owned(),
        parent: account.parent.as_ref().map(|code| code.as_str().to_owned()),
        role: account.role.as_ref().map(|role| role.as_str().to_owned()),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("the contract's values have a JSON form")
}
