//! Pooled futures that are made on one thread, and polled and dropped on others: each result arrives,
//! each future is dropped once, and the slots are all there afterwards.

mod common;

use std::{
    future::pending,
    hint::black_box,
    sync::{
        Barrier, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

use common::{Loud, Yield, count, drops, poll};
use futures::executor::block_on;
use value_future::{FuturePool, ValueFuture};

/// One test at a time: a thread of another one could be given the number of one that has ended, and
/// keep what that has left.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const ROUNDS: usize = if cfg!(miri) { 40 } else { 20_000 };

#[test]
fn made_here_and_dropped_there() {
    let _alone = alone();
    let (pool, dropped) = (FuturePool::new(), drops());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<ValueFuture<'_, usize>>(64);
        let other = scope.spawn(|| {
            let mut sum = 0;
            for (number, future) in receiver.into_iter().enumerate() {
                // One of three is not finished.
                if number % 3 != 0 {
                    sum += block_on(future);
                }
            }
            sum
        });
        let mut expected = 0;
        for number in 0..ROUNDS {
            let loud = Loud(&dropped);
            let future = pool.pooled(async move {
                let _loud = loud;
                if number % 2 == 0 {
                    Yield::default().await;
                }
                number
            });
            expected += if number % 3 == 0 { 0 } else { number };
            sender.send(future).unwrap();
        }
        drop(sender);
        assert_eq!(other.join().unwrap(), expected);
    });
    assert_eq!(count(&dropped), ROUNDS);
    let stats = pool.stats();
    assert_eq!((stats.live, stats.boxed), (0, 0));
    assert_eq!(stats.rented, ROUNDS as u64);
    // Those in the channel, in the cache of this thread and in the stripe of the other one, and two on their way.
    assert!(stats.high_water <= 3 * 64 + 2, "{stats:?}");
}

fn work<const BYTES: usize>(pool: &FuturePool, number: usize) {
    let bytes = [u8::try_from(number % 256).unwrap(); BYTES];
    let mut future = pool.pooled(async move {
        Yield::default().await;
        bytes.iter().map(|byte| usize::from(*byte)).sum::<usize>()
    });
    assert!(poll(&mut future).is_pending());
    let other = pool.eager(async move { number });
    assert_eq!(block_on(future), BYTES * (number % 256));
    assert_eq!(block_on(other), number);
}

#[test]
fn many_threads_and_sizes_at_a_time_while_the_pool_is_trimmed() {
    let _alone = alone();
    let pool = FuturePool::new();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        let threads = [0, 1, 2].map(|thread| {
            let (pool, start) = (&pool, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..ROUNDS / 4 {
                    match (number + thread) % 3 {
                        0 => work::<16>(pool, number),
                        1 => work::<200>(pool, number),
                        _ => work::<900>(pool, number),
                    }
                }
            })
        });
        start.wait();
        for _ in 0..ROUNDS / 20 {
            pool.trim();
            drop(pool.pooled(pending::<()>()));
        }
        // A scope does not wait for what threads do at their end.
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(pool.stats().live, 0);
    pool.trim();
    // The threads have ended, so nobody keeps anything.
    assert_eq!(pool.stats().bytes, 0);
}

/// All that there is comes to lie with the thread that drops.
#[test]
fn a_bounded_pool_finds_its_slots_with_another_thread() {
    let _alone = alone();
    let pool = FuturePool::builder().max_slots_per_size(8).build();
    let (sender, receiver) = mpsc::sync_channel::<ValueFuture<'_, ()>>(0);
    thread::scope(|scope| {
        scope.spawn(|| receiver.into_iter().for_each(drop));
        for _ in 0..100 {
            // Two may be on their way, and those are not all.
            sender.send(pool.pooled(pending())).unwrap();
        }
        drop(sender);
    });
    let stats = pool.stats();
    assert_eq!((stats.boxed, stats.live), (0, 0), "{stats:?}");
}

/// Two threads share two slots, so there is one for each at any time, also while the pool grows.
#[test]
fn a_pool_of_two_is_never_full_for_two_while_it_grows() {
    let _alone = alone();
    let rounds = if cfg!(miri) { 20 } else { 20_000 };
    let pools = (0..rounds).map(|_| FuturePool::builder().max_slots_per_size(2).build());
    let (pools, arrived) = (pools.collect::<Vec<_>>(), AtomicUsize::new(0));
    // A `Barrier` wakes one thread after the other.
    let wait_for = |both| {
        arrived.fetch_add(1, SeqCst);
        while arrived.load(SeqCst) < both {
            thread::yield_now();
        }
    };
    let count_refused = || {
        let refused = pools.iter().enumerate().filter(|(round, pool)| {
            wait_for(4 * round + 2);
            let future = pool.try_pooled(pending::<()>());
            wait_for(4 * round + 4);
            future.is_err()
        });
        refused.count()
    };
    thread::scope(|scope| {
        let other = scope.spawn(count_refused);
        assert_eq!((count_refused(), other.join().unwrap()), (0, 0));
    });
}

/// What is returned last may free the pool, while the thread that returns it is still at it.
#[test]
fn a_future_is_dropped_while_its_bounded_pool_is() {
    let _alone = alone();
    for _ in 0..if cfg!(miri) { 4 } else { 2_000 } {
        let pool = FuturePool::builder().max_slots_per_size(1).build();
        let future = pool.try_pooled(pending::<()>()).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || drop(future));
            while pool.stats().live > 0 {
                thread::yield_now();
            }
            drop(pool);
        });
    }
}

