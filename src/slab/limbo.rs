//! Slabs that were closed while slots were out: under one lock, so that a slab is freed once.

use alloc::{boxed::Box, vec::Vec};
use core::ptr::NonNull;

use super::{list::Linked, shared::SharedSlab, threads::lock};
use crate::sync::{Mutex, MutexGuard};

/// A closed slab that has slots out, or had when it was last looked at.
struct Closed {
    slab: NonNull<()>,
    /// Frees the slab if all its slots are back, and tells whether it did.
    ///
    /// # Safety
    ///
    /// `slab` is in limbo, which is locked, and is taken out of it if it was freed.
    free_if_empty: unsafe fn(NonNull<()>) -> bool,
}

// SAFETY: a slab may be freed by any thread: what its slots held was dropped when they came back.
unsafe impl Send for Closed {}

#[cfg(not(loom))]
static LIMBO: Mutex<Vec<Closed>> = Mutex::new(Vec::new());
#[cfg(loom)]
crate::sync::model_static! {
    static LIMBO: Mutex<Vec<Closed>> = Mutex::new(Vec::new());
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
    // SAFETY: a slab in limbo was not freed.
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
    limbo.push(Closed { slab: slab.cast(), free_if_empty: free_if_empty::<S> });
    sweep_locked(&mut limbo);
}

/// Counts a return to a closed slab, and frees it if it was the last.
///
/// # Safety
///
/// The slot that is returned was out.
pub(crate) unsafe fn put<S: Linked>(slab: NonNull<SharedSlab<S>>) {
    let mut limbo = lock(&LIMBO);
    // SAFETY: a slot is out until it is counted, so the slab was not freed.
    unsafe { slab.as_ref() }.count_late();
    let at = limbo.iter().position(|closed| closed.slab == slab.cast());
    let at = at.expect("a closed slab is in limbo");
    // SAFETY: it is in limbo, and is taken out if it was freed.
    if unsafe { free_if_empty::<S>(slab.cast()) } {
        limbo.swap_remove(at);
    }
}

/// Frees what has become empty without that somebody noticed.
pub(crate) fn sweep() {
    sweep_locked(&mut lock(&LIMBO));
}

fn sweep_locked(limbo: &mut MutexGuard<'_, Vec<Closed>>) {
    // SAFETY: it is in limbo, and is taken out if it was freed.
    limbo.retain(|closed| !unsafe { (closed.free_if_empty)(closed.slab) });
}
