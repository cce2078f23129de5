//! `Completion`: the consumer's end of an operation.

use core::{
    fmt,
    future::Future,
    panic::{RefUnwindSafe, UnwindSafe},
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{TakeError, polled_after_its_end};
use crate::{affinity::AnyThread, future::ValueFuture, operation::Consumer, origin::Origin};

/// The consumer's end of an operation: the future of its result.
///
/// Where it is called with static dispatch, a method returns it as it is. For an object-safe
/// method, `From` makes a value future of it without an allocation: it stays in its slot.
///
/// # Sizes and allocation
///
/// One pointer. Nothing is allocated.
///
/// # Panics
///
/// If it is polled after it has given its result, or after [`Abandoned::abandoned`](crate::operation::Abandoned::abandoned) has panicked in
/// an earlier poll. (And with what [`Abandoned::abandoned`](crate::operation::Abandoned::abandoned) panics with, which is called here.)
///
/// # Wakers
///
/// The waker of the last poll is woken. An operation can take two million changes of waker, of
/// both its ends together; from then on, whoever waits is woken at once, to poll again.
///
/// # Cancel safety
///
/// Dropping it at any time is sound: its completer learns that nobody waits any more, and gets
/// its value back. A result that is there already is dropped.
///
/// # Reentrancy
///
/// Polling may clone and drop wakers, and dropping may drop one and wake the completer's: with
/// nothing held and the operation in order, so they may do what they like.
#[doc(alias = "Receiver")]
#[doc(alias = "oneshot")]
#[must_use = "dropping a completion tells its completer that nobody waits"]
pub struct Completion<T>(pub(crate) Consumer<'static, T, AnyThread>, pub(crate) Origin);

impl<T> Completion<T> {
    /// Returns `true` if there is a result to take: a value, or what [`Abandoned`](crate::operation::Abandoned) says if the operation
    /// was ended without one. It stays `true` until the result is taken. It is `false` while a producer
    /// with the key has [claimed](crate::operation::CompleteErrorKind::BeingCompleted) the operation.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.0.is_completed()
    }
}

impl<T> Completion<T> {
    /// Returns `true` if the result to take is a value.
    #[must_use]
    pub fn has_value(&self) -> bool {
        self.0.result_is_value() == Some(true)
    }

    /// Returns `true` if the operation was ended without a value, and [`Abandoned`](crate::operation::Abandoned) will make the result.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.0.result_is_value() == Some(false)
    }

    /// Takes the result, if it is there, without polling.
    ///
    /// # Errors
    ///
    /// [`TakeError::Pending`], if there is no result yet; [`TakeError::Taken`], if it was taken before.
    #[doc(alias = "try_recv")]
    pub fn take(&mut self) -> Result<T, TakeError> {
        let why = if self.0.is_spent() { TakeError::Taken } else { TakeError::Pending };
        self.0.try_take().ok_or(why)
    }

    /// Stops to wait, and takes the result if there is one.
    ///
    /// Nothing gets lost: either this returns the value, or the producer gets it back. A
    /// [`try_take`](Self::try_take) and then a drop would lose a value that comes in between, although the
    /// producer was told that it is delivered.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::Pool;
    ///
    /// let pool = Pool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// completer.complete(Some(5)).unwrap();
    /// assert_eq!(completion.close(), Some(Some(5)));
    ///
    /// let (completer, completion) = pool.rent();
    /// assert_eq!(completion.close(), None);
    /// assert_eq!(completer.complete(Some(6)).unwrap_err().into_value(), Some(6));
    /// ```
    #[must_use = "the result, if there is one, is lost"]
    pub fn close(self) -> Option<T> {
        self.0.close()
    }

    /// [`map`](crate::ValueFuture::map) of the value future that this becomes.
    pub fn map<'a, U, F>(self, f: F) -> ValueFuture<'a, U>
    where
        F: FnOnce(T) -> U + Send + 'a,
        T: 'a + Send,
    {
        ValueFuture::from(self).map(f)
    }

    /// Returns the completion as a pointer, for the user data of foreign code. Nothing is allocated.
    ///
    /// If it does not become a completion again by [`from_raw`](Self::from_raw), its slot leaks.
    #[must_use = "the slot leaks"]
    pub fn into_raw(self) -> *mut () {
        self.0.into_raw()
    }

    /// Returns the completion that became this pointer.
    ///
    /// # Safety
    ///
    /// The pointer is from [`into_raw`](Self::into_raw) of a completion of the same type, and is used once.
    //~ any thread
    /// If it is used on another thread, `T` is `Send`.
    //~ one thread
    //~ /// This is the thread of the pool.
    //~ end
    #[cfg_attr(feature = "trace", track_caller)]
    pub unsafe fn from_raw(pointer: *mut ()) -> Self {
        // SAFETY: the caller's.
        Completion(unsafe { Consumer::from_raw(pointer) }, Origin::caller())
    }

    /// Takes the result, if it is there, without polling.
    ///
    /// # Errors
    ///
    /// The completion itself, if there is no result yet, or if it was taken before.
    pub fn try_take(mut self) -> Result<T, Self> {
        self.0.try_take().ok_or(self)
    }
}

impl<T> Future for Completion<T> {
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.poll(cx).map(|result| match result {
            Some(value) => value,
            None => polled_after_its_end::<T>(self.0.spent(), self.1),
        })
    }
}

// A result is moved out, and never pinned; the slot stays where it is.
impl<T> Unpin for Completion<T> {}

/// Terminated once the result has been given out, or [`Abandoned::abandoned`](crate::operation::Abandoned::abandoned) has panicked: from then
/// on every poll panics.
impl<T> FusedFuture for Completion<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_spent()
    }
}

/// Never polls, and never consumes.
impl<T> fmt::Debug for Completion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Completion").field(&self.0.progress()).finish()
    }
}

// A panic leaves each operation in order, and a value is handed over as a whole or not at all.
impl<T> UnwindSafe for Completion<T> {}
impl<T> RefUnwindSafe for Completion<T> {}