/// Two threads make more futures than a thread keeps slots, and others poll and drop them. Each gets its own result.
#[test]
fn more_than_the_caches_hold_goes_from_threads_that_rent_to_threads_that_return() {
    const BATCHES: u64 = if cfg!(miri) { 1 } else { 20_000 };
    const BATCH: u64 = 70;

    let _alone = alone();
    let pool = FuturePool::new();
    thread::scope(|scope| {
        for thread in 0..2 {
            let (sender, receiver) = mpsc::sync_channel(8);
            let pool = &pool;
            scope.spawn(move || {
                for first in (0..BATCHES).map(|batch| (thread << 32) + batch * BATCH) {
                    let batch = (first..first + BATCH).map(|name| {
                        let names = [name; 3];
                        pool.pooled(async move { names.map(black_box) })
                    });
                    sender.send((first, batch.collect::<Vec<_>>())).unwrap();
                }
            });
            scope.spawn(move || {
                for (first, batch) in receiver {
                    for (name, future) in (first..).zip(batch) {
                        assert_eq!(block_on(future), [name; 3]);
                    }
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!((stats.live, stats.rented), (0, 2 * BATCHES * BATCH));
}

/// Drops what it is sent, and tells; it lives until nothing more can come.
fn dropper<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
) -> (mpsc::Sender<Vec<ValueFuture<'scope, ()>>>, mpsc::Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    let (dropped, is_dropped) = mpsc::channel();
    scope.spawn(move || {
        for futures in receiver {
            drop(futures);
            dropped.send(()).unwrap();
        }
    });
    (sender, is_dropped)
}

#[test]
fn a_full_pool_finds_the_next_slot_that_comes_back_to_another_thread() {
    let _alone = alone();
    let pool = FuturePool::builder().max_slots_per_size(2).build();
    thread::scope(|scope| {
        let (sender, is_dropped) = dropper(scope);
        for round in 1..if cfg!(miri) { 4 } else { 1000 } {
            let [one, _two] = [(); 2].map(|()| pool.try_pooled(pending()).unwrap());
            assert!(pool.try_pooled(pending::<()>()).is_err());
            drop(pool.pooled(pending::<()>()));
            assert_eq!(pool.stats().full, round);
            sender.send(vec![one]).unwrap();
            is_dropped.recv().unwrap();
            assert!(pool.try_pooled(pending::<()>()).is_ok());
        }
    });
}

const LARGE: usize = 512;

/// A pool so large that threads keep what they have returned, and all that it has.
fn full_and_large() -> (FuturePool, Vec<ValueFuture<'static, ()>>) {
    let pool = FuturePool::builder().max_slots_per_size(u32::try_from(LARGE).unwrap()).build();
    let futures = (0..LARGE).map(|_| pool.try_pooled(pending()).unwrap()).collect();
    assert!(pool.try_pooled(pending::<()>()).is_err());
    (pool, futures)
}

#[test]
fn a_full_and_large_pool_finds_what_a_thread_leaves_or_gives_up() {
    let _alone = alone();
    let (pool, mut futures) = full_and_large();
    let last = futures.split_off(LARGE - 1);
    let more = futures.split_off(LARGE - 1 - 40);
    thread::scope(|scope| {
        let (sender, is_dropped) = dropper(scope);
        // More than a thread keeps.
        sender.send(more).unwrap();
        is_dropped.recv().unwrap();
        futures.push(pool.try_pooled(pending()).unwrap());
    });
    while let Ok(future) = pool.try_pooled(pending()) {
        futures.push(future);
    }
    thread::scope(|scope| {
        // A scope does not wait for what threads do at their end.
        scope.spawn(move || drop(last)).join().unwrap();
        assert!(pool.try_pooled(pending::<()>()).is_ok());
    });
}

/// Threads that have rented nothing keep nothing for themselves.
#[test]
fn a_full_and_large_pool_finds_what_threads_return_that_rent_nothing() {
    let _alone = alone();
    let (pool, mut futures) = full_and_large();
    let meet = Barrier::new(18);
    thread::scope(|scope| {
        for _ in 0..17 {
            let own = futures.pop().unwrap();
            scope.spawn(|| {
                drop(own);
                meet.wait();
                meet.wait();
            });
        }
        meet.wait();
        let found: Vec<_> = (0..17).filter_map(|_| pool.try_pooled(pending::<()>()).ok()).collect();
        assert_eq!(found.len(), 17);
        assert!(pool.try_pooled(pending::<()>()).is_err());
        meet.wait();
    });
}

#[test]
fn the_last_futures_of_a_pool_that_has_gone_end_on_two_threads() {
    let _alone = alone();
    let dropped = drops();
    let make = |pool: &FuturePool| {
        let loud = Loud(&dropped);
        pool.pooled(async move {
            let _loud = loud;
            pending::<()>().await;
        })
    };
    for _ in 0..ROUNDS / 20 {
        let pool = FuturePool::new();
        let (one, two) = (make(&pool), make(&pool));
        thread::scope(|scope| {
            scope.spawn(|| drop(one));
            scope.spawn(|| drop(two));
            drop(pool);
        });
    }
    assert_eq!(count(&dropped), 2 * (ROUNDS / 20));
}
