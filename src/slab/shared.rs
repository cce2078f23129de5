//! The slab of several threads: a [thread cache](super::thread_cache) for each thread that rents, and a depot behind a lock. A
//! bounded slab has [stripes](super::stripes) instead of thread caches. The section *Who frees* of the design page has the
//! rules for freeing.

use alloc::boxed::Box;
use core::{mem::MaybeUninit, ptr::NonNull};

use super::{
    Depot, Item, Settings, Slab, Stats, Storage,
    list::{List, Node},
    magazines::{MAGAZINE, ROOM},
    page::Page,
    stripes::{Stripe, Stripes},
    thread_cache::{Detached, ThreadCache},
    thread_caches,
};
use crate::{
    slot::End,
    sync::{
        AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Backoff, Mutex,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
        lock,
    },
};

#[repr(C)]
pub(crate) struct SharedSlab<S: Item> {
    settings: Settings<S>,
    /// The pointer from the allocator.
    this: NonNull<Self>,
    storage: Storage<S>,
    stripes: Stripes,
    handles: AtomicUsize,
    /// The references that keep the slab allocated: one for all handles, one for each cache in `caches`, one for each call that uses
    /// the slab after it has returned its slot, and, after `close`, one for each slot in use.
    refs: AtomicUsize,
    locked: Mutex<Locked<S>>,
    /// `true` if the depot has no vacant slot, and the slab has reached its limit. Changes under the lock.
    is_full: AtomicBool,
    /// Held by the thread that allocates a page. The depot is not locked meanwhile.
    growing: Mutex<()>,
    /// The number of claimants that are about to return a slot.
    returning: AtomicU32,
    // ORDERING: Relaxed for the counters that follow: they are for statistics.
    /// The number of slots that were rented from elsewhere than a cache, if slots do not count their uses.
    rented: AtomicU64,
    abandoned: AtomicU64,
    refused: AtomicU64,
    allocations: AtomicU64,
    /// Makes a model fail if the slab leaks.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

struct Locked<S: Item> {
    depot: Depot<S>,
    /// The caches of all threads, which are not detached.
    caches: List<ThreadCache>,
    /// The cache of a thread that has ended, for the next thread.
    spare: Option<Node<ThreadCache>>,
    /// `true` since `close` has counted the slots in use.
    is_closed: bool,
}

// SAFETY: the lock protects the links of the caches. Everything else that threads share of a cache is atomic.
unsafe impl<S: Item> Send for Locked<S> {}

impl<S: Item> SharedSlab<S> {
    fn address(&self) -> NonNull<()> {
        NonNull::from(self).cast()
    }

    /// Returns the cache of the calling thread, and creates it if needed. Returns `None` if the thread is running its thread-local
    /// destructors.
    fn cache(&self) -> Option<Node<ThreadCache>> {
        let new = || {
            let spare = { lock(&self.locked).spare.take() };
            let cache = spare.unwrap_or_else(|| {
                self.allocations.fetch_add(1, Relaxed);
                ThreadCache::new(self.this.cast(), Self::detach)
            });
            // ORDERING: Relaxed: the handle of the caller keeps the slab allocated.
            self.refs.fetch_add(1, Relaxed);
            lock(&self.locked).caches.push(cache);
            cache
        };
        thread_caches::find_slowly(self.address())
            .or_else(|| thread_caches::add(self.address(), new))
    }

    /// The slow path of [`rent`](Slab::rent).
    #[cold]
    #[inline(never)]
    fn rent_slowly(&self) -> Option<NonNull<S>> {
        let slot =
            if self.settings.is_bounded() { self.rent_bounded() } else { self.rent_from_depot() }?;
        if !S::INDEXED {
            self.count_rent();
        }
        Some(slot)
    }

    /// Counts a rented slot, in the cache of the calling thread if it has one.
    fn count_rent(&self) {
        // A bounded slab has no caches. The thread may have the cache of a closed slab with the same address.
        match thread_caches::find(self.address()).filter(|_| !self.settings.is_bounded()) {
            Some(cache) => cache.count(),
            None => drop(self.rented.fetch_add(1, Relaxed)),
        }
    }

