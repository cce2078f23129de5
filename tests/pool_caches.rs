//! Tests of thread caches. When a pool is dropped or a thread ends, no slot is lost, and the memory of the caches is freed or reused.

#[path = "common/counting.rs"]
mod counting;

use std::{
    future::pending,
    sync::mpsc::{Sender, channel},
    thread::{self, Scope},
};

use counting::Balance;
use value_future::{Completer, Completion, FuturePool, Pool};

type Completions = Pool<Option<u64>>;

const MANY: usize = if cfg!(miri) { 20 } else { 1000 };

/// Completes and awaits an operation.
fn run((completer, completion): (Completer<Option<u64>>, Completion<Option<u64>>)) {
    completer.complete(Some(5)).unwrap();
    assert_eq!(futures::executor::block_on(completion), Some(5));
}

/// Starts a thread that runs actions. The returned function sends an action and waits until it has run.
fn worker<'s>(scope: &'s Scope<'s, '_>) -> impl Fn(Box<dyn FnOnce() + Send>) + use<'s> {
    let (sender, work) = channel::<(Box<dyn FnOnce() + Send>, Sender<()>)>();
    scope.spawn(move || {
        for (action, done) in work {
            action();
            let _ = done.send(());
        }
    });
    move |action| {
        let (done, is_done) = channel();
        sender.send((action, done)).unwrap();
        is_done.recv().unwrap();
    }
}

/// Another thread still has the cache of a dropped pool when the allocator reuses the address of that pool.
#[test]
fn a_pool_at_the_address_of_an_earlier_pool_has_its_own_caches() {
    thread::scope(|scope| {
        let on_worker = worker(scope);
        for _ in 0..MANY {
            let pool = Completions::new();
            let worker_pool = pool.clone();
            on_worker(Box::new(move || {
                run(worker_pool.rent());
                let [one, two] = [worker_pool.rent(), worker_pool.rent()];
                assert_ne!(one.0.key_while_held(), two.0.key_while_held());
                run(one);
                run(two);
            }));
            let stats = pool.stats();
            assert_eq!((stats.rented, stats.live, stats.capacity), (3, 0, 32));
        }
    });
}

/// Except under Miri, the number of pools is greater than the number of entries in the table of recently used caches of a thread.
#[test]
fn a_thread_uses_many_pools() {
    let pools: Vec<_> = (0..MANY).map(|_| Completions::new()).collect();
    let kept: Vec<_> = pools.iter().map(Pool::rent).collect();
    for _ in 0..3 {
        for pool in &pools {
            run(pool.rent());
        }
    }
    kept.into_iter().for_each(run);
    for pool in &pools {
        let stats = pool.stats();
        assert_eq!((stats.rented, stats.live, stats.high_water), (4, 0, 2));
    }
}

/// This thread uses pools that another thread drops.
#[test]
fn a_thread_does_not_keep_caches_of_dropped_pools() {
    static BALANCE: Balance = Balance::new();
    thread::scope(|scope| {
        let on_worker = worker(scope);
        for _ in 0..if cfg!(miri) { 45 } else { 10 * MANY } {
            let pool = BALANCE.count(|| {
                let pool = Completions::new();
                run(pool.rent());
                pool
            });
            on_worker(Box::new(move || BALANCE.count(|| drop(pool))));
        }
    });
    assert!(BALANCE.live() < 40, "{BALANCE:?}");
}

#[test]
fn a_thread_reuses_the_cache_of_a_thread_that_ended() {
    let pool = Completions::new();
    let one = || {
        // `join` waits for the thread-local destructors of a thread. The end of a scope does not wait for them.
        thread::scope(|scope| scope.spawn(|| run(pool.rent())).join().unwrap());
        pool.stats().allocations
    };
    let first = one();
    assert_eq!([one(), one(), one()], [first; 3]);
}

