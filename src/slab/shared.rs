//! The slab of many threads: a [cache](super::thread_cache) for each thread that rents there, and a depot behind a lock for
//! what goes from one to another. If it is bounded, [stripes](super::stripes) instead of the caches.
//! See *Who frees* in the design text for the rules that comments here refer to.

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
    /// As it came from the allocator.
    this: NonNull<Self>,
    storage: Storage<S>,
    stripes: Stripes,
    handles: AtomicUsize,
    /// What keeps the slab: all handles together, each cache that it has in its list, each call that needs it after the slot
    /// of its caller is back, and, since it is closed, each slot that is out.
    refs: AtomicUsize,
    locked: Mutex<Locked<S>>,
    /// There was no slot in the depot, nor may there be more of them. Stored by who has the lock.
    is_full: AtomicBool,
    /// For who allocates, so that the depot is not locked meanwhile.
    growing: Mutex<()>,
    /// So many slots are about to come back.
    returning: AtomicU32,
    // ORDERING: Relaxed, from here on: counts for reports.
    /// If slots do not count that: so many times other than from a cache.
    rented: AtomicU64,
    abandoned: AtomicU64,
    refused: AtomicU64,
    allocations: AtomicU64,
    /// A model fails if this is left.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

struct Locked<S: Item> {
    depot: Depot<S>,
    /// Of all threads.
    caches: List<ThreadCache>,
    /// That of a thread that has ended, for the next one, so that threads that come and go allocate none.
    spare: Option<Node<ThreadCache>>,
    /// There is no handle any more, and all that is out was counted.
    is_closed: bool,
}

// SAFETY: the caches in the list are for who has the lock, and what others use of them are atomics.
unsafe impl<S: Item> Send for Locked<S> {}

impl<S: Item> SharedSlab<S> {
    fn address(&self) -> NonNull<()> {
        NonNull::from(self).cast()
    }

    /// The cache of this thread, which gets one; `None` if the thread has ended.
    fn cache(&self) -> Option<Node<ThreadCache>> {
        let new = || {
            let spare = { lock(&self.locked).spare.take() };
            let cache = spare.unwrap_or_else(|| {
                self.allocations.fetch_add(1, Relaxed);
                ThreadCache::new(self.this.cast(), Self::detach)
            });
            // ORDERING: Relaxed: the caller has a handle, which keeps the slab.
            self.refs.fetch_add(1, Relaxed);
            lock(&self.locked).caches.push(cache);
            cache
        };
        thread_caches::find_slowly(self.address())
            .or_else(|| thread_caches::add(self.address(), new))
    }

    /// From elsewhere than the cache that is found at once.
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

    /// Counts a slot that was rented, in the cache of this thread if there is one.
    fn count_rent(&self) {
        // A bounded slab has none, but perhaps one was where it is.
        match thread_caches::find(self.address()).filter(|_| !self.settings.is_bounded()) {
            Some(cache) => cache.count(),
            None => drop(self.rented.fetch_add(1, Relaxed)),
        }
    }

    fn rent_from_depot(&self) -> Option<NonNull<S>> {
        let cache = self.cache();
        let at_hand = match cache {
            // It may be where it was not looked for first.
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
            // ORDERING: Relaxed. Who knows that a slot has come back sees what `clear_full` has stored.
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

    /// A vacant slot of a bounded slab, wherever it is.
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

    /// Notes that there are slots in the depot, if there are. The caller has the lock.
    fn clear_full(&self, depot: &Depot<S>) {
        if depot.vacant() > 0 {
            self.is_full.store(false, Relaxed);
        }
    }

    /// Allocates more slots, unless there are enough. `false` if the limit is reached.
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

    /// Frees pages that are empty: all, or those that there are too many of.
    fn free_empty_pages(&self, all: bool) -> u32 {
        /// So many at a time, because others wait.
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
                // SAFETY: nobody refers to it any more.
                unsafe { self.storage.free(page) };
            }
        }
    }

