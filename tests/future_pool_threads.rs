//! Tests of pooled futures that are created on one thread, and polled and dropped on other threads. Each result arrives, each future is
//! dropped once, and no slot is lost.

mod common;

use std::{
    future::pending,
    hint::black_box,
    sync::{Barrier, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

use common::{DropCounter, Yield, count, counter, poll, threads::SpinBarrier};
use futures::executor::block_on;
use value_future::{FuturePool, ValueFuture};

/// Lets only one test of this file run at a time, so that the threads of different tests do not compete for the cores.
fn run_alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

const ROUNDS: usize = if cfg!(miri) { 16 } else { 20_000 };

#[test]
fn futures_created_on_one_thread_are_polled_and_dropped_on_another() {
    let _lock = run_alone();
    let (pool, dropped) = (FuturePool::new(), counter());
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<ValueFuture<'_, usize>>(64);
        let other = scope.spawn(|| {
            let mut sum = 0;
            for (number, future) in receiver.into_iter().enumerate() {
                // Every third future is dropped before it is polled.
                if number % 3 != 0 {
                    sum += block_on(future);
                }
            }
            sum
        });
        let mut expected = 0;
        for number in 0..ROUNDS {
            let guard = DropCounter(&dropped);
            let future = pool.pooled(async move {
                let _guard = guard;
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
    // The channel, the cache of this thread, and the stripe to which the other thread returns slots contain up to 64 slots each. Two more
    // slots are in use: one future is being sent, and one is being polled or dropped.
    assert!(stats.high_water <= 3 * 64 + 2, "{stats:?}");
}

/// Runs a future that contains `BYTES` bytes and is pending once, and an eager future that is ready.
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
fn threads_use_many_sizes_while_another_thread_trims() {
    let _lock = run_alone();
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
        // `join` waits for the thread-local destructors of a thread. The end of a scope does not wait for them.
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(pool.stats().live, 0);
    pool.trim();
    // The threads have ended, so no cache has a slot.
    assert_eq!(pool.stats().bytes, 0);
}

/// Another thread releases all slots. So from the ninth future on, this thread uses a slot that the other thread has released.
#[test]
fn a_thread_finds_the_slots_of_a_bounded_pool_that_another_thread_released() {
    let _lock = run_alone();
    let pool = FuturePool::builder().max_slots_per_size(8).build();
    let (sender, receiver) = mpsc::sync_channel::<ValueFuture<'_, ()>>(0);
    thread::scope(|scope| {
        scope.spawn(|| receiver.into_iter().for_each(drop));
        for _ in 0..100 {
            // At most two futures exist at a time: one is being sent, and one is being dropped.
            sender.send(pool.pooled(pending())).unwrap();
        }
        drop(sender);
    });
    let stats = pool.stats();
    assert_eq!((stats.boxed, stats.live), (0, 0), "{stats:?}");
}

/// Two threads share two slots, and each thread uses one slot at a time. So each thread always finds a vacant slot, even while the pool
/// grows.
#[test]
fn two_threads_never_find_a_pool_of_two_slots_full_while_it_grows() {
    let _lock = run_alone();
    let rounds = if cfg!(miri) { 8 } else { 20_000 };
    let pools = (0..rounds).map(|_| FuturePool::builder().max_slots_per_size(2).build());
    let (pools, start) = (pools.collect::<Vec<_>>(), SpinBarrier::new(2));
    let count_refused = || {
        let refused = pools.iter().enumerate().filter(|(round, pool)| {
            start.wait(2 * round);
            let future = pool.try_pooled(pending::<()>());
            start.wait(2 * round + 1);
            future.is_err()
        });
        refused.count()
    };
    thread::scope(|scope| {
        let other = scope.spawn(count_refused);
        assert_eq!((count_refused(), other.join().unwrap()), (0, 0));
    });
}

/// The pool is dropped while another thread releases the last slot of the pool.
#[test]
fn a_future_and_its_bounded_pool_are_dropped_at_the_same_time() {
    let _lock = run_alone();
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

/// Two threads create futures in batches. A batch has more futures than a thread cache has slots. Two other threads poll and drop the
/// futures. Each future has its own result.
#[test]
fn slots_move_in_large_batches_between_threads() {
    const BATCHES: u64 = if cfg!(miri) { 1 } else { 20_000 };
    const BATCH: u64 = 70;

    let _lock = run_alone();
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

/// Starts a thread that drops futures and reports each drop. The thread lives until the sender is dropped.
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
fn a_slot_that_another_thread_releases_to_a_full_pool_is_found() {
    let _lock = run_alone();
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

/// Returns a full pool of `LARGE` slots, and all its futures. A pool of futures that is bounded to at least 512 slots has thread caches.
fn full_and_large() -> (FuturePool, Vec<ValueFuture<'static, ()>>) {
    let pool = FuturePool::builder().max_slots_per_size(u32::try_from(LARGE).unwrap()).build();
    let futures = (0..LARGE).map(|_| pool.try_pooled(pending()).unwrap()).collect();
    assert!(pool.try_pooled(pending::<()>()).is_err());
    (pool, futures)
}

#[test]
fn slots_that_running_and_ended_threads_release_to_a_full_large_pool_are_found() {
    let _lock = run_alone();
    let (pool, mut futures) = full_and_large();
    let last = futures.split_off(LARGE - 1);
    let more = futures.split_off(LARGE - 1 - 40);
    thread::scope(|scope| {
        let (sender, is_dropped) = dropper(scope);
        // The other thread releases 40 slots, and this thread finds one of them.
        sender.send(more).unwrap();
        is_dropped.recv().unwrap();
        futures.push(pool.try_pooled(pending()).unwrap());
    });
    while let Ok(future) = pool.try_pooled(pending()) {
        futures.push(future);
    }
    thread::scope(|scope| {
        // `join` waits for the thread-local destructors of a thread. The end of a scope does not wait for them.
        scope.spawn(move || drop(last)).join().unwrap();
        assert!(pool.try_pooled(pending::<()>()).is_ok());
    });
}

/// A thread that rents nothing has no cache, so it keeps no slots for itself.
#[test]
fn slots_that_threads_without_caches_release_to_a_full_large_pool_are_found() {
    let _lock = run_alone();
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
fn the_last_futures_of_a_dropped_pool_are_dropped_on_two_threads() {
    let _lock = run_alone();
    let dropped = counter();
    let make = |pool: &FuturePool| {
        let guard = DropCounter(&dropped);
        pool.pooled(async move {
            let _guard = guard;
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
