//! `Shared` and `WeakShared`.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{handle::Handle, operation::Weak};
use crate::{affinity::AnyThread, error::Spent, future::ValueFuture};

//~ any thread
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
//~ one thread
//~ /// [`Shared`](crate::Shared) for one thread: neither the future nor its result need be `Send`. Everything else is the
//~ /// same. What it waits for may be woken from any thread.
//~ end
#[must_use = "a future that is not awaited does not run, and a result that it already has is lost"]
pub struct Shared<'a, T>(Handle<'a, T, AnyThread>);

impl<'a, T> Shared<'a, T> {
    /// The result, if it is there. It never polls: if nobody awaits any handle, there will be none.
    ///
    /// `None` too if this handle has given it out, or if the future has panicked.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let shared = ValueFuture::boxed(async { 5 }).share();
    /// assert_eq!(shared.peek(), None);
    /// assert_eq!(futures::executor::block_on(shared.clone()), 5);
    /// assert_eq!(shared.peek(), Some(&5));
    /// ```
    pub fn peek(&self) -> Option<&T> {
        self.0.peek()
    }

    /// A handle that does not keep what is shared: a table of what is under way holds these.
    ///
    /// `None` if there is nothing to refer to: the result was here, inline, when the future was
    /// shared, or this handle has given it out.
    pub fn downgrade(&self) -> Option<WeakShared<'a, T>> {
        self.0.downgrade().map(WeakShared)
    }

    /// Whether the two are handles of the same future. Those of an inline result are not.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }
}

/// Another handle. It allocates nothing; an inline result is cloned.
///
/// That of a handle that has given out the result has none to give.
impl<T: Clone> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        Shared(self.0.share())
    }
}

/// # Panics
///
/// With the text of a [`PollError`](crate::error::PollError): if this handle has given out the result, if
/// a poll of the future panicked, by this or by another handle, or if its source reported a
/// stale token.
impl<T: Clone> Future for Shared<'_, T> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: the handle is pinned with what it is all of.
        unsafe { self.map_unchecked_mut(|shared| &mut shared.0) }.poll(cx)
    }
}

/// Terminated once this handle has given out the result, or has panicked.
impl<T: Clone> FusedFuture for Shared<'_, T> {
    fn is_terminated(&self) -> bool {
        self.0.is_spent()
    }
}

impl<'a, T> From<ValueFuture<'a, T>> for Shared<'a, T> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        Shared(Handle::new(future.0))
    }
}

/// Shows the result if it is there, and otherwise why there will be none: this handle has given it out,
/// or a poll of the future panicked. It never polls.
impl<T: fmt::Debug> fmt::Debug for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("Shared");
        match (self.peek(), self.0.failure()) {
            (Some(value), _) => debug.field(value),
            (_, None) => debug.field(&format_args!("Pending")),
            (_, Some(Spent::Completed(_))) => debug.field(&format_args!("Taken")),
            (_, Some(Spent::Panicked(_))) => debug.field(&format_args!("Panicked")),
            (_, Some(Spent::Stale(stale))) => debug.field(&format_args!("{stale}")),
        };
        debug.finish()
    }
}

/// A handle of a [`Shared`] that does not keep what is shared.
///
/// The future is dropped with the last other handle. The memory that it was in goes with the last
/// of these.
///
/// # Examples
///
/// Who asks for what is being fetched waits for the same answer:
///
/// ```
/// use std::collections::HashMap;
/// use value_future::{Shared, ValueFuture, shared::WeakShared};
///
/// #[derive(Default)]
/// struct UnderWay(HashMap<u32, WeakShared<'static, u64>>);
///
/// impl UnderWay {
///     fn square(&mut self, n: u32) -> Shared<'static, u64> {
///         if let Some(shared) = self.0.get(&n).and_then(WeakShared::upgrade) {
///             return shared;
///         }
///         let shared = ValueFuture::boxed(async move { u64::from(n).pow(2) }).share();
///         self.0.retain(|_, weak| weak.upgrade().is_some()); // what is done
///         self.0.extend(shared.downgrade().map(|weak| (n, weak)));
///         shared
///     }
/// }
///
/// let mut under_way = UnderWay::default();
/// let (one, other) = (under_way.square(12), under_way.square(12));
/// assert!(one.ptr_eq(&other));
/// assert_eq!(futures::executor::block_on(async { (one.await, other.await) }), (144, 144));
/// assert!(under_way.0[&12].upgrade().is_none());
/// ```
pub struct WeakShared<'a, T>(Weak<'a, T, AnyThread>);

impl<'a, T> WeakShared<'a, T> {
    /// A handle that keeps what is shared, if there is one still.
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn upgrade(&self) -> Option<Shared<'a, T>> {
        Handle::upgrade(&self.0).map(Shared)
    }

    /// Whether the two are handles of the same future.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }
}

impl<T> Clone for WeakShared<'_, T> {
    fn clone(&self) -> Self {
        WeakShared(self.0.clone())
    }
}

impl<T> fmt::Debug for WeakShared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakShared").finish_non_exhaustive()
    }
}
