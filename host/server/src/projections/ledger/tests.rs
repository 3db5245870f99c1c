//! Dozens of random histories on both databases: what the view says is what the lines say, summed in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use niyam_domain::reports::{Balances, Cut, PostedLine, Running};
use niyam_domain::{
    AccountCode, DomainEvent as _, Entry, EntryEvent, EntryId, EntryPosted, NewEntry, NewLine, Position,
    TenantId, Version,
};
use niyam_store::{
    Append, Batch, Clock, Database, DatabaseUrl, EventStore, NewEvent, Scope, StoreConfig, StreamWrite,
};
use niyam_values::{Attributes, Decimal};
use tokio::sync::watch;
use uuid::Uuid;

use super::page::LineCursor;
use super::snapshot::Snapshot;
use super::sums::Dimension;
use super::{Ledger, NAME};
use crate::projections::rebuild;
use crate::projections::runner::Runner;

const HISTORIES: u64 = 24;
const ENTRIES: u64 = 30;
const CUTS: u64 = 8;
const ACCOUNTS: [&str; 5] = ["1110", "1210", "2110", "4100", "5300"];
const FIRST: Date = date(2026, 6, 25);
const PATIENCE: Duration = Duration::from_mins(1);

/// Time that is told.
struct ToldClock(AtomicI64);

impl Clock for ToldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// Numbers that look like chance, the same in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn day(&mut self) -> Date {
        FIRST.saturating_add(Span::new().days(i64::try_from(self.throw(12)).unwrap()))
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.throw(all.len() as u64)).unwrap()]
    }

    fn lines(&mut self) -> Vec<NewLine> {
        let mut lines = Vec::new();
        for _ in 0..=self.throw(3) {
            let (currency, places) = self.of(&[("BDT", 2), ("JPY", 0), ("KWD", 3)]);
            // Now and then as much as a line can hold.
            let most = if self.throw(10) == 0 { 999_999_999_999 } else { 100_000 };
            let amount = Decimal::new(1 + i64::try_from(self.throw(most)).unwrap(), places);
            let mut dimensions = Attributes::new();
            if self.throw(2) == 0 {
                dimensions.set("branch", self.of(&["dhaka", "sylhet"]));
            }
            let line = |account: &str, debit, credit, dimensions| NewLine {
                account: account.to_owned(),
                debit,
                credit,
                currency: currency.to_owned(),
                memo: None,
                dimensions,
            };
            lines.push(line(self.of(&ACCOUNTS), Some(amount), None, dimensions));
            lines.push(line(self.of(&ACCOUNTS), None, Some(amount), Attributes::new()));
        }
        lines
    }
}

/// A posted line, and where it stands.
#[derive(Clone)]
struct Written {
    line: PostedLine,
    at: LineCursor,
    branch: Option<String>,
}

struct Histories {
    store: EventStore,
    clock: Arc<ToldClock>,
    all: BTreeMap<TenantId, Vec<Written>>,
    _folder: tempfile::TempDir,
}

impl Histories {
    async fn new(postgres: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = if postgres {
            DatabaseUrl::Postgres(tokio::task::spawn_blocking(niyam_testdb::database_url).await.unwrap())
        } else {
            DatabaseUrl::Sqlite(folder.path().join("niyam.db"))
        };
        let clock = Arc::new(ToldClock(AtomicI64::new(1_782_600_000_000_000)));
        let store = EventStore::open(StoreConfig::new(database, Arc::clone(&clock) as Arc<dyn Clock>)).await;
        Self { store: store.unwrap(), clock, all: BTreeMap::new(), _folder: folder }
    }

