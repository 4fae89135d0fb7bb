//! Time, and waiting for it: the machine's, or that of a world that runs on this thread alone.
//!
//! A world on one thread has a time of its own. It stands still while anything can go on, and jumps to the next event
//! when everything waits. So a run that waits for half a minute takes as long as its computations, and two runs from the
//! same start see the same times.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::runtime::Runtime;
use tokio::task::LocalSet;

/// When the time of a world on one thread begins: the first of January 2026, in seconds since 1970.
const FIRST_DAY: u64 = 1_767_225_600;

thread_local! {
    /// The time of this thread's world, if it has one of its own.
    static OWN: RefCell<Weak<Clock>> = const { RefCell::new(Weak::new()) };
    /// What carries the world of this thread.
    static DRIVER: RefCell<Weak<Driver>> = const { RefCell::new(Weak::new()) };
    /// What runs on this thread and can't leave it.
    static TASKS: RefCell<Arc<LocalSet>> = RefCell::new(new_tasks());
}

/// A place for tasks that can't leave their thread. Shared on that thread alone.
#[expect(clippy::arc_with_non_send_sync, reason = "it stays on its thread")]
fn new_tasks() -> Arc<LocalSet> {
    Arc::new(LocalSet::new())
}

/// A time that jumps.
#[derive(Debug)]
struct Clock {
    /// The moment that it began at, for differences alone.
    base: Instant,
    /// What changes.
    state: Mutex<State>,
}

/// What changes of a time.
#[derive(Debug, Default)]
struct State {
    /// Time since the beginning.
    now: Duration,
    /// Who waits: by time, then by turn.
    waiting: BTreeMap<(Duration, u64), Waker>,
    /// The next turn.
    turn: u64,
}

impl Clock {
    /// The state; a panic elsewhere does no harm to it.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jumps to the next event, and wakes who waits for it.
    fn jump(&self) {
        let mut due = Vec::new();
        let mut state = self.state();
        let Some(((next, _), _)) = state.waiting.first_key_value() else { return };
        let next = *next;
        state.now = state.now.max(next);
        while let Some(first) = state.waiting.first_entry().filter(|first| first.key().0 <= next) {
            due.push(first.remove());
        }
        drop(state);
        due.into_iter().for_each(Waker::wake);
    }
}

/// A wait for a moment of a time that jumps.
struct Sleep {
    /// The time.
    clock: Arc<Clock>,
    /// The moment.
    end: Duration,
    /// Its turn among those who wait for the same moment, once it waits.
    turn: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let clock = self.clock.clone();
        let mut state = clock.state();
        if state.now >= self.end {
            return Poll::Ready(());
        }
        let turn = self.turn.unwrap_or(state.turn);
        state.turn = state.turn.max(turn + 1);
        self.turn = Some(turn);
        state.waiting.insert((self.end, turn), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(turn) = self.turn {
            self.clock.state().waiting.remove(&(self.end, turn));
        }
    }
}

/// The time of this thread's world; none if that is the machine's.
fn own() -> Option<Arc<Clock>> {
    OWN.with_borrow(Weak::upgrade)
}

/// Whether this thread has a world with a time of its own.
pub fn is_own() -> bool {
    own().is_some()
}

/// Now, for differences.
pub fn now() -> Instant {
    own().map_or_else(Instant::now, |clock| clock.base + clock.state().now)
}

/// Now, by the calendar.
pub fn wall() -> SystemTime {
    let start = UNIX_EPOCH + Duration::from_secs(FIRST_DAY);
    own().map_or_else(SystemTime::now, |clock| start + clock.state().now)
}

/// Waits so long.
pub async fn sleep(time: Duration) {
    match own() {
        None => tokio::time::sleep(time).await,
        Some(clock) => {
            let end = clock.state().now + time;
            Sleep { clock, end, turn: None }.await;
        }
    }
}

/// Waits for the work, at most so long; none if the time was over first.
pub async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = sleep(time) => None,
    }
}

/// Waits so long outside of the world, which goes on meanwhile.
pub fn pause(time: Duration) {
    match Driver::here() {
        Some(driver) => driver.block_on(sleep(time)),
        None => std::thread::sleep(time),
    }
}

/// Carries a world on one thread, with a time of its own.
#[derive(Debug)]
pub struct Driver {
    /// Where its tasks run.
    runtime: Runtime,
    /// Its time.
    _clock: Arc<Clock>,
}

impl Driver {
    /// That of this thread, made if there is none.
    ///
    /// # Errors
    /// When no runtime can be made.
    pub(crate) fn start() -> std::io::Result<Arc<Self>> {
        if let Some(driver) = Self::here() {
            return Ok(driver);
        }
        let clock = Arc::new(Clock { base: Instant::now(), state: Mutex::default() });
        let jumping = clock.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || jumping.jump())
            .build()?;
        OWN.set(Arc::downgrade(&clock));
        TASKS.set(new_tasks());
        let driver = Arc::new(Self { runtime, _clock: clock });
        DRIVER.set(Arc::downgrade(&driver));
        Ok(driver)
    }

    /// That of this thread, if it carries a world.
    pub fn here() -> Option<Arc<Self>> {
        DRIVER.with_borrow(Weak::upgrade)
    }

    /// The runtime.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Lets the world go on until this is done.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        let tasks = TASKS.with_borrow(Clone::clone);
        tasks.block_on(&self.runtime, work)
    }

    /// Starts work that can't leave this thread; it goes on whenever the world does.
    pub fn spawn<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> tokio::task::JoinHandle<T> {
        TASKS.with_borrow(|tasks| tasks.spawn_local(work))
    }
}
