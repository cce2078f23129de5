//! Scenarios that drop a runtime while a task is pending on it.

use std::future::pending;

use futures::{StreamExt, channel::mpsc::unbounded};
use value_future::{Pool, ValueFuture};

use crate::runtime::{Shutdown, reporting};

/// Runs a future in a task. Drops the runtime after the future has returned `Pending`.
fn drop_with<R: Shutdown>(future: impl Future<Output = ()> + Send + 'static) {
    let (pending, mut is_pending) = unbounded();
    R::drop_with(reporting(future, pending), async move {
        is_pending.next().await.unwrap();
    });
}

pub(crate) fn cancelled_with_the_runtime<R: Shutdown>() {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    let answer = ValueFuture::pooled(async { assert_eq!(completion.await, None) });
    drop_with::<R>(answer);
    assert!(completer.is_closed());
    assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
    assert_eq!(pool.stats().live, 0);
}

pub(crate) fn producer_dropped_with_the_runtime<R: Shutdown>() {
    let (completer, completion) = Pool::<Option<u32>>::new().rent();
    drop_with::<R>(async move {
        let _completer = completer;
        pending::<()>().await;
    });
    assert_eq!(completion.wait(), None);
}
