//! A bounded pool never has more slots than its bound. Each thread can rent each vacant slot, no matter which thread released it.

mod common;

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::Poll,
    thread,
};

use common::{for_both_pools, panic_text, poll};
use value_future::{
    Completer, Completion, Pool,
    pool::{PoolBuilder, RentError},
};

const FULL: &str = "the pool is full: it can have 2 slots, and all of them are in use or retired";

for_both_pools! {
    fn bounded(slots: u32) -> Pool<Option<u32>> {
        PoolBuilder::default().max_slots(slots).build()
    }

    #[test]
    fn a_pool_of_one_slot_runs_one_operation_after_another() {
        let pool = bounded(1);
        for n in 0..if cfg!(miri) { 40 } else { 100_000 } {
            let (completer, mut completion) = pool.rent();
            assert!(pool.try_rent().is_err());
            completer.complete(Some(n)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(n)));
        }
        assert_eq!((pool.stats().capacity, pool.stats().high_water), (1, 1));
    }

    #[test]
    fn a_full_pool_returns_an_error_or_panics() {
        let pool = bounded(2);
        let first = pool.rent();
        let _second = pool.try_rent().unwrap();
        let full: RentError = pool.try_rent().unwrap_err();
        assert!(matches!(full, RentError::Full { max_slots: 2, .. }));
        assert_eq!(full.to_string(), FULL);
        assert_eq!(std::io::Error::from(full).kind(), std::io::ErrorKind::WouldBlock);
        let text = panic_text(|| pool.rent());
        assert_eq!(text, format!("{FULL}; `try_rent` returns that as an error, and `rent_when_vacant` waits"));
        let stats = pool.stats();
        assert_eq!((stats.live, stats.rented), (2, 2), "refused operations are not counted");

        // The first slot stays in use until its completer and its completion are dropped.
        let (completer, completion) = first;
        drop(completer);
        assert!(pool.try_rent().is_err());
        drop(completion);
        let (completer, completion) = pool.try_rent().unwrap();
        drop(completion);
        assert!(pool.try_rent().is_err());
        drop(completer);
        assert!(pool.try_rent().is_ok());
    }

    #[test]
    fn a_bound_of_zero_slots_panics() {
        let text = panic_text(|| bounded(0));
        assert_eq!(text, "`max_slots(0)`: a pool is bounded to at least one slot");
    }

    #[test]
    fn the_capacity_is_the_bound_for_full_and_partial_pages() {
        for slots in [1, 31, 32, 33, 96, 97, 100] {
            let pool = PoolBuilder::default().max_slots(slots).initial_slots(1000).build();
            assert_eq!(pool.stats().capacity, u64::from(slots));
            pool.reserve(1000);
            let operations: Vec<_> = (0..slots).map(|_| pool.try_rent().unwrap()).collect();
            assert!(pool.try_rent().is_err());
            for (n, (completer, completion)) in (0..).zip(operations) {
                completer.complete(Some(n)).unwrap();
                assert_eq!(completion.try_take().unwrap(), Some(n));
            }
            let stats = pool.stats();
            assert_eq!((stats.capacity, stats.high_water), (slots.into(), slots.into()));
            assert_eq!((stats.live, stats.rented), (0, slots.into()));
        }
    }
}

type Handles = (Completer<Option<u32>>, Completion<Option<u32>>);

#[test]
fn a_slot_that_an_idle_thread_released_is_rented_by_another_thread() {
    let pool = PoolBuilder::<Option<u32>>::default().max_slots(1).build();
    let (sender, receiver) = mpsc::channel::<Handles>();
    let (released, is_released) = mpsc::channel();
    // The idle thread releases the only slot in each round, and lives until the channel is closed.
    let idle = thread::spawn(move || {
        for (completer, completion) in receiver {
            completer.complete(Some(1)).unwrap();
            assert_eq!(completion.try_take().unwrap(), Some(1));
            released.send(()).unwrap();
        }
    });
    for _ in 0..if cfg!(miri) { 5 } else { 1000 } {
        sender.send(pool.try_rent().unwrap()).unwrap();
        is_released.recv().unwrap();
    }
    assert_eq!(pool.stats().capacity, 1);
    drop(sender);
    idle.join().unwrap();
}

/// Each thread uses at most its share of the slots, so no thread finds the pool full.
#[test]
fn threads_that_use_their_share_never_find_the_pool_full() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 5_000 };
    let pool = PoolBuilder::<Option<usize>>::default().max_slots(8).build();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let operations = [(); 2].map(|()| pool.try_rent().unwrap());
                    for (completer, mut completion) in operations {
                        completer.complete(Some(round)).unwrap();
                        assert_eq!(poll(&mut completion), Poll::Ready(Some(round)));
                    }
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!((stats.live, stats.rented), (0, (2 * THREADS * ROUNDS) as u64));
    assert!(stats.capacity <= 8 && stats.high_water <= 8);
}

/// There are more threads than slots. At any time, the number of live operations is at most the number of slots.
#[test]
fn competing_threads_never_exceed_the_bound() {
    const THREADS: usize = 4;
    const SLOTS: u32 = 2;
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 5_000 };
    let pool = PoolBuilder::<Option<usize>>::default().max_slots(SLOTS).build();
    let (live, start) = (AtomicUsize::new(0), Barrier::new(THREADS));
    let served: usize = thread::scope(|scope| {
        let competitors = [(); THREADS].map(|()| {
            scope.spawn(|| {
                start.wait();
                let mut served = 0;
                for round in 0..ROUNDS {
                    let Ok((completer, completion)) = pool.try_rent() else {
                        thread::yield_now();
                        continue;
                    };
                    assert!(live.fetch_add(1, SeqCst) < SLOTS as usize);
                    served += 1;
                    completer.complete(Some(round)).unwrap();
                    live.fetch_sub(1, SeqCst);
                    assert_eq!(completion.try_take().unwrap(), Some(round));
                }
                served
            })
        });
        competitors.map(|thread| thread.join().unwrap()).into_iter().sum()
    });
    let stats = pool.stats();
    assert_eq!((stats.live, stats.rented, stats.capacity), (0, served as u64, SLOTS.into()));
    // The other threads have ended, so this thread can rent all slots.
    let operations: Vec<_> = (0..SLOTS).map(|_| pool.try_rent().unwrap()).collect();
    assert!(pool.try_rent().is_err());
    drop(operations);
}

#[test]
fn a_bounded_pool_gets_the_vacant_slots_of_a_thread_that_ended() {
    let pool: Pool<Option<u32>> = PoolBuilder::default().max_slots(40).build();
    for _ in 0..3 {
        let all = || (0..40).map(|_| pool.try_rent().unwrap()).collect::<Vec<_>>();
        thread::scope(|scope| scope.spawn(|| drop(all())).join().unwrap());
    }
    assert_eq!((pool.stats().live, pool.stats().capacity), (0, 40));
}
