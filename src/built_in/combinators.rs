//! The combinators `map` and `then` of `Packed`. Each other combinator calls one of them.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::store::{Stores, store};
use crate::{
    erased::{ErasedFuture, View},
    error::Terminated,
    future::Packed,
};

/// Converts a future into a packed future. A value future is returned unchanged. A future of another type is put into a slot or a box.
#[inline]
#[cfg_attr(feature = "trace", track_caller)]
pub(super) fn into_packed<'a, F, A>(future: F) -> Packed<'a, F::Output, A>
where
    F: Future + 'a,
    A: Stores<F>,
{
    match Packed::try_from_future(future) {
        Ok(packed) => packed,
        Err(future) => store(future),
    }
}

impl<'a, T: 'a, A: 'a> Packed<'a, T, A> {
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn map<U, F>(self, f: F) -> Packed<'a, U, A>
    where
        F: FnOnce(T) -> U + 'a,
        A: Stores<Map<'a, T, A, F>>,
    {
        match self.into_progress() {
            Progress::Inline(value) => Packed::ready(f(value)),
            Progress::Pending(future) => store(Map { future, f: Some(f) }),
            Progress::Terminated(why) => Packed::terminated(why),
        }
    }

    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn then<U, F>(self, f: F) -> Packed<'a, U, A>
    where
        F: FnOnce(T) -> Packed<'a, U, A> + 'a,
        A: Stores<Then<'a, T, U, A, F>>,
        U: 'a,
    {
        match self.into_progress() {
            Progress::Inline(value) => f(value),
            Progress::Pending(first) => store(Then::First(first, f)),
            Progress::Terminated(why) => Packed::terminated(why),
        }
    }

    #[inline]
    fn into_progress(self) -> Progress<'a, T, A> {
        let pending = match self.take_now() {
            Ok(value) => return Progress::Inline(value),
            Err(pending) => pending,
        };
        match pending.view() {
            View::Terminated(why) => Progress::Terminated(why),
            _ => Progress::Pending(pending),
        }
    }
}

impl<T, A> Packed<'_, T, A> {
    /// Polls like [`poll`](Packed::poll), but does not panic if the future will never have a result. In that case, stores the reason in
    /// `broken`, and returns `Pending`.
    #[inline(always)]
    fn poll_or(&mut self, cx: &mut Context<'_>, broken: &mut Option<Terminated>) -> Poll<T> {
        if self.is_ready() {
            return Poll::Ready(self.take_result());
        }
        Packed::or_broken(self.poll_pointee(cx), self, broken)
    }

    /// Does the rest of `poll_or` after the poll of the pointee (the boxed future or the source). It is a separate function, so that its
    /// local variables are not on the stack during that poll.
    #[inline]
    fn or_broken(polled: Poll<T>, this: &Self, broken: &mut Option<Terminated>) -> Poll<T> {
        if polled.is_pending() {
            *broken = this.broken_rule();
        }
        polled
    }
}

/// The result of a future, or the pending future, or the reason why the future was terminated.
enum Progress<'a, T, A> {
    Inline(T),
    Pending(Packed<'a, T, A>),
    Terminated(Terminated),
}

/// The future of `map`: it awaits `future`, and calls `f` with the result.
pub(super) struct Map<'a, T, A, F> {
    future: Packed<'a, T, A>,
    f: Option<F>,
}

// `f` is never pinned, and a `Packed` is `Unpin`.
impl<T, A, F> Unpin for Map<'_, T, A, F> {}

impl<T, A, F, U> ErasedFuture for Map<'_, T, A, F>
where
    F: FnOnce(T) -> U,
{
    type Output = U;

    #[inline(always)]
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Terminated>,
    ) -> Poll<U> {
        let this = Pin::into_inner(self);
        Map::after(this.future.poll_pointee(cx), this, broken)
    }
}

impl<T, A, F> Map<'_, T, A, F> {
    /// Does the rest of `poll` after the poll of `future`. It is a separate function, so that its local variables are not on the stack
    /// during that poll. (In a chain of combinators, the poll of `future` polls the rest of the chain.)
    #[inline]
    fn after<U>(polled: Poll<T>, this: &mut Self, broken: &mut Option<Terminated>) -> Poll<U>
    where
        F: FnOnce(T) -> U,
    {
        let Poll::Ready(value) = polled else {
            *broken = this.future.broken_rule();
            return Poll::Pending;
        };
        let f = this.f.take().expect("a `Map` is not polled after `Ready`");
        Poll::Ready(f(value))
    }
}

/// The future of `then`: it awaits the first future, calls `f` with the result, and awaits the future that `f` returns.
pub(super) enum Then<'a, T, U, A, F> {
    First(Packed<'a, T, A>, F),
    Second(Packed<'a, U, A>),
    /// `f` runs, or has panicked.
    Between,
}

// `f` is never pinned, and a `Packed` is `Unpin`.
impl<T, U, A, F> Unpin for Then<'_, T, U, A, F> {}

impl<'a, T, U, A, F> ErasedFuture for Then<'a, T, U, A, F>
where
    F: FnOnce(T) -> Packed<'a, U, A>,
{
    type Output = U;

    #[inline(always)]
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Terminated>,
    ) -> Poll<U> {
        let this = Pin::into_inner(self);
        if let Then::First(first, _) = this {
            if !Then::after_first(first.poll_pointee(cx), this) {
                *broken = this.broken_rule_of_first();
                return Poll::Pending;
            }
        }
        this.poll_second(cx, broken)
    }
}

impl<'a, T, U, A, F> Then<'a, T, U, A, F>
where
    F: FnOnce(T) -> Packed<'a, U, A>,
{
    /// Continues `poll` after the poll of the first future. If the first future is ready, calls `f`, stores the second future, and returns
    /// `true`. This is a separate function for the same reason as `Map::after`.
    #[inline]
    fn after_first(polled: Poll<T>, this: &mut Self) -> bool {
        let Poll::Ready(value) = polled else { return false };
        let Then::First(_, f) = mem::replace(this, Then::Between) else {
            unreachable!("the first future was polled")
        };
        *this = Then::Second(f(value));
        true
    }

    /// Returns the reason why the first future will never have a result, or `None` if that future is pending.
    #[inline]
    fn broken_rule_of_first(&self) -> Option<Terminated> {
        let Then::First(first, _) = self else { unreachable!("the first future was polled") };
        first.broken_rule()
    }

    #[inline]
    fn poll_second(&mut self, cx: &mut Context<'_>, broken: &mut Option<Terminated>) -> Poll<U> {
        match self {
            Then::Second(second) => second.poll_or(cx, broken),
            _ => unreachable!("a `Then` is not polled after `Ready` or a panic"),
        }
    }
}
