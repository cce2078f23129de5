//! [`ErasedFuture`]: the futures that a [cell](super::cell) can contain.

use core::{
    any,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::error::{ArmOrigin, Terminated};

/// A future that a [cell](super::cell) can contain. The trait is implemented for every `Future`, and for some types of this crate that are
/// not `Future`s. A poll of such a type can also report why there will be no result.
pub(crate) trait ErasedFuture {
    type Output;

    /// The [arm](crate::future::Arm) that messages name. If this is `Boxed`, and the future belongs to a pool, messages name `Pooled`
    /// instead.
    const ORIGIN: ArmOrigin = ArmOrigin::Boxed;

    /// `true` if a [poll](ErasedFuture::poll) may set its output `broken`. If this is `false`, the code that checks `broken` after a poll
    /// is not compiled.
    const MAY_BREAK: bool = true;

    /// Returns the name that `Debug` shows.
    fn type_name() -> &'static str {
        any::type_name::<Self>()
    }

    /// Polls the future, as [`Future::poll`] does. If the poll breaks a [rule](crate::error::Rule), there will be no result. Then the
    /// function stores the reason in `broken`, and returns `Pending`. After `Ready`, or if `broken` was set, the function is not called
    /// again. The exception is a future in a [`BorrowedCell`](super::BorrowedCell): after `Ready`, another head may poll this future again.
    /// (`broken` is a separate output, so that a result need not be moved from one enum to another.)
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Terminated>,
    ) -> Poll<Self::Output>;
}

impl<F: Future> ErasedFuture for F {
    type Output = F::Output;

    const MAY_BREAK: bool = false;

    #[inline(always)]
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut Option<Terminated>,
    ) -> Poll<F::Output> {
        Future::poll(self, cx)
    }
}

/// Converts a `Poll` into the two outputs of [`ErasedFuture::poll`]. If the `Poll` is `Ready`, it contains a result, or the reason why
/// there will be no result.
#[inline(always)]
pub(crate) fn ready_or_broken<T>(
    polled: Poll<Result<T, Terminated>>,
    broken: &mut Option<Terminated>,
) -> Poll<T> {
    match polled {
        Poll::Ready(Ok(result)) => return Poll::Ready(result),
        Poll::Ready(Err(termination)) => *broken = Some(termination),
        Poll::Pending => {}
    }
    Poll::Pending
}
