//! The byte bound of a whole pool of futures: all eight sizes together never take more memory than that, and a size that
//! needs a page gets the vacant pages of the others.

mod common;

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    thread,
};

use value_future::{FuturePool, LocalFuturePool, ValueFuture, future_pool::PooledErrorKind};

/// A future of so many words that never completes.
#[allow(dead_code, reason = "it is only as large as that")]
struct Words<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Future for Words<WORDS> {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        Poll::Pending
    }
}

fn words<const WORDS: usize>() -> Words<WORDS> {
    Words([1; WORDS])
}

/// What a page takes besides its slots.
const HEADER: usize = 128;
/// Pages of 62 slots of 64 bytes, of 31 slots of 128 bytes, and of 15 slots of 4160 bytes.
const PAGE_64: usize = 62 * 64 + HEADER;
const PAGE_128: usize = 31 * 128 + HEADER;
const PAGE_4160: usize = 15 * 4160 + HEADER;

/// The same tests for both kinds of pool.
macro_rules! for_both_kinds {
    ($($item:item)*) => {
        mod shared {
            #[allow(clippy::wildcard_imports)]
            use super::*;
            use super::{FuturePool as Pool, ValueFuture as Erased};
            $($item)*
        }

        mod local {
            #[allow(clippy::wildcard_imports)]
            use super::*;
            use super::LocalFuturePool as Pool;
            use value_future::LocalValueFuture as Erased;
            $($item)*
        }
    };
}

