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

/// A future whose misuse is a value: the output is `Result<T, PollError>`.
///
/// Made by [`ValueFuture::checked`](crate::ValueFuture::checked). It may be polled as often as
/// one likes: after the result has been given out, every poll gives the [`PollError`] that says
/// so. Nothing is allocated.
///
/// # Panics
///
/// Never for a rule that was broken by the future, or by those that it was combined from. A panic of
/// what is in it passes through, and from then on every poll gives
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
        polled.map_err(|spent| PollError::new::<T>(spent, self.packed.origin()))
    }
}

/// Terminated once it has answered, with a result or with an error; a panic is no answer.
impl<T, A> FusedFuture for Checked<'_, T, A> {
    fn is_terminated(&self) -> bool {
        self.answered
    }
}
