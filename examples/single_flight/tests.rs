use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::{cell::Cell, io, pin::pin, thread};

use futures::{executor::block_on, future::join_all, poll};
use tokio::sync::Semaphore;

use super::*;
use crate::{
    cache::Answer,
    common::{allocated, refusal},
    store::Value,
};

/// A store whose loads wait until its gate is open.
struct Gate {
    open: Semaphore,
    fails: AtomicBool,
    loads: AtomicUsize,
    dropped: AtomicUsize,
}

impl Gate {
    fn new(open: bool) -> Arc<Self> {
        let [loads, dropped] = [0, 0].map(AtomicUsize::new);
        let open = Semaphore::new(usize::from(open));
        Arc::new(Gate { open, fails: AtomicBool::new(false), loads, dropped })
    }

    /// Returns the number of loads, and how many of them were dropped before they were ready.
    fn counts(&self) -> (usize, usize) {
        (self.loads.load(Relaxed), self.dropped.load(Relaxed))
    }
}

impl Store for Gate {
    async fn load(&self, key: usize) -> io::Result<Value> {
        struct Dropped<'g>(&'g AtomicUsize, bool);
        impl Drop for Dropped<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(usize::from(self.1), Relaxed);
            }
        }
        self.loads.fetch_add(1, Relaxed);
        let mut dropped = Dropped(&self.dropped, true);
        drop(self.open.acquire().await);
        dropped.1 = false;
        if self.fails.load(Relaxed) { Err(io::ErrorKind::NotFound.into()) } else { Ok(bytes(key)) }
    }
}

fn bytes(key: usize) -> Value {
    key.to_le_bytes().into()
}

thread_local!(static LATER: Cell<Duration> = const { Cell::new(Duration::ZERO) });

/// A clock that a test can move forward.
fn now() -> Instant {
    Instant::now() + LATER.get()
}

fn cache(gate: &Arc<Gate>) -> Arc<SingleFlight<Gate>> {
    Arc::new(SingleFlight::new(Arc::clone(gate), Duration::from_secs(60), now))
}

fn entries(cache: &SingleFlight<Gate>) -> usize {
    (0..16).map(|key| cache.entries(key).len()).sum()
}

fn moka(gate: &Arc<Gate>) -> Moka<Gate> {
    Moka(moka::future::Cache::new(100), Arc::clone(gate))
}

#[test]
fn concurrent_callers_await_one_load() {
    let gate = Gate::new(false);
    let cache = cache(&gate);
    block_on(async {
        let mut all = pin!(join_all((0..100).map(|_| cache.get(7))));
        assert!(poll!(&mut all).is_pending());
        gate.open.add_permits(1);
        assert!(all.await.into_iter().all(|answer| answer.unwrap() == bytes(7)));
        assert!(cache.get(7).is_ready());
        assert_eq!(cache.get(8).await.unwrap(), bytes(8));
    });
    assert_eq!(gate.counts(), (2, 0));
}

#[test]
fn threads_load_each_key_once() {
    let gate = Gate::new(true);
    let cache = cache(&gate);
    let look_up = || {
        for key in 0..2_000 {
            assert_eq!(block_on(cache.get(key)).unwrap(), bytes(key));
        }
    };
    thread::scope(|scope| drop([(); 4].map(|()| scope.spawn(look_up))));
    assert_eq!(gate.counts(), (2_000, 0));
}

/// Cancels the first of two callers. The other one must get the value.
fn cancel_the_first<F: Future<Output = Answer>>(gate: &Gate, get: impl Fn() -> F) {
    block_on(async {
        let mut first = Box::pin(get());
        let mut second = pin!(get());
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        drop(first);
        gate.open.add_permits(1);
        assert_eq!(second.await.unwrap(), bytes(7));
    });
}

#[test]
fn others_go_on_if_the_first_caller_is_cancelled() {
    let gate = Gate::new(false);
    let cache = cache(&gate);
    cancel_the_first(&gate, || cache.get(7));
    assert_eq!(gate.counts(), (1, 0));
}

/// The documentation of the program says this of `moka`.
#[test]
fn moka_loads_again_if_the_first_caller_is_cancelled() {
    let gate = Gate::new(false);
    let cache: &dyn twin::Cache = &moka(&gate);
    cancel_the_first(&gate, || cache.get(7));
    assert_eq!(gate.counts(), (2, 1));
}

#[test]
fn a_load_is_dropped_with_its_last_caller() {
    let gate = Gate::new(false);
    let cache = cache(&gate);
    block_on(async {
        let (mut first, mut second) = (Box::pin(cache.get(7)), Box::pin(cache.get(7)));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        drop(second);
        assert_eq!(gate.counts(), (1, 0));
        drop(first);
        assert_eq!(gate.counts(), (1, 1));
        gate.open.add_permits(1);
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
    });
    assert_eq!(gate.counts(), (2, 1));
}