for_both_kinds! {
    fn bounded(bytes: usize) -> Pool {
        Pool::builder().max_bytes(bytes).build()
    }

    /// As many as get a slot, up to `most`.
    fn fill<const WORDS: usize>(pool: &Pool, most: usize) -> Vec<Erased<'static, u64>> {
        (0..most).map_while(|_| pool.try_pooled(words::<WORDS>()).ok()).collect()
    }

    #[test]
    fn a_reservation_that_does_not_fit_keeps_no_later_memory_from_other_sizes() {
        const BYTES: usize = if cfg!(miri) { 16 << 10 } else { 64 << 10 };
        let pool = bounded(BYTES);
        pool.reserve(48, 1_000_000).unwrap();
        pool.set_max_bytes(2 * BYTES);
        let grown = fill::<6>(&pool, 4_000);
        assert!(pool.try_pooled(words::<134>()).is_err());
        drop(grown);
        assert!(pool.try_pooled(words::<134>()).is_ok(), "more is kept than could be reserved");
    }

    fn try_size(pool: &Pool, class: usize) -> Option<Erased<'static, u64>> {
        match class {
            0 => pool.try_pooled(words::<6>()).ok(),
            1 => pool.try_pooled(words::<14>()).ok(),
            2 => pool.try_pooled(words::<22>()).ok(),
            3 => pool.try_pooled(words::<38>()).ok(),
            4 => pool.try_pooled(words::<70>()).ok(),
            5 => pool.try_pooled(words::<134>()).ok(),
            6 => pool.try_pooled(words::<262>()).ok(),
            _ => pool.try_pooled(words::<518>()).ok(),
        }
    }

    #[test]
    fn the_memory_of_a_page_counts_with_its_header() {
        // A page has fewer slots if there is no room for all of them.
        for (bytes, slots) in [(0, 0), (64 + HEADER - 1, 0), (64 + HEADER, 1), (1000, 13), (PAGE_64, 62),
            (PAGE_64 + HEADER + 63, 62), (PAGE_64 + HEADER + 64, 63), (3 * PAGE_64, 3 * 62)]
        {
            let pool = bounded(bytes);
            let futures = fill::<6>(&pool, 1000);
            assert_eq!(futures.len(), slots, "{bytes}");
            assert_eq!(pool.stats().bytes, 64 * slots as u64);
        }
        let pool = bounded(PAGE_64 + PAGE_128);
        let (small, large) = (fill::<6>(&pool, 62), fill::<14>(&pool, 1000));
        assert_eq!((small.len(), large.len()), (62, 31));
        assert!((0..8).all(|class| try_size(&pool, class).is_none()));
    }

    #[test]
    fn all_eight_sizes_share_the_bound() {
        const BOUND: usize = if cfg!(miri) { 110_000 } else { 300_000 };
        let pool = bounded(BOUND);
        let (mut futures, mut refused) = (vec![], 0);
        while refused < 8 {
            refused = 0;
            for class in 0..8 {
                let future = try_size(&pool, class);
                refused += usize::from(future.is_none());
                futures.extend(future);
                // `stats` is slow under Miri.
                assert!((cfg!(miri) && class > 0) || pool.stats().bytes <= BOUND as u64);
            }
        }
        let stats = pool.stats();
        assert!(stats.classes.iter().all(|class| class.capacity > 0), "{stats:?}");
        assert_eq!(stats.capacity, stats.live);
        // What is left has no room for another slot, if the page headers are added.
        assert!(stats.bytes > BOUND as u64 * 9 / 10, "{stats:?}");
        drop(futures);
        pool.trim();
        assert_eq!(pool.stats().bytes, 0);
    }

    #[test]
    fn what_finds_no_slot_is_boxed_and_counted_as_full() {
        let pool = bounded(PAGE_64);
        let _all = fill::<6>(&pool, 62);
        let kind = |refused: Option<PooledErrorKind>| assert_eq!(refused, Some(PooledErrorKind::Full));
        kind(pool.try_pooled(words::<6>()).err().map(|error| error.kind()));
        kind(pool.try_pooled(words::<518>()).err().map(|error| error.kind()));
        let _boxed = (pool.pooled(words::<6>()), pool.pooled(words::<518>()), pool.pooled(words::<519>()));
        let stats = pool.stats();
        assert_eq!((stats.full, stats.too_large, stats.boxed), (2, 1, 3));
        assert_eq!(pool.reserve(8 * 518, 1), Ok(()), "up to the bound");
        assert_eq!(pool.stats().bytes, 62 * 64);
    }

    #[test]
    fn a_bound_of_0_bytes_boxes_everything() {
        let pool = bounded(0);
        drop((pool.pooled(words::<6>()), pool.pooled(words::<518>())));
        let stats = pool.stats();
        assert_eq!((stats.full, stats.rented, stats.capacity), (2, 0, 0));
        assert_eq!(stats.allocations, 0, "a size without room is not even made");
    }

    #[test]
    fn the_bound_can_be_raised_and_lowered() {
        let pool = Pool::new();
        pool.set_max_bytes(PAGE_64);
        let mut futures = fill::<6>(&pool, 1000);
        assert_eq!(futures.len(), 62);
        pool.set_max_bytes(2 * PAGE_64);
        futures.extend(fill::<6>(&pool, 1000));
        assert_eq!(futures.len(), 2 * 62);
        // Nothing is freed, and nothing grows.
        pool.set_max_bytes(PAGE_128);
        assert_eq!(pool.stats().bytes, 2 * 62 * 64);
        assert!((0..8).all(|class| try_size(&pool, class).is_none()));
        futures.truncate(62);
        assert_eq!(fill::<6>(&pool, 1000).len(), 62, "vacant slots are still used");
        assert!((1..8).all(|class| try_size(&pool, class).is_none()));
        drop(futures);
        pool.trim();
        assert_eq!(fill::<14>(&pool, 1000).len(), 31);
        pool.set_max_bytes(usize::MAX);
        let many = if cfg!(miri) { 40 } else { 1000 };
        assert_eq!(fill::<518>(&pool, many).len(), many);
    }

    #[test]
    fn a_size_gets_the_vacant_pages_of_the_others() {
        const PAGES: usize = if cfg!(miri) { 3 } else { 8 };
        let pool = bounded(PAGES * PAGE_64);
        let futures = fill::<6>(&pool, 10_000);
        assert_eq!(futures.len(), PAGES * 62);
        assert!(try_size(&pool, 1).is_none());
        drop(futures);
        let futures = fill::<14>(&pool, 10_000);
        assert_eq!((futures.len(), pool.stats().classes[0].capacity), (PAGES * 31, 0));
        drop(futures);
        // And back, one by one, to those of which only the caches know.
        for class in [0, 1, 2, 3, 0, 5, 4, 6, 0] {
            assert!(try_size(&pool, class).is_some(), "{class}");
        }
        let one = try_size(&pool, 7);
        assert!(one.is_some());
        drop(one);
        let slots = u32::try_from(PAGES).unwrap() * 62;
        pool.reserve(1, slots).unwrap();
        assert_eq!(pool.stats().bytes, u64::from(slots) * 64);
    }

    #[test]
    fn a_page_is_freed_for_another_size_only_if_that_helps() {
        let pool = bounded(PAGE_4160 + PAGE_64);
        let large = fill::<518>(&pool, 15);
        drop(fill::<6>(&pool, 62));
        let before = pool.stats();
        // 4096 bytes have no room for a slot of 4160.
        assert!((0..10).all(|_| try_size(&pool, 7).is_none()));
        assert_eq!(pool.stats(), before);
        drop(large);
        assert!(try_size(&pool, 7).is_some());
        assert_eq!(pool.stats().classes[0].capacity, 62);
    }

    #[test]
    fn what_is_in_use_or_reserved_is_not_freed_for_another_size() {
        let pool = bounded(4 * PAGE_64);
        pool.reserve(1, 3 * 62).unwrap();
        drop(fill::<6>(&pool, 4 * 62));
        let large = fill::<14>(&pool, 1000);
        assert_eq!((large.len(), pool.stats().classes[0].capacity), (31, 3 * 62));
        let small = fill::<6>(&pool, 1000);
        assert_eq!(small.len(), 3 * 62);
        assert!(try_size(&pool, 1).is_none());
        drop((large, small));
        // A page is smaller if it gets less than it wants.
        drop(fill::<6>(&pool, 4 * 62));
        let larger = fill::<134>(&pool, 1000);
        assert_eq!((larger.len(), pool.stats().classes[0].capacity), (3, 3 * 62));
        drop(larger);
        pool.trim();
        assert_eq!(fill::<14>(&pool, 1000).len(), 4 * 31);
    }

    #[test]
    fn the_bounds_of_each_size_hold_too() {
        let pool = Pool::builder().max_slots_per_size(5).max_bytes_per_size(400).max_bytes(1000).build();
        let shown = format!("{:?}", Pool::builder().max_slots_per_size(5).max_bytes(1000));
        assert!(shown.ends_with("{ max_slots_per_size: Some(5), max_bytes_per_size: None, max_bytes: Some(1000) }"));
        assert_eq!(pool.try_pooled(words::<70>()).err().unwrap().kind(), PooledErrorKind::NoneOfSize);
        // 5 slots by their number, 3 by the bytes of the size, and one by what is left: 1000 - 448 - 512 = 40.
        let (small, middle) = (fill::<6>(&pool, 1000), fill::<14>(&pool, 1000));
        assert_eq!((small.len(), middle.len()), (5, 3));
        assert_eq!(fill::<22>(&pool, 1000).len(), 0);
        drop(small);
        assert_eq!(fill::<22>(&pool, 1000).len(), 1, "2 by the bytes of the size, and 1 by what is left");
        drop(middle);
        assert_eq!(fill::<22>(&pool, 1000).len(), 2);
    }

    #[test]
    fn futures_outlive_a_bounded_pool() {
        let pool = bounded(2 * PAGE_64 + PAGE_128);
        let futures = (fill::<6>(&pool, 1000), fill::<14>(&pool, 1));
        drop(pool);
        drop(futures);
    }
}

