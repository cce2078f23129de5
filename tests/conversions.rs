//! Conversions between value futures and other futures, and the allocations of these conversions.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::{
    future::{self, Future},
    pin::Pin,
};

use common::Yield;
use counting::Balance;
use futures::{FutureExt, executor::block_on};
use value_future::{FuturePool, LocalValueFuture, ValueFuture};

static BALANCE: Balance = Balance::new();

async fn later() -> u32 {
    Yield::default().await;
    5
}

#[test]
fn a_boxed_future_converts_without_another_box() {
    let warm = || block_on(ValueFuture::from(later().boxed()));
    assert_eq!((warm(), warm()), (5, 5));
    let boxed = later().boxed();
    let future = BALANCE.count(|| ValueFuture::from(boxed));
    assert_eq!((block_on(future), BALANCE.made()), (5, 0));

    let sized: Pin<Box<_>> = Box::pin(later());
    let future = BALANCE.count(|| ValueFuture::from(sized));
    assert_eq!((block_on(future), BALANCE.made()), (5, 0));

    let local = LocalValueFuture::from(later().boxed_local());
    assert_eq!(block_on(local), 5);
    // rustc proposes this fix for a `Box::pin` where a `ValueFuture` is expected.
    let proposed: ValueFuture<'_, u32> = Box::pin(later()).boxed().into();
    assert_eq!(block_on(proposed), 5);
}

#[test]
fn a_value_future_becomes_a_boxed_future() {
    let boxed: Pin<Box<dyn Future<Output = u32> + Send>> = ValueFuture::pooled(later()).into();
    assert_eq!(block_on(boxed), 5);
    let boxed: Pin<Box<dyn Future<Output = u32>>> = LocalValueFuture::ready(5).into();
    assert_eq!(block_on(boxed), 5);
}

#[test]
fn a_ready_future_converts_to_an_inline_result() {
    assert_eq!(ValueFuture::from(future::ready(5)).try_take().unwrap(), 5);
    assert_eq!(LocalValueFuture::from(future::ready(5)).try_take().unwrap(), 5);
    assert_eq!(ValueFuture::<Vec<u8>>::default().try_take().unwrap(), Vec::<u8>::new());
    assert_eq!(LocalValueFuture::<u8>::default().try_take().unwrap(), 0);
}

#[test]
fn a_handle_of_a_shared_future_becomes_a_value_future() {
    let shared = ValueFuture::boxed(later()).share();
    let other = ValueFuture::from(shared.clone());
    assert!(!other.is_ready());
    assert_eq!(block_on(other), 5);
    assert_eq!(ValueFuture::from(shared).try_take().unwrap(), 5, "the shared future has a result");

    let shared = LocalValueFuture::boxed(later()).share();
    let (one, other) = (LocalValueFuture::from(shared.clone()), LocalValueFuture::from(shared));
    assert_eq!(block_on(async { (one.await, other.await) }), (5, 5));
}

#[test]
fn err_into_converts_the_error() {
    let refused =
        FuturePool::builder().max_bytes_per_size(0).build().try_pooled(later()).err().unwrap();
    let error = refused.kind();
    let future: ValueFuture<'_, Result<u8, std::io::Error>> =
        ValueFuture::ready(Err(error)).err_into();
    assert_eq!(future.try_take().unwrap().unwrap_err().kind(), std::io::ErrorKind::Unsupported);
    let local = LocalValueFuture::ready(Err::<u8, u8>(5)).err_into::<u32>();
    assert_eq!(local.try_take().unwrap(), Err(5));
}
