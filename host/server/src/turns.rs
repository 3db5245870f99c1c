//! Whose module runs or paper is drawn, and when: calls get threads of their own, and what takes long makes room for what does not.
//!
//! A call begins as anybody's equal. One that is still running after [`LONG_CALL`] gets what processor time the others
//! leave over, and so do its tenant's next calls, on the low lane: few at a time, so that each still has its time to end.
//! Hence a tenant whose modules burn their whole budget waits for itself, not others for it.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use niyam_domain::TenantId;
use niyam_modules::CALLS_MAX;
use rustix::process::setpriority_process;
use rustix::thread::{Pid, gettid};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Most calls of modules at one time, below what the pool of instances holds.
pub(crate) const CALLS_AT_ONCE: usize = CALLS_MAX as usize / 2;
/// Most of them for one tenant.
pub(crate) const CALLS_OF_TENANT: usize = CALLS_AT_ONCE / 2;
/// How long a call waits for its turn before the client hears 503.
const TURN_WAIT: Duration = Duration::from_secs(2);

/// A call that takes longer makes room: many times what one of a hundred lines takes.
const LONG_CALL: Duration = Duration::from_millis(10);
/// How often running calls are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How long a tenant's calls stay on the low lane after its last long one.
const LOW_FOR: Duration = Duration::from_secs(1);
/// The priority of what makes room, as `nice` counts: a third of what others get, so that a machine that is full with
/// other things still lets it end before its deadline.
const LOW_PRIORITY: i32 = 5;
/// A thread without work for so long ends.
const IDLE: Duration = Duration::from_secs(10);

/// Too many calls wait.
#[derive(Debug)]
pub(crate) struct Busy;

/// The threads, and whose turn it is.
pub(crate) struct Turns {
    of_all: Arc<Semaphore>,
    per_tenant: usize,
    tenants: Mutex<HashMap<TenantId, Arc<TenantTurns>>>,
    normal: Arc<Lane>,
    low: Arc<Lane>,
    of_long: Arc<Semaphore>,
}

struct TenantTurns {
    turns: Arc<Semaphore>,
    low_until: Mutex<Option<Instant>>,
}

impl Turns {
    /// At most `at_once` calls at one time, `per_tenant` of them for one tenant. Threads come with the first calls.
    pub(crate) fn new(at_once: usize, per_tenant: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let running = Arc::new(Running::default());
        watch(Arc::downgrade(&running));
        let lane = |low| {
            Arc::new(Lane {
                low,
                work: Mutex::default(),
                more: Condvar::new(),
                running: Arc::clone(&running),
            })
        };
        Self {
            of_all: Arc::new(Semaphore::new(at_once)),
            per_tenant,
            tenants: Mutex::default(),
            normal: lane(false),
            low: lane(true),
            // A core at least is never given to what takes long.
            of_long: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }

    /// Runs `call` in the tenant's turn, off the async workers. A panic in it goes on here.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let of_tenant = self.of_tenant(tenant);
        let turn = tokio::time::timeout(TURN_WAIT, self.turn(&of_tenant)).await.map_err(|_| Busy)??;
        let (tell, told) = oneshot::channel();
        let lane = if turn.low { &self.low } else { &self.normal };
        lane.submit(Box::new(move || {
            let began = processor_time();
            let done = catch_unwind(AssertUnwindSafe(call));
            if processor_time().saturating_sub(began) > LONG_CALL {
                *locked(&of_tenant.low_until) = Some(Instant::now() + LOW_FOR);
            }
            drop(turn);
            // Whoever asked may have gone.
            let _ = tell.send(done);
        }));
        match told.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(Busy),
        }
    }

    async fn turn(&self, tenant: &TenantTurns) -> Result<Turn, Busy> {
        let of_tenant = acquire(&tenant.turns).await?;
        // Asked for only now: what the tenant's last call did is known by then.
        let low = locked(&tenant.low_until).is_some_and(|until| Instant::now() < until);
        let of_all = acquire(if low { &self.of_long } else { &self.of_all }).await?;
        Ok(Turn { low, _permits: [of_tenant, of_all] })
    }

    fn of_tenant(&self, tenant: &TenantId) -> Arc<TenantTurns> {
        let mut tenants = locked(&self.tenants);
        let turns = tenants.entry(tenant.clone()).or_insert_with(|| {
            Arc::new(TenantTurns {
                turns: Arc::new(Semaphore::new(self.per_tenant)),
                low_until: Mutex::new(None),
            })
        });
        Arc::clone(turns)
    }
}

struct Turn {
    low: bool,
    _permits: [OwnedSemaphorePermit; 2],
}

