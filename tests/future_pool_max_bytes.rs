//! `max_bytes` bounds the memory of a `FuturePool`. All eight size classes together never grow beyond this bound. If a size class needs a
//! page and the bound is reached, the pool frees vacant pages of the other size classes.

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

use common::{for_both_future_pools, threads::SpinBarrier};
use value_future::{FuturePool, ValueFuture, future_pool::PooledErrorKind};

/// A future of `WORDS` words, which is never ready.
#[allow(dead_code, reason = "only the size matters")]
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

/// The size of the header of a page, in bytes.
const HEADER: usize = 128;
/// The size of a page of 62 slots of 64 bytes.
const PAGE_64: usize = 62 * 64 + HEADER;
/// The size of a page of 31 slots of 128 bytes.
const PAGE_128: usize = 31 * 128 + HEADER;
/// The size of a page of 15 slots of 4160 bytes.
const PAGE_4160: usize = 15 * 4160 + HEADER;

for_both_future_pools! {
    fn bounded(bytes: usize) -> Pool {
        Pool::builder().max_bytes(bytes).build()
    }

    /// Creates futures until the pool is full, but at most `most` futures.
    fn fill<const WORDS: usize>(pool: &Pool, most: usize) -> Vec<ValueFuture<'static, u64>> {
        (0..most).map_while(|_| pool.try_pooled(words::<WORDS>()).ok()).collect()
    }

    #[test]
    fn a_reservation_above_the_bound_does_not_protect_pages_that_are_added_later() {
        const BYTES: usize = if cfg!(miri) { 16 << 10 } else { 64 << 10 };
        let pool = bounded(BYTES);
        pool.reserve(48, 1_000_000).unwrap();
        pool.set_max_bytes(2 * BYTES);
        let grown = fill::<6>(&pool, 4_000);
        assert!(pool.try_pooled(words::<134>()).is_err());
        drop(grown);
        assert!(pool.try_pooled(words::<134>()).is_ok(), "the pool protects pages that `reserve` did not add");
    }

    /// Creates a future of the size class `class`. Returns `None` if the pool refuses the future.
    fn try_size(pool: &Pool, class: usize) -> Option<ValueFuture<'static, u64>> {
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
    fn the_header_of_a_page_counts_against_the_bound() {
        // If the bound does not allow another full page, the last page has fewer slots.
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
    fn all_size_classes_share_the_bound() {
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
        // All size classes were refused, so the rest of the bound is too small even for a page of one slot. (`stats.bytes` does not count
        // the headers of the pages.)
        assert!(stats.bytes > BOUND as u64 * 9 / 10, "{stats:?}");
        drop(futures);
        pool.trim();
        assert_eq!(pool.stats().bytes, 0);
    }

    #[test]
    fn futures_without_a_slot_are_boxed_and_counted_as_full() {
        let pool = bounded(PAGE_64);
        let _all = fill::<6>(&pool, 62);
        let assert_full = |refused: Option<PooledErrorKind>| assert_eq!(refused, Some(PooledErrorKind::Full));
        assert_full(pool.try_pooled(words::<6>()).err().map(|error| error.kind()));
        assert_full(pool.try_pooled(words::<518>()).err().map(|error| error.kind()));
        let _boxed = (pool.pooled(words::<6>()), pool.pooled(words::<518>()), pool.pooled(words::<519>()));
        let stats = pool.stats();
        assert_eq!((stats.full, stats.too_large, stats.boxed), (2, 1, 3));
        assert_eq!(pool.reserve(8 * 518, 1), Ok(()), "`reserve` stops at the bound");
        assert_eq!(pool.stats().bytes, 62 * 64);
    }

    #[test]
    fn a_bound_of_0_bytes_boxes_everything() {
        let pool = bounded(0);
        drop((pool.pooled(words::<6>()), pool.pooled(words::<518>())));
        let stats = pool.stats();
        assert_eq!((stats.full, stats.rented, stats.capacity), (2, 0, 0));
        assert_eq!(stats.allocations, 0, "a size class without memory is not created");
    }

    #[test]
    fn set_max_bytes_raises_and_lowers_the_bound() {
        let pool = Pool::new();
        pool.set_max_bytes(PAGE_64);
        let mut futures = fill::<6>(&pool, 1000);
        assert_eq!(futures.len(), 62);
        pool.set_max_bytes(2 * PAGE_64);
        futures.extend(fill::<6>(&pool, 1000));
        assert_eq!(futures.len(), 2 * 62);
        // Lowering the bound frees nothing, but the pool does not grow any more.
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
    fn a_size_class_gets_the_vacant_pages_of_other_size_classes() {
        const PAGES: usize = if cfg!(miri) { 3 } else { 8 };
        let pool = bounded(PAGES * PAGE_64);
        let futures = fill::<6>(&pool, 10_000);
        assert_eq!(futures.len(), PAGES * 62);
        assert!(try_size(&pool, 1).is_none());
        drop(futures);
        let futures = fill::<14>(&pool, 10_000);
        assert_eq!((futures.len(), pool.stats().classes[0].capacity), (PAGES * 31, 0));
        drop(futures);
        // The pool frees these pages for other size classes, even if vacant slots of the pages are cached.
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
    fn a_page_is_freed_only_if_another_size_class_can_use_its_memory() {
        let pool = bounded(PAGE_4160 + PAGE_64);
        let large = fill::<518>(&pool, 15);
        drop(fill::<6>(&pool, 62));
        let before = pool.stats();
        // A slot of 4160 bytes does not fit in the 4096 bytes of the vacant page.
        assert!((0..10).all(|_| try_size(&pool, 7).is_none()));
        assert_eq!(pool.stats(), before);
        drop(large);
        assert!(try_size(&pool, 7).is_some());
        assert_eq!(pool.stats().classes[0].capacity, 62);
    }

    #[test]
    fn pages_in_use_and_reserved_pages_are_not_freed_for_another_size_class() {
        let pool = bounded(4 * PAGE_64);
        pool.reserve(1, 3 * 62).unwrap();
        drop(fill::<6>(&pool, 4 * 62));
        let large = fill::<14>(&pool, 1000);
        assert_eq!((large.len(), pool.stats().classes[0].capacity), (31, 3 * 62));
        let small = fill::<6>(&pool, 1000);
        assert_eq!(small.len(), 3 * 62);
        assert!(try_size(&pool, 1).is_none());
        drop((large, small));
        // If the rest of the bound is too small for a full page, the new page has fewer slots.
        drop(fill::<6>(&pool, 4 * 62));
        let larger = fill::<134>(&pool, 1000);
        assert_eq!((larger.len(), pool.stats().classes[0].capacity), (3, 3 * 62));
        drop(larger);
        pool.trim();
        assert_eq!(fill::<14>(&pool, 1000).len(), 4 * 31);
    }

    #[test]
    fn max_bytes_works_together_with_the_bounds_of_each_size_class() {
        let pool = Pool::builder().max_slots_per_size(5).max_bytes_per_size(400).max_bytes(1000).build();
        let shown = format!("{:?}", Pool::builder().max_slots_per_size(5).max_bytes(1000));
        assert!(shown.ends_with("{ max_slots_per_size: Some(5), max_bytes_per_size: None, max_bytes: Some(1000) }"));
        assert_eq!(pool.try_pooled(words::<70>()).err().unwrap().kind(), PooledErrorKind::NoneOfSize);
        // `max_slots_per_size` allows 5 small slots, and `max_bytes_per_size` allows 3 middle slots. Each page has a header and padding of
        // 128 bytes. So the page of small slots takes 448 bytes, and the page of middle slots takes 512. The other 40 bytes allow no slot
        // of 192 bytes.
        let (small, middle) = (fill::<6>(&pool, 1000), fill::<14>(&pool, 1000));
        assert_eq!((small.len(), middle.len()), (5, 3));
        assert_eq!(fill::<22>(&pool, 1000).len(), 0);
        drop(small);
        assert_eq!(fill::<22>(&pool, 1000).len(), 1, "`max_bytes_per_size` allows 2 slots, and the rest of `max_bytes` allows 1");
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

/// All threads use the same size classes, and the pool frees pages of one size class for another.
#[test]
fn threads_that_use_all_size_classes_never_exceed_the_bound() {
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

/// Several threads create the first futures of a pool at the same time. All these futures fit in one page.
#[test]
fn a_thread_does_not_find_the_pool_full_while_another_thread_grows_it() {
    const THREADS: usize = 4;
    const ROUNDS: usize = if cfg!(miri) { 3 } else { 20_000 };
    for bytes in [PAGE_64, 10 * PAGE_64] {
        let slots = bytes / PAGE_64 * 62;
        let pools: Vec<_> =
            (0..ROUNDS).map(|_| FuturePool::builder().max_bytes(bytes).build()).collect();
        let (start, refused) = (SpinBarrier::new(THREADS), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for (round, pool) in pools.iter().enumerate() {
                        start.wait(round);
                        let futures = [(); 3].map(|()| pool.try_pooled(pending::<()>()));
                        refused.fetch_add(
                            futures.iter().filter(|future| future.is_err()).count(),
                            SeqCst,
                        );
                    }
                });
            }
        });
        let refused = refused.into_inner();
        assert_eq!(refused, 0, "of {slots} slots, {THREADS} threads use 3 each");
    }
}

/// After `set_max_bytes` has returned, the pool does not grow beyond the new bound.
#[test]
fn a_lower_bound_holds_as_soon_as_it_is_set() {
    const ROUNDS: usize = if cfg!(miri) { 5 } else { 2_000 };
    let (pool, done) = (FuturePool::new(), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
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
        done.store(true, SeqCst);
    });
}

/// No other test of this file uses the built-in pool.
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
