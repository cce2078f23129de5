//! Tests of futures in slots of a `FuturePool`: their results, the release of their slots, and futures that are boxed instead.

mod common;

use std::{
    error::Error,
    future::{Future, pending, poll_fn, ready},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use common::{
    DropCounter, Yield, count, counter, for_both_future_pools, panic_text, poll, poll_with,
    task::Task, values::PanicsOnDrop,
};
use futures::{executor::block_on, future::FusedFuture};
use value_future::{
    FuturePool, LocalFuturePool, LocalValueFuture, ValueFuture,
    error::ArmKind,
    future_pool::{
        FuturePoolBuilder, FuturePoolStats, LocalFuturePoolBuilder, PooledError, PooledErrorKind,
    },
};

/// A future of `WORDS` words, which is ready at its first poll.
struct Words<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Future for Words<WORDS> {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        Poll::Ready(self.0.iter().sum())
    }
}

#[repr(align(16))]
struct Aligned16(u8);
#[repr(align(32))]
struct Aligned32(u8);

/// Returns the index of the only size class that was used.
#[track_caller]
fn only_class(stats: &FuturePoolStats) -> usize {
    let used: Vec<_> = (0..8).filter(|class| stats.classes[*class].rented > 0).collect();
    assert_eq!(used.len(), 1, "{stats:?}");
    used[0]
}

