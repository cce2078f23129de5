// Generated from `completion.rs` by `tests/codegen.rs`.
//! `LocalCompletion`: the consumer's end of an operation.

use core::{
    fmt,
    future::Future,
    panic::{RefUnwindSafe, UnwindSafe},
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{TakeError, polled_after_its_end};
use crate::{affinity::OneThread, future::LocalValueFuture, operation::Consumer, origin::Origin};

/// The consumer's end of an operation. It is the future of the result.
///
/// A method with static dispatch can return the completion. For an object-safe method, `From` converts the completion into a value future.
/// The conversion does not allocate, because the operation stays in its slot.
///
/// # Sizes and allocation
///
/// A completion is one pointer. Nothing is allocated.
///
/// # Panics
///
/// A poll panics if an earlier poll or [`take`](Self::take) has returned the result, or if
/// [`Abandoned::abandoned`](crate::operation::Abandoned::abandoned) panicked in an earlier poll. The poll that calls `Abandoned::abandoned`
/// passes a panic of this function through.
///
/// # Wakers
///
/// The operation wakes only the waker of the latest poll. The operation can register about two million wakers. The wakers of the completion
/// and of the completer are counted together. A waker is counted only if it differs from the waker of the previous poll. When the operation
/// can register no more wakers, a poll wakes its waker at once instead of registering it.
///
/// # Cancel safety
///
/// A completion can be dropped at any time. Its completer [is then closed](crate::LocalCompleter::is_closed), and
/// `complete` returns the value to the producer. If the operation already has its result, the result is
/// dropped.
///
/// # Reentrancy
///
/// A poll may clone and drop wakers. Dropping the completion may drop a waker, and may wake the completer. No
/// lock is held meanwhile, so a waker may call any method of this crate.
#[doc(alias = "Receiver")]
#[doc(alias = "oneshot")]
#[must_use = "dropping a completion cancels its operation"]
pub struct LocalCompletion<T>(pub(crate) Consumer<'static, T, OneThread>, pub(crate) Origin);

impl<T> LocalCompletion<T> {
    /// Returns `true` if there is a result to take.
    ///
    /// The result is the value of the producer. If the operation ended without a value, [`Abandoned`](crate::operation::Abandoned) creates
    /// the result. The method returns `true` until the result is taken. It returns `false` while a producer with the key has only
    /// [claimed](crate::operation::CompleteErrorKind::BeingCompleted) the operation.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.0.is_completed()
    }
}

impl<T> LocalCompletion<T> {
    /// Returns `true` if there is a result to take, and it is the value of the producer.
    #[must_use]
    pub fn has_value(&self) -> bool {
        self.0.result_is_value() == Some(true)
    }

    /// Returns `true` if there is a result to take, and the operation ended without a value. Then
    /// [`Abandoned`](crate::operation::Abandoned) creates the result.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.0.result_is_value() == Some(false)
    }

    /// Takes the result without polling.
    ///
    /// # Errors
    ///
    /// Returns [`TakeError::Pending`] if there is no result yet. Returns [`TakeError::Taken`] if the result was taken before, or if
    /// [`Abandoned::abandoned`](crate::operation::Abandoned::abandoned) has panicked.
    #[doc(alias = "try_recv")]
    pub fn take(&mut self) -> Result<T, TakeError> {
        let why = if self.0.is_terminated() { TakeError::Taken } else { TakeError::Pending };
        self.0.try_take().ok_or(why)
    }

    /// Cancels the operation, or takes the result if there is one.
    ///
    /// No value is lost: either this call returns the value, or `complete` returns it to the producer. A [`try_take`](Self::try_take)
    /// followed by a drop is different: it loses a value that arrives between these two steps, although `complete` has returned `Ok`.
    ///
    /// Some types must pass the value on when they are dropped, for example a future that waits for a permit of
    /// a semaphore. Such a type stores the completion in an `Option`, and calls `close` in its destructor. See
    /// `examples/gate`.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
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

    /// Converts the completion into a value future, and maps its result with `f`. See
    /// [`LocalValueFuture::map`](crate::LocalValueFuture::map).
    pub fn map<'a, U, F>(self, f: F) -> LocalValueFuture<'a, U>
    where
        F: FnOnce(T) -> U + 'a,
        T: 'a,
    {
        LocalValueFuture::from(self).map(f)
    }

    /// Takes the result without polling.
    ///
    /// # Errors
    ///
    /// Returns the completion if there is no result yet, or if the result was taken before.
    pub fn try_take(mut self) -> Result<T, Self> {
        self.0.try_take().ok_or(self)
    }
}

impl<T> Future for LocalCompletion<T> {
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.poll(cx).map(|result| match result {
            Some(value) => value,
            None => polled_after_its_end::<T>(self.0.termination(), self.1),
        })
    }
}

// A result is moved out of the slot, and is never pinned. The slot does not move with the completion.
impl<T> Unpin for LocalCompletion<T> {}

/// A completion is terminated when it has returned its result, or when
/// [`Abandoned::abandoned`](crate::operation::Abandoned::abandoned) has panicked. After that, every poll
/// panics.
impl<T> FusedFuture for LocalCompletion<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}

/// Shows the state of the operation, without polling it.
impl<T> fmt::Debug for LocalCompletion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalCompletion").field(&self.0.progress()).finish()
    }
}

// A panic leaves each operation consistent. A value is delivered as a whole, or not at all.
impl<T> UnwindSafe for LocalCompletion<T> {}
impl<T> RefUnwindSafe for LocalCompletion<T> {}