    /// Takes a slot back under the lock: into the cache of this thread, if there is one, or into the depot; or for the last
    /// time, if it is `retire`.
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
        // SAFETY: the slot is out, so the slab lives, and then the reference keeps it.
        let slab = unsafe { this.as_ref() };
        // ORDERING: Relaxed: the slot, which is out, keeps the slab so far.
        slab.refs.fetch_add(1, Relaxed);
        let (is_closed, is_surplus) = {
            let mut locked = lock(&slab.locked);
            let Locked { depot, is_closed, .. } = &mut *locked;
            // A slab that is closed has let go of it.
            if retire {
                depot.retire();
            } else if let Some(cache) = own.filter(|_| !*is_closed) {
                cache.magazines.drain(MAGAZINE.into(), depot, &slab.storage);
                cache.magazines.push(slot, ROOM);
            } else {
                // SAFETY: the caller's.
                unsafe { depot.put(&slab.storage, slot) };
                // Room for those that follow, if that is why this one comes here.
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
        // SAFETY: there is this reference, and that of the slot since the slab was closed.
        unsafe { Self::release(this, 1 + usize::from(is_closed)) };
    }

    /// What a thread does to leave its cache.
    ///
    /// # Safety
    ///
    /// As [`ThreadCache::detach`]; it is a cache of a slab of this type.
    unsafe fn detach(cache: Node<ThreadCache>) {
        let slab = cache.slab().cast::<Self>();
        let (slots, refs, is_first) = match cache.detach_by_thread() {
            Detached::First => (cache.magazines.len(), 1, true),
            Detached::Second { uncounted } => (uncounted, 0, false),
        };
        let mut is_spare = false;
        if is_first || slots > 0 {
            // SAFETY: the reference of the cache keeps the slab, or those of the slots that were not counted.
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
            // SAFETY: they are those that were just said.
            unsafe { Self::release(slab, refs + of_slots) };
        }
        if !is_spare {
            // SAFETY: the slab has let go, or has it in its list no more.
            unsafe { ThreadCache::free(cache) };
        }
    }

    /// Gives references up. The slab may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The caller has so many, and does not use the slab again.
    unsafe fn release(this: NonNull<Self>, count: usize) {
        // SAFETY: the references keep the slab until they are counted down.
        let refs = unsafe { &(*this.as_ptr()).refs };
        // ORDERING: AcqRel, with itself: all that others did to the slab was before.
        if refs.fetch_sub(count, AcqRel) == count {
            // SAFETY: it is from `Box::leak`, and nobody refers to it any more.
            drop(unsafe { Box::from_raw(this.as_ptr()) });
        }
    }
}

impl<S: Item> Drop for SharedSlab<S> {
    fn drop(&mut self) {
        if let Some(spare) = { lock(&self.locked).spare.take() } {
            // SAFETY: no thread has it, and it is in no list.
            unsafe { ThreadCache::free(spare) };
        }
        while let Some(page) = { lock(&self.locked).depot.remove_page() } {
            // SAFETY: nothing is out, and nobody refers to the slab.
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
        // As it came from the allocator, so that it can go back there.
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
            // With its stripes.
            allocations: AtomicU64::new(2),
            settings,
            this,
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        });
        // SAFETY: it is the place of a slab, which nobody else has seen.
        unsafe { place.write(slab) };
        // SAFETY: the handle that is about to be returned keeps the slab.
        let slab = unsafe { this.as_ref() };
        // (Some systems allocate a lock when it is first used.)
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
        // SAFETY: the slot is out, so the slab lives until the slot is back.
        let slab = unsafe { this.as_ref() };
        if end.abandoned {
            slab.abandoned.fetch_add(1, Relaxed);
        }
        // SAFETY: the slot came back so.
        let retire = end.exhausted && !unsafe { S::begin_epoch(slot, slab.settings.layout) };
        let find = || thread_caches::find_slowly(this.cast());
        let own = if retire || slab.settings.is_bounded() { None } else { find() };
        let put = |cache: Node<ThreadCache>| cache.push(slot);
        // SAFETY: the stripes live until the slot is back.
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
        // SAFETY: the reference of the handles keeps the slab.
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
            // ORDERING: Relaxed: the reference of the handles is given up below. What is out is counted down by who
            // has the lock after this.
            slab.refs.fetch_add(out as usize, Relaxed);
            1 + left
        };
        slab.free_empty_pages(true);
        // SAFETY: the reference of the handles, and those of the caches that it has left.
        unsafe { Self::release(this, refs) };
    }
}
