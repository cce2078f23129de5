//! Counts the allocations of the constructors and combinators. Each of them allocates at most once, if the built-in pool has a vacant slot.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::{sync::Arc, task::Poll};

use common::{ManualSource, Yield, poll};
use counting::{allocations, counted};
use value_future::{LocalValueFuture, Source, ValueFuture, ready_or_await};

#[test]
fn the_allocator_counts_allocations_and_sizes() {
    assert_eq!(allocations(|| drop(Box::new(1))), 1);
    let (kept, counts) = counted(|| vec![0_u8; 10]);
    assert_eq!(kept.len(), 10);
    assert_eq!((counts.allocations, counts.live, counts.bytes), (1, 1, 10));
}

#[test]
fn a_ready_future_allocates_nothing() {
    let ready = || ValueFuture::ready(std::hint::black_box(7_u64));
    assert_eq!(allocations(|| assert_eq!(poll(&mut ready()), Poll::Ready(7))), 0);
    assert_eq!(allocations(|| assert_eq!(ready().try_take().unwrap(), 7)), 0);
    assert_eq!(allocations(|| assert_eq!(poll(&mut ready().checked()), Poll::Ready(Ok(7)))), 0);
    assert_eq!(allocations(|| drop(ValueFuture::from(ready().into_arm()))), 0);
    assert_eq!(allocations(|| drop(LocalValueFuture::from(ready()))), 0);
    let awaited = async { ready_or_await!(ready()) + ready().await };
    let mut awaited = std::pin::pin!(awaited);
    assert_eq!(allocations(|| assert_eq!(poll(&mut awaited), Poll::Ready(14))), 0);
}

#[test]
fn a_ready_future_stays_inline_through_combinators() {
    let ready = || ValueFuture::ready(Ok::<u64, u8>(std::hint::black_box(7)));
    let chain = || {
        let combined = ready()
            .map(|result| result)
            .map_ok(|n| n + 1)
            .map_err(u32::from)
            .and_then(|n| ValueFuture::ready(Ok(n * 2)));
        assert_eq!(combined.try_take().unwrap(), Ok(16));
    };
    assert_eq!(allocations(chain), 0);
}

#[test]
fn a_taken_future_stays_inline_through_combinators() {
    let mut taken = ValueFuture::ready(7);
    assert_eq!(poll(&mut taken), Poll::Ready(7));
    assert_eq!(allocations(|| drop(taken.map(|n| n + 1).then(ValueFuture::ready))), 0);
}

#[test]
fn a_boxed_future_allocates_once_for_header_and_future() {
    fn check<F: Future<Output = u64> + Send>(future: F) {
        let size = size_of::<F>();
        let (mut boxed, counts) = counted(|| ValueFuture::boxed(future));
        assert_eq!((counts.allocations, counts.live), (1, 1));
        assert_eq!(counts.bytes.unsigned_abs(), 8 + size.next_multiple_of(8));
        let ((), counts) = counted(|| {
            assert_eq!(poll(&mut boxed), Poll::Pending);
            assert_eq!(poll(&mut boxed), Poll::Ready(7));
        });
        assert_eq!((counts.allocations, counts.live), (0, -1), "the poll frees the box");
        assert_eq!(counted(|| drop(boxed)).1.live, 0);
    }
    check(async {
        Yield::default().await;
        7
    });
    check(async {
        let held = [7_u64; 100];
        Yield::default().await;
        held[99]
    });
}

#[test]
fn a_boxed_future_that_is_dropped_is_freed() {
    let mut boxed = ValueFuture::boxed(std::future::pending::<()>());
    assert_eq!(poll(&mut boxed), Poll::Pending);
    assert_eq!(counted(|| drop(boxed)).1.live, -1);
}

/// Returns the number of allocations of the second run of `action`.
fn allocations_when_warm(action: impl Fn()) -> usize {
    action();
    allocations(action)
}

