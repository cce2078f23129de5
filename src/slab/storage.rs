//! The storage of a slab. It creates and frees pages, and counts their memory.

use super::{
    budget::Room,
    item::{Item, Shape},
    pages::{Directory, EmptyPage, RemovedPage},
    reference::{OpenSlab, SlabAddress},
};
use crate::slot::{IndexLayout, Word};

/// The maximum number of slots of a slab. It is slightly less than 2³¹, because an index has 31 bits.
pub(super) const MAX: u32 = (1 << 31) - 512;

/// The storage of up to `limit` slots.
pub(crate) struct Storage<S: Item> {
    slab: SlabAddress<S::Slab>,
    shape: Shape<S>,
    /// The maximum number of slots.
    limit: u32,
    /// The memory of the pages, in bytes. The memory of a page is added after its slots are in the depot, and subtracted after it was
    /// freed.
    bytes: S::Word,
    pub(super) directory: Directory<S>,
}

impl<S: Item> Storage<S> {
    pub(super) fn new(slab: SlabAddress<S::Slab>, table: &S::Table, limit: u32) -> Self {
        assert!(limit <= MAX);
        let (shape, bytes) = (S::shape(table), S::Word::new(0));
        Storage { slab, shape, limit, bytes, directory: Directory::new() }
    }

    /// Returns the address of the slab.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) fn slab(&self) -> SlabAddress<S::Slab> {
        self.slab
    }

    pub(super) fn shape(&self) -> Shape<S> {
        self.shape
    }

    /// Returns how the index of a key is divided between the slot and the epoch.
    pub(super) fn layout(&self) -> IndexLayout {
        IndexLayout::of(self.limit)
    }

    /// Returns the memory of a page with `slots` slots, in bytes.
    pub(super) fn bytes_of(&self, slots: u32) -> usize {
        self.shape().layout(slots).size()
    }

    /// Returns the least memory of pages that together have `slots` slots, in bytes.
    pub(super) fn bytes_of_pages(&self, slots: u32) -> usize {
        let pages = slots.div_ceil(self.shape.slots()) as usize;
        slots as usize * self.shape.size() + pages * self.bytes_of(0)
    }

    /// Returns the memory of all pages, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        // Another thread may free a new page before the thread that added the page has counted it. Then the sum is negative for a moment,
        // and 0 is returned.
        isize::try_from(self.bytes.load()).map_or(0, isize::unsigned_abs)
    }

    /// Counts the memory of a new page with `slots` slots. The page was already added to the depot.
    pub(super) fn charge(&self, slots: u32) {
        self.bytes.add_and_publish(self.bytes_of(slots) as u64);
    }

    /// Returns how many slots the next page can have, if the slab has `capacity` slots. This number is bounded by the size of a whole page,
    /// by the limit of the slab, and by the room.
    pub(super) fn slots_of_next(&self, capacity: u32, room: impl Room) -> u32 {
        let slots = self.shape.slots().min(self.limit.saturating_sub(capacity));
        if slots == 0 {
            return 0;
        }
        let bytes = room.provide(self.bytes_of(1), self.bytes_of(slots));
        let within = bytes.saturating_sub(self.bytes_of(0)) / self.shape.size();
        u32::try_from(within).unwrap_or(u32::MAX).min(slots)
    }

    /// Allocates the next page of a slab with `capacity` slots. The page has `slots` slots. One thread at a time calls this function.
    /// Returns the page, and the number of allocations that this call has made.
    pub(super) fn allocate(&self, capacity: u32, slots: u32) -> (EmptyPage<S>, u64) {
        let page = EmptyPage::allocate(self.slab, self.shape(), capacity, slots);
        let parts = S::INDEXED && self.directory.add(&page);
        (page, 1 + u64::from(parts))
    }

    /// Frees a page.
    pub(super) fn free(&self, page: RemovedPage<S>) {
        let bytes = self.bytes_of(page.len());
        page.free();
        self.bytes.add_and_publish((bytes as u64).wrapping_neg());
    }

    /// Returns how many times slots were rented, and how many slots were rented at least once. `first` is the generation of the first
    /// operation of each slot. Returns `None` if slots do not count their uses.
    pub(super) fn uses(&self, slab: OpenSlab<'_, S::Slab>, first: u32) -> Option<(u64, u64)> {
        let layout = self.layout();
        S::INDEXED.then(|| {
            self.directory.iter(slab).fold((0, 0), |(rents, slots), slot| {
                let of_slot = slot.uses(layout, first);
                (rents + of_slot, slots + u64::from(of_slot > 0))
            })
        })
    }
}

#[cfg(loom)]
impl<S: Item> Drop for Storage<S> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.bytes.touch();
        }
    }
}
