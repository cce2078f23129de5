//! A table of recently used values, by the addresses of slabs.

use core::{
    cell::Cell,
    ptr::{self, NonNull},
};

/// A direct-mapped table of pointers to recently used values.
pub(super) struct Recent<N>([Place<N>; PLACES]);

/// The slab is null in a vacant place.
struct Place<N> {
    slab: Cell<*mut ()>,
    value: Cell<NonNull<N>>,
}

impl<N> Place<N> {
    const fn new() -> Self {
        Place { slab: Cell::new(ptr::null_mut()), value: Cell::new(NonNull::dangling()) }
    }
}

const PLACES: usize = if cfg!(loom) { 2 } else { 32 };

impl<N> Recent<N> {
    pub(super) const fn new() -> Self {
        Recent([const { Place::new() }; PLACES])
    }

    #[inline(always)]
    fn place(&self, slab: NonNull<()>) -> &Place<N> {
        // Fibonacci hashing: the distances between slabs are often equal.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half has enough of the address"
        )]
        let hash = (slab.addr().get() as u32).wrapping_mul(0x9E37_79B9);
        &self.0[(hash >> (u32::BITS - PLACES.ilog2())) as usize]
    }

    /// Returns the value that was inserted for this slab, unless it was replaced.
    #[inline(always)]
    pub(super) fn get(&self, slab: NonNull<()>) -> Option<NonNull<N>> {
        let place = self.place(slab);
        (place.slab.get() == slab.as_ptr()).then(|| place.value.get())
    }

    pub(super) fn insert(&self, slab: NonNull<()>, value: NonNull<N>) {
        let place = self.place(slab);
        place.slab.set(slab.as_ptr());
        place.value.set(value);
    }

    pub(super) fn remove(&self, slab: NonNull<()>) {
        if self.get(slab).is_some() {
            self.place(slab).slab.set(ptr::null_mut());
        }
    }
}