#[test]
fn an_error_reaches_all_callers_and_is_not_cached() {
    let gate = Gate::new(false);
    let cache = cache(&gate);
    gate.fails.store(true, Relaxed);
    block_on(async {
        let mut all = pin!(join_all((0..10).map(|_| cache.get(7))));
        assert!(poll!(&mut all).is_pending());
        gate.open.add_permits(1);
        let errors: Vec<_> = all.await.into_iter().map(Result::unwrap_err).collect();
        assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])));
        assert_eq!((errors.len(), errors[0].kind()), (10, io::ErrorKind::NotFound));
        gate.fails.store(false, Relaxed);
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
    });
    assert_eq!(gate.counts(), (2, 0));
}

/// A handle keeps the result of the load until it is dropped, but the cache does not.
#[test]
fn an_error_is_not_cached_while_a_caller_has_not_taken_it() {
    let gate = Gate::new(true);
    let cache = cache(&gate);
    gate.fails.store(true, Relaxed);
    let idle = cache.get(7);
    assert!(block_on(cache.get(7)).is_err());
    gate.fails.store(false, Relaxed);
    assert_eq!(block_on(cache.get(7)).unwrap(), bytes(7));
    assert!(block_on(idle).is_err());
}

#[test]
fn an_expired_value_is_loaded_again() {
    let gate = Gate::new(true);
    let cache = cache(&gate);
    let look_up = || block_on(cache.get(7)).unwrap();
    assert_eq!(look_up(), bytes(7));
    LATER.set(Duration::from_secs(30));
    assert_eq!((look_up(), gate.counts()), (bytes(7), (1, 0)));
    LATER.set(Duration::from_secs(61));
    assert!(!cache.get(7).is_ready());
    assert_eq!((look_up(), gate.counts()), (bytes(7), (2, 0)));
}

#[test]
fn expired_values_and_dead_loads_leave_the_map() {
    let gate = Gate::new(true);
    let cache = cache(&gate);
    let old = Arc::downgrade(&block_on(cache.get(0)).unwrap());
    LATER.set(Duration::from_secs(61));
    for key in 1..100_000 {
        drop(cache.get(key)); // a load that is cancelled
    }
    assert!(entries(&cache) < 1_000, "{} entries", entries(&cache));
    assert!(old.upgrade().is_none());
    assert_eq!(gate.counts(), (1, 0)); // A load that is not polled does not run.
}

#[test]
fn live_loads_and_values_stay_in_the_map() {
    let gate = Gate::new(true);
    let cache = cache(&gate);
    let lookups: Vec<_> = (0..1_000).map(|key| cache.get(key)).collect();
    assert_eq!(entries(&cache), 1_000);
    block_on(join_all(lookups));
    block_on(join_all((0..2_000).map(|key| cache.get(key))));
    assert_eq!(gate.counts(), (2_000, 0));
}

#[test]
fn a_hit_and_a_second_caller_allocate_nothing() {
    let gate = Gate::new(false);
    let cache: &dyn Cache = &cache(&gate);
    let join = || {
        let first = cache.get(7);
        let before = allocated();
        let second = cache.get(7);
        let joined = allocated() - before;
        drop((first, second));
        joined
    };
    join(); // The first future of a thread may allocate.
    assert_eq!(join().count, 0);
    gate.open.add_permits(1);
    block_on(async {
        cache.get(7).await.unwrap();
        let before = allocated();
        for _ in 0..100 {
            assert_eq!(cache.get(7).await.unwrap()[..], 7_usize.to_le_bytes());
        }
        assert_eq!((allocated() - before).count, 0);
    });
}

#[test]
fn moka_does_the_same_for_callers_that_stay() {
    let gate = Gate::new(false);
    let cache: &dyn twin::Cache = &moka(&gate);
    gate.fails.store(true, Relaxed);
    block_on(async {
        let mut all = pin!(join_all((0..10).map(|_| cache.get(7))));
        assert!(poll!(&mut all).is_pending());
        gate.open.add_permits(1);
        assert!(all.await.iter().all(Answer::is_err));
        gate.fails.store(false, Relaxed);
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
    });
    assert_eq!(gate.counts(), (2, 0));
}

#[test]
fn the_program_compares_with_real_files_and_faults() {
    let folder = env::temp_dir().join(format!("single_flight-test-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    for key in 0..200_usize {
        fs::write(folder.join(key.to_string()), key.to_le_bytes()).unwrap();
    }
    let options = Options::parse_from(["single_flight", "--rounds", "1", "--faults", "20"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = (0..1_200).map(|index| index % 200).collect();
    let traffic = Traffic { options, folder, runtime, keys, new_keys: true };
    let rows = compare(&traffic).unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        let [loads, errors, cancelled] = [7, 8, 9].map(|cell| row[cell].parse::<u64>().unwrap());
        assert!(loads >= 400 && errors > 0 && cancelled > 0, "{row:?}");
    }
    // A value of another key is a wrong result.
    fs::write(traffic.folder.join("7"), 8_usize.to_le_bytes()).unwrap();
    assert!(compare(&traffic).unwrap_err().contains("wrong"));
    fs::remove_dir_all(&traffic.folder).unwrap();
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [["--rounds", "0"], ["--faults", "101"], ["--faults", "x"], ["--keys", "1"]] {
        assert_eq!(refusal::<Options>(&arguments), Some(2), "{arguments:?}");
    }
    assert_eq!(refusal::<Options>(&["--faults", "0"]), None);
}