#[test]
fn a_combinator_of_a_pending_future_allocates_nothing_if_a_slot_is_vacant() {
    let pending = || ValueFuture::boxed(std::future::pending::<Result<u64, u8>>());
    let local = || LocalValueFuture::from(pending());
    assert_eq!(allocations(|| drop(pending())), 1);
    assert_eq!(allocations_when_warm(|| drop(pending().map(|result| result))), 1);
    assert_eq!(allocations_when_warm(|| drop(pending().map_ok(|n| n + 1))), 1);
    assert_eq!(allocations_when_warm(|| drop(pending().map_err(u32::from))), 1);
    let next = |n| ValueFuture::ready(Ok(n));
    assert_eq!(allocations_when_warm(|| drop(pending().and_then(next))), 1);
    assert_eq!(allocations_when_warm(|| drop(pending().map_ok(|n| n + 1).and_then(next))), 1);
    assert_eq!(allocations_when_warm(|| drop(local().map_ok(|n| n + 1))), 1);
    let mapped = || {
        let mut later = ValueFuture::pooled(Yield::default()).map(|()| 7);
        assert_eq!((poll(&mut later), poll(&mut later)), (Poll::Pending, Poll::Ready(7)));
    };
    assert_eq!(allocations_when_warm(mapped), 0);
    let large = [1_u8; 5000];
    let too_large = || drop(pending().map_ok(move |n| n + u64::from(large[0])));
    assert_eq!(allocations_when_warm(too_large), 2);
}

#[test]
fn into_boxed_allocates_once_for_a_pending_future() {
    let pending = || ValueFuture::boxed(std::future::pending::<u64>());
    assert_eq!(allocations(|| drop(pending().into_boxed())), 2);
    assert_eq!(allocations(|| drop(pending().checked())), 1);
}

#[test]
fn a_pinned_box_becomes_a_value_future_without_another_box() {
    let boxed = || -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> { Box::pin(async { 7 }) };
    drop(ValueFuture::from(boxed()));
    let inner = boxed();
    let (future, counts) = counted(|| ValueFuture::from(inner));
    assert_eq!(counts.allocations, 0);
    assert_eq!(counted(|| drop(future)).1.live, -1, "the box is freed");
}

#[test]
fn a_source_allocates_nothing() {
    let source = Arc::new(Source::new(ManualSource::new()));
    let operation = || {
        let mut borrowed = ValueFuture::from_source(&*source, source.live());
        assert_eq!(poll(&mut borrowed), Poll::Pending);
        source.complete(7);
        assert_eq!(poll(&mut borrowed), Poll::Ready(7));
        let mut counted = ValueFuture::from_source(Arc::clone(&source), source.live());
        assert_eq!(poll(&mut counted), Poll::Pending);
        drop(counted);
    };
    operation();
    assert_eq!(allocations(operation), 0);
}

#[test]
fn share_allocates_once_for_a_pending_future_and_never_for_a_ready_one() {
    let ready = || ValueFuture::ready(std::hint::black_box(7_u64)).share();
    let cloned = allocations(|| {
        let shared = ready();
        let mut other = std::pin::pin!(shared.clone());
        assert_eq!(poll(&mut other), Poll::Ready(7));
        assert_eq!(shared.peek(), Some(&7));
    });
    assert_eq!(cloned, 0);

    let pending = || {
        ValueFuture::boxed(async {
            Yield::default().await;
            7
        })
    };
    let future = pending();
    let (shared, counts) = counted(|| future.share());
    assert_eq!((counts.allocations, counts.live), (1, 1));
    let ((), counts) = counted(|| {
        let mut awaiters: [_; 16] = std::array::from_fn(|_| shared.clone());
        for awaiter in &mut awaiters {
            // SAFETY: the awaiter stays in the array, which is not moved.
            let mut awaiter = unsafe { std::pin::Pin::new_unchecked(awaiter) };
            let _ = poll(&mut awaiter);
        }
        assert_eq!(shared.downgrade().unwrap().upgrade().unwrap().peek(), Some(&7));
        drop(shared);
    });
    // The box of the pending future and the box of the shared state were freed.
    assert_eq!((counts.allocations, counts.live), (0, -2));
}

#[test]
fn a_reusable_source_and_the_stream_conversions_allocate_nothing() {
    let count = allocations(|| {
        let source = value_future::ReusableSource::<Option<u64>>::new();
        for number in 0..3 {
            let mut future = source.begin().unwrap();
            assert_eq!(poll(&mut future), Poll::Pending);
            source.complete_key(source.key().unwrap(), Some(number)).unwrap();
            assert_eq!(poll(&mut future), Poll::Ready(Some(number)));
        }
        let (completer, mut future) = source.begin_with_completer().unwrap();
        completer.complete(None).unwrap();
        assert_eq!(poll(&mut future), Poll::Ready(None));
    });
    assert_eq!(count, 0);
    let count = allocations(|| {
        let mut left = 3_u64;
        let stream = value_future::stream::ValueStream::new(|| {
            left -= 1;
            ValueFuture::ready((left > 0).then_some(left))
        });
        let mut reader = value_future::stream::ValueNext::new(stream);
        for item in [Some(2), Some(1), None] {
            assert_eq!(poll(&mut reader.next()), Poll::Ready(item));
        }
    });
    assert_eq!(count, 0);
}
