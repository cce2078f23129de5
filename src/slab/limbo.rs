//! Slabs that were closed while slots were out: under one lock, so that a slab is freed once.

use alloc::{boxed::Box, vec::Vec};
use core::ptr::NonNull;

use super::{list::Linked, shared::SharedSlab, threads::lock};
use crate::sync::Mutex;

/// A closed slab that has slots out, or had when it was last looked at.
#[derive(Clone, Copy)]
struct Closed {
    slab: NonNull<()>,
    /// Frees the slab if all its slots are back, and tells whether it did.
    ///
    /// # Safety
    ///
    /// `slab` was closed. Limbo is locked, and does not hold it afterwards if it was freed.
    free_if_empty: unsafe fn(NonNull<()>) -> bool,
}

// SAFETY: a slab may be freed by any thread: what its slots held was dropped when they came back.
unsafe impl Send for Closed {}

struct Limbo {
    closed: Vec<Closed>,
    /// Where to look next.
    next: usize,
}

/// Whoever looks for slabs that have become empty looks at so many, so that many which are kept by
/// something forgotten do not slow down everybody who comes by.
const AT_ONCE: usize = 8;

#[cfg(not(loom))]
static LIMBO: Mutex<Limbo> = Mutex::new(Limbo::new());
#[cfg(loom)]
crate::sync::model_static! {
    static LIMBO: Mutex<Limbo> = Mutex::new(Limbo::new());
}

/// For threads that come here at their end only, when it is too late for a model to begin it.
#[cfg(loom)]
pub(crate) fn begin() {
    let _: &Mutex<_> = &LIMBO;
}

/// # Safety
///
/// As [`Closed::free_if_empty`]; the slab is a `SharedSlab<S>`.
unsafe fn free_if_empty<S: Linked>(slab: NonNull<()>) -> bool {
    let slab = slab.cast::<SharedSlab<S>>();
    // SAFETY: a slab is freed here only, and the caller has it.
    let empty = unsafe { slab.as_ref() }.is_empty();
    if empty {
        // SAFETY: it is from `Box::into_raw`; nobody has a handle, and as all returns are counted,
        // nobody will touch it again.
        drop(unsafe { Box::from_raw(slab.as_ptr()) });
    }
    empty
}

/// Closes a slab that has lost its last handle, by `close`, and frees it if nothing is out.
pub(crate) fn close<S: Linked>(slab: NonNull<SharedSlab<S>>, close: impl FnOnce(&SharedSlab<S>)) {
    let mut limbo = lock(&LIMBO);
    // SAFETY: nobody frees a slab that is not in limbo.
    close(unsafe { slab.as_ref() });
    limbo.sweep();
    // SAFETY: it is closed, and not in limbo.
    if !unsafe { free_if_empty::<S>(slab.cast()) } {
        limbo.closed.push(Closed { slab: slab.cast(), free_if_empty: free_if_empty::<S> });
    }
}

/// Takes a slot back to a closed slab, and frees that if it was the last.
///
/// # Safety
///
/// As [`Slab::put`](super::Slab::put).
pub(crate) unsafe fn put<S: Linked>(slab: NonNull<SharedSlab<S>>, slot: NonNull<S>) {
    let mut limbo = lock(&LIMBO);
    // SAFETY: a slot is out until it is counted, so the slab was not freed.
    let closed = unsafe { slab.as_ref() };
    // SAFETY: the caller's.
    unsafe { closed.put_late(slot) };
    let at = limbo.closed.iter().position(|closed| closed.slab == slab.cast());
    let at = at.expect("a closed slab is in limbo");
    // SAFETY: it is in limbo, and is taken out if it was freed.
    if unsafe { free_if_empty::<S>(slab.cast()) } {
        limbo.closed.swap_remove(at);
    }
}

/// Frees what has become empty without that somebody noticed.
pub(crate) fn sweep() {
    lock(&LIMBO).sweep();
}

impl Limbo {
    const fn new() -> Self {
        Limbo { closed: Vec::new(), next: 0 }
    }

    fn sweep(&mut self) {
        for _ in 0..AT_ONCE.min(self.closed.len()) {
            self.next = if self.next < self.closed.len() { self.next } else { 0 };
            let Closed { slab, free_if_empty } = self.closed[self.next];
            // SAFETY: it is in limbo, and is taken out if it was freed.
            if unsafe { free_if_empty(slab) } {
                self.closed.swap_remove(self.next);
            } else {
                self.next += 1;
            }
        }
    }
}
