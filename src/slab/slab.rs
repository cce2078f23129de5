//! The trait of slabs, and the code by which all slabs grow and free memory.

use core::ptr;

use super::{
    base::{Base, Settings},
    budget::{Room, Unlimited},
    depot::{Depot, Keep, Spare},
    pages::RemovedPage,
    reference::{BeforeClose, Counted, OpenSlab, SlabAddress, SlabHandle},
    stats::Stats,
    waiters::Waiters,
};
use crate::slot::{End, SlotRef, Vacant, WakeOnDrop, Word};

/// The parts of a slab that its locks protect. Other modules do not see this trait, so they cannot exchange the parts of two slabs.
pub(super) trait Parts: Counted {
    /// Calls a function with the depot. No other thread uses the depot during the call.
    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<Self::Slot>) -> R) -> R;

    /// Calls a function with the queue of waiting futures. No other thread uses the queue during the call. `f` neither clones, wakes nor
    /// drops a waker.
    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<Self::Slot>) -> R) -> R;
}

#[expect(private_bounds, reason = "only this module uses the parts of a slab")]
/// A slab: a set of slots, and counters.
pub(crate) trait Slab: Parts {
    /// Creates the slab that will be at this address.
    fn create(address: SlabAddress<Self>, settings: Settings<Self::Slot>) -> Self;

    fn base(&self) -> &Base<Self::Slot>;

    /// Returns a guard. While the guard exists, no other thread allocates a page for this slab.
    fn begin_growth(&self) -> impl Sized;

    /// Returns the number of vacant slots outside of the depot that the calling thread finds.
    fn cached(&self) -> u64;