    fn rent_from_depot(&self) -> Option<NonNull<S>> {
        let cache = self.cache();
        let at_hand = match cache {
            // The fast path only looks into the table of recent caches.
            Some(cache) => cache.pop().or_else(|| {
                self.stripes.transfer::<S>(&cache.magazines);
                cache.pop()
            }),
            None => self.stripes.take().ok(),
        };
        if at_hand.is_some() {
            return at_hand;
        }
        loop {
            // ORDERING: Relaxed. A thread that knows of a return sees the store of `clear_full`, or a later one.
            if self.is_full.load(Relaxed) {
                return None;
            }
            let slot = {
                let depot = &mut lock(&self.locked).depot;
                match cache {
                    Some(cache) => {
                        cache.magazines.refill(depot, S::NEW_AT_ONCE);
                        cache.pop()
                    }
                    None => depot.take(&mut 1),
                }
            };
            if slot.is_some() || !self.grow(|depot| depot.vacant() > 0) {
                return slot;
            }
        }
    }

    /// Takes any vacant slot of a bounded slab.
    fn rent_bounded(&self) -> Option<NonNull<S>> {
        let mut backoff = Backoff::new();
        loop {
            let seen = match self.stripes.take() {
                Ok(slot) => return Some(slot),
                Err(seen) => seen,
            };
            let mut locked = lock(&self.locked);
            if let Some(slot) = locked.depot.take(&mut 1) {
                if let Some(own) = self.stripes.own().try_lock() {
                    own.magazines.refill(&mut locked.depot, S::NEW_AT_ONCE);
                }
                return Some(slot);
            }
            let is_none = self.stripes.is_unchanged(seen);
            drop(locked);
            if !is_none {
                backoff.wait();
            } else if !self.grow(|depot| depot.vacant() > 0) {
                return None;
            }
        }
    }

    /// Clears `is_full` if the depot has vacant slots. The caller holds the lock.
    fn clear_full(&self, depot: &Depot<S>) {
        if depot.vacant() > 0 {
            self.is_full.store(false, Relaxed);
        }
    }

    /// Allocates a page unless there are `enough` slots. Returns `false` if the limit is reached.
    #[cold]
    fn grow(&self, enough: impl FnOnce(&Depot<S>) -> bool) -> bool {
        let _only = lock(&self.growing);
        let capacity = {
            let depot = &lock(&self.locked).depot;
            if enough(depot) {
                return true;
            }
            if depot.capacity() >= self.settings.limit() {
                self.is_full.store(depot.vacant() == 0, Relaxed);
                return false;
            }
            depot.capacity()
        };
        let (page, allocations) = self.storage.allocate(capacity);
        self.allocations.fetch_add(allocations, Relaxed);
        lock(&self.locked).depot.add(page);
        true
    }

    /// Frees empty pages: all, or the surplus.
    fn free_empty_pages(&self, all: bool) -> u32 {
        /// The number of pages to remove at a time, because other threads wait for the lock.
        const AT_ONCE: usize = 8;

        let mut slots = 0;
        loop {
            let mut pages = [const { None::<Node<Page<S>>> }; AT_ONCE];
            {
                let depot = &mut lock(&self.locked).depot;
                for page in &mut pages {
                    *page = depot.remove_surplus(&self.storage, all);
                }
                if pages[0].is_some() {
                    self.is_full.store(false, Relaxed);
                }
            }
            for page in pages {
                let Some(page) = page else { return slots };
                slots += page.len();
                // SAFETY: all its slots are vacant, and it is in no list.
                unsafe { self.storage.free(page) };
            }
        }
    }

