//! A shared future with one or more awaiters. If `WAITS`, all awaiters first poll the pending future. Then the future becomes ready, and
//! each awaiter polls it.

use std::{
    future::Future,
    hint::black_box,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, task::AtomicWaker};
use value_future::{LocalValueFuture, ValueFuture};

use super::{BoxFuture, Case, opaque_waker};

/// The future that is shared. `set` makes the next poll ready.
#[derive(Default)]
struct Signal {
    set: AtomicBool,
    waker: AtomicWaker,
}

impl Signal {
    fn set(&self) {
        self.set.store(true, SeqCst);
        self.waker.wake();
    }
}

impl Future for &Signal {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        if self.set.swap(false, SeqCst) {
            return Poll::Ready(black_box(7));
        }
        self.waker.register(cx.waker());
        Poll::Pending
    }
}

/// Returns a case. `share` creates a shared future, and each of `awaiters` awaiters has a handle of this future.
fn case<S: Future<Output = u64> + Clone + 'static>(
    name: &'static str,
    awaiters: usize,
    waits: bool,
    share: impl Fn(&'static Signal) -> S + 'static,
) -> Case {
    let signal: &'static Signal = Box::leak(Box::default());
    Case::new(name, move |operations| {
        let waker = opaque_waker();
        let mut handles: Vec<S> = Vec::with_capacity(awaiters);
        let mut consumed = 0_u64;
        for _ in 0..operations {
            let first = share(signal);
            handles.extend((1..awaiters).map(|_| first.clone()));
            handles.push(first);
            if waits {
                for handle in &mut handles {
                    assert!(poll(handle, &waker).is_pending());
                }
            }
            signal.set();
            for handle in &mut handles {
                let Poll::Ready(number) = poll(handle, &waker) else {
                    panic!("the future was woken")
                };
                consumed = consumed.wrapping_add(number);
            }
            handles.clear();
        }
        consumed
    })
}

fn poll<S: Future>(handle: &mut S, waker: &Waker) -> Poll<S::Output> {
    // SAFETY: `case` stores the handle in a vector with enough capacity for all handles. So the handle does not move until it is dropped.
    unsafe { Pin::new_unchecked(handle) }.poll(&mut Context::from_waker(waker))
}

pub(crate) const POOLED: &str = "ours, of a pooled future";
pub(crate) const FUTURES: &str = "futures::Shared";

/// Returns the cases with `AWAITERS` awaiters. The result is ready at the first poll or, if `WAITS`, at the second poll.
pub(crate) fn cases<const AWAITERS: usize, const WAITS: bool>() -> Vec<Case> {
    vec![
        case(FUTURES, AWAITERS, WAITS, FutureExt::shared),
        case("futures::Shared of a BoxFuture", AWAITERS, WAITS, |signal| {
            let future: BoxFuture<'static, u64> = Box::pin(signal);
            future.shared()
        }),
        case(POOLED, AWAITERS, WAITS, |signal| ValueFuture::pooled(signal).share()),
        case("ours, of a boxed future", AWAITERS, WAITS, |signal| {
            ValueFuture::boxed(signal).share()
        }),
        case("ours, local, of a pooled future", AWAITERS, WAITS, |signal| {
            LocalValueFuture::pooled(signal).share()
        }),
    ]
}
