//! A table of recently used values. A value is found by the address of a slab.

use core::{
    cell::Cell,
    ptr::{self, NonNull},
};

/// A table of pointers to recently used values. The value for a slab has only one possible entry, so it may replace the value for another
/// slab.
pub(super) struct Recent<N>([Entry<N>; ENTRIES]);

/// An entry of the table. In a vacant entry, `slab` is null.
struct Entry<N> {
    slab: Cell<*mut ()>,
    value: Cell<NonNull<N>>,
}

impl<N> Entry<N> {
    const fn new() -> Self {
        Entry { slab: Cell::new(ptr::null_mut()), value: Cell::new(NonNull::dangling()) }
    }
}

const ENTRIES: usize = if cfg!(loom) { 2 } else { 32 };

impl<N> Recent<N> {
    pub(super) const fn new() -> Self {
        Recent([const { Entry::new() }; ENTRIES])
    }

    #[inline(always)]
    fn entry(&self, slab: NonNull<()>) -> &Entry<N> {
        // Fibonacci hashing, because the distances between the addresses of slabs are often equal.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half of the address is enough for the hash"
        )]
        let hash = (slab.addr().get() as u32).wrapping_mul(0x9E37_79B9);
        &self.0[(hash >> (u32::BITS - ENTRIES.ilog2())) as usize]
    }

    /// Returns the value that was inserted for this slab, unless it was removed or replaced.
    #[inline(always)]
    pub(super) fn get(&self, slab: NonNull<()>) -> Option<NonNull<N>> {
        let entry = self.entry(slab);
        (entry.slab.get() == slab.as_ptr()).then(|| entry.value.get())
    }

    pub(super) fn insert(&self, slab: NonNull<()>, value: NonNull<N>) {
        let entry = self.entry(slab);
        entry.slab.set(slab.as_ptr());
        entry.value.set(value);
    }

    pub(super) fn remove(&self, slab: NonNull<()>) {
        if self.get(slab).is_some() {
            self.entry(slab).slab.set(ptr::null_mut());
        }
    }
}
