//! Pooled futures that are made on one thread, and polled and dropped on others: each result arrives,
//! each future is dropped once, and the slots are all there afterwards.

mod common;

use std::{
    future::pending,
    sync::{Barrier, Mutex, MutexGuard, PoisonError, mpsc},
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
            let future = pool.future(async move {
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
    assert_eq!((stats.live(), stats.boxed()), (0, 0));
    assert_eq!(stats.rented(), ROUNDS as u64);
    // Those in the channel, those that each of the two threads may keep, and what is on its way between.
    assert!(stats.capacity() <= 64 + 3 * 32 + 2, "{stats:?}");
}

fn work<const BYTES: usize>(pool: &FuturePool, number: usize) {
    let bytes = [u8::try_from(number % 256).unwrap(); BYTES];
    let mut future = pool.future(async move {
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
            drop(pool.future(pending::<()>()));
        }
        // A scope does not wait for what threads do at their end.
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(pool.stats().live(), 0);
    pool.trim();
    // The threads have ended, so nobody keeps anything.
    assert_eq!(pool.stats().bytes(), 0);
}

/// All that there is comes to lie with the thread that drops.
#[test]
fn a_bounded_pool_finds_its_slots_with_another_thread() {
    let _alone = alone();
    let pool = FuturePool::builder().max_slots(8).build();
    let (sender, receiver) = mpsc::sync_channel::<ValueFuture<'_, ()>>(0);
    thread::scope(|scope| {
        scope.spawn(|| receiver.into_iter().for_each(drop));
        for _ in 0..100 {
            // Two may be on their way, and those are not all.
            sender.send(pool.future(pending())).unwrap();
        }
        drop(sender);
    });
    let stats = pool.stats();
    assert_eq!((stats.boxed(), stats.live()), (0, 0), "{stats:?}");
}

#[test]
fn the_last_futures_of_a_pool_that_has_gone_end_on_two_threads() {
    let _alone = alone();
    let dropped = drops();
    let make = |pool: &FuturePool| {
        let loud = Loud(&dropped);
        pool.future(async move {
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
