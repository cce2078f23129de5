//! `Shared` and `WeakShared`.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::{handle::Handle, operation::Weak};
use crate::{affinity::AnyThread, error::Terminated, future::ValueFuture};

pin_project! {
    //~ any thread
    /// A future with many awaiters: each handle returns a clone of the result.
    ///
    /// [`ValueFuture::share`] returns the first handle. A handle may be cloned at any time, and sent to another thread. After the future is
    /// woken, the first handle that is polled also polls the future. If a handle is dropped instead of polled, another handle polls the
    /// future. When the future is woken, all pending handles are woken, because a task need not poll its handle after a wake-up. The
    /// handles are woken in the order in which their current wakers were registered: a handle that is polled with another waker goes to the
    /// end.
    ///
    /// # Sizes and allocation
    ///
    /// If the future is ready, sharing does not allocate: each handle has an inline clone of the result. Otherwise
    /// sharing makes one allocation for all handles. Neither cloning a handle nor awaiting it allocates, because
    /// the node of the waiter queue is in the handle. So a handle is not [`Unpin`]. `.await` pins it. To poll it without `.await`, pin it
    /// with [`pin!`](std::pin::pin). A handle takes 56 bytes and a `T`, on 64-bit targets.
    ///
    /// If there is only one handle, it polls the future with the waker of its own task, and returns the result
    /// without a clone. In this case, sharing costs the allocation, and one clone of each new waker.
    ///
    /// # Cancel safety
    ///
    /// A handle can be dropped at any time. The last handle drops the future.
    ///
    /// # Panics
    ///
    /// If the future panics, the handle that polled it panics. All other handles are woken, and panic when they are
    /// polled.
    ///
    /// # Reentrancy
    ///
    /// A handle holds no lock and is in a consistent state while it runs code of users: a waker, the future, or `clone` and `drop` of a
    /// result. A waker may drop its handle, or poll another handle. A future that awaits a handle of itself waits forever. If the future
    /// owns that handle, there is a reference cycle, and the future leaks.
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
    //~ /// A [`Shared`](crate::Shared) for one thread: neither the future nor its result need be `Send`. Everything
    //~ /// else is the same. Any thread may wake the future.
    //~ end
    #[must_use = "a future that is not awaited does not run, and a result that it already has is lost"]
    pub struct Shared<'a, T> {
        #[pin]
        handle: Handle<'a, T, AnyThread>,
    }
}

impl<'a, T> Shared<'a, T> {
    /// Returns the result if there is one, without polling. If no task polls a handle, there will be no result.
    ///
    /// Returns `None` if there is no result yet, if this handle has returned the result, or if the future has failed (its poll panicked, or
    /// its token was stale).
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
        self.handle.peek()
    }

    /// Returns a weak handle, which does not keep the future alive. For example, store weak handles in a map of
    /// the fetches that are running.
    ///
    /// Returns `None` if the future was ready or terminated when it was shared, or if this handle has returned the result or panicked.
    pub fn downgrade(&self) -> Option<WeakShared<'a, T>> {
        self.handle.downgrade().map(WeakShared)
    }

    /// Returns `true` if both are handles of the same future. If the future was ready when it was shared, each handle has its own clone of
    /// the result, and the method returns `false`. The method also returns `false` if one of the handles has returned the result or
    /// panicked.
    #[must_use]
    pub fn ptr_eq(&self, other: &Self) -> bool {
        self.handle.is_same(&other.handle)
    }
}

/// Returns another handle. Nothing is allocated. An inline result is cloned.
///
/// The clone of a handle that has returned the result has no result either.
impl<T: Clone> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        Shared { handle: self.handle.share() }
    }
}

/// Resolves to a clone of the result.
///
/// # Panics
///
/// A poll panics with the text of a [`PollError`](crate::error::PollError) in four cases: this handle has returned the result, a poll of
/// the future panicked in any handle, the source of the future reported a stale token, or the future was terminated before it was shared.
impl<T: Clone> Future for Shared<'_, T> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.project().handle.poll(cx)
    }
}

