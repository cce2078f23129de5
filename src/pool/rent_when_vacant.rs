//! `RentWhenVacant`: a future that waits for a vacant slot.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{Completer, Completion, RentError, renting::Renting};
use crate::affinity::AnyThread;

/// A future that waits for a vacant slot. [`Pool::rent_when_vacant`](crate::Pool::rent_when_vacant) returns it.
///
/// # Sizes and allocation
///
/// On 64-bit targets, the future takes two words, and one more with the feature `trace`. If a slot is vacant at the first poll, this poll
/// allocates no more than [`rent`](crate::Pool::rent) does.
///
/// # Panics
///
/// A poll panics if an earlier poll has returned the result.
#[must_use = "a future does nothing unless it is polled"]
pub struct RentWhenVacant<T>(pub(super) Renting<T, AnyThread>);

impl<T> Future for RentWhenVacant<T> {
    type Output = Result<(Completer<T>, Completion<T>), RentError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let origin = self.0.origin;
        self.0
            .poll(cx)
            .map_ok(|(producer, consumer)| (Completer(producer), Completion(consumer, origin)))
    }
}

/// The future is terminated when it has returned its result.
impl<T> FusedFuture for RentWhenVacant<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_taken()
    }
}

impl<T> fmt::Debug for RentWhenVacant<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RentWhenVacant").field(&self.0.progress()).finish()
    }
}
