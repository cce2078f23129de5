//! Tests of the documented numbers and sizes of allocations.

use std::{future::pending, task::Poll};

use value_future::{FuturePool, LocalFuturePool, LocalPool, Pool, ValueFuture};

use crate::{common::poll, counting::Balance, words::documented};

#[test]
fn into_boxed_allocates_once_for_a_ready_and_for_a_boxed_future() {
    static BALANCE: Balance = Balance::new();
    assert_eq!(BALANCE.made_by(|| drop(ValueFuture::ready(7).into_boxed())), 1);
    let boxed = ValueFuture::boxed(pending::<u32>());
    assert_eq!(BALANCE.made_by(|| drop(boxed.into_boxed())), 1);
    documented!(
        "src/future/value_future.rs",
        "Converts the future into a `Pin<Box<dyn Future>>`. The conversion takes one allocation."
    );
}

#[test]
fn the_box_of_a_future_has_a_header_of_8_bytes_and_padding_for_the_alignment() {
    #[repr(align(16))]
    struct Wide([u8; 16]);

    static BALANCE: Balance = Balance::new();
    static WIDE: Balance = Balance::new();
    let bytes = [1_u8; 24];
    let narrow = async move { bytes.len() };
    let size = size_of_val(&narrow);
    let kept = BALANCE.count(|| ValueFuture::boxed(narrow));
    assert_eq!((BALANCE.live(), BALANCE.bytes().unsigned_abs()), (1, 8 + size.next_multiple_of(8)));
    let wide = Wide([1; 16]);
    let wide = async move {
        let wide = wide;
        wide.0.len()
    };
    let size = size_of_val(&wide);
    let wide = WIDE.count(|| ValueFuture::boxed(wide));
    assert_eq!((WIDE.live(), WIDE.bytes().unsigned_abs()), (1, 16 + size));
    drop((kept, wide));
    documented!(
        "src/future/value_future.rs",
        "This allocation contains a header of 8 bytes and `future`, with the padding that the alignment of `future` needs."
    );
    documented!("docs/benchmarks.md", "Its one allocation is 8 bytes larger.");
}

#[test]
fn a_pool_of_futures_is_made_without_an_allocation() {
    static BALANCE: Balance = Balance::new();
    assert_eq!(BALANCE.made_by(|| drop((FuturePool::new(), LocalFuturePool::new()))), 0);
    let bounded =
        || FuturePool::builder().max_slots_per_size(5).max_bytes_per_size(4 << 20).build();
    assert_eq!(BALANCE.made_by(|| drop(bounded())), 0);
    documented!(
        "src/future_pool/future_pool.rs",
        "Creates a pool without bounds. Nothing is allocated."
    );
}

#[test]
fn a_pool_of_futures_counts_its_allocations() {
    static BALANCE: Balance = Balance::new();
    let pool = FuturePool::new();
    // At its first operation, a thread allocates a map of its caches, which no pool counts. So this thread uses another pool before the
    // count.
    drop(FuturePool::new().pooled(pending::<()>()));
    let mut futures = Vec::with_capacity(300);
    let made = BALANCE.made_by(|| {
        pool.reserve(100, 20).unwrap();
        futures.extend((0..300).map(|_| pool.pooled(pending::<()>())));
    });
    assert_eq!(pool.stats().allocations, made as u64);
    // There are 5 pages of the smallest size, and 1 page of the size that was reserved. Each of these two sizes also takes 2 allocations
    // for itself, and 1 for the thread cache.
    assert_eq!(made, 5 + 1 + 2 * 3);
    documented!(
        "src/future_pool/future_pool.rs",
        "One allocation for each page of slots, and two for the size itself when it is first used"
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_local_pool_allocates_once_for_each_size_and_once_for_each_page() {
    static BALANCE: Balance = Balance::new();
    // A page has a header of 64 bytes and 62 slots of 64 bytes. Its alignment takes 64 more bytes.
    const PAGE: isize = 64 * 64;
    let pool = LocalFuturePool::new();
    let mut futures = Vec::with_capacity(100);
    BALANCE.count(|| futures.push(pool.pooled(pending::<()>())));
    let of_the_size = BALANCE.bytes() - PAGE;
    assert_eq!((BALANCE.live(), pool.stats().allocations), (2, 2));
    BALANCE.count(|| futures.extend((1..100).map(|_| pool.pooled(pending::<()>()))));
    assert_eq!((BALANCE.live(), BALANCE.bytes()), (3, of_the_size + 2 * PAGE));
    documented!(
        "src/future_pool/future_pool.rs",
        "A size takes one allocation of {of_the_size} bytes when it is first used. Each page of slots takes one more allocation."
    );
}

/// The slot belongs to the built-in pool. Nothing is boxed.
#[test]
fn map_of_a_pending_completion_takes_a_slot() {
    static BALANCE: Balance = Balance::new();
    let pool = Pool::<Option<u64>>::new();
    let (completer, completion) = pool.rent();
    let map = |completion| ValueFuture::from(completion).map(|value: Option<u64>| value);
    assert!(format!("{:?}", map(completion)).ends_with(", pooled))"));
    drop(completer);
    let made = BALANCE.made_by(|| {
        let (completer, completion) = pool.rent();
        let mut mapped = map(completion);
        assert_eq!(poll(&mut mapped), Poll::Pending);
        completer.complete(Some(4)).unwrap();
        assert_eq!(poll(&mut mapped), Poll::Ready(Some(4)));
    });
    assert_eq!(made, 0);
    documented!(
        "src/built_in/value_future.rs",
        "Otherwise this future and `f` are put into a slot"
    );
}

#[test]
fn a_pool_of_completions_counts_the_allocations_of_its_creation() {
    static SHARED: Balance = Balance::new();
    static LOCAL: Balance = Balance::new();
    let shared = SHARED.count(Pool::<Option<u64>>::new);
    let local = LOCAL.count(LocalPool::<Option<u64>>::new);
    assert_eq!((SHARED.live(), shared.stats().allocations), (2, 2));
    assert_eq!((LOCAL.live(), local.stats().allocations), (1, 1));
    if cfg!(target_pointer_width = "64") {
        documented!("src/pool/pool.rs", "the pool itself takes {} bytes. A slot", SHARED.bytes());
        documented!(
            "src/pool/pool.rs",
            "The pool itself takes {} bytes, on 64-bit targets.",
            LOCAL.bytes()
        );
    }
    documented!("src/pool/pool.rs", "at least one allocation, for the pool itself");
}
