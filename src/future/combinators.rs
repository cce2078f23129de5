//! What the combinators box when there is no result yet. The futures in here are either
//! [`ValueFuture`](crate::ValueFuture)s or [`LocalValueFuture`](crate::LocalValueFuture)s, so
//! they are `Unpin`.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Gives `f` the result of `future`.
pub(super) struct Map<P, F> {
    future: P,
    f: Option<F>,
}

impl<P, F> Map<P, F> {
    pub(super) fn new(future: P, f: F) -> Self {
        Map { future, f: Some(f) }
    }
}

// `f` is never pinned.
impl<P, F> Unpin for Map<P, F> {}

impl<P, F, U> Future for Map<P, F>
where
    P: Future + Unpin,
    F: FnOnce(P::Output) -> U,
{
    type Output = U;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<U> {
        let value = ready!(Pin::new(&mut self.future).poll(cx));
        let f = self.f.take().expect("a boxed future is not polled after completion");
        Poll::Ready(f(value))
    }
}

/// Awaits `first`, then what `f` makes of its result.
pub(super) enum Then<P, F, Q> {
    First(P, F),
    Second(Q),
    /// The first future is done, the second is not there: `f` has panicked.
    Between,
}

impl<P, F, Q> Then<P, F, Q> {
    pub(super) fn new(first: P, f: F) -> Self {
        Then::First(first, f)
    }
}

// `f` is never pinned.
impl<P, F, Q> Unpin for Then<P, F, Q> {}

impl<P, F, Q> Future for Then<P, F, Q>
where
    P: Future + Unpin,
    F: FnOnce(P::Output) -> Q,
    Q: Future + Unpin,
{
    type Output = Q::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Q::Output> {
        loop {
            match &mut *self {
                Then::First(first, _) => {
                    let result = ready!(Pin::new(first).poll(cx));
                    if let Then::First(_, f) = mem::replace(&mut *self, Then::Between) {
                        *self = Then::Second(f(result));
                    }
                }
                Then::Second(second) => return Pin::new(second).poll(cx),
                Then::Between => panic!("a boxed future is not polled after a panic"),
            }
        }
    }
}
