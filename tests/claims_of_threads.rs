//! Tests of the documented memory that pools take for each thread.
//!
//! This program has only one test, so no other test starts or ends threads during its measurements.

#[path = "common/counting.rs"]
mod counting;
#[path = "common/threads.rs"]
#[allow(dead_code, reason = "other tests use the other functions")]
mod threads;
#[path = "common/words.rs"]
mod words;

use std::{
    cell::RefCell,
    future::pending,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{Builder, JoinHandle},
};

use counting::Balance;
use threads::while_a_thread_lives;
use value_future::{FuturePool, Pool};
use words::{documented, kib};

type Completions = Pool<Option<Box<u64>>>;

/// Threads that have run an action, and now wait until `end` is called.
#[derive(Default)]
struct Crowd(Vec<(Sender<()>, JoinHandle<()>)>);

impl Crowd {
    fn add(&mut self, action: impl FnOnce() + Send + 'static) {
        let (done, is_done): (_, Receiver<()>) = channel();
        let (end, is_over) = channel::<()>();
        let body = move || {
            action();
            drop(done);
            let _ = is_over.recv();
            count_the_end();
        };
        let thread = Builder::new().stack_size(256 << 10).spawn(body).unwrap();
        let _ = is_done.recv();
        self.0.push((end, thread));
    }

    fn end(self) {
        for (end, thread) in self.0 {
            drop(end);
            thread.join().unwrap();
        }
    }
}

/// The allocations that the crate made and freed when threads ended.
static ENDS: Balance = Balance::new();

/// Makes `ENDS` count the allocations of the thread-local destructors of this thread.
fn count_the_end() {
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            ENDS.count_from_here();
        }
    }
    thread_local! {
        // This value is initialized after the thread-locals of the crate, so it is dropped before them.
        static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    AT_THE_END.set(Some(AtTheEnd));
}

fn a_thread_keeps_up_to_64_vacant_slots_and_other_threads_find_the_rest() {
    let pool = Pool::<Option<u64>>::new();
    let all = || drop((0..224).map(|_| pool.rent()).collect::<Vec<_>>());
    let found = while_a_thread_lives(all, || {
        let mut ends = vec![];
        while pool.stats().capacity == 224 {
            ends.push(pool.rent());
        }
        ends.len() - 1
    });
    let kept = 224 - found;
    assert_eq!(kept, 64);
    documented!("src/pool/pool.rs", "up to {kept} vacant slots");

    let pool = FuturePool::new();
    let all = || drop((0..4 * 62).map(|_| pool.pooled(pending::<()>())).collect::<Vec<_>>());
    let left = while_a_thread_lives(all, || {
        pool.trim();
        let left = pool.stats().capacity;
        assert!(left <= 3 * 62, "{left}");
        left
    });
    documented!(
        "src/future_pool/future_pool.rs",
        "A thread keeps up to {kept} vacant slots of a size for itself"
    );
    documented!(
        "src/future_pool/future_pool.rs",
        "up to {kept} slots of a size for each thread, stay"
    );
    // The thread has ended, so the slots in its cache are available to all threads.
    assert_eq!((pool.trim(), pool.stats().capacity), (64 * left, 0));
}

/// Each thread has its own pools. The pools of the last thread take as much memory as those of the first thread.
fn a_pool_takes_memory_for_its_own_threads_only() {
    static POOL: Balance = Balance::new();
    static FUTURES: Balance = Balance::new();
    static FIRST: Balance = Balance::new();
    static LAST: Balance = Balance::new();
    let one = |balance: &'static Balance| {
        move || {
            let pools = balance.count(|| {
                let pools = (Completions::new(), FuturePool::new());
                drop((pools.0.rent(), pools.1.pooled(pending::<()>())));
                pools
            });
            std::mem::forget(pools);
        }
    };
    let pool = POOL.count(Completions::new);
    POOL.count(|| drop(pool.rent()));
    let futures = FuturePool::new();
    FUTURES.count(|| drop(futures.pooled(pending::<()>())));
    documented!(
        "docs/benchmarks.md",
        "a pool of completions takes {}. Each size of slots that a `FuturePool` uses takes {}.",
        kib(POOL.bytes()),
        kib(FUTURES.bytes())
    );
    // The first use of the smallest size also allocated one page, which takes 64 × 64 bytes.
    documented!(
        "src/future_pool/future_pool.rs",
        "Each size takes {} more from its first use",
        kib(FUTURES.bytes() - 64 * 64)
    );
    let mut crowd = Crowd::default();
    crowd.add(one(&FIRST));
    for _ in 0..if cfg!(miri) { 10 } else { 2000 } {
        crowd.add(|| {
            let pools = (Completions::new(), FuturePool::new());
            drop((pools.0.rent(), pools.1.pooled(pending::<()>())));
            std::mem::forget(pools);
        });
    }
    crowd.add(one(&LAST));
    assert_eq!((FIRST.bytes(), FIRST.live()), (LAST.bytes(), LAST.live()));
    assert!(FIRST.bytes() <= 16 << 10, "{} bytes", FIRST.bytes());
    crowd.end();
}

/// Measures what a thread allocates for a pool that other threads have used, and whose slots already exist.
fn the_first_operation_of_a_thread_may_allocate_and_later_operations_do_not() {
    static RENT: Balance = Balance::new();
    static AGAIN: Balance = Balance::new();
    static DROP: Balance = Balance::new();
    static BOUNDED: Balance = Balance::new();
    let bounded = Completions::builder().initial_slots(8).max_slots(8).build();
    let bounded = &*Box::leak(Box::new(bounded));
    let pools = &*Box::leak(Box::new((Completions::new(), FuturePool::new())));
    pools.0.reserve(1000);
    pools.1.reserve(0, 1000).unwrap();
    let (completer, completion) = pools.0.rent();
    let future = pools.1.pooled(pending::<()>());
    let mut crowd = Crowd::default();
    // A drop never allocates, even if it is the first operation of its thread.
    crowd.add(move || {
        DROP.count(|| drop((completer, completion, future)));
    });
    assert_eq!(DROP.made(), 0);
    for _ in 0..100 {
        crowd.add(|| {
            RENT.count(|| drop(pools.0.rent()));
            AGAIN.count(|| drop(pools.0.rent()));
            RENT.count(|| drop(pools.1.pooled(pending::<()>())));
            AGAIN.count(|| drop(pools.1.pooled(pending::<()>())));
        });
        crowd.add(|| BOUNDED.count(|| drop(bounded.rent())));
    }
    assert_eq!(AGAIN.made(), 0);
    assert_eq!(BOUNDED.made(), 0);
    documented!("src/pool/pool.rs", "A bounded pool has no thread caches.");
    let of_one = RENT.bytes() / 200;
    assert!((640..1024).contains(&of_one), "{of_one} bytes");
    documented!("src/pool/pool.rs", "up to 1 KiB for each thread that rents");
    documented!("src/future_pool/future_pool.rs", "A cache takes up to 1 KiB.");
    crowd.end();
    assert_eq!(ENDS.made(), 0);
    assert!(ENDS.live() < 0, "caches were freed: {ENDS:?}");
}

#[test]
#[cfg_attr(
    any(miri, not(target_pointer_width = "64")),
    ignore = "starts two thousand threads; the figures are for 64-bit targets"
)]
#[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
fn the_memory_for_threads_is_as_documented() {
    a_thread_keeps_up_to_64_vacant_slots_and_other_threads_find_the_rest();
    a_pool_takes_memory_for_its_own_threads_only();
    the_first_operation_of_a_thread_may_allocate_and_later_operations_do_not();
}
