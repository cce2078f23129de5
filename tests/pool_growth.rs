//! A pool makes slots when there are too few, keeps them, and gives those of a thread that has
//! ended to others.

mod common;

use std::{sync::mpsc, task::Poll, thread};

use common::{for_both_pools, poll};
use value_future::{Completer, Completion, Pool};

for_both_pools! {
    /// Slots are slow to make under Miri; these are more than two chunks of them.
    const MANY: u32 = if cfg!(miri) { 100 } else { 1000 };

    #[test]
    fn initial_slots_are_made_at_once_and_suffice() {
        assert_eq!(Pool::<Option<u32>>::new().stats().capacity, 0);
        for slots in [1, 33, MANY] {
            let pool = PoolBuilder::<Option<u32>>::default().initial_slots(slots).build();
            let before = pool.stats();
            assert!(before.capacity >= slots.into() && before.capacity <= (2 * slots + 32).into());
            let ends: Vec<_> = (0..slots).map(|_| pool.rent()).collect();
            let after = pool.stats();
            assert_eq!((after.capacity, after.allocations), (before.capacity, before.allocations));
            assert_eq!((after.live, after.high_water), (slots.into(), slots.into()));
            drop(ends);
        }
    }

    #[test]
    fn what_was_reserved_is_there_beside_what_is_in_use() {
        let pool = Pool::<Option<u32>>::new();
        let used: Vec<_> = (0..40).map(|_| pool.rent()).collect();
        pool.reserve(100);
        let before = pool.stats();
        assert!(before.capacity >= 140);
        let reserved: Vec<_> = (0..100).map(|_| pool.rent()).collect();
        assert_eq!(pool.stats().allocations, before.allocations);
        drop((used, reserved));
        // What came back is at hand, too.
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
        // New slots are given to a thread sixteen at a time; some are used later than others come
        // back.
        let peak = u64::from(MANY);
        assert!((peak..peak + 16).contains(&after.high_water), "{after:?}");
    }

    #[test]
    fn a_million_live_operations_work() {
        let count = if cfg!(miri) { 100_u32 } else { 1_000_000 };
        let pool = Pool::new();
        let ends: Vec<_> = (0..count).map(|_| pool.rent()).collect();
        assert_eq!((pool.stats().live, pool.stats().high_water), (count.into(), count.into()));
        let (completers, completions): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        for (n, completer) in (0..).zip(completers) {
            completer.complete(Some(n)).unwrap();
        }
        for (n, mut completion) in (0..count).zip(completions) {
            assert_eq!(poll(&mut completion), Poll::Ready(Some(n)));
        }
        assert_eq!((pool.stats().live, pool.stats().returned), (0, count.into()));
    }

    #[test]
    fn what_a_pool_shows_of_itself() {
        let pool = Pool::<Option<u32>>::default();
        let (completer, completion) = pool.rent();
        let text = format!("{pool:?}");
        assert!(text.contains("Pool(Stats { rented: 1, returned: 0, live: 1,"), "{text}");
        assert!(format!("{completer:?}").ends_with("Completer { closed: false }"));
        assert!(format!("{completion:?}").ends_with("Completion(\"pending\")"));
    }
}

/// One operation from the beginning to the end.
fn cycle(pool: &Pool<Option<u32>>) {
    let (completer, mut completion) = pool.rent();
    completer.complete(Some(7)).unwrap();
    assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
}

thread_local! {
    static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
}

/// Uses a pool when its thread ends.
struct Late {
    pool: Pool<Option<u32>>,
    /// These go after that.
    #[expect(dead_code, reason = "dropped")]
    ends: (Completer<Option<u32>>, Completion<Option<u32>>),
}

impl Drop for Late {
    fn drop(&mut self) {
        cycle(&self.pool);
        drop(self.pool.rent());
    }
}

/// Whichever of its thread-local values go first.
#[test]
fn a_thread_may_use_a_pool_at_its_very_end() {
    for used_before in [false, true] {
        let pool = Pool::<Option<u32>>::new();
        let worker = thread::spawn({
            let pool = pool.clone();
            move || {
                if used_before {
                    cycle(&pool);
                }
                LATE.with(|_| ());
                let ends = pool.rent();
                LATE.set(Some(Late { pool, ends }));
            }
        });
        worker.join().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.live, stats.rented), (0, if used_before { 4 } else { 3 }));
        cycle(&pool);
    }
}

/// Slots go from one thread to the other, and back through the pool.
#[test]
fn a_thread_that_rents_and_one_that_returns_need_few_slots() {
    let pool = Pool::<Option<u32>>::new();
    let (sender, receiver) = mpsc::sync_channel::<Completion<Option<u32>>>(10);
    let consumer = thread::spawn(move || {
        for mut completion in receiver {
            assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        }
    });
    for _ in 0..if cfg!(miri) { 100 } else { 20_000 } {
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