    /// Returns a slot under the lock: to the full cache of the calling thread if there is one, and otherwise to the depot. Retires the
    /// slot instead if `retire` is `true`.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`].
    unsafe fn put_slowly(
        this: NonNull<Self>,
        slot: NonNull<S>,
        own: Option<Node<ThreadCache>>,
        retire: bool,
    ) {
        // SAFETY: the slot keeps the slab allocated, and from here on the reference does.
        let slab = unsafe { this.as_ref() };
        // ORDERING: Relaxed: the slot keeps the slab allocated.
        slab.refs.fetch_add(1, Relaxed);
        let (is_closed, is_surplus) = {
            let mut locked = lock(&slab.locked);
            let Locked { depot, is_closed, .. } = &mut *locked;
            // A closed slab is detached from the cache.
            if retire {
                depot.retire();
            } else if let Some(cache) = own.filter(|_| !*is_closed) {
                cache.magazines.drain(MAGAZINE.into(), depot, &slab.storage);
                cache.magazines.push(slot, ROOM);
            } else {
                // SAFETY: the caller's.
                unsafe { depot.put(&slab.storage, slot) };
                // If the stripe is full, make room for the next slots.
                let stripe = slab.stripes.own();
                if let Some(inside) = (stripe.len() == ROOM).then(|| stripe.try_lock()).flatten() {
                    inside.magazines.drain(MAGAZINE.into(), depot, &slab.storage);
                }
            }
            slab.clear_full(depot);
            (*is_closed, depot.surplus(&slab.storage, *is_closed).is_some())
        };
        if is_surplus {
            slab.free_empty_pages(is_closed);
        }
        // SAFETY: the caller owns the reference of this call, and since `close` that of the slot.
        unsafe { Self::release(this, 1 + usize::from(is_closed)) };
    }

    /// Detaches a thread from its cache.
    ///
    /// # Safety
    ///
    /// As [`ThreadCache::detach`]. The cache is that of a slab of this type.
    unsafe fn detach(cache: Node<ThreadCache>) {
        let slab = cache.slab().cast::<Self>();
        let (slots, refs, is_first) = match cache.detach_by_thread() {
            Detached::First => (cache.magazines.len(), 1, true),
            Detached::Second { uncounted } => (uncounted, 0, false),
        };
        let mut is_spare = false;
        if is_first || slots > 0 {
            // SAFETY: the reference of the cache, or those of the uncounted slots, keep the slab allocated.
            let of_cache = unsafe { slab.as_ref() };
            let is_closed = {
                let mut locked = lock(&of_cache.locked);
                cache.magazines.drain(slots, &mut locked.depot, &of_cache.storage);
                of_cache.clear_full(&locked.depot);
                of_cache.rented.fetch_add(cache.rents(), Relaxed);
                if is_first {
                    locked.caches.remove(cache);
                    if !locked.is_closed && locked.spare.is_none() {
                        cache.renew();
                        is_spare = true;
                        locked.spare = Some(cache);
                    }
                }
                locked.is_closed
            };
            of_cache.free_empty_pages(is_closed);
            let of_slots =
                if is_closed { usize::try_from(slots).expect("they are few") } else { 0 };
            // SAFETY: these are the references of the cache and of the uncounted slots.
            unsafe { Self::release(slab, refs + of_slots) };
        }
        if !is_spare {
            // SAFETY: both have detached.
            unsafe { ThreadCache::free(cache) };
        }
    }

    /// Releases `count` references, and frees the slab if they are the last.
    ///
    /// # Safety
    ///
    /// The caller owns the references, and does not use the slab again.
    unsafe fn release(this: NonNull<Self>, count: usize) {
        // SAFETY: the references keep the slab allocated until the subtraction.
        let refs = unsafe { &(*this.as_ptr()).refs };
        // ORDERING: AcqRel, with itself: everything that other threads did to the slab happened before.
        if refs.fetch_sub(count, AcqRel) == count {
            // SAFETY: `new` made it with `Box::leak`, and there is no reference left.
            drop(unsafe { Box::from_raw(this.as_ptr()) });
        }
    }
}

impl<S: Item> Drop for SharedSlab<S> {
    fn drop(&mut self) {
        if let Some(spare) = { lock(&self.locked).spare.take() } {
            // SAFETY: no thread uses it, and it is in no list.
            unsafe { ThreadCache::free(spare) };
        }
        while let Some(page) = { lock(&self.locked).depot.remove_page() } {
            // SAFETY: no slot is in use, and nobody refers to the slab.
            unsafe { self.storage.free(page) };
        }
        // As for a `Slot`.
        #[cfg(loom)]
        if !std::thread::panicking() {
            // SAFETY: this is the end of it. Loom has no `with_mut` for this type.
            let _ = unsafe { self.is_full.unsync_load() };
            self.handles.with_mut(|_| ());
            self.refs.with_mut(|_| ());
            self.returning.with_mut(|_| ());
            self.stripes.touch();
            let Self { rented, abandoned, refused, allocations, .. } = self;
            for count in [rented, abandoned, refused, allocations] {
                count.with_mut(|_| ());
            }
        }
    }
}

impl<S: Item> Slab for SharedSlab<S> {
    type Slot = S;

