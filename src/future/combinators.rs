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

/// Awaits `first`, then what `f` makes of it.
pub(super) enum AndThen<P, F, Q> {
    First(P, F),
    Second(Q),
    Done,
}

impl<P, F, Q> AndThen<P, F, Q> {
    pub(super) fn new(first: P, f: F) -> Self {
        AndThen::First(first, f)
    }
}

// `f` is never pinned.
impl<P, F, Q> Unpin for AndThen<P, F, Q> {}

impl<P, F, Q, T, U, E> Future for AndThen<P, F, Q>
where
    P: Future<Output = Result<T, E>> + Unpin,
    F: FnOnce(T) -> Q,
    Q: Future<Output = Result<U, E>> + Unpin,
{
    type Output = Result<U, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<U, E>> {
        if let AndThen::First(first, _) = &mut *self {
            let result = ready!(Pin::new(first).poll(cx));
            let AndThen::First(_, f) = mem::replace(&mut *self, AndThen::Done) else {
                unreachable!("the first future was just polled")
            };
            match result {
                Ok(value) => *self = AndThen::Second(f(value)),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let AndThen::Second(second) = &mut *self else {
            panic!("a boxed future is not polled after completion or a panic")
        };
        Pin::new(second).poll(cx)
    }
}
