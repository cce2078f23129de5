//! The combinators.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    kept::{Keeps, kept},
    packed::Packed,
};
use crate::{
    erased::{Boxable, View},
    error::Spent,
};

impl<'a, T: 'a, A: 'a> Packed<'a, T, A> {
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn map<U, F>(self, f: F) -> Packed<'a, U, A>
    where
        F: FnOnce(T) -> U + 'a,
        A: Keeps<Map<'a, T, A, F>>,
    {
        match self.into_ready() {
            Ready::Here(value) => Packed::ready(f(value)),
            Ready::Pending(future) => kept(Map { future, f: Some(f) }),
            Ready::Spent(spent) => Packed::spent(spent),
        }
    }

    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn then<U, F>(self, f: F) -> Packed<'a, U, A>
    where
        F: FnOnce(T) -> Packed<'a, U, A> + 'a,
        A: Keeps<Then<'a, T, U, A, F>>,
        U: 'a,
    {
        match self.into_ready() {
            Ready::Here(value) => f(value),
            Ready::Pending(first) => kept(Then::First(first, f)),
            Ready::Spent(spent) => Packed::spent(spent),
        }
    }

    #[inline]
    fn into_ready(self) -> Ready<'a, T, A> {
        let pending = match self.take_now() {
            Ok(value) => return Ready::Here(value),
            Err(pending) => pending,
        };
        match pending.view() {
            View::Spent(spent) => Ready::Spent(spent),
            _ => Ready::Pending(pending),
        }
    }
}

impl<T, A> Packed<'_, T, A> {
    /// [`poll`](Packed::poll), but that misuse is `Pending`, with the rule in `broken`.
    #[inline(always)]
    fn poll_or(&mut self, cx: &mut Context<'_>, broken: &mut Option<Spent>) -> Poll<T> {
        if self.is_ready() {
            return Poll::Ready(self.take_result());
        }
        Packed::or_broken(self.poll_pointee(cx), self, broken)
    }

    /// What follows the poll of the pointee. It is not in `poll_or`, so that its locals are not on the stack while the
    /// pointee is polled.
    #[inline]
    fn or_broken(polled: Poll<T>, this: &Self, broken: &mut Option<Spent>) -> Poll<T> {
        if polled.is_pending() {
            *broken = this.broken_rule();
        }
        polled
    }
}

/// Where a result is.
enum Ready<'a, T, A> {
    Here(T),
    Pending(Packed<'a, T, A>),
    Spent(Spent),
}

/// Gives `f` the result of `future`.
pub(super) struct Map<'a, T, A, F> {
    future: Packed<'a, T, A>,
    f: Option<F>,
}

// `f` is never pinned.
impl<T, A, F> Unpin for Map<'_, T, A, F> {}

impl<T, A, F, U> Boxable for Map<'_, T, A, F>
where
    F: FnOnce(T) -> U,
{
    type Output = U;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, broken: &mut Option<Spent>) -> Poll<U> {
        let this = Pin::into_inner(self);
        Map::after(this.future.poll_pointee(cx), this, broken)
    }
}

impl<T, A, F> Map<'_, T, A, F> {
    /// What follows the poll of the future. It is not in `poll`, so that its locals are not on the stack
    /// while the rest of a chain is polled.
    #[inline]
    fn after<U>(polled: Poll<T>, this: &mut Self, broken: &mut Option<Spent>) -> Poll<U>
    where
        F: FnOnce(T) -> U,
    {
        let Poll::Ready(value) = polled else {
            *broken = this.future.broken_rule();
            return Poll::Pending;
        };
        let f = this.f.take().expect("it is not polled after `Ready`");
        Poll::Ready(f(value))
    }
}

/// Awaits the first future, then what `f` makes of its result.
pub(super) enum Then<'a, T, U, A, F> {
    First(Packed<'a, T, A>, F),
    Second(Packed<'a, U, A>),
    /// Here it stays if `f` panics.
    Between,
}

// `f` is never pinned.
impl<T, U, A, F> Unpin for Then<'_, T, U, A, F> {}

impl<'a, T, U, A, F> Boxable for Then<'a, T, U, A, F>
where
    F: FnOnce(T) -> Packed<'a, U, A>,
{
    type Output = U;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, broken: &mut Option<Spent>) -> Poll<U> {
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
    /// What follows the poll of the first future, as in [`Map`]. Returns `true` if there is a second now.
    #[inline]
    fn after_first(polled: Poll<T>, this: &mut Self) -> bool {
        let Poll::Ready(value) = polled else { return false };
        let Then::First(_, f) = mem::replace(this, Then::Between) else {
            unreachable!("it was the first future that was polled")
        };
        *this = Then::Second(f(value));
        true
    }

    /// The rule that was broken, if the first future gave no result and will give none.
    #[inline]
    fn broken_rule_of_first(&self) -> Option<Spent> {
        let Then::First(first, _) = self else {
            unreachable!("it was the first future that was polled")
        };
        first.broken_rule()
    }

    #[inline]
    fn poll_second(&mut self, cx: &mut Context<'_>, broken: &mut Option<Spent>) -> Poll<U> {
        match self {
            Then::Second(second) => second.poll_or(cx, broken),
            _ => unreachable!("it is not polled after `Ready` or a panic"),
        }
    }
}