    fn new(settings: Settings<S>) -> NonNull<Self> {
        let count = || AtomicU64::new(0);
        let place = Box::leak(Box::<Self>::new_uninit());
        let this = NonNull::from(&mut *place).cast::<Self>();
        let depot = Depot::new(settings.first_generation);
        let initial = settings.initial;
        let place = this.cast::<MaybeUninit<Self>>();
        let slab = MaybeUninit::new(SharedSlab {
            storage: Storage::new(this.cast(), &settings.table, settings.limit()),
            stripes: Stripes::new(settings.limit.filter(|_| settings.exact)),
            handles: AtomicUsize::new(1),
            refs: AtomicUsize::new(1),
            locked: Mutex::new(Locked {
                depot,
                caches: List::new(),
                spare: None,
                is_closed: false,
            }),
            is_full: AtomicBool::new(false),
            growing: Mutex::new(()),
            returning: AtomicU32::new(0),
            rented: count(),
            abandoned: count(),
            refused: count(),
            // The slab and its stripes.
            allocations: AtomicU64::new(2),
            settings,
            this,
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        });
        // SAFETY: this is the place of the new slab, which no other thread knows.
        unsafe { place.write(slab) };
        // SAFETY: the handle that is about to be returned keeps the slab allocated.
        let slab = unsafe { this.as_ref() };
        // (On some systems the first use of a lock allocates.)
        drop((lock(&slab.growing), lock(&slab.locked)));
        if initial > 0 {
            slab.reserve(initial);
        }
        this
    }

    fn settings(&self) -> &Settings<S> {
        &self.settings
    }

    #[inline(always)]
    fn storage(&self) -> &Storage<S> {
        &self.storage
    }

    #[inline(always)]
    fn rent(&self) -> Option<NonNull<S>> {
        if let Some(cache) = thread_caches::find(self.address()) {
            if let Some(slot) = cache.pop() {
                if !S::INDEXED {
                    cache.count();
                }
                return Some(slot);
            }
        }
        self.rent_slowly()
    }

    #[inline(always)]
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> bool {
        if end.exhausted || end.abandoned {
            return false;
        }
        thread_caches::find(this.cast()).is_some_and(|cache| cache.push(slot))
    }

    unsafe fn put(this: NonNull<Self>, slot: NonNull<S>, end: End) {
        // SAFETY: the slot keeps the slab allocated until it is returned.
        let slab = unsafe { this.as_ref() };
        if end.abandoned {
            slab.abandoned.fetch_add(1, Relaxed);
        }
        // SAFETY: the slot came back so.
        let retire = end.exhausted && !unsafe { S::begin_epoch(slot, slab.settings.layout) };
        let find = || thread_caches::find_slowly(this.cast());
        let own = if retire || slab.settings.is_bounded() { None } else { find() };
        let put = |cache: Node<ThreadCache>| cache.push(slot);
        // SAFETY: the slot keeps the stripes allocated until it is in one of them.
        let put_into_stripe = || !retire && unsafe { Stripes::put(slab.stripes.all(), slot) };
        if own.map_or_else(put_into_stripe, put) {
            return;
        }
        // SAFETY: the caller's.
        unsafe { Self::put_slowly(this, slot, own, retire) };
    }

    fn reserve(&self, additional: u32) {
        let own = if self.settings.is_bounded() { None } else { self.cache() };
        let own = own.map_or(0, |cache| cache.magazines.len());
        let in_stripes = self.stripes.iter().map(Stripe::len).sum::<u64>();
        let own = u32::try_from(own + in_stripes).unwrap_or(u32::MAX);
        let more = additional.saturating_sub(own);
        {
            let depot = &mut lock(&self.locked).depot;
            depot.reserve(depot.in_use().saturating_add(more));
        }
        while self.grow(|depot| depot.vacant() >= more) {
            if lock(&self.locked).depot.vacant() >= more {
                return;
            }
        }
    }

