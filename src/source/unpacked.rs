//! A source whose address leaves no room for the token in the head: the reference and the token
//! stand in a box of their own, and the head points to that with all its bits.

use alloc::boxed::Box;
use core::{
    any::type_name,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{SourceReference, ValueSource};
use crate::{
    ArmKind, Token,
    erased::{Head, Header, Pointee, Polling, VTable},
    error::Spent,
};

/// Starts with the header, as every pointee does.
#[repr(C)]
struct Unpacked<R> {
    header: Header,
    reference: R,
    token: Token,
}

pub(super) fn allocate<'a, R: SourceReference<'a>>(reference: R, token: Token) -> Head {
    let vtable = const {
        &VTable { poll: poll::<R>, drop: Unpacked::<R>::give_up, type_name: type_name::<R::Source> }
    };
    let unpacked = Box::new(Unpacked { header: Header::new(vtable), reference, token });
    let pointer = NonNull::new(Box::into_raw(unpacked)).expect("a box has an address");
    Head::boxed(pointer.cast())
}

/// [`VTable::poll`] of an unpacked source.
///
/// # Safety
///
/// As there, where the pointee is an `Unpacked<R>`.
unsafe fn poll<'a, R: SourceReference<'a>>(
    pointee: *mut (),
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<<R::Source as ValueSource>::Output> {
    // SAFETY: the head owns a live `Unpacked<R>`, and nothing else refers to it.
    let unpacked = unsafe { &*pointee.cast::<Unpacked<R>>() };
    // SAFETY: the head owns the box until `complete` or `end`.
    let polling = unsafe { Polling::<Unpacked<R>>::start(head) };
    let polled = match unpacked.reference.poll(unpacked.token, cx) {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => {
            polling.complete();
            Poll::Ready(value)
        }
        Poll::Ready(Err(stale)) => {
            polling.end(Head::spent(Spent::Stale(stale)));
            Poll::Pending
        }
    };
    // SAFETY: the head that owned the box is spent, and `unpacked` is not used again.
    drop(unsafe { Box::from_raw(pointee.cast::<Unpacked<R>>()) });
    polled
}

impl<'a, R: SourceReference<'a>> Pointee for Unpacked<R> {
    const ARM: ArmKind = ArmKind::Source;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: the head owned the box, and its caller gave it up.
        let unpacked = unsafe { Box::from_raw(pointee.cast::<Unpacked<R>>()) };
        unpacked.reference.abandon(unpacked.token);
    }
}
