//! What a thread keeps of pools, and what becomes of that when the pools or the thread go.

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

/// To the end.
fn run((completer, completion): (Completer<Option<u64>>, Completion<Option<u64>>)) {
    completer.complete(Some(5)).unwrap();
    assert_eq!(futures::executor::block_on(completion), Some(5));
}

/// A thread that does what it is sent, and says when it has.
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

/// The allocator gives the same address again, and another thread has a cache of the first pool.
#[test]
fn a_pool_where_another_one_was_has_caches_of_its_own() {
    thread::scope(|scope| {
        let elsewhere = worker(scope);
        for _ in 0..MANY {
            let pool = Completions::new();
            let theirs = pool.clone();
            elsewhere(Box::new(move || {
                run(theirs.rent());
                let [one, two] = [theirs.rent(), theirs.rent()];
                assert_ne!(one.0.key_while_held(), two.0.key_while_held());
                run(one);
                run(two);
            }));
            let stats = pool.stats();
            assert_eq!((stats.rented, stats.live, stats.capacity), (3, 0, 32));
        }
    });
}

/// More than are found at once.
#[test]
fn operations_of_many_pools_on_one_thread() {
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

/// Pools that are used here, and dropped on another thread.
#[test]
fn a_thread_does_not_keep_caches_of_more_pools_than_it_uses() {
    static BALANCE: Balance = Balance::new();
    thread::scope(|scope| {
        let elsewhere = worker(scope);
        for _ in 0..if cfg!(miri) { 45 } else { 10 * MANY } {
            let pool = BALANCE.count(|| {
                let pool = Completions::new();
                run(pool.rent());
                pool
            });
            elsewhere(Box::new(move || BALANCE.count(|| drop(pool))));
        }
    });
    assert!(BALANCE.live() < 40, "{BALANCE:?}");
}

#[test]
fn a_thread_gets_the_cache_of_one_that_has_ended() {
    let pool = Completions::new();
    let one = || {
        // A scope does not wait for what threads do at their end.
        thread::scope(|scope| scope.spawn(|| run(pool.rent())).join().unwrap());
        pool.stats().allocations
    };
    let first = one();
    assert_eq!([one(), one(), one()], [first; 3]);
}

/// Otherwise each slot that it returns goes to the depot of the pool.
#[test]
fn a_thread_that_reserves_gets_a_cache_without_having_rented() {
    let pool = Completions::new();
    let ends: Vec<_> = (0..3).map(|_| pool.rent()).collect();
    let before = pool.stats().allocations;
    thread::scope(|scope| {
        scope.spawn(|| {
            pool.reserve(0);
            assert_eq!(pool.stats().allocations, before + 1);
            drop(ends);
        });
    });
    assert_eq!((pool.stats().live, pool.stats().allocations), (0, before + 1));
}

/// Slots lie in the cache of a thread that lives on when its pool goes; then one comes back there.
#[test]
fn a_late_return_where_the_cache_of_a_closed_pool_is() {
    static BALANCE: Balance = Balance::new();
    thread::scope(|scope| {
        let elsewhere = worker(scope);
        for _ in 0..if cfg!(miri) { 3 } else { 10 } {
            let pool = BALANCE.count(Completions::new);
            let theirs = pool.clone();
            let (sender, late) = channel();
            elsewhere(Box::new(move || {
                let late = BALANCE.count(|| {
                    run(theirs.rent());
                    let late = theirs.rent();
                    drop(theirs);
                    late
                });
                sender.send(late).unwrap();
            }));
            let late = late.recv().unwrap();
            BALANCE.count(|| drop(pool));
            elsewhere(Box::new(move || BALANCE.count(|| drop(late))));
        }
    });
    // The map of the thread, and what `block_on` keeps for it: it may end after this.
    assert!(BALANCE.live() <= 2, "{BALANCE:?}");
}

/// As above, but the second one is bounded, and has no caches: more come back to it than its stripes hold.
#[test]
fn a_bounded_pool_where_another_one_was() {
    const SLOTS: u32 = if cfg!(miri) { 200 } else { 6000 };
    thread::scope(|scope| {
        let elsewhere = worker(scope);
        for _ in 0..if cfg!(miri) { 1 } else { 30 } {
            let first = Completions::new();
            let theirs = first.clone();
            elsewhere(Box::new(move || drop([(); 64].map(|()| theirs.rent()))));
            drop(first);
            let second = Completions::builder().max_slots(SLOTS).build();
            let all: Vec<_> = (0..SLOTS).map(|_| second.rent()).collect();
            elsewhere(Box::new(move || drop(all)));
            let all: Vec<_> = (0..SLOTS).map(|_| second.try_rent().unwrap()).collect();
            drop(all);
            assert_eq!(second.stats().live, 0);
        }
    });
}

/// What is out keeps its page, and not all that the pool had.
#[test]
fn one_that_is_left_of_a_pool_keeps_little() {
    const COUNT: usize = 10 * MANY;
    static COMPLETIONS: Balance = Balance::new();
    static FUTURES: Balance = Balance::new();
    // What the crate keeps for this thread is not the pool's.
    drop(Completions::new().rent());
    let left = COMPLETIONS.count(|| {
        let pool = Completions::new();
        let mut all: Vec<_> = (0..COUNT).map(|_| pool.rent()).collect();
        all.swap_remove(COUNT / 2)
    });
    assert!(COMPLETIONS.bytes() < 32 << 10, "{COMPLETIONS:?}");
    COMPLETIONS.count(|| drop(left));
    assert_eq!(COMPLETIONS.bytes(), 0);

    let left = FUTURES.count(|| {
        let pool = FuturePool::new();
        let mut all: Vec<_> = (0..COUNT).map(|_| pool.pooled(pending::<()>())).collect();
        all.swap_remove(COUNT / 2)
    });
    assert!(FUTURES.bytes() < 32 << 10, "{FUTURES:?}");
    FUTURES.count(|| drop(left));
    assert_eq!(FUTURES.bytes(), 0);
}
