//! The thin box: a future of any type behind one word, in one allocation of header and future.

use alloc::boxed::Box;
use core::{
    any,
    future::Future,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{Head, Header, Pointee, Polling, VTable};
use crate::{ArmKind, error::Spent};

/// What can stand in a thin box: any future, and what we put between a value future and another,
/// which passes on the rule that was broken in there instead of a result.
pub(crate) trait Boxable {
    type Output;

    /// The arm that messages name.
    const ARM: ArmKind = ArmKind::Boxed;

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

/// Starts with the header, as every pointee does.
#[repr(C)]
struct Thin<F> {
    header: Header,
    future: F,
}

/// The head of a future that has moved into a thin box.
#[inline]
pub(crate) fn allocate<F: Boxable>(future: F) -> Head {
    let vtable =
        const { &VTable { poll: poll::<F>, drop: Thin::<F>::give_up, type_name: F::type_name } };
    let thin = Box::new(Thin { header: Header::new(vtable), future });
    let pointer = NonNull::new(Box::into_raw(thin)).expect("a box has an address");
    Head::boxed(pointer.cast())
}

/// [`VTable::poll`] of a thin box.
///
/// # Safety
///
/// As there, where the pointee is a `Thin<F>`.
unsafe fn poll<F: Boxable>(
    _: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<F::Output> {
    // SAFETY: the head owns a live `Thin<F>`, and nothing else refers to it.
    let future = unsafe { &mut (*pointee.cast::<Thin<F>>()).future };
    // SAFETY: the future stays in its box until it is dropped there.
    let future = unsafe { Pin::new_unchecked(future) };
    // SAFETY: the head owns the box until `complete` or `end`.
    let polling = unsafe { Polling::<Thin<F>>::start(head) };
    let (polled, owned) = match future.poll(cx) {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => (Poll::Ready(value), polling.complete()),
        Poll::Ready(Err(spent)) => (Poll::Pending, polling.end(Head::spent(spent))),
    };
    // SAFETY: the head owned the box, and is spent.
    unsafe { Thin::<F>::give_up(pointee, owned) };
    polled
}

impl<F: Boxable> Pointee for Thin<F> {
    const ARM: ArmKind = F::ARM;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: the head owned the box, and its caller gave it up.
        drop(unsafe { Box::from_raw(pointee.cast::<Thin<F>>()) });
    }
}
