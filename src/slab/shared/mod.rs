//! The slab for several threads. It has a depot behind a lock. A slab is *bounded* if two conditions hold: it has a limit, and its settings
//! say that any thread finds every vacant slot (see [`Settings::is_bounded`]). A bounded slab has about one [stripe](super::stripes) for
//! each core, and no thread caches. An unbounded slab may have a limit, too. It has a [thread cache](super::thread_cache) for each thread
//! that rents, and one stripe. The section *Freeing* of `slab/design.md` has the rules for freeing.

mod close;
mod release;
mod rent;
mod slab;

pub(crate) use self::slab::SharedSlab;

use self::slab::{Locked, VACANT};
use super::{
    base::{Base, Settings},
    budget::Room,
    depot::{Depot, Spare},
    item::Item,
    magazines::MagazinesOf,
    reference::{OpenSlab, SlabAddress, slab_of},
    slab::{Parts, Slab},
    stats::Stats,
    stripes::Stripes,
    thread_cache::{self, CacheList},
    thread_caches,
    waiters::Waiters,
};
use crate::{
    slot::{End, Vacant, WakeOnDrop, Word},
    sync::{
        AtomicBool, AtomicU32, AtomicU64, Mutex,
        Ordering::{Acquire, Relaxed, Release},
        lock,
    },
};

impl<S: Item<Slab = Self>> Parts for SharedSlab<S> {
    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<S>) -> R) -> R {
        self.locked(|locked| f(&mut locked.depot))
    }

    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<S>) -> R) -> R {
        let mut waiters = lock(&self.waiters);
        let result = f(&mut waiters);
        let has_waiters = !waiters.is_empty();
        // ORDERING: Relaxed: the lock of `waiters` orders the changes.
        if self.has_waiters.load(Relaxed) != has_waiters {
            // ORDERING: Relaxed. The locks of the stripes and of the depot order this store with the returns, see `pass_locks`.
            self.has_waiters.store(has_waiters, Relaxed);
        }
        result
    }
}

impl<S: Item<Slab = Self>> Slab for SharedSlab<S> {
    fn create(address: SlabAddress<Self>, settings: Settings<S>) -> Self {
        let depot = Depot::new(address, settings.first_generation);
        let caches = CacheList::new(address);
        let slab = SharedSlab {
            stripes: Stripes::new(settings.limit.filter(|_| settings.finds_all)),
            has_waiters: AtomicBool::new(false),
            locked: Mutex::new(Locked { depot, caches, unused_cache: None, closed: None }),
            fill: AtomicU32::new(VACANT),
            spare: AtomicU64::new(0),
            growing: Mutex::new(()),
            waiters: Mutex::new(Waiters::new()),
            returning: AtomicU32::new(0),
            // There were two allocations: the slab and its stripes.
            base: Base::new(address, settings, 2),
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        };
        // On some systems, the first use of a lock allocates. So each lock is used once here.
        drop((lock(&slab.growing), lock(&slab.locked), lock(&slab.waiters)));
        slab
    }

    #[inline(always)]
    fn base(&self) -> &Base<S> {
        &self.base
    }

    fn begin_growth(&self) -> impl Sized {
        lock(&self.growing)
    }

    fn cached(&self) -> u64 {
        let own = if self.base.settings.is_bounded() { None } else { self.cache() };
        own.map_or(0, |cache| cache.len()) + self.stripes.len()
    }

    fn drain(slab: OpenSlab<'_, Self>) {
        let storage = &slab.base.storage;
        let own = thread_caches::find(slab.get());
        if let Some(own) = own.as_ref().and_then(|own| own.attached(slab)) {
            slab.with_depot(|depot| own.drain(own.len(), depot, storage));
        }
        for stripe in slab.stripes.iter() {
            let guard = stripe.lock();
            let magazines: &MagazinesOf<S> = &guard;
            slab.with_depot(|depot| magazines.drain(magazines.len(), depot, storage));
        }
    }

    fn spare(&self) -> (Spare, u64) {
        // ORDERING: Relaxed: the value is a hint. A thread that frees a page first locks the depot, and checks again.
        let spare = self.spare.load(Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "`excess` is the lower half")]
        let spare = Spare { idle: (spare >> 32) as u32, excess: spare as u32 };
        let own = thread_cache::recent(self).map_or(0, |cache| cache.len());
        (spare, own + self.stripes.len())
    }

    fn stats(slab: OpenSlab<'_, Self>) -> Stats {
        let given = u64::from(slab.with_waiters(|waiters| waiters.given()));
        let (counts, cached, rented) = slab.locked(|Locked { depot, caches, .. }| {
            let (cached, rented) = caches.totals();
            (depot.counts(), slab.stripes.len() + cached, rented)
        });
        slab.base.stats(slab, counts, cached + given, rented)
    }

    #[inline(always)]
    fn rent_cached(slab: OpenSlab<'_, Self>) -> Option<Vacant<S>> {
        thread_cache::pop(slab)
    }

    #[cold]
    #[inline(never)]
    fn rent_slowly(slab: OpenSlab<'_, Self>, room: impl Room) -> Option<Vacant<S>> {
        // A bounded slab has no thread caches, so `rented` counts its rents. (`count_rent` must not be called for a bounded slab: it could
        // find the cache of a closed slab that had the same address.)
        let is_bounded = slab.base.settings.is_bounded();
        let rent = if is_bounded { Self::rent_bounded } else { Self::rent_unbounded };
        let slot = rent(slab, room)?;
        if !S::INDEXED && (is_bounded || !thread_cache::count_rent(slab.get())) {
            slab.base.rented.add(1);
        }
        Some(slot)
    }

    #[inline(always)]
    fn try_release(slot: Vacant<S>, end: End) -> Result<(), Vacant<S>> {
        if end.exhausted || end.cancelled {
            return Err(slot);
        }
        thread_cache::push(slot)
    }

    fn release(slot: Vacant<S>, end: End) -> WakeOnDrop {
        let Base { settings, cancelled, .. } = &slab_of::<S>(&slot).base;
        if end.cancelled {
            cancelled.add(1);
        }
        let is_bounded = settings.is_bounded();
        let retire = end.exhausted && !S::begin_epoch(&slot, settings.layout);
        if is_bounded {
            return Self::release_bounded(slot, retire);
        }
        Self::release_unbounded(slot, retire);
        WakeOnDrop::NONE
    }

    fn has_waiters(&self) -> bool {
        // ORDERING: Relaxed, see the store in `with_waiters`.
        self.has_waiters.load(Relaxed)
    }

    fn pass_locks(slab: OpenSlab<'_, Self>) {
        for stripe in slab.stripes.iter() {
            drop(stripe.lock());
        }
        slab.locked(|_| ());
    }

    fn begin_return(&self) {
        // ORDERING: Relaxed. The consumer calls this before it leaves. So a thread that has dropped the consumer, or that is synchronized
        // with this drop, sees the increment.
        self.returning.fetch_add(1, Relaxed);
    }

    fn end_return(&self) {
        // ORDERING: Release, with the Acquire in `is_returning`: a thread that sees the decrement also sees that the slot was returned.
        self.returning.fetch_sub(1, Release);
    }

    fn is_returning(&self) -> bool {
        // ORDERING: Acquire, with the Release in `end_return`.
        self.returning.load(Acquire) != 0
    }
}
