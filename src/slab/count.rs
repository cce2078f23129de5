//! Counts of references and handles.

use core::cell::Cell;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{
    AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};

/// A number of references or handles.
pub(crate) trait Count {
    fn new(count: usize) -> Self;

    /// Adds one. The caller has one, which it does not drop meanwhile.
    fn add(&self);

    /// Subtracts one. Returns `true` if it was the last.
    fn subtract(&self) -> bool;

    /// Makes a loom model fail if an access did not happen before.
    #[cfg(loom)]
    fn touch(&mut self);
}

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
impl Count for AtomicUsize {
    fn new(count: usize) -> Self {
        AtomicUsize::new(count)
    }

    #[inline]
    fn add(&self) {
        // ORDERING: Relaxed: the caller has one.
        let before = self.fetch_add(1, Relaxed);
        // As in `Arc`: forgotten handles must not make the count wrap.
        if before > usize::MAX / 2 {
            std::process::abort();
        }
    }

    #[inline]
    fn subtract(&self) -> bool {
        // ORDERING: AcqRel, with itself: everything that other threads did to the slab before they subtracted is visible.
        self.fetch_sub(1, AcqRel) == 1
    }

    #[cfg(loom)]
    fn touch(&mut self) {
        self.with_mut(|_| ());
    }
}
