//! Where a future of any type lives behind one word: the header, and the future in the same place.

use core::{
    any,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Head, Header, Pointee, Polling, VTable};
use crate::error::{Site, Spent};

/// What can live in a house: any future, and what we put between a value future and another,
/// which passes on the rule that was broken in there instead of a result.
pub(crate) trait Boxable {
    type Output;

    /// What messages name, where it is in a box.
    const SITE: Site = Site::Boxed;

    /// The name that `Debug` shows.
    fn type_name() -> &'static str {
        any::type_name::<Self>()
    }

    /// As [`Future::poll`]; not called after `Ready`.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Output, Spent>>;
}

impl<F: Future> Boxable for F {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Spent>> {
        Future::poll(self, cx).map(Ok)
    }
}

/// Where a future lives that a head has to itself: what [`Pointee::give_up`] gives back.
///
/// # Safety
///
/// [`future`](House::future) is a place in the pointee, which does not move, and holds a future from when
/// the header is made until `give_up`.
pub(crate) unsafe trait House: Pointee {
    type Future: Boxable;

    /// Where in the pointee the future is.
    fn future(pointee: *mut ()) -> *mut Self::Future;
}

/// The header of a house, whose `give_up` is its [`VTable::drop`].
#[inline(always)]
pub(crate) const fn header<H: House>() -> Header {
    Header::new(
        const {
            let about = || (H::SITE, <H::Future as Boxable>::type_name());
            &VTable { poll: poll::<H>, drop: H::give_up, about }
        },
    )
}

/// [`VTable::poll`] of a house.
///
/// Combinators nest: each level of a chain has a frame of this function on the stack. Without optimisation,
/// every local, every inlined call and every call in the scope of `polling` makes the frame larger. So the
/// work after the poll is in [`after`], which has returned before another level is polled, and the result is
/// the first argument of the call, which needs no second copy.
///
/// # Safety
///
/// As there, where the pointee is an `H`.
#[inline]
pub(crate) unsafe fn poll<H: House>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<<H::Future as Boxable>::Output> {
    // SAFETY: the head stands for a live `H`, and nothing else refers to it.
    let future = unsafe { future::<H>(pointee) };
    // SAFETY: the head stands for the house until `complete` or `end`.
    let polling = unsafe { Polling::<H>::start(head) };
    // SAFETY: the head stands for a live `H`, whose future was polled.
    unsafe { after(future.poll(cx), polling, pointee) }
}

/// The future in a house.
///
/// # Safety
///
/// The pointee is a live `H`, and nothing else refers to it.
#[inline]
unsafe fn future<'h, H: House>(pointee: *mut ()) -> Pin<&'h mut H::Future>
where
    H::Future: 'h,
{
    // SAFETY: the caller's.
    let future = unsafe { &mut *H::future(pointee) };
    // SAFETY: the future stays in its house until it is dropped there.
    unsafe { Pin::new_unchecked(future) }
}

/// Gives up the house if its future has completed.
///
/// # Safety
///
/// The pointee is a live `H`, and its future has just been polled.
#[inline]
unsafe fn after<H: House, T>(
    polled: Poll<Result<T, Spent>>,
    polling: Polling<'_, H>,
    pointee: *mut (),
) -> Poll<T> {
    let (polled, owned) = match polled {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => (Poll::Ready(value), polling.complete()),
        Poll::Ready(Err(spent)) => (Poll::Pending, polling.end(Head::spent(spent))),
    };
    // SAFETY: the head stood for the house, and is spent.
    unsafe { H::give_up(pointee, owned) };
    polled
}