    /// Moves cached slots to the depot: all slots that [`cached`](Slab::cached) counts.
    fn drain(slab: OpenSlab<'_, Self>);

    /// Returns the [`Spare`] of this slab, and the least number of slots that [`drain`](Slab::drain) would move to the depot. Takes no
    /// lock.
    fn spare(&self) -> (Spare, u64);

    /// The fast path of [`rent`](OpenSlab::rent): takes a slot that this thread has cached.
    fn rent_cached(slab: OpenSlab<'_, Self>) -> Option<Vacant<Self::Slot>>;

    /// The slow path of [`rent`](OpenSlab::rent), after [`rent_cached`](Slab::rent_cached) has found no slot.
    fn rent_slowly(slab: OpenSlab<'_, Self>, room: impl Room) -> Option<Vacant<Self::Slot>>;

    /// The fast path of [`release`](Slab::release). Returns the slot as an error if it must be returned on the slow path. The slab may be
    /// freed during this call.
    fn try_release(slot: Vacant<Self::Slot>, end: End) -> Result<(), Vacant<Self::Slot>>;

    /// Takes a slot back. If a future waits for a slot, gives the slot to this future, and returns its waker. The slab may be freed during
    /// this call.
    fn release(slot: Vacant<Self::Slot>, end: End) -> WakeOnDrop;

    /// Returns `true` if a future waits for a slot.
    fn has_waiters(&self) -> bool;

    /// Locks and unlocks each lock that a return of a slot takes. A return may have called [`has_waiters`](Slab::has_waiters) just before a
    /// future was queued. After this call, the slot of such a return is in a stripe or in the depot, so [`rent`](OpenSlab::rent) finds the
    /// slot.
    fn pass_locks(slab: OpenSlab<'_, Self>);

    fn stats(slab: OpenSlab<'_, Self>) -> Stats;

    /// Adds one to the number of claimants that are about to return a slot. (A *claimant* is a thread that has claimed an operation, see
    /// `slot/states.md`. If the consumer leaves meanwhile, the claimant returns the slot.)
    fn begin_return(&self);

    /// Subtracts one from the number of claimants that are about to return a slot. The slot was returned, or the claimant returns no slot
    /// after all.
    fn end_return(&self);

    /// Returns `true` if a claimant is about to return a slot. If the result is `false`, a later [`rent`](OpenSlab::rent) finds every slot
    /// whose return was announced, by [`begin_return`](Slab::begin_return), before this call.
    fn is_returning(&self) -> bool;

    /// Allocates a page, unless `enough` returns `true` for the depot. Returns `false` if the limit is reached, or if there is no room.
    #[cold]
    fn grow(&self, room: impl Room, enough: impl FnOnce(&Depot<Self::Slot>) -> bool) -> bool {
        let _guard = (self.begin_growth(), room.lock());
        let Base { storage, allocations, .. } = self.base();
        let (enough, capacity) = self.with_depot(|depot| (enough(depot), depot.counts().capacity));
        let slots = if enough { 0 } else { storage.slots_of_next(capacity, room) };
        if slots == 0 {
            return enough;
        }
        // The depot is not locked during the allocation.
        let (page, calls) = storage.allocate(capacity, slots);
        allocations.add(calls);
        self.with_depot(|depot| depot.add(page));
        // The memory of the page is counted after the page was added. So a thread that finds no room because of this page also sees the
        // slots of the page.
        storage.charge(slots);
        true
    }

    /// Returns the least number of bytes that [`free_for_others`](OpenSlab::free_for_others) would free, if no other thread uses the slab
    /// meanwhile.
    fn bytes_for_others(&self) -> usize {
        let (Spare { idle, excess }, cached) = self.spare();
        let storage = &self.base().storage;
        let page = storage.bytes_of(storage.shape().slots());
        let pages = usize::try_from(cached.saturating_sub(excess.into())).unwrap_or(0);
        // Some pages may have fewer slots than `shape` says. So the sum is limited to the memory of the slab.
        let bytes = pages.saturating_mul(page).saturating_add(storage.bytes_of_pages(idle));
        bytes.min(storage.bytes())
    }

    /// Frees empty pages until at least `bytes` bytes were freed, or until only the empty pages that `keep` describes are left. Returns the
    /// number of slots in the freed pages.
    fn free_empty_pages(&self, keep: Keep, bytes: usize) -> u32 {
        /// The maximum number of pages that are removed at a time while the depot is locked. It is small, because other threads may wait
        /// for the depot.
        const AT_ONCE: usize = 8;

        let (storage, mut slots, mut bytes) = (&self.base().storage, 0, bytes);
        loop {
            let mut pages = [const { None::<RemovedPage<Self::Slot>> }; AT_ONCE];
            self.with_depot(|depot| {
                for page in &mut pages {
                    *page = if bytes == 0 { None } else { depot.remove_surplus(storage, keep) };
                    let freed = page.as_ref().map_or(0, |page| storage.bytes_of(page.len()));
                    bytes = bytes.saturating_sub(freed);
                }
            });
            for page in pages {
                let Some(page) = page else { return slots };
                slots += page.len();
                storage.free(page);
            }
        }
    }
}

impl<L: Slab, B: BeforeClose<L>> SlabHandle<L, B> {
    /// Creates a slab, and returns its first handle.
    pub(crate) fn new(settings: Settings<L::Slot>) -> Self {
        let initial = settings.initial;
        let handle = SlabHandle::allocate(|address| L::create(address, settings));
        let slab = handle.open();
        // The slots refer to their slab by the address of its table.
        let table = &raw const slab.base().settings.table;
        assert!(ptr::addr_eq(table, slab.get()), "a slab begins with its table");
        if initial > 0 {
            handle.open().reserve(initial, Unlimited);
        }
        handle
    }
}

/// The methods that need an open slab.
impl<'s, L: Slab> OpenSlab<'s, L> {
    /// Returns a number that is greater than the index of each slot.
    pub(crate) fn end(self) -> u32 {
        self.get().base().storage.directory.end()
    }

    /// Returns the slot with this index, if the slot is initialized.
    #[inline(always)]
    pub(crate) fn slot(self, index: u32) -> Option<SlotRef<'s, L::Slot>> {
        self.get().base().storage.directory.get(self, index)
    }

    /// Returns all initialized slots.
    pub(crate) fn slots(self) -> impl Iterator<Item = SlotRef<'s, L::Slot>> {
        self.get().base().storage.directory.iter(self)
    }

    /// Takes a vacant slot. Returns `None` if this thread finds no vacant slot, and the slab cannot grow.
    #[inline(always)]
    pub(crate) fn rent(self, room: impl Room) -> Option<Vacant<L::Slot>> {
        L::rent_cached(self).or_else(|| L::rent_slowly(self, room))
    }

    /// Makes sure that the calling thread finds `additional` vacant slots, as far as the limit and the room permit. The memory of these
    /// slots is not freed before a trim.
    pub(crate) fn reserve(self, additional: u32, room: impl Room) {
        let cached = u32::try_from(self.cached()).unwrap_or(u32::MAX);
        let more = additional.saturating_sub(cached);
        let mut is_short = self.with_depot(|depot| {
            depot.reserved = depot.reserved.max(depot.in_use().saturating_add(more));
            depot.counts().vacant < more
        });
        while is_short && self.grow(room, |depot| depot.counts().vacant >= more) {
            is_short = self.with_depot(|depot| depot.counts().vacant < more);
        }
        if is_short {
            // The limit was reached, or there is no room for more slots. `reserved` must not be greater than the capacity. Otherwise, the
            // slab would never free empty pages for other slabs.
            self.with_depot(|depot| depot.reserved = depot.reserved.min(depot.counts().capacity));
        }
    }

    /// Moves cached slots to the depot, and frees all empty pages. After the call, no slots are reserved. Returns the number of slots in
    /// the freed pages.
    pub(crate) fn trim(self) -> u32 {
        L::drain(self);
        self.with_depot(|depot| depot.reserved = 0);
        self.free_empty_pages(Keep::None, usize::MAX)
    }

    /// Frees empty pages until `bytes` bytes were freed, or no more can be freed. If needed, moves cached slots to the depot. Keeps
    /// reserved slots.
    pub(crate) fn free_for_others(self, bytes: usize) {
        let storage = &self.base().storage;
        let target = storage.bytes().saturating_sub(bytes);
        self.free_empty_pages(Keep::Reserved, bytes);
        // Other threads may have freed pages of this slab too, so `missing` is computed from the memory of the slab.
        let missing = storage.bytes().saturating_sub(target);
        if missing > 0 && self.bytes_for_others() > 0 {
            L::drain(self);
            self.free_empty_pages(Keep::Reserved, missing);
        }
    }
}
