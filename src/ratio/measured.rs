//! `Measured`: a future whose outcome a `Ratio` counts.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::outcome::Outcome;

pin_project! {
    /// A future whose outcome a [`Ratio`](crate::Ratio) counts: ready or pending at the first poll, cancelled, or never polled.
    /// [`Ratio::measure`](crate::Ratio::measure) returns it.
    #[must_use = "the drop of this future cancels the call, and loses its result"]
    pub struct Measured<'r, F> {
        #[pin]
        future: F,
        outcome: Outcome<'r>,
    }
}

impl<'r, F> Measured<'r, F> {
    #[inline(always)]
    pub(super) fn new(future: F, outcome: Outcome<'r>) -> Self {
        Measured { future, outcome }
    }
}

impl<F: Future> Future for Measured<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.future.poll(cx);
        this.outcome.polled(polled.is_ready());
        polled
    }
}

impl<F: FusedFuture> FusedFuture for Measured<'_, F> {
    fn is_terminated(&self) -> bool {
        self.future.is_terminated()
    }
}

impl<F: fmt::Debug> fmt::Debug for Measured<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Measured").field(&self.future).finish()
    }
}
