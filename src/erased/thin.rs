//! The thin box: a future of any type behind one word, in one allocation of header and future.

use alloc::boxed::Box;
use core::{
    any,
    future::Future,
    mem::offset_of,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{Head, Header, Pointee, Polling, VTable};
use crate::error::{Site, Spent};

/// What can stand in a thin box: any future, and what we put between a value future and another,
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

/// The pointee, which starts with the header as every pointee does, is the second half of it. So the future
/// is aligned as in a box of its own, where the allocator begins: to clear 1,000 bytes that begin a word
/// later takes 4 ns more.
#[repr(C)]
struct Thin<F> {
    future: F,
    header: Header,
}

impl<F> Thin<F> {
    /// So far behind the beginning of the box is the pointee.
    const POINTEE: usize = offset_of!(Thin<F>, header);

    /// The box, of which this is the pointee.
    #[inline(always)]
    fn of(pointee: *mut ()) -> *mut Self {
        // `wrapping`, as this is no more than the address.
        pointee.wrapping_byte_sub(Self::POINTEE).cast()
    }
}

/// The head of a future that has moved into a thin box.
#[inline]
pub(crate) fn allocate<F: Boxable>(future: F) -> Head {
    let thin = Box::new(Thin { future, header: header::<Thin<F>>() });
    let pointee = Box::into_raw(thin).wrapping_byte_add(Thin::<F>::POINTEE);
    Head::boxed(NonNull::new(pointee.cast()).expect("a box has an address"))
}

/// Where a future lives that a head owns alone: what [`Pointee::give_up`] drops, and gives back.
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
pub(crate) fn header<H: House>() -> Header {
    Header::new(
        const {
            let about = || (H::SITE, <H::Future as Boxable>::type_name());
            &VTable { poll: poll::<H>, drop: H::give_up, about }
        },
    )
}

/// [`VTable::poll`] of a house.
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
    // SAFETY: the head owns a live `H`, and nothing else refers to it.
    let future = unsafe { &mut *H::future(pointee) };
    // SAFETY: the future stays in its house until it is dropped there.
    let future = unsafe { Pin::new_unchecked(future) };
    // SAFETY: the head owns the house until `complete` or `end`.
    let polling = unsafe { Polling::<H>::start(head) };
    let (polled, owned) = match future.poll(cx) {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => (Poll::Ready(value), polling.complete()),
        Poll::Ready(Err(spent)) => (Poll::Pending, polling.end(Head::spent(spent))),
    };
    // SAFETY: the head owned the house, and is spent.
    unsafe { H::give_up(pointee, owned) };
    polled
}

// SAFETY: a box does not move what is in it, and `allocate` puts the future in.
unsafe impl<F: Boxable> House for Thin<F> {
    type Future = F;

    #[inline(always)]
    fn future(pointee: *mut ()) -> *mut F {
        Thin::<F>::of(pointee).cast()
    }
}

impl<F: Boxable> Pointee for Thin<F> {
    const SITE: Site = F::SITE;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: the head owned the box, and its caller gave it up.
        drop(unsafe { Box::from_raw(Thin::<F>::of(pointee)) });
    }
}
