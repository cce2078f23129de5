//! The slab for one thread: magazines and a depot, without locks.

use core::cell::{Cell, RefCell};

use super::{
    base::{Base, Settings},
    budget::Room,
    depot::{Depot, Keep, Spare},
    item::Item,
    magazines::{
        CACHE_CAPACITY, Capacity, FreePlace, MAGAZINE, Magazines, MagazinesOf, return_slot,
    },
    reference::{Closed, Counted, OpenSlab, SlabAddress, SlabRef},
    slab::{Parts, Slab},
    stats::Stats,
    waiters::Waiters,
    waiting,
};
use crate::slot::{End, Vacant, WakeOnDrop, Word};

/// A slab that one thread uses.
#[repr(C)]
pub(crate) struct LocalSlab<S: Item<Slab = Self>> {
    base: Base<S>,
    magazines: MagazinesOf<S>,
    /// `true` if the slab is open, and no future waits for a slot. If this is `false`, each return takes the slow path.
    is_plain: Cell<bool>,
    /// The reference of a closed slab to itself. It is dropped when all slots are vacant or retired.
    closed: Cell<Option<Closed<Self>>>,
    waiters: RefCell<Waiters<S>>,
    depot: RefCell<Depot<S>>,
}

impl<S: Item<Slab = Self>> LocalSlab<S> {
    fn is_closed(&self) -> bool {
        self.depot.borrow().is_closed()
    }

    /// Puts a slot into the magazines. If they are full, first moves the older magazine to the depot.
    fn cache(&self, slot: Vacant<S>) {
        if let Err(slot) = self.magazines.push(slot, Capacity::FULL) {
            self.magazines.drain(MAGAZINE.into(), &mut self.depot.borrow_mut(), &self.base.storage);
            self.free_empty_pages(Keep::Useful, usize::MAX);
            let _pushed = self.magazines.push(slot, Capacity::FULL);
        }
    }

    /// Moves the cached slots of a closed slab to the depot, and frees the empty pages. If all slots are then vacant or retired, drops the
    /// reference of the slab to itself.
    fn end(&self) {
        self.drain_magazines();
        self.free_empty_pages(Keep::None, usize::MAX);
        let all_vacant = self.depot.borrow().all_vacant();
        drop(all_vacant.and_then(|proof| Some(self.closed.take()?.into_reference(proof))));
    }

    fn drain_magazines(&self) {
        let depot = &mut self.depot.borrow_mut();
        self.magazines.drain(self.magazines.len(), depot, &self.base.storage);
    }
}

impl<S: Item<Slab = Self>> Counted for LocalSlab<S> {
    type Slot = S;
    type Count = Cell<usize>;

    fn close(&self, closed: Closed<Self>) {
        self.is_plain.set(false);
        self.depot.borrow_mut().close(&closed);
        self.closed.set(Some(closed));
        self.end();
    }
}

impl<S: Item<Slab = Self>> Parts for LocalSlab<S> {
    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<S>) -> R) -> R {
        f(&mut self.depot.borrow_mut())
    }

    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<S>) -> R) -> R {
        let mut waiters = self.waiters.borrow_mut();
        let result = f(&mut waiters);
        self.is_plain.set(waiters.is_empty() && !self.is_closed());
        result
    }
}

impl<S: Item<Slab = Self>> Slab for LocalSlab<S> {
    fn create(address: SlabAddress<Self>, settings: Settings<S>) -> Self {
        LocalSlab {
            magazines: Magazines::new(),
            is_plain: Cell::new(true),
            closed: Cell::new(None),
            waiters: RefCell::new(Waiters::new()),
            depot: RefCell::new(Depot::new(address, settings.first_generation)),
            base: Base::new(address, settings, 1),
        }
    }

    #[inline(always)]
    fn base(&self) -> &Base<S> {
        &self.base
    }

    fn begin_growth(&self) -> impl Sized {}

    fn cached(&self) -> u64 {
        self.magazines.len()
    }

    fn drain(slab: OpenSlab<'_, Self>) {
        slab.drain_magazines();
    }

    fn spare(&self) -> (Spare, u64) {
        (self.depot.borrow().spare(&self.base.storage), self.cached())
    }

    fn stats(slab: OpenSlab<'_, Self>) -> Stats {
        let vacant = slab.cached() + u64::from(slab.waiters.borrow().given());
        slab.base.stats(slab, slab.depot.borrow().counts(), vacant, 0)
    }

    #[inline(always)]
    fn rent_cached(slab: OpenSlab<'_, Self>) -> Option<Vacant<S>> {
        let slot = slab.magazines.pop(Capacity::FULL)?;
        if !S::INDEXED {
            slab.base.rented.add(1);
        }
        Some(slot)
    }

    #[cold]
    #[inline(never)]
    fn rent_slowly(slab: OpenSlab<'_, Self>, room: impl Room) -> Option<Vacant<S>> {
        loop {
            slab.magazines.refill(&mut slab.depot.borrow_mut(), 1);
            let slot = Self::rent_cached(slab);
            if slot.is_some() || !slab.grow(room, |_| false) {
                return slot;
            }
        }
    }

    #[inline(always)]
    fn try_release(slot: Vacant<S>, end: End) -> Result<(), Vacant<S>> {
        if end.exhausted || end.cancelled {
            return Err(slot);
        }
        return_slot::<S, ()>(slot, |slab| {
            let place = FreePlace { magazines: &slab.magazines, guard: () };
            (slab.is_plain.get() && slab.magazines.len() < CACHE_CAPACITY).then_some(place)
        })
    }

    fn release(slot: Vacant<S>, end: End) -> WakeOnDrop {
        let slab = SlabRef::<Self>::of_slot(&slot);
        let mut wake = WakeOnDrop::NONE;
        if end.exhausted && !S::begin_epoch(&slot, slab.base.settings.layout) {
            slab.depot.borrow_mut().retire(slot);
            if slab.has_waiters() && waiting::is_retired(&*slab) {
                wake = waiting::end_first(&*slab);
            }
        } else {
            match slab.with_waiters(|waiters| waiters.give(slot)) {
                Ok((_, waker)) => wake = WakeOnDrop(Some(waker)),
                Err(slot) => slab.cache(slot),
            }
        }
        if end.cancelled {
            slab.base.cancelled.add(1);
        }
        if slab.is_closed() {
            slab.end();
        }
        wake
    }

    fn has_waiters(&self) -> bool {
        !self.is_plain.get() && !self.is_closed()
    }

    fn pass_locks(_: OpenSlab<'_, Self>) {}

    // No other thread uses the slab. So while this thread rents, no claimant is about to return a slot.
    fn begin_return(&self) {}
    fn end_return(&self) {}
    fn is_returning(&self) -> bool {
        false
    }
}
