//! What several tests need: a source that does as it is told and counts, a value that counts its
//! drops, and short ways to poll.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test uses its part")]

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

use value_future::{ValueFuture, ValueSource, error::StaleToken, source::Token};

pub(crate) mod race;
pub(crate) mod task;
pub(crate) mod threads;

/// The same items for both kinds of pool, under the names of those for many threads; `Erased` is
/// what a completion turns into.
macro_rules! for_both_pools {
    ($($item:item)*) => {
        mod pool {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use value_future::{Completer, Completion, Pool, ValueFuture as Erased, pool::PoolBuilder};

            $($item)*
        }

        mod local_pool {
            #[allow(clippy::wildcard_imports, unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use value_future::{LocalCompleter as Completer, LocalCompletion as Completion, LocalPool as Pool, LocalValueFuture as Erased, pool::LocalPoolBuilder as PoolBuilder};

            $($item)*
        }
    };
}
pub(crate) use for_both_pools;

/// Polls with a waker that does nothing.
pub(crate) fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls with this waker.
pub(crate) fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// What `action` panics with.
pub(crate) fn panic_text<R>(action: impl FnOnce() -> R) -> String {
    let Err(panic) = panic::catch_unwind(AssertUnwindSafe(action)) else {
        panic!("it should have panicked")
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic with a text")).to_owned(),
    }
}

/// Pending once.
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

/// A boxed future that pends once, then gives `value`.
pub(crate) fn later<'a, T: Send + 'a>(value: T) -> ValueFuture<'a, T> {
    ValueFuture::boxed(async {
        Yield::default().await;
        value
    })
}

/// Counts how often it is dropped.
#[derive(Debug)]
pub(crate) struct Loud<'c>(pub &'c AtomicUsize);

impl Drop for Loud<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A counter of drops.
pub(crate) const fn drops() -> AtomicUsize {
    AtomicUsize::new(0)
}

pub(crate) fn count(counter: &AtomicUsize) -> usize {
    counter.load(Relaxed)
}

/// A source of one operation after another. It gives what [`Script::complete`] put into it, keeps
/// the last waker, and counts.
#[derive(Debug, Default)]
pub(crate) struct Script<T> {
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

impl<T> Script<T> {
    pub(crate) fn new() -> Self {
        Script {
            state: Mutex::default(),
            polls: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            panic_in_poll: false,
            panic_in_cancel: false,
        }
    }

    pub(crate) fn that_panics_in_poll() -> Self {
        Script { panic_in_poll: true, ..Script::new() }
    }

    pub(crate) fn that_panics_in_cancel() -> Self {
        Script { panic_in_cancel: true, ..Script::new() }
    }

    /// The token of the live operation.
    pub(crate) fn live(&self) -> Token {
        self.with(|state| state.live)
    }

    /// The result of the live operation is here.
    pub(crate) fn complete(&self, value: T) {
        let waker = self.with(|state| {
            state.value = Some(value);
            state.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The live operation is over, whoever may still hold its token.
    pub(crate) fn move_on(&self) {
        self.with(|state| state.live = state.live.next());
    }

    /// Whether the live operation has a result that nobody has taken.
    pub(crate) fn has_value(&self) -> bool {
        self.with(|state| state.value.is_some())
    }

    fn with<R>(&self, f: impl FnOnce(&mut State<T>) -> R) -> R {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> ValueSource for Script<T> {
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
        assert!(!self.panic_in_cancel, "the source panics when it is told to cancel");
        let (_waker, _value) = self.with(|state| {
            if token.check(state.live).is_err() {
                return (None, None);
            }
            state.live = state.live.next();
            (state.waker.take(), state.value.take())
        });
    }
}
