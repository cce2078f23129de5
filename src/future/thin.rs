//! The thin box: a future of any type behind one word, in one allocation of header and future.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll},
};

use crate::{
    ArmKind,
    erased::{Head, Header, Polling, VTable},
    error::Spent,
};

/// Starts with the header, as every pointee does.
#[repr(C)]
struct Thin<F> {
    header: Header,
    future: F,
}

/// Up to this size a future is boxed by a function of its own. Inlined, the allocation would make
/// the method that boxes on its slow path save registers on its fast one: 2.5 ns for a `u64` that
/// is ready, against 2.2. A larger future is not worth a second copy.
const OUT_OF_LINE: usize = 128;

/// The head of a future that has moved into a thin box.
#[inline]
pub(super) fn allocate<F: Future>(future: F) -> Head {
    #[inline(never)]
    fn out_of_line<F: Future>(future: F) -> Head {
        in_line(future)
    }
    #[inline(always)]
    fn in_line<F: Future>(future: F) -> Head {
        let vtable = const {
            &VTable { poll: poll::<F>, drop: drop_box::<F>, type_name: core::any::type_name::<F> }
        };
        let thin = Box::new(Thin { header: Header::new(vtable), future });
        let pointer = NonNull::new(Box::into_raw(thin)).expect("a box has an address");
        Head::boxed(pointer.cast())
    }
    if const { size_of::<F>() <= OUT_OF_LINE } { out_of_line(future) } else { in_line(future) }
}

/// [`VTable::poll`] of a boxed future.
///
/// # Safety
///
/// As there, where the pointee is a `Thin<F>`.
unsafe fn poll<F: Future>(head: &mut Head, cx: &mut Context<'_>) -> Poll<F::Output> {
    let owned = *head;
    // SAFETY: the head owns a live `Thin<F>`, and nothing else refers to it.
    let future = unsafe { &mut (*owned.pointer::<Thin<F>>()).future };
    // SAFETY: the future stays in its box until it is dropped there.
    let future = unsafe { Pin::new_unchecked(future) };
    // SAFETY: the head owns the box until `end`.
    let polling = unsafe { Polling::start(head, ArmKind::Boxed, drop_box::<F>) };
    let polled = future.poll(cx);
    if polled.is_pending() {
        polling.still_pending();
    } else {
        polling.end(Spent::Completed(Some(ArmKind::Boxed)));
        // SAFETY: the head that owned the box is spent.
        unsafe { drop_box::<F>(owned) };
    }
    polled
}

/// [`VTable::drop`] of a boxed future.
///
/// # Safety
///
/// As there, where the pointee is a `Thin<F>`.
unsafe fn drop_box<F>(head: Head) {
    // SAFETY: the head owns the box, and its caller gave it up.
    drop(unsafe { Box::from_raw(head.pointer::<Thin<F>>()) });
}
