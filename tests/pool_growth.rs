//! A pool creates slots when no slot is vacant, and keeps its slots. Other threads get the slots of a thread that ended.

mod common;

use std::{sync::mpsc, task::Poll, thread};

use common::{for_both_pools, poll, run_operation};
use value_future::{Completer, Completion, Pool};

for_both_pools! {
    /// A number of slots that needs more than two pages. Creating slots is slow under Miri.
    const MANY: u32 = if cfg!(miri) { 100 } else { 1000 };

    #[test]
    fn initial_slots_are_created_by_build() {
        assert_eq!(Pool::<Option<u32>>::new().stats().capacity, 0);
        for slots in [1, 33, MANY] {
            let pool = PoolBuilder::<Option<u32>>::default().initial_slots(slots).build();
            let before = pool.stats();
            assert!(before.capacity >= slots.into() && before.capacity <= (2 * slots + 32).into());
            let operations: Vec<_> = (0..slots).map(|_| pool.rent()).collect();
            let after = pool.stats();
            assert_eq!((after.capacity, after.allocations), (before.capacity, before.allocations));
            assert_eq!((after.live, after.high_water), (slots.into(), slots.into()));
            drop(operations);
        }
    }

    #[test]
    fn reserve_adds_vacant_slots_to_the_slots_in_use() {
        let pool = Pool::<Option<u32>>::new();
        let used: Vec<_> = (0..40).map(|_| pool.rent()).collect();
        pool.reserve(100);
        let before = pool.stats();
        assert!(before.capacity >= 140);
        let reserved: Vec<_> = (0..100).map(|_| pool.rent()).collect();
        assert_eq!(pool.stats().allocations, before.allocations);
        drop((used, reserved));
        // The released slots are vacant, so `reserve` creates no slots.
        pool.reserve(140);
        pool.reserve(0);
        assert_eq!(pool.stats().allocations, before.allocations);
    }

    #[test]
    fn a_pool_keeps_its_slots() {
        let pool = Pool::<Option<u32>>::new();
        let peak = || (0..MANY).map(|_| pool.rent()).collect::<Vec<_>>();
        drop(peak());
        let before = pool.stats();
        for _ in 0..3 {
            drop(peak());
        }
        let after = pool.stats();
        assert_eq!((after.capacity, after.allocations), (before.capacity, before.allocations));
        assert_eq!(after.rented, 4 * u64::from(MANY));
        // `high_water` is the number of slots that were rented at least once. A thread gets new slots in groups of sixteen. So some slots
        // are rented for the first time after other slots were released.
        let peak = u64::from(MANY);
        assert!((peak..peak + 16).contains(&after.high_water), "{after:?}");
    }

    #[test]
    fn a_million_operations_are_live_at_the_same_time() {
        let count = if cfg!(miri) { 40_u32 } else { 1_000_000 };
        let pool = Pool::new();
        let operations: Vec<_> = (0..count).map(|_| pool.rent()).collect();
        assert_eq!((pool.stats().live, pool.stats().high_water), (count.into(), count.into()));
        let (completers, completions): (Vec<_>, Vec<_>) = operations.into_iter().unzip();
        for (n, completer) in (0..).zip(completers) {
            completer.complete(Some(n)).unwrap();
        }
        for (n, mut completion) in (0..count).zip(completions) {
            assert_eq!(poll(&mut completion), Poll::Ready(Some(n)));
        }
        assert_eq!((pool.stats().live, pool.stats().returned), (0, count.into()));
    }

    #[test]
    fn debug_shows_the_counters_of_a_pool_and_the_state_of_an_operation() {
        let pool = Pool::<Option<u32>>::default();
        let (completer, completion) = pool.rent();
        let text = format!("{pool:?}");
        assert!(text.contains("Pool(Stats { rented: 1, returned: 0, live: 1,"), "{text}");
        assert!(format!("{completer:?}").ends_with("Completer { closed: false }"));
        assert!(format!("{completion:?}").ends_with("Completion(\"pending\")"));
    }
}

thread_local! {
    static AT_THREAD_END: std::cell::RefCell<Option<UsesPoolOnDrop>> = const { std::cell::RefCell::new(None) };
}

/// A thread-local value whose destructor uses a pool.
struct UsesPoolOnDrop {
    pool: Pool<Option<u32>>,
    #[expect(dead_code, reason = "the field is only dropped")]
    /// An operation that is dropped after the destructor has used the pool.
    operation: (Completer<Option<u32>>, Completion<Option<u32>>),
}

impl Drop for UsesPoolOnDrop {
    fn drop(&mut self) {
        run_operation(&self.pool);
        drop(self.pool.rent());
    }
}

/// The thread-local of this test is initialized before or after the thread-locals of the crate.
#[test]
fn a_thread_local_destructor_can_use_a_pool() {
    for used_before in [false, true] {
        let pool = Pool::<Option<u32>>::new();
        let worker = thread::spawn({
            let pool = pool.clone();
            move || {
                if used_before {
                    run_operation(&pool);
                }
                AT_THREAD_END.with(|_| ());
                let operation = pool.rent();
                AT_THREAD_END.set(Some(UsesPoolOnDrop { pool, operation }));
            }
        });
        worker.join().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.live, stats.rented), (0, if used_before { 4 } else { 3 }));
        run_operation(&pool);
    }
}

/// One thread rents slots, and the other thread releases them.
#[test]
fn a_renting_thread_and_a_releasing_thread_need_few_slots() {
    let pool = Pool::<Option<u32>>::new();
    let (sender, receiver) = mpsc::sync_channel::<Completion<Option<u32>>>(10);
    let consumer = thread::spawn(move || {
        for mut completion in receiver {
            assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        }
    });
    for _ in 0..if cfg!(miri) { 40 } else { 20_000 } {
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        sender.send(completion).unwrap();
    }
    drop(sender);
    consumer.join().unwrap();
    let stats = pool.stats();
    assert_eq!(stats.live, 0);
    assert!(stats.high_water <= 12 + 2 * 128, "{stats:?}");
}
