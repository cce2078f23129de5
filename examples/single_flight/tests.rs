use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::{cell::Cell, io, pin::pin, thread};

use futures::{executor::block_on, future::join_all, poll};
use tokio::sync::Semaphore;

use super::*;
use crate::{
    common::{allocated, exit_code_of_arguments},
    single_flight::Answer,
    store::Value,
};

/// A store whose loads wait until the store is open.
struct GatedStore {
    open: Semaphore,
    fails: AtomicBool,
    loads: AtomicUsize,
    dropped: AtomicUsize,
}

impl GatedStore {
    fn new(open: bool) -> Arc<Self> {
        let [loads, dropped] = [0, 0].map(AtomicUsize::new);
        let open = Semaphore::new(usize::from(open));
        Arc::new(GatedStore { open, fails: AtomicBool::new(false), loads, dropped })
    }

    /// Returns the number of loads, and the number of loads that were dropped before they were ready.
    fn counts(&self) -> (usize, usize) {
        (self.loads.load(Relaxed), self.dropped.load(Relaxed))
    }
}

impl Store for GatedStore {
    async fn load(&self, key: usize) -> io::Result<Value> {
        struct CountDrop<'g>(&'g AtomicUsize, bool);
        impl Drop for CountDrop<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(usize::from(self.1), Relaxed);
            }
        }
        self.loads.fetch_add(1, Relaxed);
        let mut dropped = CountDrop(&self.dropped, true);
        drop(self.open.acquire().await);
        dropped.1 = false;
        if self.fails.load(Relaxed) { Err(io::ErrorKind::NotFound.into()) } else { Ok(bytes(key)) }
    }
}

fn bytes(key: usize) -> Value {
    key.to_le_bytes().into()
}

thread_local!(static CLOCK_OFFSET: Cell<Duration> = const { Cell::new(Duration::ZERO) });

/// Returns the time of a clock that a test can advance.
fn now() -> Instant {
    Instant::now() + CLOCK_OFFSET.get()
}

fn cache(store: &Arc<GatedStore>) -> Arc<SingleFlight<GatedStore>> {
    Arc::new(SingleFlight::new(Arc::clone(store), Duration::from_secs(60), now))
}

fn entries(cache: &SingleFlight<GatedStore>) -> usize {
    (0..16).map(|key| cache.entries(key).len()).sum()
}

fn moka(store: &Arc<GatedStore>) -> MokaCache<GatedStore> {
    MokaCache(moka::future::Cache::new(100), Arc::clone(store))
}

#[test]
fn concurrent_callers_await_one_load() {
    let store = GatedStore::new(false);
    let cache = cache(&store);
    block_on(async {
        let mut all = pin!(join_all((0..100).map(|_| cache.get(7))));
        assert!(poll!(&mut all).is_pending());
        store.open.add_permits(1);
        assert!(all.await.into_iter().all(|answer| answer.unwrap() == bytes(7)));
        assert!(cache.get(7).is_ready());
        assert_eq!(cache.get(8).await.unwrap(), bytes(8));
    });
    assert_eq!(store.counts(), (2, 0));
}

#[test]
fn threads_load_each_key_once() {
    let store = GatedStore::new(true);
    let cache = cache(&store);
    let look_up = || {
        for key in 0..2_000 {
            assert_eq!(block_on(cache.get(key)).unwrap(), bytes(key));
        }
    };
    thread::scope(|scope| drop([(); 4].map(|()| scope.spawn(look_up))));
    assert_eq!(store.counts(), (2_000, 0));
}

/// Cancels the first of two callers. The second caller must get the value.
fn cancel_first_caller<F: Future<Output = Answer>>(store: &GatedStore, get: impl Fn() -> F) {
    block_on(async {
        let mut first = Box::pin(get());
        let mut second = pin!(get());
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        drop(first);
        store.open.add_permits(1);
        assert_eq!(second.await.unwrap(), bytes(7));
    });
}

#[test]
fn a_load_continues_if_the_first_caller_is_cancelled() {
    let store = GatedStore::new(false);
    let cache = cache(&store);
    cancel_first_caller(&store, || cache.get(7));
    assert_eq!(store.counts(), (1, 0));
}

/// Checks a statement about `moka` in the documentation of the program.
#[test]
fn moka_loads_again_if_the_first_caller_is_cancelled() {
    let store = GatedStore::new(false);
    let cache: &dyn BoxedCache = &moka(&store);
    cancel_first_caller(&store, || cache.get(7));
    assert_eq!(store.counts(), (2, 1));
}

#[test]
fn a_load_is_dropped_with_its_last_caller() {
    let store = GatedStore::new(false);
    let cache = cache(&store);
    block_on(async {
        let (mut first, mut second) = (Box::pin(cache.get(7)), Box::pin(cache.get(7)));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        drop(second);
        assert_eq!(store.counts(), (1, 0));
        drop(first);
        assert_eq!(store.counts(), (1, 1));
        store.open.add_permits(1);
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
    });
    assert_eq!(store.counts(), (2, 1));
}