async fn acquire(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Busy> {
    Arc::clone(turns).acquire_owned().await.map_err(|_| Busy)
}

type Work = Box<dyn FnOnce() + Send>;

/// Threads of one priority, as many as there is work for: turns bound it.
struct Lane {
    low: bool,
    work: Mutex<Waiting>,
    more: Condvar,
    running: Arc<Running>,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
    idle: usize,
}

impl Lane {
    fn submit(self: &Arc<Self>, work: Work) {
        let mut waiting = locked(&self.work);
        waiting.work.push_back(work);
        if waiting.idle >= waiting.work.len() {
            drop(waiting);
            self.more.notify_one();
            return;
        }
        drop(waiting);
        let lane = Arc::clone(self);
        let started = thread::Builder::new().name("niyam-call".to_owned()).spawn(move || lane.serve());
        if let Err(error) = started {
            // The threads that there are take it in their turn; without any, its sender is dropped with it.
            tracing::error!(%error, "failed to start a thread for calls of modules");
        }
    }

    fn serve(&self) {
        let thread = gettid();
        if self.low {
            lower(thread);
        }
        while let Some(work) = self.next() {
            let call = self.running.began(thread);
            work();
            self.running.ended(thread);
            if call.lowered.load(Ordering::Relaxed) && !self.low {
                // Priority that was given away does not come back.
                return;
            }
        }
    }

    fn next(&self) -> Option<Work> {
        let mut waiting = locked(&self.work);
        loop {
            if let Some(work) = waiting.work.pop_front() {
                return Some(work);
            }
            waiting.idle += 1;
            let (woken, timeout) =
                self.more.wait_timeout(waiting, IDLE).unwrap_or_else(PoisonError::into_inner);
            waiting = woken;
            waiting.idle -= 1;
            if timeout.timed_out() && waiting.work.is_empty() {
                return None;
            }
        }
    }
}

/// The calls that run, by thread.
#[derive(Default)]
struct Running(Mutex<HashMap<Pid, Arc<Call>>>);

struct Call {
    began: Instant,
    /// What the thread had worked when it began.
    worked: Duration,
    lowered: AtomicBool,
}

impl Running {
    fn began(&self, thread: Pid) -> Arc<Call> {
        let call = Call { began: Instant::now(), worked: processor_time(), lowered: AtomicBool::new(false) };
        let call = Arc::new(call);
        locked(&self.0).insert(thread, Arc::clone(&call));
        call
    }

    fn ended(&self, thread: Pid) {
        locked(&self.0).remove(&thread);
    }

    /// Lowers what takes long. Under the lock, so that no thread has gone on to another call meanwhile.
    fn look(&self) {
        for (thread, call) in locked(&self.0).iter() {
            // One that only waited for a processor has taken nothing from anybody.
            let long = call.began.elapsed() > LONG_CALL
                && worked_by(*thread).is_none_or(|worked| worked.saturating_sub(call.worked) > LONG_CALL);
            if long && !call.lowered.swap(true, Ordering::Relaxed) {
                lower(*thread);
            }
        }
    }
}

/// Looks at what runs, for as long as something may.
fn watch(running: Weak<Running>) {
    let watching = thread::Builder::new().name("niyam-turns".to_owned()).spawn(move || {
        while let Some(running) = running.upgrade() {
            running.look();
            drop(running);
            thread::sleep(LOOK);
        }
    });
    if let Err(error) = watching {
        tracing::error!(%error, "long calls of modules make no room");
    }
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Processor time of another thread of this process, as far as the kernel tells.
fn worked_by(thread: Pid) -> Option<Duration> {
    let told = fs::read_to_string(format!("/proc/self/task/{}/schedstat", thread.as_raw_pid())).ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn lower(thread: Pid) {
    if let Err(error) = setpriority_process(Some(thread), LOW_PRIORITY) {
        tracing::warn!(%error, "failed to lower the priority of a long call");
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    fn priority() -> i32 {
        getpriority_process(Some(gettid())).expect("a thread has a priority")
    }

    /// Runs until it is lowered, as a call that burns its budget does; its priority then.
    fn burn() -> i32 {
        let began = Instant::now();
        while priority() < LOW_PRIORITY && began.elapsed() < Duration::from_secs(30) {
            std::hint::spin_loop();
        }
        // Longer than a call may take without being a long one.
        while began.elapsed() <= LONG_CALL * 2 {
            std::hint::spin_loop();
        }
        priority()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_takes_long_is_lowered_with_its_tenant_and_nobody_else() {
        let turns = Turns::new(CALLS_AT_ONCE, CALLS_OF_TENANT);
        let (long, quick) = ("long".parse().unwrap(), "quick".parse().unwrap());
        let usual = turns.run(&quick, priority).await.unwrap();
        assert_eq!(turns.run(&long, burn).await.unwrap(), LOW_PRIORITY);
        assert_eq!(turns.run(&long, priority).await.unwrap(), LOW_PRIORITY);
        for _ in 0..20 {
            assert_eq!(turns.run(&quick, priority).await.unwrap(), usual);
        }
        // Forgiven after a while.
        *locked(&turns.of_tenant(&long).low_until) = Some(Instant::now());
        assert_eq!(turns.run(&long, priority).await.unwrap(), usual);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_lowered_runs_few_at_a_time() {
        let turns = Turns::new(CALLS_AT_ONCE, CALLS_OF_TENANT);
        let long: TenantId = "long".parse().unwrap();
        *locked(&turns.of_tenant(&long).low_until) = Some(Instant::now() + Duration::from_hours(1));
        let allowed = turns.of_long.available_permits();
        let (running, most) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let calls = (0..CALLS_OF_TENANT).map(|_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            turns.run(&long, move || {
                let now = {
                    let mut running = locked(&running);
                    *running += 1;
                    *running
                };
                let mut most = locked(&most);
                *most = now.max(*most);
                drop(most);
                thread::sleep(Duration::from_millis(2));
                *locked(&running) -= 1;
            })
        });
        let done = futures::future::join_all(calls).await;
        assert!(done.iter().all(Result::is_ok));
        assert!((1..=allowed).contains(&*locked(&most)), "{}", locked(&most));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_panic_goes_on_where_the_call_was_asked_for_and_leaves_the_turns_as_they_were() {
        let turns = Arc::new(Turns::new(CALLS_AT_ONCE, CALLS_OF_TENANT));
        let tenant: TenantId = "t".parse().unwrap();
        for _ in 0..CALLS_AT_ONCE * 2 {
            let (turns, tenant) = (Arc::clone(&turns), tenant.clone());
            let asked = tokio::spawn(async move { turns.run(&tenant, || panic!("as asked")).await });
            assert!(asked.await.unwrap_err().is_panic());
        }
        assert_eq!(turns.of_all.available_permits(), CALLS_AT_ONCE);
        assert_eq!(turns.run(&tenant, || 7).await.unwrap(), 7);
    }
}
