//! The combinators, and what they put into a slot or a box when there is no result yet.

use core::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::packed::Packed;
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
use crate::{AnyThread, FuturePool, machine::Place};
use crate::{
    affinity::Admits,
    erased::{Boxable, View},
    error::Spent,
};

/// `X` may be kept in a future of this affinity: in a slot of the built-in pool, where there is one.
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
pub(super) trait Keeps<X>: Admits<X> + Admits<Place<X, AnyThread>> {}
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
impl<X, A: Admits<X> + Admits<Place<X, AnyThread>>> Keeps<X> for A {}

/// `X` may be kept in a future of this affinity: in a box.
#[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
pub(super) trait Keeps<X>: Admits<X> {}
#[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
impl<X, A: Admits<X>> Keeps<X> for A {}

/// A combinator that waits.
#[inline(always)]
fn kept<'a, C: Boxable + 'a, A: Keeps<C>>(combinator: C) -> Packed<'a, C::Output, A> {
    #[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
    return FuturePool::built_in().0.put(combinator);
    #[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
    return Packed::boxed(combinator);
}

impl<'a, T: 'a, A: 'a> Packed<'a, T, A> {
    #[inline]
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
        let pending = match self.try_take() {
            Ok(value) => return Ready::Here(value),
            Err(pending) => pending,
        };
        match pending.view() {
            View::Spent(spent) => Ready::Spent(spent),
            _ => Ready::Pending(pending),
        }
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<U, Spent>> {
        let result = ready!(self.future.try_poll(cx));
        let f = self.f.take().expect("it is not polled after `Ready`");
        Poll::Ready(result.map(f))
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

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<U, Spent>> {
        if let Then::First(first, _) = &mut *self {
            let result = ready!(first.try_poll(cx));
            let Then::First(_, f) = mem::replace(&mut *self, Then::Between) else {
                unreachable!("it was the first future that was polled")
            };
            match result {
                Ok(value) => *self = Then::Second(f(value)),
                Err(spent) => return Poll::Ready(Err(spent)),
            }
        }
        match &mut *self {
            Then::Second(second) => second.try_poll(cx),
            _ => unreachable!("it is not polled after `Ready` or a panic"),
        }
    }
}
