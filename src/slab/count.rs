//! Counts of references and handles.

use core::cell::Cell;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};

mod sealed {
    /// Unsafe code relies on the methods of [`Count`](super::Count). Because of this trait, only the types of this file implement it.
    pub(crate) trait Sealed {}
}

/// A count of references or handles.
pub(crate) trait Count: sealed::Sealed {
    fn new(count: usize) -> Self;

    /// Adds 1. The caller guarantees that the count is not 0 at any time during this call.
    fn add(&self);

    /// Subtracts 1. Returns `true` if the count is then 0.
    fn subtract(&self) -> bool;

    /// Makes a loom model fail, unless every access of another thread to this count happens-before this call.
    #[cfg(loom)]
    fn touch(&mut self);
}

impl sealed::Sealed for Cell<usize> {}

impl Count for Cell<usize> {
    fn new(count: usize) -> Self {
        Cell::new(count)
    }

    #[inline]
    fn add(&self) {
        self.set(self.get().checked_add(1).expect("too many handles"));
    }

    #[inline]
    fn subtract(&self) -> bool {
        let left = self.get() - 1;
        self.set(left);
        left == 0
    }

    #[cfg(loom)]
    fn touch(&mut self) {}
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl sealed::Sealed for AtomicUsize {}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Count for AtomicUsize {
    fn new(count: usize) -> Self {
        AtomicUsize::new(count)
    }

    #[inline]
    fn add(&self) {
        // ORDERING: Relaxed: the caller guarantees that the count does not become 0 meanwhile.
        let before = self.fetch_add(1, Relaxed);
        // As in `Arc`, the process aborts. Otherwise, leaked handles (`mem::forget`) could make the count wrap around.
        if before > usize::MAX / 2 {
            std::process::abort();
        }
    }

    #[inline]
    fn subtract(&self) -> bool {
        // ORDERING: AcqRel, with the other calls of this function: everything that other threads did to the slab before they subtracted is
        // visible to the thread that subtracts last.
        self.fetch_sub(1, AcqRel) == 1
    }

    #[cfg(loom)]
    fn touch(&mut self) {
        self.with_mut(|_| ());
    }
}
