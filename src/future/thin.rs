//! The thin box: a future of any type behind one word, in one allocation of header and future.

use alloc::boxed::Box;
use core::{
    any::type_name,
    future::Future,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll},
};

use crate::{
    ArmKind,
    erased::{Head, Header, Pointee, Polling, VTable},
};

/// Starts with the header, as every pointee does.
#[repr(C)]
struct Thin<F> {
    header: Header,
    future: F,
}

/// The head of a future that has moved into a thin box.
#[inline]
pub(super) fn allocate<F: Future>(future: F) -> Head {
    let vtable =
        const { &VTable { poll: poll::<F>, drop: Thin::<F>::give_up, type_name: type_name::<F> } };
    let thin = Box::new(Thin { header: Header::new(vtable), future });
    let pointer = NonNull::new(Box::into_raw(thin)).expect("a box has an address");
    Head::boxed(pointer.cast())
}

/// [`VTable::poll`] of a boxed future.
///
/// # Safety
///
/// As there, where the pointee is a `Thin<F>`.
unsafe fn poll<F: Future>(
    pointee: *mut (),
    head: &mut Head,
    cx: &mut Context<'_>,
) -> Poll<F::Output> {
    // SAFETY: the head owns a live `Thin<F>`, and nothing else refers to it.
    let future = unsafe { &mut (*pointee.cast::<Thin<F>>()).future };
    // SAFETY: the future stays in its box until it is dropped there.
    let future = unsafe { Pin::new_unchecked(future) };
    // SAFETY: the head owns the box until `complete`.
    let polling = unsafe { Polling::<Thin<F>>::start(head) };
    let Poll::Ready(value) = future.poll(cx) else {
        polling.still_pending();
        return Poll::Pending;
    };
    let owned = polling.complete();
    // SAFETY: the head owned the box, and is spent.
    unsafe { Thin::<F>::give_up(pointee, owned) };
    Poll::Ready(value)
}

impl<F> Pointee for Thin<F> {
    const ARM: ArmKind = ArmKind::Boxed;

    unsafe fn give_up(pointee: *mut (), _: Head) {
        // SAFETY: the head owned the box, and its caller gave it up.
        drop(unsafe { Box::from_raw(pointee.cast::<Thin<F>>()) });
    }
}
