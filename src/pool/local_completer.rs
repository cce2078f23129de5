// Generated from `completer.rs` by `tests/codegen.rs`.
//! `LocalCompleter`: the producer's end of an operation.

use core::{
    fmt,
    future::{Future, poll_fn},
    panic::{RefUnwindSafe, UnwindSafe},
    task::{Context, Poll},
};

use crate::{
    affinity::OneThread,
    operation::CompleteError,
    slot::{CompleterRole, TypedKey},
};

/// The producer's end of an operation. It completes the operation with a value.
///
/// Dropping a completer wakes the consumer. The result is then [`T::abandoned()`](crate::operation::Abandoned::abandoned), or the result of
/// the function that was passed to [`build_with_abandoned`](crate::pool::LocalPoolBuilder::build_with_abandoned). If the consumer is dropped
/// first, the completer [is closed](Self::is_closed), and [`complete`](Self::complete) returns the value to the producer.
///
/// # Sizes and allocation
///
/// A completer is one pointer. Nothing is allocated.
///
/// # Reentrancy
///
/// [`complete`](Self::complete) and the drop of a completer wake the consumer before they return. They hold no lock while they wake the
/// consumer, so the waker may call any method of this crate. If the waker panics, the value has still been delivered. (If
/// [`complete_key`](crate::LocalPool::complete_key) completes an operation while its completer awaits [`closed`](Self::closed), the call also
/// wakes the completer. There are two wakers then: if both panic, the process aborts.)
#[doc(alias = "Sender")]
#[doc(alias = "promise")]
#[doc(alias = "oneshot")]
#[doc(alias = "TaskCompletionSource")]
#[must_use = "dropping a completer ends its operation without a value"]
pub struct LocalCompleter<T>(pub(super) CompleterRole<'static, T, OneThread>);

impl<T> LocalCompleter<T> {
    /// Completes the operation with a value, and wakes the consumer.
    ///
    /// # Errors
    ///
    /// Returns a [`CompleteError`] with the value if the consumer was dropped, or if a producer with the key
    /// has claimed the operation.
    ///
    /// # Reentrancy
    ///
    /// The call wakes the consumer while it holds no lock. The waker may call any method of this crate.
    #[inline]
    #[doc(alias = "send")]
    pub fn complete(self, value: T) -> Result<(), CompleteError<T>> {
        self.0.complete(value)
    }

    /// Returns `true` if the operation no longer needs a value: the consumer was dropped, or a producer with the key has ended the
    /// operation.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Returns `Pending` until [`is_closed`](Self::is_closed) is `true`. A producer can use this method to stop work that is no longer
    /// needed.
    ///
    /// The operation wakes only the waker of the latest call. Dropping the completer drops that waker.
    /// [`LocalCompletion`](crate::LocalCompletion#wakers) says how many different wakers an operation can take.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::task::{Context, Waker};
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (mut completer, completion) = pool.rent();
    /// let cx = &mut Context::from_waker(Waker::noop());
    /// assert!(completer.poll_closed(cx).is_pending());
    /// drop(completion);
    /// assert!(completer.poll_closed(cx).is_ready());
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_closed(cx)
    }

    /// Returns a future that is ready when [`is_closed`](Self::is_closed) is `true`, for `select!`.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time. A later call waits again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::pin::pin;
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (mut completer, completion) = pool.rent();
    /// drop(completion); // it has timed out, or lost a `select!`
    ///
    /// # futures::executor::block_on(async {
    /// # let work = std::future::pending::<u32>();
    /// match futures::future::select(pin!(completer.closed()), pin!(work)).await {
    ///     futures::future::Either::Left(_) => println!("the consumer was dropped: stop"),
    ///     futures::future::Either::Right((value, _)) => println!("done: {value}"),
    /// }
    /// # });
    /// ```
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.poll_closed(cx))
    }

    /// Returns the key of the operation. Both the key and this completer can complete the operation. The one that is used first succeeds.
    ///
    /// **If this completer is dropped, the operation ends**, and the pool refuses the key from then on. If the
    /// reply to a request will contain the key, use [`into_key`](Self::into_key), which consumes the completer.
    ///
    /// While the completer exists, the slot is not used again, and [`is_closed`](Self::is_closed) says whether the operation still needs a
    /// value.
    #[must_use]
    pub fn key_while_held(&self) -> TypedKey<T> {
        self.0.issue_key().into()
    }

    /// Turns the completer into the key of its operation. From then on, only the key can complete the operation.
    ///
    /// The slot then stays rented only as long as the consumer exists. If the consumer is dropped, the slot is returned, and the pool
    /// refuses the key. If no producer uses the key, the consumer waits until [`abandon_key`], [`abandon_keys`] or [`close`] is called, or
    /// the last handle of the pool is dropped. If the pool was already closed or dropped, the operation ends in this call.
    ///
    /// A key is `Copy`, so a closure that is called more than once can use it to complete the operation. The
    /// pool refuses the second use of the key, and every later use.
    ///
    /// [`abandon_key`]: crate::LocalPool::abandon_key
    /// [`abandon_keys`]: crate::LocalPool::abandon_keys
    /// [`close`]: crate::LocalPool::close
    #[must_use = "without its key the operation cannot be completed"]
    #[inline]
    pub fn into_key(self) -> TypedKey<T> {
        self.0.into_key().into()
    }
}

impl<T> fmt::Debug for LocalCompleter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.is_closed();
        f.debug_struct("LocalCompleter").field("closed", &closed).finish()
    }
}

// A panic leaves each operation consistent. A value is delivered as a whole, or not at all.
impl<T> UnwindSafe for LocalCompleter<T> {}
impl<T> RefUnwindSafe for LocalCompleter<T> {}