    /// Posts what the dice say, over some days of recording; now and then two at the same moment, or the clock goes back.
    async fn post(&mut self, seed: u64) {
        let mut dice = Dice(seed);
        let tenant: TenantId = format!("tenant-{seed}").parse().unwrap();
        for number in 0..ENTRIES {
            let step = match dice.throw(4) {
                0 => 0,
                1 => -2_000_000_000,
                _ => i64::try_from(dice.throw(20_000_000_000)).unwrap(),
            };
            self.clock.0.fetch_add(step, Ordering::SeqCst);
            let (date, lines) = (dice.day(), dice.lines());
            let description = format!("Entry {number}");
            let entry = Entry::new(NewEntry { date, description, reference: None, lines }).unwrap();
            let entry_id = EntryId(Uuid::from_u128(u128::from(number) + 1));
            let posted = EntryPosted { entry_id, entry, source: None, reverses: None };
            let event = EntryEvent::Posted(posted.clone());
            let event = NewEvent {
                id: Uuid::from_u128(u128::from(number) + 1),
                event_type: event.event_type().to_owned(),
                payload: event.payload().unwrap(),
                metadata: b"{}".to_vec(),
                effective_date: date,
            };
            let write = StreamWrite { stream: entry_id.stream(), expected: Version(0), events: vec![event] };
            let append = Append::of(Batch { writes: vec![write], answer: Vec::new() });
            let position = self.store.append(&tenant, append).await.unwrap().position;
            let recorded_at = self.clock.now();
            let lines = PostedLine::of(&posted, recorded_at, false).into_iter().enumerate();
            let written = lines.map(|(number, line)| Written {
                at: LineCursor {
                    date,
                    position: i64::try_from(position.0).unwrap(),
                    line: i64::try_from(number).unwrap(),
                },
                branch: posted.entry.lines.as_slice()[number].dimensions.get("branch").map(str::to_owned),
                line,
            });
            self.all.entry(tenant.clone()).or_default().extend(written);
        }
    }

    /// Whether the view says of every tenant what the lines say.
    async fn check(&self) {
        for (tenant, lines) in &self.all {
            let mut reader = self.store.database().read(&Scope::Tenant(tenant)).await.unwrap();
            let mut snapshot = Snapshot::of(&mut reader, tenant).await.unwrap();
            assert_eq!(snapshot.position, Position(ENTRIES));
            let mut dice = Dice(lines.len() as u64);
            for _ in 0..CUTS {
                let (from, until) = (dice.day(), dice.day());
                let known_at = match dice.throw(3) {
                    0 => None,
                    _ => Some(dice.of(&lines.iter().map(|line| line.line.recorded_at).collect::<Vec<_>>())),
                };
                let cut = Cut { from: Some(from), until: Some(until), known_at, without_closing: false };
                Self::check_cut(&mut snapshot, lines, &cut).await;
                Self::check_cut(&mut snapshot, lines, &Cut { from: None, until: None, ..cut }).await;
                for account in ACCOUNTS {
                    Self::check_pages(&mut snapshot, lines, &cut, &account.parse().unwrap()).await;
                }
            }
        }
    }

    async fn check_cut(snapshot: &mut Snapshot<'_>, lines: &[Written], cut: &Cut) {
        let all = Balances::fold(lines.iter().map(|line| &line.line), cut);
        assert_eq!(snapshot.balances(cut, None, None).await.unwrap(), all, "{cut:?}");
        let account: AccountCode = ACCOUNTS[0].parse().unwrap();
        let own = lines.iter().map(|line| &line.line).filter(|line| line.account == account);
        let own = Balances::fold(own, cut);
        assert_eq!(snapshot.balances(cut, Some(&account), None).await.unwrap(), own, "{cut:?}");
        let dimension = Dimension { name: "branch".to_owned(), value: "dhaka".to_owned() };
        let dhaka =
            lines.iter().filter(|line| line.branch.as_deref() == Some("dhaka")).map(|line| &line.line);
        let dhaka = Balances::fold(dhaka, cut);
        assert_eq!(snapshot.balances(cut, None, Some(&dimension)).await.unwrap(), dhaka, "{cut:?}");
    }