/// Each thread uses sizes that the others use too, and frees pages for them.
#[test]
fn several_threads_that_grow_different_sizes_never_exceed_the_bound() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(miri) { 3 } else { 2_000 };
    const BOUND: usize = 100_000;
    fn batch<const WORDS: usize>(pool: &FuturePool, len: usize) -> Vec<ValueFuture<'_, u64>> {
        let futures: Vec<_> = (0..len).map(|_| pool.pooled(words::<WORDS>())).collect();
        assert!(pool.stats().bytes <= BOUND as u64);
        futures
    }
    let pool = FuturePool::builder().max_bytes(BOUND).build();
    let (running, start) = (AtomicUsize::new(THREADS), Barrier::new(THREADS + 1));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (pool, running, start) = (&pool, &running, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..ROUNDS {
                    let len = 1 + (7 * round + 31 * thread) % if cfg!(miri) { 20 } else { 70 };
                    let _kept = batch::<6>(pool, len / 7);
                    match (round / 4 + thread) % 4 {
                        0 => drop(batch::<6>(pool, 10 * len)),
                        1 => drop(batch::<22>(pool, 4 * len)),
                        2 => drop(batch::<134>(pool, len)),
                        _ => drop((batch::<518>(pool, len / 4), pool.trim())),
                    }
                }
                running.fetch_sub(1, SeqCst);
            });
        }
        start.wait();
        let mut most = 0;
        while running.load(SeqCst) > 0 {
            let bytes = pool.stats().bytes;
            assert!(bytes <= BOUND as u64, "{bytes}");
            most = most.max(bytes);
            thread::yield_now();
        }
        assert!(cfg!(miri) || most > BOUND as u64 * 3 / 4, "{most}");
    });
    assert_eq!(pool.stats().live, 0);
    pool.trim();
    let rest = pool.stats().bytes;
    assert!(rest <= BOUND as u64, "{rest}");
}

