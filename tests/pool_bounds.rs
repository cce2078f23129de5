//! A bounded pool never has more slots than its bound, and gives each of them to whoever comes,
//! wherever it was vacated.

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

const FULL: &str =
    "the pool is full: it was bounded to 2 slots, and all of them are in use or retired";

for_both_pools! {
    fn bounded(slots: u32) -> Pool<Option<u32>> {
        PoolBuilder::default().max_slots(slots).build()
    }

    #[test]
    fn a_pool_of_one_serves_one_after_the_other() {
        let pool = bounded(1);
        for n in 0..if cfg!(miri) { 100 } else { 100_000 } {
            let (completer, mut completion) = pool.rent();
            assert!(pool.try_rent().is_err());
            completer.complete(Some(n)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(n)));
        }
        assert_eq!((pool.stats().capacity, pool.stats().high_water), (1, 1));
    }

    #[test]
    fn a_full_pool_says_so_as_an_error_or_by_a_panic() {
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
        assert_eq!((stats.live, stats.rented), (2, 2), "what was refused is not counted");

        // An end that is there still keeps the slot, whichever it is.
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
    fn a_pool_without_a_slot_is_refused() {
        let text = panic_text(|| bounded(0));
        assert_eq!(text, "`max_slots(0)`: a pool is bounded to at least one slot");
    }

    #[test]
    fn no_bound_is_exceeded_whether_it_fills_a_chunk_or_not() {
        for slots in [1, 31, 32, 33, 96, 97, 100] {
            let pool = PoolBuilder::default().max_slots(slots).initial_slots(1000).build();
            assert_eq!(pool.stats().capacity, u64::from(slots));
            pool.reserve(1000);
            let ends: Vec<_> = (0..slots).map(|_| pool.try_rent().unwrap()).collect();
            assert!(pool.try_rent().is_err());
            for (n, (completer, completion)) in (0..).zip(ends) {
                completer.complete(Some(n)).unwrap();
                assert_eq!(completion.try_take().unwrap(), Some(n));
            }
            let stats = pool.stats();
            assert_eq!((stats.capacity, stats.high_water), (slots.into(), slots.into()));
            assert_eq!((stats.live, stats.rented), (0, slots.into()));
        }
    }
}

type Ends = (Completer<Option<u32>>, Completion<Option<u32>>);

#[test]
fn a_slot_that_an_idle_thread_has_vacated_goes_to_another() {
    let pool = PoolBuilder::<Option<u32>>::default().max_slots(1).build();
    let (sender, receiver) = mpsc::channel::<Ends>();
    let (vacated, is_vacated) = mpsc::channel();
    // It lives until the channel is closed, and has the last vacant slot.
    let idle = thread::spawn(move || {
        for (completer, completion) in receiver {
            completer.complete(Some(1)).unwrap();
            assert_eq!(completion.try_take().unwrap(), Some(1));
            vacated.send(()).unwrap();
        }
    });
    for _ in 0..if cfg!(miri) { 5 } else { 1000 } {
        sender.send(pool.try_rent().unwrap()).unwrap();
        is_vacated.recv().unwrap();
    }
    assert_eq!(pool.stats().capacity, 1);
    drop(sender);
    idle.join().unwrap();
}

/// Each thread has as many as are its share, all the time; so none is ever refused.
#[test]
fn several_threads_share_a_bounded_pool() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 5_000 };
    let pool = PoolBuilder::<Option<usize>>::default().max_slots(8).build();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let ends = [(); 2].map(|()| pool.try_rent().unwrap());
                    for (completer, mut completion) in ends {
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

/// More want one than there are: whoever gets one has it alone.
#[test]
fn several_threads_compete_for_a_bounded_pool() {
    const THREADS: usize = 4;
    const SLOTS: u32 = 2;
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 5_000 };
    let pool = PoolBuilder::<Option<usize>>::default().max_slots(SLOTS).build();
    let (out, start) = (AtomicUsize::new(0), Barrier::new(THREADS));
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
                    assert!(out.fetch_add(1, SeqCst) < SLOTS as usize);
                    served += 1;
                    completer.complete(Some(round)).unwrap();
                    out.fetch_sub(1, SeqCst);
                    assert_eq!(completion.try_take().unwrap(), Some(round));
                }
                served
            })
        });
        competitors.map(|thread| thread.join().unwrap()).into_iter().sum()
    });
    let stats = pool.stats();
    assert_eq!((stats.live, stats.rented, stats.capacity), (0, served as u64, SLOTS.into()));
    // Afterwards all are to be had on this thread.
    let ends: Vec<_> = (0..SLOTS).map(|_| pool.try_rent().unwrap()).collect();
    assert!(pool.try_rent().is_err());
    drop(ends);
}

#[test]
fn a_thread_that_ends_leaves_its_vacant_slots_to_a_bounded_pool() {
    let pool: Pool<Option<u32>> = PoolBuilder::default().max_slots(40).build();
    for _ in 0..3 {
        let all = || (0..40).map(|_| pool.try_rent().unwrap()).collect::<Vec<_>>();
        thread::scope(|scope| scope.spawn(|| drop(all())).join().unwrap());
    }
    assert_eq!((pool.stats().live, pool.stats().capacity), (0, 40));
}