    /// The pages of a ledger, one after another, are its lines in order, and begin with what the account held.
    async fn check_pages(snapshot: &mut Snapshot<'_>, lines: &[Written], cut: &Cut, account: &AccountCode) {
        let mut expected: Vec<&Written> =
            lines.iter().filter(|line| line.line.account == *account && cut.holds(&line.line)).collect();
        expected.sort_by_key(|line| line.at);
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = snapshot.lines(account, cut, None, after, 4).await.unwrap();
            if let Some(at) = after {
                // What came before the page, on its first day and on the days before.
                let days = Cut { until: at.date.yesterday().ok(), ..*cut };
                let mut held = snapshot.balances(&days, Some(account), None).await.unwrap();
                let before = snapshot.lines_before(account, cut, None, at).await.unwrap();
                for (currency, turnover) in before {
                    held.add(currency, account, turnover);
                }
                let fold = expected.iter().take(found.len()).map(|line| &line.line);
                assert_eq!(held, Balances::fold(fold, &Cut::default()), "{account} {cut:?} {at:?}");
            }
            let Some(last) = page.last() else { break };
            after = Some(last.at);
            found.extend(page);
        }
        let shown = found.iter().map(|line| (line.at, line.currency.code(), line.turnover));
        let told = expected.iter().map(|line| (line.at, line.line.currency.code(), line.line.turnover));
        assert_eq!(shown.collect::<Vec<_>>(), told.collect::<Vec<_>>(), "{account} {cut:?}");
        let mut running = Running::default();
        for line in &found {
            running.step(line.currency.code(), line.turnover);
        }
        let sums = Balances::fold(expected.iter().map(|line| &line.line), cut);
        for (currency, held) in running.held() {
            assert_eq!(held, sums.account(currency, account).balance());
        }
    }

    /// Every row of the shown builds, without the number of the build.
    async fn rows(&self) -> Vec<String> {
        const LINES: &str = "select tenant || account || date || position || '.' || line || entry || currency || debit || \
             '.' || credit || coalesce(dimensions, '') || recorded_at from ledger_lines where build = (select build from \
             projection_checkpoints as c where c.tenant = ledger_lines.tenant and projection = 'ledger' and live) \
             order by 1";
        const DAYS: &str = "select tenant || account || currency || date || recorded_on || debit_high || '.' || debit_low \
             || '.' || credit_high || '.' || credit_low from ledger_days where build = (select build from \
             projection_checkpoints as c where c.tenant = ledger_days.tenant and projection = 'ledger' and live) \
             order by 1";
        let mut all = Vec::new();
        for sql in [LINES, DAYS] {
            let mut found: Vec<String> = match self.store.database() {
                Database::Sqlite { readers, .. } => sqlx::query_scalar(sql).fetch_all(readers).await.unwrap(),
                Database::Postgres(_) => {
                    let reader = self.store.database().read(&Scope::All).await.unwrap();
                    let niyam_store::Reader::Postgres(mut transaction) = reader else { unreachable!() };
                    sqlx::query_scalar(sql).fetch_all(&mut *transaction).await.unwrap()
                }
            };
            assert!(found.len() > 100, "{sql}");
            all.append(&mut found);
        }
        all
    }
}

async fn the_view_says_what_the_lines_say_live_and_rebuilt(postgres: bool) {
    let mut histories = Histories::new(postgres).await;
    for seed in 1..=HISTORIES {
        histories.post(seed).await;
    }
    let clock = Arc::clone(&histories.clock) as Arc<dyn Clock>;
    let runner = Runner::of(histories.store.clone(), clock, Uuid::from_u128(1), vec![&Ledger]);
    let progress = runner.progress();
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(runner.run(stopped));
    for tenant in histories.all.keys() {
        assert!(progress.wait(NAME, tenant, Position(ENTRIES), PATIENCE).await);
    }
    histories.check().await;
    let live = histories.rows().await;
    for tenant in histories.all.keys() {
        rebuild::rebuild(&histories.store, &Ledger, tenant, |_| {}).await.unwrap();
    }
    assert!(histories.rows().await == live, "a rebuild has other rows than the live view");
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_the_view_says_what_the_lines_say_live_and_rebuilt() {
    the_view_says_what_the_lines_say_live_and_rebuilt(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_the_view_says_what_the_lines_say_live_and_rebuilt() {
    the_view_says_what_the_lines_say_live_and_rebuilt(true).await;
}
