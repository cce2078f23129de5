// Generated from `completer.rs` by `tests/twins.rs`.
//! `LocalCompleter`: the producer's end of an operation.

use core::{
    fmt,
    future::{Future, poll_fn},
    panic::{RefUnwindSafe, UnwindSafe},
    task::{Context, Poll},
};

use crate::{
    affinity::OneThread,
    operation::{CompleteError, Producer},
    slot::TypedKey,
};

/// The producer's end of an operation. It goes to whoever will have the result.
///
/// Dropping it without a value ends the wait: the consumer gets what the trait [`Abandoned`](crate::operation::Abandoned) says.
/// If the consumer goes first, the completer [is closed](Self::is_closed), and gets its
/// value back.
///
/// # Sizes and allocation
///
/// One pointer. Nothing is allocated.
///
/// # Reentrancy
///
/// Completing and dropping wake the consumer, in the same call, when everything is done and
/// nothing is held: the waker may poll, drop, rent and complete what it likes. If it panics,
/// the value has been delivered. (If a key completes an operation whose completer waits for
/// its end, there are two to wake; if both panic, the process aborts.)
#[doc(alias = "Sender")]
#[doc(alias = "promise")]
#[doc(alias = "oneshot")]
#[doc(alias = "TaskCompletionSource")]
#[must_use = "dropping a completer ends the wait without a value"]
pub struct LocalCompleter<T>(pub(super) Producer<'static, T, OneThread>);

impl<T> LocalCompleter<T> {
    /// Gives the consumer its value, and wakes it.
    ///
    /// # Errors
    ///
    /// [`CompleteError`] with the value, if it will not be delivered: the consumer has gone, or a producer with the key has
    /// claimed the operation.
    ///
    /// # Reentrancy
    ///
    /// The consumer is woken here, with nothing held: its waker may poll, drop, rent and complete
    /// what it likes.
    #[inline]
    #[doc(alias = "send")]
    pub fn complete(self, value: T) -> Result<(), CompleteError<T>> {
        self.0.complete(value)
    }

    /// Whether nobody waits for a value any more: the consumer has gone, or somebody who had
    /// the key was faster.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until [`is_closed`](Self::is_closed): so that what nobody wants need not be
    /// computed.
    ///
    /// The waker of the last call is woken; it is dropped with the completer.
    /// How many it may be: [`LocalCompletion`](crate::LocalCompletion).
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

    /// [`poll_closed`](Self::poll_closed) as a future, for `select!` and its like.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time, and made again.
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
    ///     futures::future::Either::Left(_) => println!("nobody waits: stop"),
    ///     futures::future::Either::Right((value, _)) => println!("done: {value}"),
    /// }
    /// # });
    /// ```
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.poll_closed(cx))
    }

    /// Returns the key of the operation. Both the key and this completer may complete it; the first wins.
    ///
    /// **If this completer is dropped, the operation ends**, and the key is refused from then on. A request whose
    /// answer brings the key back takes [`into_key`](Self::into_key), which uses the completer up.
    ///
    /// While the completer is held, its holder can observe that the consumer [has gone](Self::is_closed),
    /// and the slot is not used again.
    #[must_use]
    pub fn key_while_held(&self) -> TypedKey<T> {
        self.0.issue_key().into()
    }

    /// Returns the completer as a pointer, for the user data of a callback in foreign code. Nothing is allocated.
    ///
    /// If it does not become a completer again by [`from_raw`](Self::from_raw), the consumer waits for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{LocalCompleter, LocalPool};
    ///
    /// /// What the library in C calls.
    /// extern "C" fn done(user_data: *mut (), result: u32) {
    ///     // SAFETY: it is from `into_raw`, and the library calls this once.
    ///     let completer = unsafe { LocalCompleter::<Option<u32>>::from_raw(user_data) };
    ///     let _ = completer.complete(Some(result));
    /// }
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// done(completer.into_raw(), 5);
    /// assert_eq!(futures::executor::block_on(completion), Some(5));
    /// ```
    #[must_use = "the consumer waits for ever"]
    pub fn into_raw(self) -> *mut () {
        self.0.into_raw()
    }

    /// Returns the completer that became this pointer.
    ///
    /// # Safety
    ///
    /// The pointer is from [`into_raw`](Self::into_raw) of a completer of the same type, and is used once.
    /// This is the thread of the pool.
    pub unsafe fn from_raw(pointer: *mut ()) -> Self {
        // SAFETY: the caller's.
        LocalCompleter(unsafe { Producer::from_raw(pointer) })
    }

    /// Leaves the operation to those who have the key.
    ///
    /// Nothing keeps the slot then but the consumer: if that goes, the slot is returned, and
    /// the key is refused whenever it comes. If the key never comes, then the consumer waits
    /// until it loses patience, or [`abandon_key`] or [`abandon_keys`] is called, or the last
    /// handle of the pool is dropped. If that was dropped before, the wait ends here.
    ///
    /// A key is `Copy`: a closure that may be called more than once can complete by it, and is
    /// refused from the second time on.
    ///
    /// [`abandon_key`]: crate::LocalPool::abandon_key
    /// [`abandon_keys`]: crate::LocalPool::abandon_keys
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

// A panic leaves each operation in order, and a value is handed over as a whole or not at all.
impl<T> UnwindSafe for LocalCompleter<T> {}
impl<T> RefUnwindSafe for LocalCompleter<T> {}
