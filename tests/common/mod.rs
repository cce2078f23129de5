//! Helpers of several test files: a source that a test completes by hand, a value that counts its drops, and functions that
//! poll a future once.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses some of these")]

use std::{
    future::Future,
    mem,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

use value_future::{Pool, ValueFuture, ValueSource, error::StaleToken, source::Token};

pub(crate) mod count;
pub(crate) mod race;
pub(crate) mod random;
pub(crate) mod task;
pub(crate) mod threads;
pub(crate) mod values;

/// Repeats items for [`Pool`](value_future::Pool) and for [`LocalPool`](value_future::LocalPool), in a module for each. In both modules,
/// the types have the names without `Local`.
macro_rules! for_both_pools {
    ($($item:item)*) => {
        mod pool {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use value_future::{Completer, Completion, Pool, ValueFuture, pool::PoolBuilder};

            $($item)*
        }

        mod local_pool {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use value_future::{LocalCompleter as Completer, LocalCompletion as Completion, LocalPool as Pool, LocalValueFuture as ValueFuture, pool::LocalPoolBuilder as PoolBuilder};

            $($item)*
        }
    };
}
pub(crate) use for_both_pools;

/// Repeats items for `FuturePool` and `LocalFuturePool`, in a module for each. In both modules, the pool is `Pool`, its builder is
/// `Builder`, and the future is `ValueFuture`.
macro_rules! for_both_future_pools {
    ($($item:item)*) => {
        mod future_pool {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use value_future::{FuturePool as Pool, ValueFuture, future_pool::FuturePoolBuilder as Builder};

            $($item)*
        }

        mod local_future_pool {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use value_future::{LocalFuturePool as Pool, LocalValueFuture as ValueFuture, future_pool::LocalFuturePoolBuilder as Builder};

            $($item)*
        }
    };
}
pub(crate) use for_both_future_pools;

/// Polls a future once, with a waker that does nothing.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future once, with this waker.
pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Runs one operation to its end.
pub(crate) fn run_operation(pool: &Pool<Option<u32>>) {
    let (completer, mut completion) = pool.rent();
    completer.complete(Some(7)).unwrap();
    assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
}

/// Returns the message of the panic of `action`.
pub(crate) fn panic_text<R>(action: impl FnOnce() -> R) -> String {
    let Err(panic) = panic::catch_unwind(AssertUnwindSafe(action)) else {
        panic!("the action did not panic")
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("the panic has a message")).to_owned(),
    }
}

/// A future that yields once: it is pending at its first poll, and ready at its second poll.
#[derive(Default)]
pub(crate) struct Yield {
    polled: bool,
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Returns a boxed future that is pending once, and then ready with `value`.
pub(crate) fn later<'a, T: Send + 'a>(value: T) -> ValueFuture<'a, T> {
    ValueFuture::boxed(async {
        Yield::default().await;
        value
    })
}

/// A value that adds one to a counter when it is dropped.
#[derive(Debug)]
pub(crate) struct DropCounter<'c>(pub &'c AtomicUsize);

impl Drop for DropCounter<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Creates a counter.
pub(crate) const fn counter() -> AtomicUsize {
    AtomicUsize::new(0)
}

/// Returns the value of a counter.
pub(crate) fn count(counter: &AtomicUsize) -> usize {
    counter.load(Relaxed)
}

/// A source that a test completes by hand, one operation after another. The source returns the value that [`ManualSource::complete`]
/// stored, keeps the waker of the latest poll, and counts the calls of `poll` and `cancel`.
#[derive(Debug, Default)]
pub(crate) struct ManualSource<T> {
    state: Mutex<State<T>>,
    pub(crate) polls: AtomicUsize,
    pub(crate) cancelled: AtomicUsize,
    panic_in_poll: bool,
    panic_in_cancel: bool,
}

#[derive(Debug)]
struct State<T> {
    live: Token,
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        State { live: Token::new(1), value: None, waker: None }
    }
}

impl<T> ManualSource<T> {
    pub(crate) fn new() -> Self {
        ManualSource {
            state: Mutex::default(),
            polls: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            panic_in_poll: false,
            panic_in_cancel: false,
        }
    }

    pub(crate) fn panicking_in_poll() -> Self {
        ManualSource { panic_in_poll: true, ..ManualSource::new() }
    }

    pub(crate) fn panicking_in_cancel() -> Self {
        ManualSource { panic_in_cancel: true, ..ManualSource::new() }
    }

    /// Returns the token of the live operation.
    pub(crate) fn live(&self) -> Token {
        self.with(|state| state.live)
    }

    /// Completes the live operation, and wakes its task.
    pub(crate) fn complete(&self, value: T) {
        let waker = self.with(|state| {
            state.value = Some(value);
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends the live operation without a result. Its token becomes stale.
    pub(crate) fn advance(&self) {
        self.with(|state| state.live = state.live.next());
    }

    /// Returns `true` if the live operation has a result that was not taken.
    pub(crate) fn has_value(&self) -> bool {
        self.with(|state| state.value.is_some())
    }

    fn with<R>(&self, f: impl FnOnce(&mut State<T>) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> ValueSource for ManualSource<T> {
    type Output = T;

    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<T, StaleToken>> {
        self.polls.fetch_add(1, Relaxed);
        assert!(!self.panic_in_poll, "the source panics");
        let waker = cx.waker().clone();
        let (polled, _old_waker) = self.with(|state| {
            if let Err(stale) = token.check(state.live) {
                return (Poll::Ready(Err(stale)), None);
            }
            match state.value.take() {
                Some(value) => {
                    state.live = state.live.next();
                    (Poll::Ready(Ok(value)), state.waker.take())
                }
                None => (Poll::Pending, state.waker.replace(waker)),
            }
        });
        polled
    }

    fn cancel(&self, token: Token) {
        self.cancelled.fetch_add(1, Relaxed);
        assert!(!self.panic_in_cancel, "the source panics in `cancel`");
        let (_waker, _value) = self.with(|state| {
            if token.check(state.live).is_err() {
                return (None, None);
            }
            state.live = state.live.next();
            (state.waker.take(), state.value.take())
        });
    }
}