for_both_future_pools! {
    #[test]
    fn a_completed_future_releases_its_slot() {
        let pool = Pool::new();
        let name = String::from("borrowed");
        let mut future = pool.pooled(async {
            Yield::default().await;
            name.len()
        });
        let task = Task::new();
        assert_eq!(poll_with(&mut future, &task.waker()), Poll::Pending);
        assert_eq!(task.woken.get(), 1);
        assert_eq!(pool.stats().live, 1);
        assert_eq!(poll_with(&mut future, &task.waker()), Poll::Ready(8));
        assert_eq!(pool.stats().live, 0, "the slot is released before the future is dropped");
        assert!(future.is_terminated());
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("polled after completion"), "{text}");
    }

    #[test]
    fn a_dropped_future_releases_its_slot() {
        let dropped = counter();
        let pool = Pool::new();
        for polled in [false, true] {
            let guard = DropCounter(&dropped);
            let mut future = pool.pooled(async move {
                pending::<()>().await;
                drop(guard);
            });
            if polled {
                assert!(poll(&mut future).is_pending());
            }
            drop(future);
            assert_eq!((count(&dropped), pool.stats().live), (1 + usize::from(polled), 0));
        }
        assert_eq!(pool.stats().classes[only_class(&pool.stats())].high_water, 1);
    }

    #[test]
    fn futures_of_one_size_class_reuse_a_slot() {
        let pool = Pool::new();
        assert_eq!(block_on(pool.pooled(Words([1; 14]))), 14);
        assert_eq!(block_on(pool.pooled(Words([1; 7]))), 7, "another type of a smaller size");
        assert_eq!(block_on(pool.pooled(async { [0_u8; 100].len() })), 100);
        let stats = pool.stats();
        // The async block has no state, so it uses the smallest size class.
        assert_eq!((stats.classes[0].rented, stats.classes[0].high_water), (1, 1));
        assert_eq!((stats.classes[1].rented, stats.classes[1].high_water), (2, 1));
        assert_eq!((stats.boxed, stats.bytes), (0, 62 * 64 + 31 * 128), "one page per size class");
    }

    #[test]
    fn stats_are_the_sums_of_all_size_classes() {
        let pool = Pool::new();
        drop([(); 3].map(|()| pool.pooled(Words([1; 2]))));
        let (_small, _large) = (pool.pooled(Words([1; 2])), pool.pooled(Words([1; 20])));
        let stats = pool.stats();
        assert_eq!((stats.rented, stats.returned, stats.live), (5, 3, 2));
        assert_eq!((stats.capacity, stats.high_water), (62 + 20, 4));
        assert_eq!(stats.bytes, 62 * 64 + 20 * 192);
        let each = stats.classes.map(|class| class.allocations);
        assert!(each[0] > 1 && each[2] > 1, "{each:?}");
        assert_eq!(stats.allocations, each[0] + each[2]);
        assert_eq!(pool.trim(), 0, "each page has a slot in use");
        let stats = pool.stats();
        assert_eq!((stats.capacity, stats.high_water), (62 + 20, 4));
        assert_eq!(FuturePoolStats::default().rented, 0);
    }

    #[test]
    fn debug_shows_the_used_size_classes() {
        let pool = Pool::builder().max_slots_per_size(1).build();
        let shown = format!("{pool:?}");
        assert!(shown.ends_with("(FuturePoolStats { classes: [], too_large: 0, full: 0 })"), "{shown}");
        let (first, _boxed) = (pool.pooled(Words([1; 20])), pool.pooled(Words([1; 20])));
        let stats = pool.stats();
        assert_eq!(
            format!("{stats:?}"),
            format!(
                "FuturePoolStats {{ classes: [{:?}], too_large: 0, full: 1 }}",
                stats.classes[2]
            ),
        );
        assert_eq!(format!("{pool:?}").matches("slot_size: 192").count(), 1);
        drop((first, pool.trim()));
        assert!(format!("{pool:?}").contains("slot_size: 192"), "the size class was used");
    }

    #[test]
    fn a_future_uses_the_smallest_size_class_that_fits() {
        fn class<const WORDS: usize>() -> Option<usize> {
            let pool = Pool::new();
            assert_eq!(block_on(pool.pooled(Words([1; WORDS]))), WORDS as u64);
            let stats = pool.stats();
            assert_eq!(stats.live, 0);
            if stats.boxed > 0 {
                assert_eq!((stats.too_large, stats.full), (1, 0));
                return None;
            }
            let class = only_class(&stats);
            assert!(stats.classes[class].max_size >= 8 * WORDS as u64);
            assert!(class == 0 || stats.classes[class - 1].max_size < 8 * WORDS as u64);
            Some(class)
        }
        let classes = [
            class::<0>(), class::<6>(), class::<7>(), class::<14>(), class::<15>(), class::<22>(),
            class::<23>(), class::<38>(), class::<39>(), class::<70>(), class::<71>(),
            class::<134>(), class::<135>(), class::<262>(), class::<263>(), class::<518>(),
            class::<519>(),
        ];
        let expected = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7].map(Some);
        if cfg!(target_pointer_width = "64") {
            assert_eq!(classes[..16], expected);
            assert_eq!(Pool::MAX_SIZE, 518 * 8);
            assert_eq!(classes[16], None);
        }
    }

    #[test]
    fn a_future_aligned_to_more_than_16_bytes_is_boxed() {
        let pool = Pool::new();
        let future = pool.pooled(async {
            let aligned = Aligned16(1);
            Yield::default().await;
            (&raw const aligned).addr() + usize::from(aligned.0 - 1)
        });
        assert_eq!(block_on(future) % 16, 0);
        assert_eq!(pool.stats().boxed, 0);
        let future = pool.pooled(async {
            let aligned = Aligned32(1);
            Yield::default().await;
            (&raw const aligned).addr() + usize::from(aligned.0 - 1)
        });
        assert_eq!(block_on(future) % 32, 0);
        assert_eq!((pool.stats().too_large, pool.stats().full), (1, 0));
    }

    #[test]
    fn try_pooled_returns_the_future_and_the_reason() {
        let pool = Builder::max_slots_per_size(Pool::builder(), 1).build();
        let too_large: PooledError<Words<1000>> = pool.try_pooled(Words([1; 1000])).unwrap_err();
        assert!(too_large.is_too_large());
        let text = too_large.to_string();
        assert!(text.starts_with("no slot for `"), "{text}");
        let size = format!("(8000 bytes, aligned to {}): the largest has", align_of::<u64>());
        assert!(text.contains(&size), "{text}");
        assert!(text.ends_with("; `pooled` puts such a future into a box"), "{text}");
        let aligned = pool.try_pooled(async {
            let aligned = Aligned32(1);
            Yield::default().await;
            aligned.0
        });
        let text = aligned.map(drop).unwrap_err().to_string();
        assert!(text.contains(", aligned to 32): slots are aligned to 16;"), "{text}");
        let text = Pool::builder().max_bytes_per_size(63).build();
        let text = text.try_pooled(Words([1; 2])).map(drop).unwrap_err().to_string();
        assert!(text.contains("): the bound in bytes allows no slot of its size;"), "{text}");
        assert_eq!(too_large.kind(), PooledErrorKind::TooLarge);
        assert_eq!(block_on(too_large.into_future()), 1000);

        let mut first = pool.try_pooled(Words([1; 2])).unwrap();
        let full = pool.try_pooled(Words([2; 2])).unwrap_err();
        assert!(!full.is_too_large());
        let text = full.to_string();
        assert!(text.contains("): the pool is full: no slot of its size is vacant, and a bound allows no more slots;"), "{text}");
        assert_eq!(poll(&mut first), Poll::Ready(2));
        assert_eq!(block_on(pool.try_pooled(full.into_future()).unwrap()), 4);
        assert_eq!(pool.stats().boxed, 0, "no future was boxed");
    }

    #[test]
    fn the_error_kind_is_send_and_static_although_the_future_is_not() {
        fn kind<F>(refused: Result<impl Sized, PooledError<F>>) -> PooledErrorKind {
            let kind = refused.map(drop).unwrap_err().kind();
            assert_eq!(is_permanent(kind), kind != PooledErrorKind::Full);
            kind
        }
        /// Returns `true` if another attempt would be refused too.
        fn is_permanent(kind: PooledErrorKind) -> bool {
            let error = io::Error::from(kind);
            assert_eq!(error.to_string(), kind.to_string());
            match error.kind() {
                io::ErrorKind::WouldBlock => false,
                io::ErrorKind::Unsupported => true,
                other => panic!("{other:?}"),
            }
        }
        /// The returned error is `'static`, although the future borrows `text`: the error does not contain the future.
        fn begin(pool: &Pool, text: &str) -> Result<usize, Box<dyn Error + Send + Sync>> {
            let mut future = pool.try_pooled(async { text.len() }).map_err(PooledErrorKind::from)?;
            drop(begin_io(pool, text)?);
            Ok(result(poll(&mut future)))
        }
        fn begin_io<'a>(pool: &Pool, text: &'a str) -> io::Result<ValueFuture<'a, usize>> {
            Ok(pool.try_pooled(async { text.len() })?)
        }
        fn result<T>(polled: Poll<T>) -> T {
            match polled {
                Poll::Ready(value) => value,
                Poll::Pending => panic!("the future is pending"),
            }
        }

        let pool = Pool::builder().max_slots_per_size(2).max_bytes_per_size(1000).build();
        assert_eq!(kind(pool.try_pooled(Words([1; 1000]))), PooledErrorKind::TooLarge);
        assert_eq!(kind(pool.try_pooled(Words([1; 300]))), PooledErrorKind::NoneOfSize);
        let aligned = async {
            let aligned = Aligned32(1);
            Yield::default().await;
            aligned.0
        };
        assert_eq!(kind(pool.try_pooled(aligned)), PooledErrorKind::TooAligned);
        assert_eq!(begin(&pool, "four").unwrap(), 4);
        let first = pool.try_pooled(Words([1; 2])).unwrap();
        let error = begin(&pool, "four").unwrap_err();
        assert_eq!(error.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::WouldBlock);
        let second = pool.try_pooled(Words([1; 2])).unwrap();
        assert_eq!(kind(pool.try_pooled(Words([1; 2]))), PooledErrorKind::Full);
        assert_eq!(
            begin(&pool, "four").unwrap_err().to_string(),
            "no slot for the future: the pool is full: no slot of its size is vacant, and a bound allows no more slots",
        );
        assert_eq!((block_on(first), block_on(second)), (2, 2));
    }

    #[test]
    fn a_full_pool_boxes_futures_and_counts_them() {
        let pool = Pool::builder().max_slots_per_size(3).build();
        let futures = [(); 5].map(|()| pool.pooled(Words([1; 4])));
        let stats = pool.stats();
        assert_eq!((stats.live, stats.full, stats.too_large), (3, 2, 0));
        assert_eq!(futures.map(block_on), [4; 5]);
        assert_eq!(block_on(pool.pooled(Words([1; 4]))), 4);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.full), (0, 2), "a slot was vacant again");
        assert_eq!((stats.classes[0].capacity, stats.classes[0].high_water), (3, 3));
        assert_eq!(block_on(pool.pooled(Words([1; 10]))), 10);
        assert_eq!(pool.stats().classes[1].capacity, 3, "each size class has its own bound");
    }

    #[test]
    fn max_bytes_per_size_bounds_each_size_class() {
        let pool = Pool::builder().max_bytes_per_size(200).build();
        let futures = [(); 4].map(|()| pool.pooled(Words([1; 4])));
        assert_eq!(pool.stats().full, 1);
        drop(futures);
        assert_eq!(block_on(pool.pooled(Words([1; 38]))), 38);
        let stats = pool.stats();
        assert_eq!((stats.full, stats.too_large, stats.bytes), (1, 1, 192), "a slot of this size class exceeds the bound");
        assert!(pool.try_pooled(Words([1; 38])).unwrap_err().is_too_large());
        assert_eq!(stats.classes[3].allocations, 0);
    }

    #[test]
    fn reserve_adds_vacant_slots_to_the_slots_in_use() {
        let pool = Pool::new();
        let used = [(); 3].map(|()| pool.pooled(Words([1; 20])));
        pool.reserve(size_of::<Words<20>>(), 100).unwrap();
        let stats = pool.stats();
        assert_eq!((stats.classes[2].capacity, stats.capacity), (120, 120), "six pages");
        let reserved: Vec<_> = (0..100).map(|_| pool.pooled(Words([1; 20]))).collect();
        let after = pool.stats();
        assert_eq!((after.allocations, after.rented), (stats.allocations, 103));
        drop((used, reserved));
        pool.reserve(size_of::<Words<20>>(), 0).unwrap();
        assert_eq!(pool.trim(), 120 * 192, "reserved slots are kept until `trim`");
    }

    #[test]
    fn reserve_refuses_sizes_without_a_slot() {
        let pool = Pool::builder().max_slots_per_size(3).max_bytes_per_size(1000).build();
        assert_eq!(pool.reserve(Pool::MAX_SIZE + 1, 1), Err(PooledErrorKind::TooLarge));
        assert_eq!(pool.reserve(Pool::MAX_SIZE, 1), Err(PooledErrorKind::NoneOfSize));
        assert_eq!(pool.stats().allocations, 0);
        pool.reserve(0, 100).unwrap();
        assert_eq!(pool.stats().bytes, 3 * 64, "`reserve` stops at the bound");
        Pool::new().reserve(Pool::MAX_SIZE, 1).unwrap();
    }

    #[test]
    fn debug_of_a_builder_shows_its_bounds() {
        let name = std::any::type_name::<Builder>().rsplit("::").next().unwrap();
        let shown = format!("{:?}", Builder::default());
        assert_eq!(shown, format!("{name} {{ max_slots_per_size: None, max_bytes_per_size: None, max_bytes: None }}"));
        assert_eq!(format!("{:?}", Pool::builder()), shown);
        let bounded = Builder::default().max_slots_per_size(2).max_bytes_per_size(1000);
        let shown = format!("{bounded:?}");
        assert_eq!(shown, format!("{name} {{ max_slots_per_size: Some(2), max_bytes_per_size: Some(1000), max_bytes: None }}"));
        let pool = bounded.build();
        let _two = [(); 2].map(|()| pool.pooled(Words([1; 2])));
        assert!(pool.try_pooled(Words([1; 2])).is_err());
    }

    #[test]
    #[should_panic(expected = "`max_slots_per_size(0)`: a pool is bounded to at least one slot")]
    fn a_bound_of_zero_slots_panics() {
        let _builder = Pool::builder().max_slots_per_size(0);
    }

    #[test]
    fn debug_and_errors_show_that_a_future_is_pooled() {
        let pool = Pool::builder().max_slots_per_size(1).build();
        let [mut pooled, mut boxed] = [(); 2].map(|()| pool.pooled(ready(5)));
        let (in_slot, in_box) = (format!("{pooled:?}"), format!("{boxed:?}"));
        assert!(in_slot.contains("(Boxed(core::future::ready::Ready"), "{in_slot}");
        assert_eq!(in_slot, in_box.replace("))", ", pooled))"));
        let arm = pooled.into_arm();
        assert!(in_slot.ends_with(&format!("({arm:?})")), "{arm:?}");
        pooled = arm.into();

        assert_eq!([poll(&mut pooled), poll(&mut boxed)], [Poll::Ready(5); 2]);
        // A taken future does not show whether it was in a slot or in a box.
        let arm = "boxed arm, pooled";
        for future in [pooled, boxed] {
            let taken = format!("(Taken(completed, {arm}))");
            assert!(format!("{future:?}").ends_with(&taken), "{future:?}");
            let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("no error") };
            assert_eq!(error.arm(), Some(ArmKind::Boxed));
            assert!(error.to_string().contains(&format!("its result ({arm}) was")), "{error}");
        }
        let mut future = pool.pooled(poll_fn(|_| -> Poll<()> { panic!("in the future") }));
        panic_text(|| poll(&mut future));
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("its future or source (boxed arm, pooled) panicked"), "{text}");
    }

    #[test]
    fn a_poll_that_panics_drops_the_future_and_releases_its_slot() {
        let dropped = counter();
        let pool = Pool::new();
        let guard = DropCounter(&dropped);
        let mut future = pool.pooled(async move {
            let _guard = guard;
            Yield::default().await;
            panic!("in the future");
        });
        assert!(poll(&mut future).is_pending());
        assert_eq!(panic_text(|| poll(&mut future)), "in the future");
        assert_eq!((count(&dropped), pool.stats().live), (1, 0));
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("panic"), "{text}");
        drop(future);
        assert_eq!(count(&dropped), 1);
    }

    #[test]
    fn a_future_whose_destructor_panics_releases_its_slot() {
        let dropped = counter();
        let pool = Pool::new();
        let value = (PanicsOnDrop, DropCounter(&dropped));
        let future = pool.pooled(async move {
            let _value = value;
            pending::<()>().await;
        });
        assert_eq!(panic_text(|| drop(future)), "the destructor panics");
        assert_eq!((count(&dropped), pool.stats().live), (1, 0));

        // The destructor of the future panics after the result is ready, so the result is dropped too.
        let result = counter();
        let (value, guard) = ((PanicsOnDrop, DropCounter(&dropped)), DropCounter(&result));
        let mut guard = Some(guard);
        let mut future = pool.pooled(poll_fn(move |_| {
            let _ = &value;
            Poll::Ready(guard.take())
        }));
        assert_eq!(panic_text(|| drop(poll(&mut future))), "the destructor panics");
        assert_eq!((count(&dropped), count(&result), pool.stats().live), (2, 1, 0));
        assert!(future.is_terminated());
    }

    #[test]
    fn the_slot_of_a_result_whose_destructor_panics_is_released() {
        let pool = Pool::new();
        let mut future = pool.pooled(async { PanicsOnDrop });
        assert_eq!(panic_text(|| drop(poll(&mut future))), "the destructor panics");
        assert_eq!(pool.stats().live, 0);
        let eager = pool.eager(async { PanicsOnDrop });
        assert_eq!(pool.stats().live, 0);
        assert_eq!(panic_text(|| drop(eager)), "the destructor panics");
    }

    #[test]
    fn futures_outlive_their_pool() {
        let dropped = counter();
        let pool = Pool::new();
        let guard = DropCounter(&dropped);
        let mut pending = pool.pooled(async move {
            Yield::default().await;
            drop(guard);
            5
        });
        let never = pool.pooled(pending_forever(DropCounter(&dropped)));
        drop(pool);
        assert!(poll(&mut pending).is_pending());
        assert_eq!(poll(&mut pending), Poll::Ready(5));
        drop(never);
        assert_eq!(count(&dropped), 2);
    }

    #[test]
    fn a_ready_eager_future_is_inline_and_releases_its_slot() {
        let dropped = counter();
        let pool = Pool::new();
        let guard = DropCounter(&dropped);
        let future = pool.eager(async {
            drop(guard);
            7
        });
        assert!(future.is_ready());
        assert_eq!((pool.stats().live, count(&dropped)), (0, 1));
        assert_eq!(future.try_take().unwrap(), 7);
        // If an eager future is too large for a slot, its result is inline too.
        let future = pool.eager(Words([1; 1000]));
        assert!(future.is_ready());
        assert_eq!((block_on(future), pool.stats().too_large), (1000, 1));
    }

    #[test]
    fn a_pending_eager_future_continues_in_its_slot() {
        let pool = Pool::new();
        let mut future: ValueFuture<'_, u8> = pool.eager(async {
            Yield::default().await;
            8
        });
        assert!(!future.is_ready());
        assert_eq!(pool.stats().live, 1);
        assert_eq!(poll(&mut future), Poll::Ready(8));
        assert_eq!(pool.stats().live, 0);

        let task = Task::new();
        let waker = task.waker();
        let mut future = pool.eager_with(Yield::default(), &mut Context::from_waker(&waker));
        assert_eq!(task.woken.get(), 1, "the call polled the future");
        assert_eq!(poll(&mut future), Poll::Ready(()));
    }

    #[test]
    fn an_eager_future_that_panics_releases_its_slot() {
        let dropped = counter();
        let pool = Pool::new();
        let guard = DropCounter(&dropped);
        let eager = || {
            pool.eager(async move {
                let _guard = guard;
                panic!("at once")
            })
        };
        assert_eq!(panic_text(|| drop::<ValueFuture<'_, ()>>(eager())), "at once");
        assert_eq!((count(&dropped), pool.stats().live), (1, 0));
    }

    #[test]
    fn trim_frees_only_vacant_pages() {
        const PAGE: u64 = 20 * 192;
        let pool = Pool::new();
        let mut futures: Vec<_> = (0..4 * 20).map(|_| pool.pooled(Words([1; 20]))).collect();
        assert_eq!(pool.stats().bytes, 4 * PAGE);
        assert_eq!(pool.trim(), 0);
        let kept = futures.split_off(4 * 20 - 3);
        drop(futures);
        assert_eq!(pool.trim(), 3 * PAGE, "the last three futures are in one page");
        assert_eq!(pool.trim(), 0);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.bytes), (3, PAGE));
        assert_eq!((stats.classes[2].high_water, stats.classes[2].rented), (4 * 20, 4 * 20));
        for future in kept {
            assert_eq!(block_on(future), 20);
        }
        assert_eq!((pool.trim(), pool.stats().bytes), (PAGE, 0));
        assert_eq!(block_on(pool.pooled(Words([1; 20]))), 20);
        assert_eq!(pool.stats().bytes, PAGE);
    }

    /// In this test, no slots are reserved, and a slot has 192 bytes. The pool frees a vacant page if the other pages have at least 64 KiB
    /// of slots, and at least twice as many slots as are in use.
    #[test]
    fn a_pool_frees_most_memory_after_a_peak() {
        let pool = Pool::new();
        let peak = if cfg!(miri) { 700 } else { 2000 };
        drop((0..peak).map(|_| pool.pooled(Words([1; 20]))).collect::<Vec<_>>());
        let left = pool.stats().bytes;
        assert!((64 << 10..96 << 10).contains(&left), "{left}");
        assert_eq!(pool.trim(), left);
    }

    #[test]
    fn reserved_slots_are_kept_after_a_peak() {
        let pool = Pool::new();
        let reserved = if cfg!(miri) { 400 } else { 1000 };
        pool.reserve(size_of::<Words<20>>(), reserved).unwrap();
        drop((0..2 * reserved).map(|_| pool.pooled(Words([1; 20]))).collect::<Vec<_>>());
        let (capacity, reserved) = (pool.stats().capacity, u64::from(reserved));
        assert!((reserved..reserved + 200).contains(&capacity), "{capacity}");
    }

    /// Batches that repeat are not a peak, so the pool does not free their memory.
    #[test]
    fn the_slots_of_repeated_batches_are_kept() {
        let pool = Pool::new();
        let all = || drop([(); 100].map(|()| pool.pooled(Words([1; 20]))));
        all();
        let before = pool.stats().allocations;
        (0..if cfg!(miri) { 3 } else { 20 }).for_each(|_| all());
        assert_eq!(pool.stats().allocations, before);
    }

    #[test]
    fn a_future_can_use_the_pool_in_poll_and_drop() {
        struct UsesPoolOnDrop<'p>(&'p Pool);
        impl Drop for UsesPoolOnDrop<'_> {
            fn drop(&mut self) {
                drop(self.0.pooled(pending::<()>()));
                assert_eq!(block_on(self.0.pooled(ready(1))), 1);
            }
        }
        let pool = &Pool::new();
        let uses_pool = UsesPoolOnDrop(pool);
        let mut future = pool.pooled(async move {
            let _uses_pool = uses_pool;
            let inner = pool.pooled(async {
                drop(pool.pooled(pending::<()>()));
                Yield::default().await;
                pool.eager(ready(2)).await
            });
            inner.await + 1
        });
        assert!(poll(&mut future).is_pending());
        assert_eq!(poll(&mut future), Poll::Ready(3));
        assert_eq!(pool.stats().live, 0);
        let uses_pool = UsesPoolOnDrop(pool);
        drop(pool.pooled(async move {
            let _uses_pool = uses_pool;
        }));
        assert_eq!(pool.stats().live, 0);
    }
}

