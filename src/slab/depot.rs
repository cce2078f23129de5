//! The depot of a slab: its pages, and the vacant slots that are in no magazine.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::pages::CachedSlots;
use super::{
    item::Item,
    pages::{Counts, EmptyPage, Pages, RemovedPage},
    reference::{AllVacant, Closed, Counted, SlabAddress},
    storage::Storage,
};
use crate::slot::Vacant;

/// The pages of a slab. Its methods take the storage of the same slab.
pub(crate) struct Depot<S: Item> {
    pages: Pages<S>,
    first_generation: u32,
    /// The number of reserved slots. They are not freed before a trim.
    pub(super) reserved: u32,
}

/// The empty pages that a slab keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    None,
    /// Those whose slots are reserved.
    Reserved,
    /// Those too that will probably be used: at least as many slots as are in use, and as many as [are retained](Item::retained). A
    /// closed slab keeps none.
    Useful,
}

/// The slots that a slab can do without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spare {
    /// The number of slots in empty pages that are not reserved.
    pub(super) idle: u32,
    /// The number of slots in use beyond one for each page. If more cached slots than that move to the depot, each of them
    /// beyond this number empties a page.
    pub(super) excess: u32,
}

impl<S: Item> Depot<S> {
    pub(super) fn new(slab: SlabAddress, first_generation: u32) -> Self {
        Depot { pages: Pages::new(slab), first_generation, reserved: 0 }
    }

    pub(super) fn counts(&self) -> Counts {
        self.pages.counts()
    }

    /// Returns the number of slots that are neither vacant in the depot nor retired.
    pub(super) fn in_use(&self) -> u32 {
        self.counts().in_use()
    }

    /// Adds a new page.
    pub(super) fn add(&mut self, page: EmptyPage<S>) {
        self.pages.add(page);
    }

    /// Takes a vacant slot. `new` is the number of slots that may be initialized for the caller.
    pub(super) fn take(&mut self, new: &mut u32) -> Option<Vacant<S>> {
        self.pages.take(new, self.first_generation)
    }

    /// Takes a slot back.
    pub(super) fn release(&mut self, storage: &Storage<S>, slot: Vacant<S>) {
        self.pages.release(slot, &storage.directory, storage.layout());
    }

    /// Takes a slot back that has used all its generations.
    pub(super) fn retire(&mut self, slot: Vacant<S>) {
        self.pages.retire(slot);
    }

    /// Takes slots back that stay in thread caches from which the slab has detached.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) fn retire_cached(&mut self, slots: CachedSlots) {
        self.pages.retire_cached(slots);
    }

    /// Notes that the slab is closed.
    pub(super) fn close<L: Counted<Slot = S>>(&mut self, closed: &Closed<L>) {
        self.pages.close(closed);
    }

    /// Returns the proof that all slots are vacant or retired, if they are and the slab is closed.
    pub(super) fn all_vacant(&self) -> Option<AllVacant> {
        self.pages.all_vacant()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pages.is_closed()
    }

    /// Returns `true` if there is an empty page that may be freed.
    pub(super) fn has_surplus(&self, storage: &Storage<S>, keep: Keep) -> bool {
        let Some(page) = self.pages.first_empty() else { return false };
        let keep = if self.is_closed() { Keep::None } else { keep };
        let kept = match keep {
            Keep::None => 0,
            Keep::Reserved => self.reserved,
            Keep::Useful => {
                let useful = self.in_use().saturating_mul(2);
                useful.max(self.reserved).max(S::retained(storage.shape()))
            }
        };
        self.counts().capacity - page >= kept
    }

    /// Removes an empty page that may be freed.
    pub(super) fn remove_surplus(
        &mut self,
        storage: &Storage<S>,
        keep: Keep,
    ) -> Option<RemovedPage<S>> {
        if !self.has_surplus(storage, keep) {
            return None;
        }
        self.pages.remove_empty()
    }

    /// Returns the slots whose memory other slabs may get.
    pub(super) fn spare(&self, storage: &Storage<S>) -> Spare {
        let Counts { capacity, idle, occupied, .. } = self.counts();
        if self.reserved == 0 {
            return Spare { idle, excess: self.in_use().saturating_sub(occupied) };
        }
        // Whole pages, and none that would have to be moved from caches.
        let unreserved = capacity.saturating_sub(self.reserved);
        let page = storage.shape().slots();
        Spare { idle: idle.min(unreserved - unreserved % page), excess: u32::MAX }
    }
}
