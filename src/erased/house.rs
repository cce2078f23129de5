//! Where a future of any type lives behind one word: the header, and the future in the same place.

use core::{
    any,
    future::Future,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Head, Header, Pointee, PollFn, Polling, VTable};
use crate::{
    error::{Site, Spent},
    pieces,
};

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

    /// As [`Future::poll`]; not called after `Ready`. If it is `Pending` because a rule was broken, that is in
    /// `broken`, and it is not called again. (In a place of its own: a result is not moved from one enum to another.)
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Spent>,
    ) -> Poll<Self::Output>;
}

impl<F: Future> Boxable for F {
    type Output = F::Output;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, _: &mut Option<Spent>) -> Poll<F::Output> {
        Future::poll(self, cx)
    }
}

/// What a poll gives of one that has either a result or a broken rule.
#[inline(always)]
pub(crate) fn ready_or_broken<T>(
    polled: Poll<Result<T, Spent>>,
    broken: &mut Option<Spent>,
) -> Poll<T> {
    match polled {
        Poll::Ready(Ok(result)) => return Poll::Ready(result),
        Poll::Ready(Err(spent)) => *broken = Some(spent),
        Poll::Pending => {}
    }
    Poll::Pending
}

/// Where a future lives that a head has to itself: what [`Pointee::give_up`] gives back.
///
/// # Safety
///
/// The pointee begins with a header that [`header`] has made for it, from when there is a head until `give_up`.
/// [`future`](House::future) is a place in the pointee, which does not move, and holds a future as long.
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
            &VTable { poll: poll_fn::<H>(), drop: H::give_up, about }
        },
    )
}

/// [`VTable::poll`] of a house.
#[inline(always)]
pub(crate) const fn poll_fn<H: House>() -> PollFn<<H::Future as Boxable>::Output> {
    /// The poll of a smaller future is probably inlined, and its result in registers.
    const INLINED: usize = 64;

    let is_large = size_of::<H::Future>() > INLINED;
    if is_large && pieces::is_stored_by_fields::<<H::Future as Boxable>::Output>() {
        poll_for_fields::<H>
    } else {
        poll_for_value::<H>
    }
}

/// [`poll_fn`], if the result is not [stored by fields](pieces::is_stored_by_fields).
///
/// Combinators nest: each level of a chain has a frame of this function on the stack. Without optimisation,
/// every local, every inlined call and every call in the scope of `polling` makes the frame larger. So the
/// work after the poll is in [`after`], which has returned before another level is polled, and the result is
/// the first argument of the call, which needs no second copy.
///
/// # Safety
///
/// As [`VTable::poll`], where the pointee is an `H`.
#[inline]
unsafe fn poll_for_value<H: House>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<<H::Future as Boxable>::Output> {
    // SAFETY: the head stands for a live `H`, and nothing else refers to it.
    let future = unsafe { future::<H>(pointee) };
    // SAFETY: the head stands for the house until `complete` or `end`.
    let polling = unsafe { Polling::<H>::start(head) };
    let mut broken = None;
    // SAFETY: the head stands for a live `H`, whose future was polled.
    unsafe { after(future.poll(cx, &mut broken), broken, polling, pointee) }
}

/// [`poll_fn`], if the result is [stored by fields](pieces::is_stored_by_fields).
///
/// # Safety
///
/// As [`poll_for_value`].
#[inline]
unsafe fn poll_for_fields<H: House>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<<H::Future as Boxable>::Output> {
    // SAFETY: the head stands for a live `H`, and nothing else refers to it.
    let future = unsafe { future::<H>(pointee) };
    // SAFETY: the head stands for the house until `complete` or `end`.
    let polling = unsafe { Polling::<H>::start(head) };
    let mut broken = None;
    let mut polled = future.poll(cx, &mut broken);
    // SAFETY: the head stands for a live `H`, whose future was polled.
    unsafe { finish(polled.is_ready(), broken, polling, pointee) };
    // SAFETY: what is initialised may be looked at as if it need not be.
    let result = unsafe { &*(&raw const polled).cast::<MaybeUninit<_>>() };
    // SAFETY: it is initialised, and not used again: nothing unwinds before it is overwritten.
    let result = unsafe { pieces::read_fields(result) };
    // Not forgotten: that would move it, and with it a `Box` that has been given away.
    // SAFETY: it is a local.
    unsafe { (&raw mut polled).write(Poll::Pending) };
    result
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

/// [`finish`]. The result is an argument, and so it stays in registers, if it is there.
///
/// # Safety
///
/// As there.
#[inline]
unsafe fn after<H: House, T>(
    polled: Poll<T>,
    broken: Option<Spent>,
    polling: Polling<'_, H>,
    pointee: *mut (),
) -> Poll<T> {
    match polled {
        Poll::Ready(result) => {
            // SAFETY: the caller's.
            unsafe { finish(true, broken, polling, pointee) };
            Poll::Ready(result)
        }
        Poll::Pending => {
            // SAFETY: the caller's.
            unsafe { finish(false, broken, polling, pointee) };
            Poll::Pending
        }
    }
}

/// Gives up the house if its future has completed, or has broken a rule.
///
/// # Safety
///
/// The pointee is a live `H`, and its future has just been polled.
#[inline]
unsafe fn finish<H: House>(
    is_ready: bool,
    broken: Option<Spent>,
    polling: Polling<'_, H>,
    pointee: *mut (),
) {
    let owned = if is_ready {
        polling.complete()
    } else if let Some(spent) = broken {
        polling.end(Head::spent(spent))
    } else {
        return polling.still_pending();
    };
    if pieces::is_copied_by_a_call::<Poll<<H::Future as Boxable>::Output>>() {
        // SAFETY: as below.
        return unsafe { give_up_apart::<H>(pointee, owned) };
    }
    // SAFETY: the head stood for the house, and is spent.
    unsafe { H::give_up(pointee, owned) };
}

/// [`Pointee::give_up`], out of line: beside it, the compiler would write a large result elsewhere first, and copy it.
///
/// # Safety
///
/// As there.
#[inline(never)]
unsafe fn give_up_apart<H: House>(pointee: *mut (), owned: Head) {
    // SAFETY: the caller's.
    unsafe { H::give_up(pointee, owned) };
}
