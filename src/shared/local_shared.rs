// Generated from `shared.rs` by `tests/codegen.rs`.
//! `LocalShared` and `LocalWeakShared`.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::{handle::Handle, operation::Weak};
use crate::{affinity::OneThread, error::Terminated, future::LocalValueFuture};

pin_project! {
/// A [`Shared`](crate::Shared) for one thread: neither the future nor its result need be `Send`. Everything
/// else is the same. Any thread may wake the future.
    #[must_use = "a future that is not awaited does not run, and a result that it already has is lost"]
    pub struct LocalShared<'a, T> {
        #[pin]
        handle: Handle<'a, T, OneThread>,
    }
}

impl<'a, T> LocalShared<'a, T> {
    /// Returns the result if there is one, without polling. If no task polls a handle, there will be no result.
    ///
    /// Returns `None` if there is no result yet, if this handle has returned the result, or if the future has failed (its poll panicked, or
    /// its token was stale).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalValueFuture;
    ///
    /// let shared = LocalValueFuture::boxed(async { 5 }).share();
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
    pub fn downgrade(&self) -> Option<LocalWeakShared<'a, T>> {
        self.handle.downgrade().map(LocalWeakShared)
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
impl<T: Clone> Clone for LocalShared<'_, T> {
    fn clone(&self) -> Self {
        LocalShared { handle: self.handle.share() }
    }
}

/// Resolves to a clone of the result.
///
/// # Panics
///
/// A poll panics with the text of a [`PollError`](crate::error::PollError) in four cases: this handle has returned the result, a poll of
/// the future panicked in any handle, the source of the future reported a stale token, or the future was terminated before it was shared.
impl<T: Clone> Future for LocalShared<'_, T> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.project().handle.poll(cx)
    }
}

/// The handle is terminated when it has returned the result, or has panicked. If a terminated future is shared, its handles are terminated,
/// too.
impl<T: Clone> FusedFuture for LocalShared<'_, T> {
    fn is_terminated(&self) -> bool {
        self.handle.is_terminated()
    }
}

impl<'a, T> LocalValueFuture<'a, T> {
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
    /// use value_future::LocalValueFuture;
    ///
    /// let shared = LocalValueFuture::boxed(async { 6 }).share();
    /// let both = async { shared.clone().await * shared.await };
    /// assert_eq!(futures::executor::block_on(both), 36);
    /// ```
    pub fn share(self) -> LocalShared<'a, T>
    where
        T: Clone,
    {
        self.into()
    }
}

impl<'a, T> From<LocalValueFuture<'a, T>> for LocalShared<'a, T> {
    fn from(future: LocalValueFuture<'a, T>) -> Self {
        LocalShared { handle: Handle::new(future.0) }
    }
}

/// Converts a handle into a value future, in the same way as a [`Shared`](crate::Shared).
impl<'a, T: Clone + 'a> From<LocalShared<'a, T>> for LocalValueFuture<'a, T> {
    fn from(shared: LocalShared<'a, T>) -> Self {
        match shared.peek() {
            Some(value) => LocalValueFuture::ready(value.clone()),
            None => LocalValueFuture::pooled(shared),
        }
    }
}

/// Shows the result if there is one. Otherwise shows that the future is pending, that this handle has returned
/// the result, or that a poll has failed. The future is not polled.
impl<T: fmt::Debug> fmt::Debug for LocalShared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_tuple("LocalShared");
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

/// A weak handle of a [`LocalShared`]: it does not keep the future alive.
///
/// The last [`LocalShared`] handle drops the future. The memory is freed when no handle, no weak handle and no waker of the future exists any
/// more.
///
/// # Examples
///
/// All requests for a key that is being fetched await the same fetch:
///
/// ```
/// use std::collections::HashMap;
/// use value_future::{LocalShared, LocalValueFuture, shared::LocalWeakShared};
///
/// #[derive(Default)]
/// struct UnderWay(HashMap<u32, LocalWeakShared<'static, u64>>);
///
/// impl UnderWay {
///     fn square(&mut self, n: u32) -> LocalShared<'static, u64> {
///         if let Some(shared) = self.0.get(&n).and_then(LocalWeakShared::upgrade) {
///             return shared;
///         }
///         let shared = LocalValueFuture::boxed(async move { u64::from(n).pow(2) }).share();
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
pub struct LocalWeakShared<'a, T>(Weak<'a, T, OneThread>);

impl<'a, T> LocalWeakShared<'a, T> {
    /// Returns a [`LocalShared`] handle of the future, or `None` if no handle keeps the future alive.
    #[must_use]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn upgrade(&self) -> Option<LocalShared<'a, T>> {
        Handle::upgrade(&self.0).map(|handle| LocalShared { handle })
    }

    /// Returns `true` if a handle keeps the future alive.
    ///
    /// Use this method to remove old entries of a map. Do not use [`upgrade`](Self::upgrade) for that: it
    /// returns a handle, which may be the last one when it is dropped. Then the destructor of the future would
    /// run under the lock of the map.
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

impl<T> Clone for LocalWeakShared<'_, T> {
    fn clone(&self) -> Self {
        LocalWeakShared(self.0.clone())
    }
}

impl<T> fmt::Debug for LocalWeakShared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalWeakShared").finish_non_exhaustive()
    }
}
