//! Follows the tenants that have shadows, one slice of one shadow after another, each tenant in its turn.
//!
//! Two hosts may look at the same events: the first one to tell moves the shadow on, the other begins again from there.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use niyam_domain::{Activated, Activations, Position, TenantEvent, TenantId, World};
use niyam_modules::Module;
use niyam_store::StoreError;
use tokio::sync::{Notify, watch};

use crate::aggregates::{Aggregates, ReadError};
use crate::jobs::Jobs;
use crate::packs::{PackError, Packs, digest_bytes};
use crate::personal::opening::Unopened;
use crate::personal::{Opened, OpeningError};
use crate::rerun::asked::{Asked, AskedError};
use crate::shadow::compare::{Comparer, types};
use crate::shadow::table::{self, ShadowRow};
use crate::tenants::{TenantAt, Tenants};

/// Events that are read at once.
const PAGE_EVENTS: u32 = 64;
/// How long a shadow is asked before others get their turn.
const SLICE: Duration = Duration::from_millis(100);
/// How long a tenant waits whose shadows could not be asked.
const AGAIN: Duration = Duration::from_secs(5);

/// Why shadows could not be asked.
#[derive(Debug, thiserror::Error)]
enum ShadowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Opening(#[from] OpeningError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error("{0}")]
    Defect(&'static str),
}

/// The shadows of this process.
pub(crate) struct Shadows {
    packs: Arc<Packs>,
    jobs: Arc<Jobs>,
    tenants: Tenants,
    /// Tenants whose histories moved on.
    waiting: Mutex<Waiting>,
    wake: Notify,
    /// Differences that this process found.
    differences: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    known: HashSet<TenantId>,
    order: VecDeque<TenantId>,
}

impl Shadows {
    pub(crate) fn new(packs: Arc<Packs>, jobs: Arc<Jobs>, aggregates: Aggregates) -> Self {
        Self {
            packs,
            jobs,
            tenants: Tenants::new(aggregates),
            waiting: Mutex::default(),
            wake: Notify::new(),
            differences: AtomicUsize::new(0),
        }
    }

    /// How often a shadow answered otherwise since the server started.
    pub(crate) fn differences(&self) -> usize {
        self.differences.load(Ordering::Relaxed)
    }

    /// Hears that something was recorded for a tenant with these activations; costs next to nothing.
    pub(crate) fn recorded(&self, tenant: &TenantId, activations: &Activations) {
        if activations.shadows().next().is_some() {
            self.add(tenant.clone());
        }
    }

    fn add(&self, tenant: TenantId) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.known.insert(tenant.clone()) {
            waiting.order.push_back(tenant);
            drop(waiting);
            self.wake.notify_one();
        }
    }

    fn next(&self) -> Option<TenantId> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.order.pop_front()?;
        waiting.known.remove(&next);
        Some(next)
    }

    /// One slice of the tenant's shadow that is furthest behind; says whether there may be more.
    async fn slice(&self, tenant: &TenantId) -> Result<bool, ShadowError> {
        let Some(at) = self.tenants.get(tenant).await? else { return Ok(false) };
        let opener = self.jobs.opener();
        let head = opener.books().head(tenant).await?.map(|head| head.last_position).unwrap_or_default();
        let rows = self.rows(&at).await?;
        let behind = rows
            .into_iter()
            .filter(|(_, row)| row.position < head && !row.counts.is_given_up())
            .min_by_key(|(_, row)| row.position);
        let Some((activated, before)) = behind else { return Ok(false) };
        let activation = &activated.activation;
        let types = types(activation.world);
        let page = opener.books().of_types(tenant, &types, (before.position, head), PAGE_EVENTS).await?;
        // Behind the last event of a page that is full there may be more.
        let reaches =
            page.last().filter(|_| page.len() >= PAGE_EVENTS as usize).map_or(head, |last| last.position);
        let mut events = VecDeque::with_capacity(page.len());
        for opened in opener.opening(tenant).each(page).await? {
            events.push_back(self.event(tenant, activation.world, opened).await?);
        }
        let digest = digest_bytes(&activation.module.digest).ok_or(ShadowError::Defect("no digest"))?;
        let module = self.packs.compile(&digest).await?;
        let time_zone = at.tenant.profile.time_zone.clone();
        let counts = before.counts.clone();
        let comparer = Comparer::new(Arc::clone(&module), activation.clone(), time_zone, counts);
        let turn = self.jobs.turn().await;
        let asked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            ask(comparer, events, reaches)
        });
        let (comparer, position) = asked.await.map_err(|_| ShadowError::Defect("a comparison broke off"))?;
        let moved = (position, &comparer.counts);
        if table::go_on(opener.books().database(), tenant, &before, moved, &comparer.found).await? {
            self.tell(tenant, &activated, &module, &comparer);
        }
        Ok(true)
    }

    /// The shadows that are asked, and how far each is.
    async fn rows(&self, at: &TenantAt) -> Result<Vec<(Activated, ShadowRow)>, ShadowError> {
        let tenant = &at.tenant.id;
        let database = self.jobs.opener().books().database();
        let mut known = table::all(database, tenant).await?;
        let mut rows = Vec::new();
        for activated in at.tenant.activations.shadows() {
            let known_row = |row: &ShadowRow| row.number == activated.number;
            let row = if let Some(index) = known.iter().position(known_row) {
                known.swap_remove(index)
            } else {
                let position = self.activated_at(tenant, activated.number).await?;
                table::begin(database, tenant, activated.number, position).await?;
                let row = table::get(database, tenant, activated.number).await?;
                row.ok_or(ShadowError::Defect("a shadow without its row"))?
            };
            rows.push((activated.clone(), row));
        }
        Ok(rows)
    }

    /// Where the activation of that number was recorded.
    async fn activated_at(&self, tenant: &TenantId, number: u32) -> Result<Position, ShadowError> {
        let types: Vec<String> = TenantEvent::TYPES
            .iter()
            .chain(TenantEvent::OLDER_TYPES)
            .filter(|event_type| event_type.starts_with("module.activated."))
            .map(|event_type| (*event_type).to_owned())
            .collect();
        let books = self.jobs.opener().books();
        let (mut after, mut left) = (Position(0), number);
        loop {
            let page = books
                .of_types(tenant, &types, (after, Position(i64::MAX.unsigned_abs())), PAGE_EVENTS)
                .await?;
            for event in &page {
                after = event.position;
                left = left.saturating_sub(1);
                if left == 0 {
                    return Ok(after);
                }
            }
            if page.len() < PAGE_EVENTS as usize {
                return Err(ShadowError::Defect("an activation without its event"));
            }
        }
    }

    async fn event(
        &self,
        tenant: &TenantId,
        world: World,
        opened: Result<Opened, Box<Unopened>>,
    ) -> Result<Event, ShadowError> {
        let opened = match opened {
            Ok(opened) => opened,
            Err(unopened) => return Ok(Event::Unreadable(unopened.event.position)),
        };
        if world != World::PolicyModule {
            return Ok(Event::Document(opened));
        }
        match Asked::about(self.jobs.opener(), tenant, &opened).await {
            Ok(asked) => Ok(Event::Command(opened, Box::new(asked))),
            Err(AskedError::Opening(OpeningError::Store(error))) => Err(error.into()),
            Err(AskedError::Unreadable(_) | AskedError::Opening(_)) => {
                Ok(Event::Unreadable(opened.event.position))
            }
        }
    }

    fn tell(&self, tenant: &TenantId, activated: &Activated, module: &Module, comparer: &Comparer) {
        self.differences.fetch_add(comparer.found.len(), Ordering::Relaxed);
        for difference in &comparer.found {
            tracing::info!(
                tenant.id = %tenant,
                activation.number = activated.number,
                module.digest = module.reference().digest,
                function = difference.function(),
                event.position = difference.position(),
                "a module in shadow answers otherwise"
            );
        }
        if comparer.counts.is_given_up() {
            tracing::warn!(
                tenant.id = %tenant,
                activation.number = activated.number,
                module.digest = module.reference().digest,
                failed = comparer.counts.failed,
                "a module in shadow fails at most of what it is asked, and is asked no more"
            );
        }
    }
}

