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

/// The depot of a slab. An argument `storage` of its methods is the storage of the same slab.
pub(super) struct Depot<S: Item> {
    pages: Pages<S>,
    first_generation: u32,
    /// The capacity that calls of `reserve` have reserved, in slots, including the slots in use. Until a trim, an open slab frees no page
    /// that it needs for this capacity.
    pub(super) reserved: u32,
}

/// The empty pages that a slab keeps when it frees the other empty pages. A closed slab keeps no page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    None,
    /// As many empty pages as the reserved slots need.
    Reserved,
    /// In addition, the empty pages that will probably be used. The depot keeps at least as many vacant slots as are in use or in caches.
    /// The slab keeps at least the capacity that [`Item::retained`] returns.
    Useful,
}

/// Two numbers that say how much memory a slab can free for other slabs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spare {
    /// The number of slots in empty pages that are not needed for the reserved slots.
    pub(super) idle: u32,
    /// The number of slots in use or in caches, minus the number of pages that have such a slot. If `excess + n` cached slots move to the
    /// depot, at least `n` pages become empty. `u32::MAX` if slots are reserved.
    pub(super) excess: u32,
}

impl<S: Item> Depot<S> {
    pub(super) fn new(slab: SlabAddress<S::Slab>, first_generation: u32) -> Self {
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

    /// Takes a vacant slot. `new` is the number of slots that may still be initialized for the caller. A call that initializes a slot
    /// subtracts 1.
    pub(super) fn take(&mut self, new: &mut u32) -> Option<Vacant<S>> {
        self.pages.take(new, self.first_generation)
    }

    /// Takes a slot back. The slot becomes vacant in its page.
    pub(super) fn release(&mut self, storage: &Storage<S>, slot: Vacant<S>) {
        self.pages.release(slot, &storage.directory, storage.layout());
    }

    /// Takes back a slot that has used all its generations and epochs. It is not rented again.
    pub(super) fn retire(&mut self, slot: Vacant<S>) {
        self.pages.retire(slot);
    }

    /// Counts slots in thread caches as retired, because the slab has detached from these caches.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) fn retire_cached(&mut self, slots: CachedSlots) {
        self.pages.retire_cached(slots);
    }

    /// Marks the pages as those of a closed slab.
    pub(super) fn close<L: Counted<Slot = S>>(&mut self, closed: &Closed<L>) {
        self.pages.close(closed);
    }

    /// If the slab is closed, and all its slots are vacant or retired, returns an [`AllVacant`] as the proof.
    pub(super) fn all_vacant(&self) -> Option<AllVacant> {
        self.pages.all_vacant()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.pages.is_closed()
    }

    /// Returns `true` if there is an empty page that may be freed, because it is not one of the pages that `keep` describes.
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

    /// Removes an empty page that may be freed, if there is [one](Depot::has_surplus).
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

    /// Returns the two numbers of [`Spare`].
    pub(super) fn spare(&self, storage: &Storage<S>) -> Spare {
        let Counts { capacity, idle, occupied, .. } = self.counts();
        if self.reserved == 0 {
            return Spare { idle, excess: self.in_use().saturating_sub(occupied) };
        }
        // If slots are reserved, only pages that are already empty are spare. `excess` is `u32::MAX`, which is greater than the number of
        // cached slots of any slab. So no cached slots are moved to make more pages empty.
        let unreserved = capacity.saturating_sub(self.reserved);
        let page = storage.shape().slots();
        Spare { idle: idle.min(unreserved - unreserved % page), excess: u32::MAX }
    }
}
