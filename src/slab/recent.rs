//! A direct-mapped table of recently used objects, by the addresses of their slabs.

use core::{
    cell::Cell,
    ptr::{self, NonNull},
};

/// The table. Each object is in the place that the address of its slab has.
pub(super) struct Recent<X>([Place<X>; PLACES]);

/// A slab and its object. The slab is null in a vacant place.
struct Place<X> {
    slab: Cell<*mut ()>,
    object: Cell<NonNull<X>>,
}

const PLACES: usize = if cfg!(loom) { 2 } else { 32 };

impl<X> Place<X> {
    const VACANT: Self =
        Place { slab: Cell::new(ptr::null_mut()), object: Cell::new(NonNull::dangling()) };
}

impl<X> Recent<X> {
    pub(super) const fn new() -> Self {
        Recent([const { Place::VACANT }; PLACES])
    }

    /// Returns the object of a slab, if the table has it.
    #[inline(always)]
    pub(super) fn get(&self, slab: NonNull<()>) -> Option<NonNull<X>> {
        let place = self.place(slab);
        (place.slab.get() == slab.as_ptr()).then(|| place.object.get())
    }

    /// Inserts the object of a slab, and removes the one that was in its place.
    pub(super) fn insert(&self, slab: NonNull<()>, object: NonNull<X>) {
        let place = self.place(slab);
        place.slab.set(slab.as_ptr());
        place.object.set(object);
    }

    /// Removes the object of a slab, if the table has it.
    pub(super) fn remove(&self, slab: NonNull<()>) {
        let place = self.place(slab);
        if place.slab.get() == slab.as_ptr() {
            place.slab.set(ptr::null_mut());
        }
    }

    #[inline(always)]
    fn place(&self, slab: NonNull<()>) -> &Place<X> {
        // Fibonacci hashing: the distances between slabs are often equal.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half has enough of the address"
        )]
        let hash = (slab.addr().get() as u32).wrapping_mul(0x9E37_79B9);
        &self.0[(hash >> (u32::BITS - PLACES.ilog2())) as usize]
    }
}