/// The cache is created even if no slot is reserved. (A thread without a cache would release its slots to a stripe.)
#[test]
fn reserve_creates_the_cache_of_the_calling_thread() {
    let pool = Completions::new();
    let operations: Vec<_> = (0..3).map(|_| pool.rent()).collect();
    let before = pool.stats().allocations;
    thread::scope(|scope| {
        scope.spawn(|| {
            pool.reserve(0);
            assert_eq!(pool.stats().allocations, before + 1);
            drop(operations);
        });
    });
    assert_eq!((pool.stats().live, pool.stats().allocations), (0, before + 1));
}

/// The pool is dropped while the cache of a living thread has slots of the pool. Then another slot is released on that thread.
#[test]
fn a_slot_is_released_on_a_thread_that_has_a_cache_of_the_dropped_pool() {
    static BALANCE: Balance = Balance::new();
    thread::scope(|scope| {
        let on_worker = worker(scope);
        for _ in 0..if cfg!(miri) { 3 } else { 10 } {
            let pool = BALANCE.count(Completions::new);
            let worker_pool = pool.clone();
            let (sender, late) = channel();
            on_worker(Box::new(move || {
                let late = BALANCE.count(|| {
                    run(worker_pool.rent());
                    let late = worker_pool.rent();
                    drop(worker_pool);
                    late
                });
                sender.send(late).unwrap();
            }));
            let late = late.recv().unwrap();
            BALANCE.count(|| drop(pool));
            on_worker(Box::new(move || BALANCE.count(|| drop(late))));
        }
    });
    // The map of caches of the thread and the thread-locals of `block_on` may be freed later.
    assert!(BALANCE.live() <= 2, "{BALANCE:?}");
}

/// A worker thread still has the cache of the first pool. The second pool is bounded, so it has no thread caches. The worker releases more
/// slots of the second pool than fit in the stripes of this pool.
#[test]
fn a_bounded_pool_at_the_address_of_an_earlier_pool_finds_all_its_slots() {
    const SLOTS: u32 = if cfg!(miri) { 200 } else { 6000 };
    thread::scope(|scope| {
        let on_worker = worker(scope);
        for _ in 0..if cfg!(miri) { 1 } else { 30 } {
            let first = Completions::new();
            let worker_pool = first.clone();
            on_worker(Box::new(move || drop([(); 64].map(|()| worker_pool.rent()))));
            drop(first);
            let second = Completions::builder().max_slots(SLOTS).build();
            let all: Vec<_> = (0..SLOTS).map(|_| second.rent()).collect();
            on_worker(Box::new(move || drop(all)));
            let all: Vec<_> = (0..SLOTS).map(|_| second.try_rent().unwrap()).collect();
            drop(all);
            assert_eq!(second.stats().live, 0);
        }
    });
}

/// A slot in use keeps its page allocated, but not the other pages of the dropped pool.
#[test]
fn the_last_operation_of_a_dropped_pool_keeps_one_page() {
    const COUNT: usize = 10 * MANY;
    static COMPLETIONS: Balance = Balance::new();
    static FUTURES: Balance = Balance::new();
    // The thread-local memory of the crate belongs to no pool, so it is allocated before the count.
    drop(Completions::new().rent());
    let last = COMPLETIONS.count(|| {
        let pool = Completions::new();
        let mut all: Vec<_> = (0..COUNT).map(|_| pool.rent()).collect();
        all.swap_remove(COUNT / 2)
    });
    assert!(COMPLETIONS.bytes() < 32 << 10, "{COMPLETIONS:?}");
    COMPLETIONS.count(|| drop(last));
    assert_eq!(COMPLETIONS.bytes(), 0);

    let last = FUTURES.count(|| {
        let pool = FuturePool::new();
        let mut all: Vec<_> = (0..COUNT).map(|_| pool.pooled(pending::<()>())).collect();
        all.swap_remove(COUNT / 2)
    });
    assert!(FUTURES.bytes() < 32 << 10, "{FUTURES:?}");
    FUTURES.count(|| drop(last));
    assert_eq!(FUTURES.bytes(), 0);
}
