// Generated from `rent_when_vacant.rs` by `tests/codegen.rs`.
//! `LocalRentWhenVacant`: a future that waits for a vacant slot.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{LocalCompleter, LocalCompletion, RentError, renting::Renting};
use crate::affinity::OneThread;

/// A future that waits for a vacant slot. [`LocalPool::rent_when_vacant`](crate::LocalPool::rent_when_vacant) returns it.
///
/// # Sizes and allocation
///
/// On 64-bit targets, the future takes two words, and one more with the feature `trace`. If a slot is vacant at the first poll, this poll
/// allocates no more than [`rent`](crate::LocalPool::rent) does.
///
/// # Panics
///
/// A poll panics if an earlier poll has returned the result.
#[must_use = "a future does nothing unless it is polled"]
pub struct LocalRentWhenVacant<T>(pub(super) Renting<T, OneThread>);

impl<T> Future for LocalRentWhenVacant<T> {
    type Output = Result<(LocalCompleter<T>, LocalCompletion<T>), RentError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let origin = self.0.origin;
        self.0.poll(cx).map_ok(|(producer, consumer)| {
            (LocalCompleter(producer), LocalCompletion(consumer, origin))
        })
    }
}

/// The future is terminated when it has returned its result.
impl<T> FusedFuture for LocalRentWhenVacant<T> {
    fn is_terminated(&self) -> bool {
        self.0.is_taken()
    }
}

impl<T> fmt::Debug for LocalRentWhenVacant<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalRentWhenVacant").field(&self.0.progress()).finish()
    }
}