#[test]
fn an_error_reaches_all_callers_and_is_not_cached() {
    let store = GatedStore::new(false);
    let cache = cache(&store);
    store.fails.store(true, Relaxed);
    block_on(async {
        let mut all = pin!(join_all((0..10).map(|_| cache.get(7))));
        assert!(poll!(&mut all).is_pending());
        store.open.add_permits(1);
        let errors: Vec<_> = all.await.into_iter().map(Result::unwrap_err).collect();
        assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])));
        assert_eq!((errors.len(), errors[0].kind()), (10, io::ErrorKind::NotFound));
        store.fails.store(false, Relaxed);
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
    });
    assert_eq!(store.counts(), (2, 0));
}

/// A failed load stores its error while a caller still holds a handle of the load. The next lookup must nevertheless begin a new load.
#[test]
fn an_error_is_not_cached_while_a_caller_still_holds_the_load() {
    let store = GatedStore::new(true);
    let cache = cache(&store);
    store.fails.store(true, Relaxed);
    let idle = cache.get(7);
    assert!(block_on(cache.get(7)).is_err());
    store.fails.store(false, Relaxed);
    assert_eq!(block_on(cache.get(7)).unwrap(), bytes(7));
    assert!(block_on(idle).is_err());
}

#[test]
fn an_expired_value_is_loaded_again() {
    let store = GatedStore::new(true);
    let cache = cache(&store);
    let look_up = || block_on(cache.get(7)).unwrap();
    assert_eq!(look_up(), bytes(7));
    CLOCK_OFFSET.set(Duration::from_secs(30));
    assert_eq!((look_up(), store.counts()), (bytes(7), (1, 0)));
    CLOCK_OFFSET.set(Duration::from_secs(61));
    assert!(!cache.get(7).is_ready());
    assert_eq!((look_up(), store.counts()), (bytes(7), (2, 0)));
}

#[test]
fn the_map_removes_expired_values_and_dead_loads() {
    let store = GatedStore::new(true);
    let cache = cache(&store);
    let old = Arc::downgrade(&block_on(cache.get(0)).unwrap());
    CLOCK_OFFSET.set(Duration::from_secs(61));
    for key in 1..100_000 {
        drop(cache.get(key)); // This cancels the load.
    }
    assert!(entries(&cache) < 1_000, "{} entries", entries(&cache));
    assert!(old.upgrade().is_none());
    assert_eq!(store.counts(), (1, 0)); // A load that is not polled does not run.
}

#[test]
fn the_map_keeps_live_loads_and_values() {
    let store = GatedStore::new(true);
    let cache = cache(&store);
    let lookups: Vec<_> = (0..1_000).map(|key| cache.get(key)).collect();
    assert_eq!(entries(&cache), 1_000);
    block_on(join_all(lookups));
    block_on(join_all((0..2_000).map(|key| cache.get(key))));
    assert_eq!(store.counts(), (2_000, 0));
}

#[test]
fn a_hit_and_a_second_caller_do_not_allocate() {
    let store = GatedStore::new(false);
    let cache: &dyn Cache = &cache(&store);
    let join = || {
        let first = cache.get(7);
        let before = allocated();
        let second = cache.get(7);
        let joined = allocated() - before;
        drop((first, second));
        joined
    };
    join(); // The first pooled future of a thread may allocate.
    assert_eq!(join().count, 0);
    store.open.add_permits(1);
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
fn moka_shares_a_load_and_does_not_cache_errors() {
    let store = GatedStore::new(false);
    let cache: &dyn BoxedCache = &moka(&store);
    store.fails.store(true, Relaxed);
    block_on(async {
        let mut all = pin!(join_all((0..10).map(|_| cache.get(7))));
        assert!(poll!(&mut all).is_pending());
        store.open.add_permits(1);
        assert!(all.await.iter().all(Answer::is_err));
        store.fails.store(false, Relaxed);
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
        assert_eq!(cache.get(7).await.unwrap(), bytes(7));
    });
    assert_eq!(store.counts(), (2, 0));
}

#[test]
fn the_program_detects_errors_cancellations_and_wrong_values() {
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
    // Now the file of key 7 has the value of key 8. So lookups of key 7 return a wrong value.
    fs::write(traffic.folder.join("7"), 8_usize.to_le_bytes()).unwrap();
    assert!(compare(&traffic).unwrap_err().contains("wrong"));
    fs::remove_dir_all(&traffic.folder).unwrap();
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    for arguments in [["--rounds", "0"], ["--faults", "101"], ["--faults", "x"], ["--keys", "1"]] {
        assert_eq!(exit_code_of_arguments::<Options>(&arguments), Some(2), "{arguments:?}");
    }
    assert_eq!(exit_code_of_arguments::<Options>(&["--faults", "0"]), None);
}