/// The first futures of a pool come from several threads at once, and all of them have room in its last page.
#[test]
fn a_thread_that_meets_the_growth_of_another_does_not_find_the_pool_full() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(miri) { 3 } else { 20_000 };
    for bytes in [PAGE_64, 10 * PAGE_64] {
        let slots = bytes / PAGE_64 * 62;
        let pools: Vec<_> =
            (0..ROUNDS).map(|_| FuturePool::builder().max_bytes(bytes).build()).collect();
        let (arrived, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for (round, pool) in pools.iter().enumerate() {
                        arrived.fetch_add(1, SeqCst);
                        while arrived.load(SeqCst) < THREADS * (round + 1) {
                            thread::yield_now();
                        }
                        let few = [(); 3].map(|()| pool.try_pooled(pending::<()>()));
                        refused
                            .fetch_add(few.iter().filter(|future| future.is_err()).count(), SeqCst);
                    }
                });
            }
        });
        let refused = refused.into_inner();
        assert_eq!(refused, 0, "of {slots} slots, {THREADS} threads use 3 each");
    }
}

/// The bound is exact also while it changes: after `set_max_bytes` has returned, the pool does not grow beyond it.
#[test]
fn a_lower_bound_holds_from_when_it_is_set() {
    const ROUNDS: usize = if cfg!(miri) { 5 } else { 2_000 };
    let (pool, over) = (FuturePool::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    drop((0..40).map(|_| pool.pooled(words::<22>())).collect::<Vec<_>>());
                    drop((0..80).map(|_| pool.pooled(words::<6>())).collect::<Vec<_>>());
                    pool.trim();
                }
            });
        }
        for round in 0..ROUNDS {
            pool.set_max_bytes(0);
            let before = pool.stats().bytes;
            thread::yield_now();
            let after = pool.stats().bytes;
            assert!(after <= before, "{round}: {before} {after}");
            pool.set_max_bytes(20_000);
            thread::yield_now();
        }
        over.store(true, SeqCst);
    });
}

/// The only test here that uses the built-in pool.
#[test]
#[cfg_attr(miri, ignore = "many slots")]
fn the_built_in_pool_has_a_bound_that_can_be_changed() {
    let pool = FuturePool::built_in();
    let fill =
        || (0..100_000).map_while(|_| pool.try_pooled(words::<518>()).ok()).collect::<Vec<_>>();
    let most = (128 << 20) / PAGE_4160 * 15;
    let futures = fill();
    assert!((most..most + 15).contains(&futures.len()), "{}", futures.len());
    assert!(pool.stats().bytes <= 128 << 20);
    drop(futures);
    pool.trim();
    pool.set_max_bytes(1 << 20);
    assert_eq!(fill().len(), (1 << 20) / PAGE_4160 * 15 + 11);
    pool.set_max_bytes(256 << 20);
    assert!(fill().len() >= 2 * most);
    let stats = pool.stats();
    drop(ValueFuture::pooled(words::<518>()));
    assert_eq!(pool.stats().full, stats.full);
}
