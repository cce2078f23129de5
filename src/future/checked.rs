use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::packed::Packed;
use crate::{
    affinity::{AnyThread, OneThread},
    error::PollError,
};

/// A future that reports misuse as a [`PollError`]: its output is `Result<T, PollError>`.
///
/// [`ValueFuture::checked`](crate::ValueFuture::checked) returns this future. The future may be polled any number of times. After it has
/// returned its result, every poll returns a [`PollError`]. Nothing is allocated.
///
/// # Panics
///
/// A poll that breaks a [`Rule`](crate::error::Rule) does not panic, even if the future that breaks the rule is inside a combinator such as
/// `map`. But a panic of the inner future or source passes through. After such a panic, every poll returns an error with the rule
/// [`Rule::PolledAfterPanic`](crate::error::Rule::PolledAfterPanic).
#[must_use = "a future that is not awaited does not run, and a result that it already has is lost"]
#[derive(Debug)]
pub struct Checked<'a, T, A = AnyThread> {
    packed: Packed<'a, T, A>,
    answered: bool,
}

/// The [`Checked`] of a [`LocalValueFuture`](crate::LocalValueFuture).
pub type LocalChecked<'a, T> = Checked<'a, T, OneThread>;

impl<'a, T, A> Checked<'a, T, A> {
    pub(super) fn new(packed: Packed<'a, T, A>) -> Self {
        Checked { packed, answered: false }
    }
}

impl<T, A> Future for Checked<'_, T, A> {
    type Output = Result<T, PollError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.packed.try_poll(cx);
        self.answered |= polled.is_ready();
        polled.map_err(|termination| PollError::new::<T>(termination, self.packed.origin()))
    }
}

/// The future is terminated when it has returned a result or an error. A panic does not terminate it.
impl<T, A> FusedFuture for Checked<'_, T, A> {
    fn is_terminated(&self) -> bool {
        self.answered
    }
}