    fn trim(&self) -> u32 {
        if let Some(own) = thread_caches::find_slowly(self.address()) {
            let depot = &mut lock(&self.locked).depot;
            own.magazines.drain(own.magazines.len(), depot, &self.storage);
            self.clear_full(depot);
        }
        for stripe in self.stripes.iter() {
            let guard = stripe.lock();
            let depot = &mut lock(&self.locked).depot;
            guard.magazines.drain(guard.magazines.len(), depot, &self.storage);
        }
        lock(&self.locked).depot.forget_reserved();
        self.free_empty_pages(true)
    }

    fn stats(&self) -> Stats {
        let locked = lock(&self.locked);
        let depot = &locked.depot;
        let in_stripes = self.stripes.iter().map(Stripe::len).sum::<u64>();
        let (in_caches, counted) = locked.caches.iter().fold((0, 0), |(slots, rents), cache| {
            (slots + cache.magazines.len(), rents + cache.rents())
        });
        let live = u64::from(depot.in_use()).saturating_sub(in_stripes + in_caches);
        let (capacity, retired, most) = (depot.capacity(), depot.retired(), depot.most());
        drop(locked);
        let uses = self.storage.uses(self.settings.first_generation);
        let counted = (counted + self.rented.load(Relaxed), most.into());
        let (rented, high_water) = uses.unwrap_or(counted);
        Stats {
            rented,
            returned: rented.saturating_sub(live),
            live,
            high_water,
            capacity: capacity.into(),
            retired: retired.into(),
            stale_rejections: self.refused.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }

    fn count_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    fn begin_return(&self) {
        // ORDERING: Relaxed. Who has dropped the consumer, or knows of it, sees this.
        self.returning.fetch_add(1, Relaxed);
    }

    fn end_return(&self) {
        // ORDERING: Release, with the Acquire in `is_returning`: the slot was put back before.
        self.returning.fetch_sub(1, Release);
    }

    fn is_returning(&self) -> bool {
        // ORDERING: Acquire, with the Release in `end_return`.
        self.returning.load(Acquire) != 0
    }

    fn add_handle(&self) {
        // ORDERING: Relaxed: who adds one has one.
        let before = self.handles.fetch_add(1, Relaxed);
        // As `Arc` does it: whoever forgets so many must not come round to none.
        if before > usize::MAX / 2 {
            std::process::abort();
        }
    }

    unsafe fn remove_handle(this: NonNull<Self>) -> bool {
        // SAFETY: the handle keeps the slab until it is counted down.
        let handles = unsafe { &(*this.as_ptr()).handles };
        // ORDERING: AcqRel, with itself: all that was rented by others was counted before.
        handles.fetch_sub(1, AcqRel) == 1
    }

    unsafe fn close(this: NonNull<Self>) {
        // SAFETY: the reference of the handles keeps the slab allocated.
        let slab = unsafe { this.as_ref() };
        thread_caches::detach(this.cast());
        slab.stripes.iter().for_each(Stripe::close);
        let refs = {
            let mut locked = lock(&slab.locked);
            let Locked { depot, caches, is_closed, .. } = &mut *locked;
            let (leaving, mut counted, mut left) = (List::new(), 0, 0);
            while let Some(cache) = caches.pop() {
                if let Some(slots) = ThreadCache::detach_by_slab(cache) {
                    counted += slots;
                    left += 1;
                } else {
                    leaving.push(cache);
                }
            }
            *caches = leaving;
            *is_closed = true;
            for stripe in slab.stripes.iter() {
                let magazines = stripe.closed();
                magazines.drain(magazines.len(), depot, &slab.storage);
            }
            let out = depot.in_use() - u32::try_from(counted).expect("they are of the slab");
            // ORDERING: Relaxed: the reference of the handles is released below, and those of slots under the lock later.
            slab.refs.fetch_add(out as usize, Relaxed);
            1 + left
        };
        slab.free_empty_pages(true);
        // SAFETY: these are the references of the handles and of the caches that were detached.
        unsafe { Self::release(this, refs) };
    }
}