/// The handle is terminated when it has returned the result, or has panicked. If a terminated future is shared, its handles are terminated,
/// too.
impl<T: Clone> FusedFuture for Shared<'_, T> {
    fn is_terminated(&self) -> bool {
        self.handle.is_terminated()
    }
}

impl<'a, T> ValueFuture<'a, T> {
    /// Converts the future into a handle, which can be cloned for many awaiters. Each handle returns a clone of the result.
    ///
    /// Put an output that is not `Clone` into an `Arc`. For an `io::Result`, call `map_err(Arc::new)` first.
    ///
    /// # Sizes and allocation
    ///
    /// If the future is ready, nothing is allocated: the result stays inline, and each handle has its own
    /// clone. Otherwise sharing makes one allocation, for all handles together.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let shared = ValueFuture::boxed(async { 6 }).share();
    /// let both = async { shared.clone().await * shared.await };
    /// assert_eq!(futures::executor::block_on(both), 36);
    /// ```
    pub fn share(self) -> Shared<'a, T>
    where
        T: Clone,
    {
        self.into()
    }
}

impl<'a, T> From<ValueFuture<'a, T>> for Shared<'a, T> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        Shared { handle: Handle::new(future.0) }
    }
}

//~ any thread
/// Converts a handle into a value future. If there is a result, the future contains a clone of it. Otherwise
/// the handle is put into a slot, as [`pooled`](ValueFuture::pooled) does.
impl<'a, T: Clone + Send + Sync + 'a> From<Shared<'a, T>> for ValueFuture<'a, T> {
    //~ one thread
    //~ /// Converts a handle into a value future, in the same way as a [`Shared`](crate::Shared).
    //~ impl<'a, T: Clone + 'a> From<LocalShared<'a, T>> for LocalValueFuture<'a, T> {
    //~ end
    fn from(shared: Shared<'a, T>) -> Self {
        match shared.peek() {
            Some(value) => ValueFuture::ready(value.clone()),
            None => ValueFuture::pooled(shared),
        }
    }
}

/// Shows the result if there is one. Otherwise shows that the future is pending, that this handle has returned
/// the result, or that a poll has failed. The future is not polled.
impl<T: fmt::Debug> fmt::Debug for Shared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("Shared");
        match (self.peek(), self.handle.failure()) {
            (Some(value), _) => debug.field(value),
            (_, None) => debug.field(&format_args!("Pending")),
            (_, Some(Terminated::Completed(_))) => debug.field(&format_args!("Taken")),
            (_, Some(Terminated::Panicked(_))) => debug.field(&format_args!("Panicked")),
            (_, Some(Terminated::Stale(stale))) => debug.field(&format_args!("{stale}")),
        };
        debug.finish()
    }
}

/// A weak handle of a [`Shared`]: it does not keep the future alive.
///
/// The last [`Shared`] handle drops the future. The memory is freed when no handle, no weak handle and no waker of the future exists any
/// more.
///
/// # Examples
///
/// All requests for a key that is being fetched await the same fetch:
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
///         self.0.retain(|_, weak| weak.is_alive());
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
    /// Returns a [`Shared`] handle of the future, or `None` if no handle keeps the future alive.
    #[must_use]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn upgrade(&self) -> Option<Shared<'a, T>> {
        Handle::upgrade(&self.0).map(|handle| Shared { handle })
    }

    /// Returns `true` if a handle keeps the future alive.
    ///
    /// Use this method to remove old entries of a map. Do not use [`upgrade`](Self::upgrade) for that: it
    /// returns a handle, which may be the last one when it is dropped. Then the destructor of the future would
    /// run under the lock of the map.
    //~ any thread
    /// Another thread may drop the last handle right after this call.
    //~ one thread
    //~ end
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.0.is_alive()
    }

    /// Returns `true` if both are handles of the same future.
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
