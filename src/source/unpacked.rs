//! A source whose address leaves no room for the token in the head: the reference and the token
//! stand in a box of their own, and the head points to that with all its bits.

use alloc::boxed::Box;
use core::{
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{SourceReference, ValueSource};
use crate::{
    ArmKind, Token,
    erased::{Head, Header, Polling, VTable},
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
        &VTable {
            poll: poll::<R>,
            drop: abandon::<R>,
            type_name: core::any::type_name::<R::Source>,
        }
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
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<<R::Source as ValueSource>::Output> {
    let pointer: *mut Unpacked<R> = head.pointer();
    // SAFETY: the head points to a live `Unpacked<R>`, which nothing else refers to.
    let unpacked = unsafe { &*pointer };
    // SAFETY: the operation is live and the head owns the box; both are so until `end`.
    let polling = unsafe { Polling::start(head, ArmKind::Source, abandon::<R>) };
    let polled = match unpacked.reference.poll(unpacked.token, cx) {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => {
            polling.end(Spent::Completed(Some(ArmKind::Source)));
            Poll::Ready(value)
        }
        Poll::Ready(Err(stale)) => {
            polling.end(Spent::Stale(stale));
            Poll::Pending
        }
    };
    // SAFETY: the head that owned the box is spent, and `unpacked` is not used again.
    drop(unsafe { Box::from_raw(pointer) });
    polled
}

/// [`VTable::drop`] of an unpacked source.
///
/// # Safety
///
/// As there, where the pointee is an `Unpacked<R>`.
unsafe fn abandon<'a, R: SourceReference<'a>>(head: Head) {
    // SAFETY: the head owns the box, and its caller gave it up.
    let unpacked = unsafe { Box::from_raw(head.pointer::<Unpacked<R>>()) };
    unpacked.reference.abandon(unpacked.token);
}
