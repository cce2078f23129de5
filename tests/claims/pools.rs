//! Tests that a pool has the documented number of slots, that the slots have the documented sizes, and that a thread finds the slots which
//! another thread has returned.

use std::{cell::Cell, future::pending};

use static_assertions::assert_not_impl_any;
use value_future::{
    FuturePool, LocalFuturePool, LocalValueFuture, ValueFuture, operation::Abandoned,
};

use crate::{
    common::{for_both_pools, panic_text, poll, poll_with, threads::while_a_thread_lives},
    counting::Balance,
    words::{documented, grouped},
};

assert_not_impl_any!(FuturePool: Clone);
assert_not_impl_any!(LocalFuturePool: Clone, Sync);

for_both_pools! {
    /// The number of times that the pool of the test grows. Creating slots is slow under Miri.
    const STEPS: usize = if cfg!(miri) { 3 } else { 5 };

    #[test]
    fn a_pool_grows_by_32_slots() {
        let pool = Pool::<Option<u64>>::new();
        assert_eq!(pool.stats().capacity, 0);
        let (mut ends, mut steps) = (vec![], vec![]);
        while steps.len() < STEPS {
            // Rents all vacant slots and one more slot, so the pool grows.
            ends.extend((ends.len() as u64..=pool.stats().capacity).map(|_| pool.rent()));
            steps.push(pool.stats().capacity);
        }
        assert_eq!(steps, [32, 64, 96, 128, 160][..STEPS]);
        for slots in [1, 32, 33, 97] {
            let pool = PoolBuilder::<Option<u64>>::default().initial_slots(slots).build();
            assert_eq!(Some(&pool.stats().capacity), steps.iter().find(|step| **step >= slots.into()));
            let builder = PoolBuilder::<Option<u64>>::default();
            let exact = builder.initial_slots(slots).max_slots(slots).build();
            assert_eq!(exact.stats().capacity, slots.into());
        }
        documented!("src/pool/pool.rs", "the next multiple of 32");
        documented!("src/pool/pool.rs", "The pool creates 32 slots whenever a thread finds no vacant slot");
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
    fn a_slot_and_its_part_of_a_page_take_60_bytes_and_the_value() {
        fn overhead<T: Abandoned>(balances: &'static [Balance; 2]) -> usize {
            let [of_few, of_all] = balances;
            // At its first operations, this thread allocates memory that belongs to no pool. So it uses other pools before the count.
            drop([(); 8].map(|()| Pool::<T>::new().rent()));
            let few = of_few.count(|| PoolBuilder::<T>::default().initial_slots(32).build());
            let all = of_all.count(|| PoolBuilder::<T>::default().initial_slots(96).build());
            let bytes = (of_all.bytes() - of_few.bytes()).unsigned_abs();
            drop((few, all));
            assert_eq!(bytes % 64, 0);
            bytes / 64 - size_of::<T>().next_multiple_of(8)
        }
        static BALANCES: [[Balance; 2]; 4] = [const { [const { Balance::new() }; 2] }; 4];
        let sizes = [
            overhead::<Option<Box<u64>>>(&BALANCES[0]),
            overhead::<Option<u64>>(&BALANCES[1]),
            overhead::<Option<[u64; 20]>>(&BALANCES[2]),
            overhead::<Option<u8>>(&BALANCES[3]),
        ];
        assert_eq!(sizes, [60; 4]);
        documented!("src/pool/pool.rs", "A slot takes {} bytes and the value, padded to a multiple of 8", sizes[0] - 4);
        documented!("src/pool/pool.rs", "Each page of 32 slots takes 128 bytes more");
    }

    #[test]
    fn two_pools_give_equal_keys() {
        let pools = [Pool::<Option<u64>>::new(), Pool::new()];
        let keys = pools.each_ref().map(|pool| pool.rent().0.into_key());
        assert_eq!(keys[0], keys[1]);
        documented!("src/slot/key.rs", "two pools can create equal keys");
    }

    #[test]
    fn a_cancelled_operation_is_counted_when_its_slot_is_returned() {
        let pool = Pool::<Option<u64>>::new();
        let (completer, completion) = pool.rent();
        drop(completion);
        assert_eq!(pool.stats().cancelled, 0);
        drop(completer);
        assert_eq!((pool.stats().cancelled, pool.stats().returned), (1, 1));
        let (completer, completion) = pool.rent();
        drop(completer);
        drop(completion);
        assert_eq!(pool.stats().cancelled, 1, "an operation with a result is not cancelled");
    }

    #[test]
    fn each_refusal_of_a_key_is_counted() {
        let pool = Pool::<Option<u64>>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        pool.complete_key(key, Some(1)).unwrap();
        assert_eq!(pool.stats().refused_keys, 0);
        assert!(pool.complete_key(key, Some(2)).is_err());
        assert!(pool.abandon_key(key).is_err());
        drop(completion);
        let _ends = pool.rent();
        assert!(pool.complete_key(key, Some(3)).is_err());
        assert!(pool.complete_key(value_future::Key::from_u64(u64::MAX), Some(4)).is_err());
        assert_eq!(pool.stats().refused_keys, 4);
    }

    #[test]
    fn a_panic_of_a_waker_ends_the_call_of_abandon_keys() {
        struct Panics;
        impl std::task::Wake for Panics {
            fn wake(self: std::sync::Arc<Self>) {
                panic!("the waker panics");
            }
        }
        let pool = Pool::<Option<u64>>::new();
        let mut operations: Vec<_> = (0..3)
            .map(|_| {
                let (completer, completion) = pool.rent();
                let _key = completer.into_key();
                completion
            })
            .collect();
        let waker = std::task::Waker::from(std::sync::Arc::new(Panics));
        assert!(poll_with(&mut operations[0], &waker).is_pending());
        assert_eq!(panic_text(|| pool.abandon_keys()), "the waker panics");
        let ended: Vec<_> = operations.iter().map(Completion::is_completed).collect();
        assert_eq!(ended, [true, false, false]);
        assert_eq!(pool.abandon_keys(), 2);
    }
}

/// Creates a bounded pool. Another thread takes all its slots, returns them, and does not end. Meanwhile, the calling thread puts one
/// future for each slot into this pool. Returns the number of futures that are boxed.
fn boxed_while_a_thread_lives(slots: u32) -> u64 {
    let pool = FuturePool::builder().max_slots_per_size(slots).build();
    let all = || (0..slots).map(|_| pool.pooled(pending::<()>())).collect::<Vec<_>>();
    while_a_thread_lives(|| drop(all()), || drop(all()));
    pool.stats().full
}

#[test]
#[cfg_attr(miri, ignore = "many slots")]
fn a_thread_finds_all_slots_of_a_pool_that_is_bounded_to_fewer_than_512_slots() {
    let limit = (500..520).find(|slots| boxed_while_a_thread_lives(*slots) > 0).unwrap();
    assert_eq!(boxed_while_a_thread_lives(10), 0);
    documented!("src/future_pool/future_pool.rs", "bounded to fewer than {limit} slots of a size");
    documented!("src/future_pool/design.md", "{limit} slots of a size");
}

#[test]
fn the_sizes_of_slots_are_the_documented_sizes() {
    let classes = FuturePool::new().stats().classes;
    let list = |figures: Vec<u64>| {
        let figures: Vec<_> = figures.iter().map(ToString::to_string).collect();
        let (last, others) = figures.split_last().unwrap();
        format!("{} and {last}", others.join(", "))
    };
    assert_eq!(classes.len(), 8);
    let room: Vec<_> = classes.iter().map(|class| class.max_size).collect();
    let slots: Vec<_> = classes.iter().map(|class| class.slot_size).collect();
    if cfg!(target_pointer_width = "64") {
        documented!(
            "src/future_pool/future_pool.rs",
            "Slots come in eight sizes, with room for futures of {} bytes",
            list(room.clone())
        );
        documented!(
            "src/future_pool/design.md",
            "Futures larger than {} bytes are boxed",
            FuturePool::MAX_SIZE
        );
        documented!("README.md", "larger than {} bytes", grouped(FuturePool::MAX_SIZE));
        documented!("src/guide/pools.md", "larger than {} bytes", grouped(FuturePool::MAX_SIZE));
        assert_eq!(room.last(), Some(&(FuturePool::MAX_SIZE as u64)));
        // Returns `true` if the smallest future that needs a slot of this size uses less than half of the bytes that the slot has for a
        // future.
        let wasteful = |at: usize| at == 0 || (room[at - 1] + 1) * 2 < room[at];
        assert_eq!((0..8).filter(|at| wasteful(*at)).collect::<Vec<_>>(), [0, 1]);
        documented!("src/future_pool/design.md", "From the third class on, at most half of a");
    }
    documented!("src/future_pool/design.md", "The sizes are {} bytes", list(slots));
    documented!("src/future_pool/future_pool.rs", "Slots come in eight sizes");
}

#[test]
#[cfg_attr(miri, ignore = "many slots")]
fn the_built_in_pool_takes_at_most_128_mebibytes() {
    const BOUND: u64 = 128 << 20;
    let slot_size = FuturePool::built_in().stats().classes[7].slot_size;
    // These futures need slots of the largest size, which no other test of this program uses.
    let large = || {
        let bytes = [1_u8; 4000];
        ValueFuture::pooled(async move {
            pending::<()>().await;
            bytes.len()
        })
    };
    // Other tests may use a few pages of other sizes. 1 MiB is left for these pages.
    let slots = (BOUND - (1 << 20)) / (2 * 64 + 15 * slot_size) * 15;
    let mut futures: Vec<_> = (0..slots).map(|_| large()).collect();
    let stats = FuturePool::built_in().stats();
    assert_eq!((stats.classes[7].live, stats.full), (slots, 0));
    futures.extend((0..BOUND / 64 / slot_size).map(|_| large()));
    let stats = FuturePool::built_in().stats();
    assert!(stats.full > 0 && stats.bytes <= BOUND, "{stats:?}");
    drop(futures);
    FuturePool::built_in().trim();
    documented!(
        "src/future_pool/future_pool.rs",
        "The pages of all eight sizes together take 128 MiB at most."
    );
    documented!(
        "src/built_in/value_future.rs",
        "has reached its bound. The bound is 128 MiB unless"
    );
    documented!("src/future_pool/design.md", "The only bound of the built-in pool is 128 MiB");
}

#[test]
fn the_high_water_mark_is_the_sum_of_the_marks_of_all_sizes_and_remains_after_trim() {
    let pool = FuturePool::new();
    drop((0..5).map(|_| pool.pooled(pending::<()>())).collect::<Vec<_>>());
    let unused = pool.stats().classes[1..].iter().all(|class| class.allocations == 0);
    assert!(unused, "a class that was never used has no allocation");
    let bytes = [1_u8; 100];
    drop(pool.pooled(async move { bytes.len() }));
    assert_eq!((pool.stats().high_water, pool.stats().capacity), (6, 62 + 31));
    pool.trim();
    assert_eq!((pool.stats().high_water, pool.stats().capacity), (6, 0));
}

/// A future that is created with `pooled` is lazy. A future that is created with `eager` is polled at once.
#[test]
fn a_pooled_future_is_not_polled_before_it_is_awaited() {
    let polled = Cell::new(false);
    let poll_it = async { polled.set(true) };
    let mut future = LocalValueFuture::pooled(poll_it);
    assert!(!polled.get());
    assert!(poll(&mut future).is_ready() && polled.get());
    polled.set(false);
    drop(LocalValueFuture::eager(async { polled.set(true) }));
    assert!(polled.get());
    documented!(
        "src/built_in/value_future.rs",
        "or use [`pooled`](Self::pooled), which does nothing before it is awaited"
    );
}
