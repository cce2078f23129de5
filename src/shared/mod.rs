//! One future with many awaiters.
//!
#![doc = include_str!("design.md")]

mod counts;
mod face;
mod handle;
mod hub;
mod operation;
mod waiters;

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use self::{
    face::face,
    handle::Handle,
    operation::{Operation, Weak},
    waiters::Waiter,
};
use crate::{AnyThread, LocalValueFuture, OneThread, ValueFuture, error::Spent};

face! {
    /// A future with many awaiters: each handle gives a clone of the result.
    ///
    /// Made by [`ValueFuture::share`]. A handle may be cloned at any time, and sent to another thread; the
    /// future is polled by whichever handle is polled when it has been woken. If that handle is
    /// dropped, another goes on. All handles that wait are woken when the future is, because one that was
    /// woken need not be polled. They are woken in the order in which their current wakers were registered: a
    /// handle that is polled with another waker goes to the end.
    ///
    /// # Sizes and allocation
    ///
    /// If the result is here already, none: each handle has a clone of it, inline. Otherwise sharing makes
    /// one allocation, which all handles share; neither cloning a handle nor waiting makes another, as the
    /// place in the queue of those who wait lies in the handle. It is not [`Unpin`] for that: `.await` pins
    /// it, [`pin!`](std::pin::pin) does so elsewhere. A handle takes 56 bytes and a `T`, on
    /// 64-bit targets.
    ///
    /// While there is one handle and nothing else, it polls the future with the waker of its own task, and
    /// is given the result itself: sharing costs the allocation, and a clone of each waker.
    ///
    /// # Cancel safety
    ///
    /// A handle may be dropped at any time, and leaves nothing behind. The future is dropped with the last
    /// one.
    ///
    /// # Panics
    ///
    /// If the future panics, so does the handle that polled it. All others are woken, and panic too when
    /// they are polled.
    ///
    /// # Reentrancy
    ///
    /// No lock is held, and nothing is in a state in between, when a waker is cloned, woken or dropped, the
    /// future is polled or dropped, or a result is cloned or dropped. A waker may drop the handle that it
    /// was for, or poll another. A future that awaits a handle of itself waits for ever. If it owns that
    /// handle, it is a reference cycle, and leaks.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::thread;
    /// use futures::executor::block_on;
    /// use value_future::ValueFuture;
    ///
    /// let shared = ValueFuture::boxed(async { "computed once".to_owned() }).share();
    /// let other = shared.clone();
    /// let thread = thread::spawn(move || block_on(other));
    /// assert_eq!(block_on(shared), thread.join().unwrap());
    /// ```
    Shared, WeakShared, ValueFuture, AnyThread
}

face! {
    /// [`Shared`] for one thread: neither the future nor its result need be `Send`. Everything else is the
    /// same. What it waits for may be woken from any thread.
    LocalShared, LocalWeakShared, LocalValueFuture, OneThread
}

/// Inline if the result is there. Otherwise the handle takes a slot, as [`pooled`](ValueFuture::pooled) does it.
impl<'a, T: Clone + Send + Sync + 'a> From<Shared<'a, T>> for ValueFuture<'a, T> {
    fn from(shared: Shared<'a, T>) -> Self {
        match shared.peek() {
            Some(value) => ValueFuture::ready(value.clone()),
            None => ValueFuture::pooled(shared),
        }
    }
}

/// As a [`ValueFuture`] is made from a [`Shared`].
impl<'a, T: Clone + 'a> From<LocalShared<'a, T>> for LocalValueFuture<'a, T> {
    fn from(shared: LocalShared<'a, T>) -> Self {
        match shared.peek() {
            Some(value) => LocalValueFuture::ready(value.clone()),
            None => LocalValueFuture::pooled(shared),
        }
    }
}

// SAFETY: any handle may poll, drop and read, on any thread: so the future and its result have to be
// `Send`, as `T` says of both, and the result is read by several. The hub is made for that.
unsafe impl<T: Send + Sync> Send for Operation<'_, T, AnyThread> {}
// SAFETY: as above; through a shared reference there are handles to be had.
unsafe impl<T: Send + Sync> Sync for Operation<'_, T, AnyThread> {}
// SAFETY: as above; there are handles to be had from it.
unsafe impl<T: Send + Sync> Send for Weak<'_, T, AnyThread> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Weak<'_, T, AnyThread> {}
// SAFETY: a node belongs to the list or to its handle, whatever thread that is on.
unsafe impl Send for Waiter {}
// SAFETY: through a shared reference there is nothing to be had but the flag.
unsafe impl Sync for Waiter {}