/// What a shadow is asked about.
enum Event {
    Document(Opened),
    Command(Opened, Box<Asked>),
    Unreadable(Position),
}

/// Asks for as long as a slice lasts, one event at least; where it came to.
fn ask(mut comparer: Comparer, mut events: VecDeque<Event>, reaches: Position) -> (Comparer, Position) {
    let began = Instant::now();
    while let Some(event) = events.pop_front() {
        let position = match event {
            Event::Document(opened) => {
                comparer.document(&opened);
                opened.event.position
            }
            Event::Command(opened, asked) => {
                comparer.command(&opened, &asked);
                opened.event.position
            }
            Event::Unreadable(position) => {
                comparer.counts.unreadable += 1;
                position
            }
        };
        if comparer.counts.is_given_up() || (began.elapsed() >= SLICE && !events.is_empty()) {
            return (comparer, position);
        }
    }
    (comparer, reaches)
}

/// Asks shadows until the server stops.
pub(crate) struct Runner {
    shadows: Arc<Shadows>,
}

impl Runner {
    pub(crate) fn new(shadows: Arc<Shadows>) -> Self {
        Self { shadows }
    }

    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let database = self.shadows.jobs.opener().books().database().clone();
        match table::tenants(&database).await {
            Ok(tenants) => tenants.into_iter().for_each(|tenant| self.shadows.add(tenant)),
            Err(error) => tracing::error!(%error, "failed to look for shadows"),
        }
        // Tenants whose shadows could not be asked, for later.
        let mut failed = VecDeque::new();
        loop {
            if *stopped.borrow() {
                return;
            }
            let Some(tenant) = self.shadows.next() else {
                tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    () = self.shadows.wake.notified() => {}
                    () = tokio::time::sleep(AGAIN), if !failed.is_empty() => {
                        failed.drain(..).for_each(|tenant| self.shadows.add(tenant));
                    }
                }
                continue;
            };
            match self.shadows.slice(&tenant).await {
                Ok(true) => self.shadows.add(tenant),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(tenant.id = %tenant, %error, "failed to ask a module in shadow");
                    failed.push_back(tenant);
                }
            }
        }
    }
}
