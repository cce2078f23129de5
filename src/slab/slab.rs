//! The trait of slabs, and what all slabs do to grow and to free memory.

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

/// Slots, those of them that are vacant, and counters.
pub(crate) trait Slab: Counted {
    /// Creates the slab that will be at this address.
    fn create(address: SlabAddress, settings: Settings<Self::Slot>) -> Self;

    fn base(&self) -> &Base<Self::Slot>;

    /// Calls a function with the depot, while no other thread has it.
    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<Self::Slot>) -> R) -> R;

    /// Returns a guard. While it lives, no other thread allocates a page.
    fn begin_growth(&self) -> impl Sized;

    /// Returns the number of vacant slots that this thread finds and that are not in the depot.
    fn cached(&self) -> u64;

    /// Moves those slots to the depot.
    fn drain(slab: OpenSlab<'_, Self>);

    /// Returns the slots that this slab can do without, and the number of those that [`drain`](Slab::drain) would move. Locks nothing.
    fn spare(&self) -> (Spare, u64);

    /// The fast path of [`rent`](OpenSlab::rent): takes a slot that this thread has cached.
    fn try_rent(slab: OpenSlab<'_, Self>) -> Option<Vacant<Self::Slot>>;

    /// The slow path of [`rent`](OpenSlab::rent), after [`try_rent`](Slab::try_rent) has found no slot.
    fn rent_slowly(slab: OpenSlab<'_, Self>, room: impl Room) -> Option<Vacant<Self::Slot>>;

    /// The fast path of [`release`](Slab::release). Returns the slot if it is not possible. The slab may be freed in this call.
    fn try_release(slot: Vacant<Self::Slot>, end: End) -> Result<(), Vacant<Self::Slot>>;

    /// Takes a slot back. The slab may be freed in this call. If a future waits, it gets the slot, and its waker is returned.
    fn release(slot: Vacant<Self::Slot>, end: End) -> WakeOnDrop;

    /// Calls a function with the queue of waiters, while no other thread has it. The function runs no foreign code.
    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<Self::Slot>) -> R) -> R;

    /// Returns `true` if a future waits for a slot.
    fn has_waiters(&self) -> bool;

    /// Locks and unlocks everything that takes slots back. A return that has not seen the [waiters](Slab::has_waiters) of before
    /// the call is over, and [`rent`](OpenSlab::rent) finds its slot.
    fn pass_locks(slab: OpenSlab<'_, Self>);

    fn stats(slab: OpenSlab<'_, Self>) -> Stats;

    /// Adds one to the number of slots that a claimant is about to return.
    fn begin_return(&self);

    /// Subtracts one from it, after the slot was returned.
    fn end_return(&self);

    /// Returns `true` if a claimant is about to return a slot. If not, [`rent`](OpenSlab::rent) finds every slot whose
    /// return was announced.
    fn is_returning(&self) -> bool;

    /// Allocates a page unless there are `enough` slots. Returns `false` if the limit is reached, or if there is no room.
    #[cold]
    fn grow(&self, room: impl Room, enough: impl FnOnce(&Depot<Self::Slot>) -> bool) -> bool {
        let _guard = (self.begin_growth(), room.lock());
        let Base { storage, allocations, .. } = self.base();
        let (enough, capacity) = self.with_depot(|depot| (enough(depot), depot.counts().capacity));
        let slots = if enough { 0 } else { storage.slots_of_next(capacity, room) };
        if slots == 0 {
            return enough;
        }
        // The depot is not locked meanwhile.
        let (page, calls) = storage.allocate(capacity, slots);
        allocations.add(calls);
        self.with_depot(|depot| depot.add(page));
        // Afterwards, so that a thread that sees no room sees the slots that have taken it.
        storage.charge(slots);
        true
    }

    /// Returns how many bytes [`free_for_others`](OpenSlab::free_for_others) would free at least, if no other thread is faster.
    fn bytes_for_others(&self) -> usize {
        let (Spare { idle, excess }, cached) = self.spare();
        let storage = &self.base().storage;
        let page = storage.bytes_of(storage.shape().slots());
        let pages = usize::try_from(cached.saturating_sub(excess.into())).unwrap_or(0);
        // Some pages may have fewer slots.
        let bytes = pages.saturating_mul(page).saturating_add(storage.bytes_of_pages(idle));
        bytes.min(storage.bytes())
    }

    /// Frees empty pages until at least `bytes` are free. Returns the number of their slots.
    fn free_empty_pages(&self, keep: Keep, bytes: usize) -> u32 {
        /// The number of pages to remove at a time, because other threads wait for the depot.
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
        if initial > 0 {
            handle.open().reserve(initial, Unlimited);
        }
        handle
    }
}

/// What only an open slab does.
impl<'s, L: Slab> OpenSlab<'s, L> {
    /// Returns a bound for the indices of slots.
    pub(crate) fn end(self) -> u32 {
        self.get().base().storage.directory.end()
    }

    /// Returns the slot with an index, if it was rented before.
    #[inline(always)]
    pub(crate) fn slot(self, index: u32) -> Option<SlotRef<'s, L::Slot>> {
        self.get().base().storage.directory.get(self, index)
    }

    /// Returns the slots that were rented before.
    pub(crate) fn slots(self) -> impl Iterator<Item = SlotRef<'s, L::Slot>> {
        self.get().base().storage.directory.iter(self)
    }

    /// Takes a vacant slot. Returns `None` if the limit is reached, or if there is no room.
    #[inline(always)]
    pub(crate) fn rent(self, room: impl Room) -> Option<Vacant<L::Slot>> {
        L::try_rent(self).or_else(|| L::rent_slowly(self, room))
    }

    /// Makes sure that `additional` slots are vacant, up to the limit, and that these are not freed before a trim.
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
            // There is no room. Slots that cannot be reserved must not keep memory from other slabs.
            self.with_depot(|depot| depot.reserved = depot.reserved.min(depot.counts().capacity));
        }
    }

    /// Frees all empty pages. Returns the number of their slots.
    pub(crate) fn trim(self) -> u32 {
        L::drain(self);
        self.with_depot(|depot| depot.reserved = 0);
        self.free_empty_pages(Keep::None, usize::MAX)
    }

    /// Frees empty pages until `bytes` are free, or no more can be freed. Keeps reserved ones.
    pub(crate) fn free_for_others(self, bytes: usize) {
        let storage = &self.base().storage;
        let target = storage.bytes().saturating_sub(bytes);
        self.free_empty_pages(Keep::Reserved, bytes);
        // Other threads may free pages too.
        let missing = storage.bytes().saturating_sub(target);
        if missing > 0 && self.bytes_for_others() > 0 {
            L::drain(self);
            self.free_empty_pages(Keep::Reserved, missing);
        }
    }
}