async fn pending_forever(guard: DropCounter<'_>) {
    let _guard = guard;
    pending::<()>().await;
}

#[test]
fn value_future_and_local_value_future_use_the_built_in_pool() {
    let live = || FuturePool::built_in().stats().live;
    let not_send = Rc::new(5);
    let mut local = LocalValueFuture::pooled(async move {
        Yield::default().await;
        *not_send
    });
    let mut sent = ValueFuture::pooled(async {
        Yield::default().await;
        6
    });
    // No other test of this file uses the built-in pool, so the pool contains only these two futures.
    assert_eq!(live(), 2);
    assert!(poll(&mut local).is_pending() && poll(&mut sent).is_pending());
    assert_eq!((poll(&mut local), poll(&mut sent)), (Poll::Ready(5), Poll::Ready(6)));
    assert_eq!(live(), 0);
    assert!(
        ValueFuture::eager(ready(1)).is_ready() && LocalValueFuture::eager(ready(1)).is_ready()
    );
    let waker = std::task::Waker::noop();
    let cx = &mut Context::from_waker(waker);
    assert!(!ValueFuture::eager_with(pending::<()>(), cx).is_ready());
    assert!(!LocalValueFuture::eager_with(pending::<()>(), cx).is_ready());
    assert!(FuturePool::built_in().trim() > 0);
}

#[test]
fn a_pool_can_be_a_static() {
    static POOL: FuturePool =
        FuturePoolBuilder::max_slots_per_size(FuturePool::builder(), 4).build();
    assert_eq!(block_on(POOL.pooled(async { 5 })), 5);
    assert!(format!("{POOL:?}").starts_with("FuturePool(FuturePoolStats { classes: ["));
    let local = LocalFuturePoolBuilder::max_slots_per_size(LocalFuturePool::builder(), 4).build();
    assert!(format!("{local:?}").starts_with("LocalFuturePool(FuturePoolStats { classes: ["));
}

#[test]
fn a_checked_future_returns_an_error_after_a_panic() {
    let pool = FuturePool::new();
    let mut future = pool.pooled(async { panic!("in the future") }).checked();
    assert!(
        catch_unwind(AssertUnwindSafe(|| poll::<value_future::future::Checked<'_, ()>>(
            &mut future
        )))
        .is_err()
    );
    let error = match poll(&mut future) {
        Poll::Ready(Err(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error.rule(), value_future::error::Rule::PolledAfterPanic);
}
