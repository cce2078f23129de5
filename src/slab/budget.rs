//! A bound on the memory of several slabs together.
//!
//! There is no common counter. Each slab counts the bytes of its own pages. A slab that needs a page is given a [`Room`], which adds up the
//! counters of all slabs. Pages are added only under the lock of the [`Budget`], so no new page is missing in the sum. Pages are freed
//! without this lock. Meanwhile, the sum may be too high, but it is never too low. A slab that frees a page changes only its own counter.
//! So the slab does not refer to the budget, and may outlive it.

use core::cell::Cell;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{AtomicUsize, Mutex, Ordering::Relaxed, lock};

/// The room of a slab: the memory that it may allocate for pages.
pub(crate) trait Room: Copy {
    /// Returns a guard. While the guard exists, no other thread allocates a page that counts against the same [`Budget`].
    fn lock(self) -> impl Sized;

    /// Returns `true` if [`provide`](Room::provide) would probably return at least `bytes`. Takes no lock.
    fn has(self, bytes: usize) -> bool;

    /// Returns the number of bytes that a new page may take. If fewer than `wanted` bytes are available, first frees empty pages of other
    /// slabs. But if this cannot make `least` bytes available, frees nothing. The caller has the guard that [`lock`](Room::lock) returns.
    fn provide(self, least: usize, wanted: usize) -> usize;
}

/// The room of a slab whose only bound is the number of its slots.
#[derive(Clone, Copy)]
pub(crate) struct Unlimited;

impl Room for Unlimited {
    fn lock(self) -> impl Sized {}

    fn has(self, _: usize) -> bool {
        true
    }

    fn provide(self, _: usize, _: usize) -> usize {
        usize::MAX
    }
}

/// The maximum number of bytes that several slabs may take together, and the lock for their growth.
pub(crate) trait Budget {
    /// Returns a guard. While the guard exists, no other thread adds a page to one of the slabs, or changes the maximum.
    fn lock(&self) -> impl Sized;

    fn max(&self) -> usize;

    fn set_max(&self, bytes: usize);
}

pub(crate) struct LocalBudget(Cell<usize>);

impl LocalBudget {
    pub(crate) const fn new(max: usize) -> Self {
        LocalBudget(Cell::new(max))
    }
}

impl Budget for LocalBudget {
    fn lock(&self) -> impl Sized {}

    fn max(&self) -> usize {
        self.0.get()
    }

    fn set_max(&self, bytes: usize) {
        self.0.set(bytes);
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) struct SharedBudget {
    max: AtomicUsize,
    growing: Mutex<()>,
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl SharedBudget {
    crate::sync::const_unless_loom! {
        pub(crate) fn new(max: usize) -> Self {
            SharedBudget { max: AtomicUsize::new(max), growing: Mutex::new(()) }
        }
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Budget for SharedBudget {
    fn lock(&self) -> impl Sized {
        lock(&self.growing)
    }

    fn max(&self) -> usize {
        // ORDERING: Relaxed: a thread that grows a slab holds the lock, and the maximum only changes under this lock. Other threads use the
        // maximum only as a hint.
        self.max.load(Relaxed)
    }

    fn set_max(&self, bytes: usize) {
        let _growing = self.lock();
        // ORDERING: Relaxed: the lock orders this store with every growth of a slab.
        self.max.store(bytes, Relaxed);
    }
}
