//! The slab of several threads: a [thread cache](super::thread_cache) for each thread that rents, and a depot behind a lock. A
//! bounded slab has [stripes](super::stripes) instead of thread caches. The section *Who frees* of the design page has the
//! rules for freeing.

use alloc::boxed::Box;
use core::{mem::MaybeUninit, ptr::NonNull};

use super::{
    Base, Depot, Item, Keep, Room, Settings, Slab, Spare, Stats, Unlimited,
    depot::Counts,
    list::{List, Node},
    magazines::{MAGAZINE, Magazines, ROOM},
    stripes::{Stripe, Stripes},
    thread_cache::{Detached, ThreadCache},
    thread_caches,
    waiters::{self, Waiters},
};
use crate::{
    slot::{End, WakeOnDrop, Word},
    sync::{
        AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Backoff, Mutex,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
        lock,
    },
};

#[repr(C)]
pub(crate) struct SharedSlab<S: Item> {
    base: Base<S>,
    /// The pointer from the allocator.
    this: NonNull<Self>,
    stripes: Stripes,
    /// `true` if a future waits for a slot. Changes under the lock of `waiters`.
    has_waiters: AtomicBool,
    handles: AtomicUsize,
    /// The references that keep the slab allocated: one for all handles, one for each cache in `caches`, one for each call that uses
    /// the slab after it has returned its slot, and, after `close`, one for each slot in use.
    refs: AtomicUsize,
    locked: Mutex<Locked<S>>,
    /// [`VACANT`], [`EMPTY`] or [`FULL`]. Changes under the lock.
    fill: AtomicU32,
    /// The [`Spare`] slots of a slab whose slots are not found by their indices. Changes under the lock.
    spare: AtomicU64,
    /// Held by the thread that allocates a page. The depot is not locked meanwhile.
    growing: Mutex<()>,
    /// The futures that wait for a slot, if the slab is bounded. No other lock is taken under this one.
    waiters: Mutex<Waiters<S>>,
    /// The number of claimants that are about to return a slot.
    returning: AtomicU32,
    /// Makes a model fail if the slab leaks.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

/// The depot has a vacant slot.
const VACANT: u32 = 0;
/// The depot has no vacant slot. The slab grows if there is room.
const EMPTY: u32 = 1;
/// The depot has no vacant slot, and the slab has reached its limit.
const FULL: u32 = 2;

/// Returns the empty pages that a slab keeps after a return.
fn kept(is_closed: bool) -> Keep {
    if is_closed { Keep::None } else { Keep::Useful }
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

    /// Calls a function with what the lock protects.
    fn locked<R>(&self, f: impl FnOnce(&mut Locked<S>) -> R) -> R {
        let mut locked = lock(&self.locked);
        let result = f(&mut locked);
        let Counts { vacant, capacity, .. } = locked.depot.counts;
        let fill = match vacant {
            0 if capacity >= self.base.settings.limit() => FULL,
            0 => EMPTY,
            _ => VACANT,
        };
        // ORDERING: Relaxed: the lock orders the changes.
        if self.fill.load(Relaxed) != fill {
            // ORDERING: Release, with the Acquire in `is_full`.
            self.fill.store(fill, Release);
        }
        if !S::INDEXED {
            let Spare { idle, excess } = locked.depot.spare(&self.base.storage);
            let spare = u64::from(idle) << 32 | u64::from(excess);
            // ORDERING: Relaxed: the lock orders the changes, and other threads only take it for a hint.
            if self.spare.load(Relaxed) != spare {
                self.spare.store(spare, Relaxed);
            }
        }
        result
    }

    /// Returns `true` if the depot has no vacant slot, and the slab cannot grow.
    fn is_full(&self, room: impl Room) -> bool {
        // ORDERING: Acquire, with the Release in `locked`: a thread that sees that the depot is empty sees the stripe that the
        // slots went to.
        match self.fill.load(Acquire) {
            FULL => true,
            // `grow` adds a page to the depot before it charges it. So if a new page of this slab has taken the room, the second
            // load sees that page.
            // ORDERING: Acquire, as above.
            EMPTY => !room.has(self.base.storage.bytes_of(1)) && self.fill.load(Acquire) == EMPTY,
            _ => false,
        }
    }

    /// Returns the cache of the calling thread, and creates it if needed. Returns `None` if the thread is running its thread-local
    /// destructors.
    fn cache(&self) -> Option<Node<ThreadCache>> {
        let new = || {
            let cache = self.locked(|locked| locked.spare.take()).unwrap_or_else(|| {
                self.base.allocations.add(1);
                ThreadCache::new(self.this.cast(), Self::detach)
            });
            // ORDERING: Relaxed: the handle of the caller keeps the slab allocated.
            self.refs.fetch_add(1, Relaxed);
            self.locked(|locked| locked.caches.push(cache));
            cache
        };
        thread_caches::find_slowly(self.address())
            .or_else(|| thread_caches::add(self.address(), new))
    }

    /// Counts a rented slot, in the cache of the calling thread if it has one.
    fn count_rent(&self) {
        // A bounded slab has no caches. The thread may have the cache of a closed slab with the same address.
        match thread_caches::find(self.address()).filter(|_| !self.base.settings.is_bounded()) {
            Some(cache) => cache.count(),
            None => self.base.rented.add(1),
        }
    }

    fn rent_from_depot(&self, room: impl Room) -> Option<NonNull<S>> {
        let (cache, mut backoff) = (self.cache(), Backoff::new());
        loop {
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
            // Another thread may hold a stripe with slots for a moment.
            let are_stripes_empty = self.stripes.len() == 0;
            if are_stripes_empty && self.is_full(room) {
                return None;
            }
            let slot = self.with_depot(|depot| match cache {
                Some(cache) => {
                    cache.magazines.refill(depot, S::NEW_AT_ONCE);
                    cache.pop()
                }
                None => depot.take(&mut 1),
            });
            if slot.is_some() {
                return slot;
            }
            if !self.grow(room, |depot| depot.counts.vacant > 0) {
                if are_stripes_empty {
                    return None;
                }
                backoff.wait();
            }
        }
    }

    /// Takes any vacant slot of a bounded slab.
    fn rent_bounded(&self, room: impl Room) -> Option<NonNull<S>> {
        let mut backoff = Backoff::new();
        loop {
            let seen = match self.stripes.take() {
                Ok(slot) => return Some(slot),
                Err(seen) => seen,
            };
            // Stripes are read again afterwards, so all of it was empty at the same time.
            if self.is_full(room) && self.stripes.is_unchanged(seen) {
                return None;
            }
            // The stripe is unlocked before the depot: a thread that finds the depot empty sees that the stripe has changed.
            let (slot, is_none, is_at_limit) = self.with_depot(|depot| {
                let slot = depot.take(&mut 1);
                if let Some(own) = slot.and_then(|_| self.stripes.own().try_lock()) {
                    own.magazines.refill(depot, S::NEW_AT_ONCE);
                }
                let is_at_limit = depot.counts.capacity >= self.base.settings.limit();
                (slot, self.stripes.is_unchanged(seen), is_at_limit)
            });
            if slot.is_some() {
                return slot;
            }
            match (is_none, is_at_limit) {
                (false, _) => backoff.wait(),
                (true, true) => return None,
                // Another thread may have added a page meanwhile, and taken all its slots. So look again.
                (true, false) => {
                    let has_grown = self.grow(room, |depot| depot.counts.vacant > 0);
                    if !has_grown && self.stripes.is_unchanged(seen) {
                        return None;
                    }
                }
            }
        }
    }

    /// Returns a slot under the lock: to the full cache of the calling thread if there is one, and otherwise to the depot. Retires the
    /// slot instead if `retire` is `true`.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`]. The slab is not bounded.
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
        let storage = &slab.base.storage;
        // The stripe is unlocked when the depot is known to have slots: a thread that sees the stripe empty sees that.
        let (is_closed, is_surplus, stripe) = slab.locked(|Locked { depot, is_closed, .. }| {
            let mut full_stripe = None;
            // A closed slab is detached from the cache.
            if retire {
                depot.counts.retired += 1;
            } else if let Some(cache) = own.filter(|_| !*is_closed) {
                cache.magazines.drain(MAGAZINE.into(), depot, storage);
                cache.magazines.push(slot, ROOM);
            } else {
                // SAFETY: the caller's.
                unsafe { depot.put(storage, slot) };
                // If the stripe is full, make room for the next slots.
                full_stripe = slab.stripes.own().try_lock_full();
                if let Some(stripe) = &full_stripe {
                    stripe.magazines.drain(MAGAZINE.into(), depot, storage);
                }
            }
            let keep = kept(*is_closed);
            (*is_closed, depot.surplus(storage, keep).is_some(), full_stripe)
        });
        drop(stripe);
        if is_surplus {
            slab.free_empty_pages(kept(is_closed), usize::MAX);
        }
        // SAFETY: the caller owns the reference of this call, and since `close` that of the slot.
        unsafe { Self::release(this, 1 + usize::from(is_closed)) };
    }

    /// [`put_slowly`](SharedSlab::put_slowly), for a bounded slab. If a future waits, it gets the slot, and its waker is returned.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`].
    // Not inlined, so that a return to a stripe saves fewer registers.
    #[inline(never)]
    unsafe fn put_or_give(this: NonNull<Self>, slot: NonNull<S>, retire: bool) -> WakeOnDrop {
        // SAFETY: the slot keeps the slab allocated, and from here on the reference does.
        let slab = unsafe { this.as_ref() };
        // ORDERING: Relaxed: the slot keeps the slab allocated.
        slab.refs.fetch_add(1, Relaxed);
        let mut wake = WakeOnDrop::NONE;
        let is_closed = loop {
            // SAFETY: the caller's.
            if let Some(is_closed) = unsafe { slab.put_unless_awaited(slot, retire) } {
                break is_closed;
            }
            if let Some((_, waker)) = slab.with_waiters(|waiters| waiters.give(slot)) {
                wake = WakeOnDrop(Some(waker));
                // A future that waits has a handle.
                break false;
            }
        };
        if retire && slab.has_waiters() && waiters::is_worn_out(slab) {
            wake = waiters::end_first(slab);
        }
        // SAFETY: the caller owns the reference of this call, and since `close` that of the slot.
        unsafe { Self::release(this, 1 + usize::from(is_closed)) };
        wake
    }

    /// Returns a slot of a bounded slab to the depot, for a caller with a reference. Returns whether the slab is closed. If a future
    /// waits, returns `None`, and the slot is still out.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`].
    unsafe fn put_unless_awaited(&self, slot: NonNull<S>, retire: bool) -> Option<bool> {
        let storage = &self.base.storage;
        // As in `put_slowly`, the stripe is unlocked afterwards.
        let (is_closed, is_surplus, stripe) =
            self.locked(|Locked { depot, is_closed, .. }| {
                let mut full_stripe = None;
                if retire {
                    depot.counts.retired += 1;
                } else if self.has_waiters() {
                    return None;
                } else {
                    // SAFETY: the caller's.
                    unsafe { depot.put(storage, slot) };
                    full_stripe = self.stripes.own().try_lock_full();
                    if let Some(stripe) = &full_stripe {
                        stripe.magazines.drain(MAGAZINE.into(), depot, storage);
                    }
                }
                let keep = kept(*is_closed);
                Some((*is_closed, depot.surplus(storage, keep).is_some(), full_stripe))
            })?;
        drop(stripe);
        if is_surplus {
            self.free_empty_pages(kept(is_closed), usize::MAX);
        }
        Some(is_closed)
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
            let is_closed = of_cache.locked(|Locked { depot, caches, spare, is_closed }| {
                cache.magazines.drain(slots, depot, &of_cache.base.storage);
                of_cache.base.rented.add(cache.rents());
                if is_first {
                    caches.remove(cache);
                    if !*is_closed && spare.is_none() {
                        cache.renew();
                        is_spare = true;
                        *spare = Some(cache);
                    }
                }
                *is_closed
            });
            of_cache.free_empty_pages(kept(is_closed), usize::MAX);
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
        if let Some(spare) = self.locked(|locked| locked.spare.take()) {
            // SAFETY: no thread uses it, and it is in no list.
            unsafe { ThreadCache::free(spare) };
        }
        while let Some(page) = self.with_depot(Depot::remove_page) {
            // SAFETY: no slot is in use, and nobody refers to the slab.
            unsafe { self.base.storage.free(page) };
        }
        // As for a `Slot`.
        #[cfg(loom)]
        if !std::thread::panicking() {
            // SAFETY: this is the end of it. Loom has no `with_mut` for this type.
            let _ = unsafe { self.fill.unsync_load() };
            self.spare.with_mut(|_| ());
            // SAFETY: as above.
            let _ = unsafe { self.has_waiters.unsync_load() };
            self.handles.with_mut(|_| ());
            self.refs.with_mut(|_| ());
            self.returning.with_mut(|_| ());
            self.stripes.touch();
            self.base.touch();
        }
    }
}

impl<S: Item> Slab for SharedSlab<S> {
    type Slot = S;

    fn new(settings: Settings<S>) -> NonNull<Self> {
        let place = Box::leak(Box::<Self>::new_uninit());
        let this = NonNull::from(&mut *place).cast::<Self>();
        let depot = Depot::new(settings.first_generation);
        let initial = settings.initial;
        let place = this.cast::<MaybeUninit<Self>>();
        let slab = MaybeUninit::new(SharedSlab {
            stripes: Stripes::new(settings.limit.filter(|_| settings.exact)),
            has_waiters: AtomicBool::new(false),
            handles: AtomicUsize::new(1),
            refs: AtomicUsize::new(1),
            locked: Mutex::new(Locked {
                depot,
                caches: List::new(),
                spare: None,
                is_closed: false,
            }),
            fill: AtomicU32::new(VACANT),
            spare: AtomicU64::new(0),
            growing: Mutex::new(()),
            waiters: Mutex::new(Waiters::new()),
            returning: AtomicU32::new(0),
            // The slab and its stripes were allocated.
            base: Base::new(this.cast(), settings, 2),
            this,
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        });
        // SAFETY: this is the place of the new slab, which no other thread knows.
        unsafe { place.write(slab) };
        // SAFETY: the handle that is about to be returned keeps the slab allocated.
        let slab = unsafe { this.as_ref() };
        // (On some systems the first use of a lock allocates.)
        drop((lock(&slab.growing), lock(&slab.locked), lock(&slab.waiters)));
        if initial > 0 {
            slab.reserve(initial, Unlimited);
        }
        this
    }

    #[inline(always)]
    fn base(&self) -> &Base<S> {
        &self.base
    }

    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<S>) -> R) -> R {
        self.locked(|locked| f(&mut locked.depot))
    }

    fn begin_growth(&self) -> impl Sized {
        lock(&self.growing)
    }

    fn cached(&self) -> u64 {
        let own = if self.base.settings.is_bounded() { None } else { self.cache() };
        own.map_or(0, |cache| cache.magazines.len()) + self.stripes.len()
    }

    fn drain(&self) {
        let drain = |magazines: &Magazines<_, _>, depot: &mut _| {
            magazines.drain(magazines.len(), depot, &self.base.storage);
        };
        if let Some(own) = thread_caches::find_slowly(self.address()) {
            self.with_depot(|depot| drain(&own.magazines, depot));
        }
        for stripe in self.stripes.iter() {
            let guard = stripe.lock();
            self.with_depot(|depot| drain(guard.magazines, depot));
        }
    }

    fn spare(&self) -> (Spare, u64) {
        // ORDERING: Relaxed: the lock is taken before a page is freed.
        let spare = self.spare.load(Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "it is the lower half")]
        let spare = Spare { idle: (spare >> 32) as u32, excess: spare as u32 };
        let own = thread_caches::find(self.address()).filter(|cache| !cache.is_detached());
        (spare, own.map_or(0, |cache| cache.magazines.len()) + self.stripes.len())
    }

    fn stats(&self) -> Stats {
        let given = u64::from(self.with_waiters(|waiters| waiters.given()));
        let (counts, cached, rented) = self.locked(|Locked { depot, caches, .. }| {
            let add = |(slots, rents), cache: Node<ThreadCache>| {
                (slots + cache.magazines.len(), rents + cache.rents())
            };
            let (cached, rented) = caches.iter().fold((self.stripes.len(), 0), add);
            (depot.counts, cached, rented)
        });
        self.base.stats(counts, cached + given, rented)
    }

    #[inline(always)]
    fn try_rent(&self) -> Option<NonNull<S>> {
        let cache = thread_caches::find(self.address())?;
        let slot = cache.pop()?;
        if !S::INDEXED {
            cache.count();
        }
        Some(slot)
    }

    #[cold]
    #[inline(never)]
    fn rent_slowly(&self, room: impl Room) -> Option<NonNull<S>> {
        let slot = if self.base.settings.is_bounded() {
            self.rent_bounded(room)
        } else {
            self.rent_from_depot(room)
        }?;
        if !S::INDEXED {
            self.count_rent();
        }
        Some(slot)
    }

    #[inline(always)]
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> bool {
        if end.exhausted || end.cancelled {
            return false;
        }
        thread_caches::find(this.cast()).is_some_and(|cache| cache.push(slot))
    }

    unsafe fn put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> WakeOnDrop {
        // SAFETY: the slot keeps the slab allocated until it is returned.
        let slab = unsafe { this.as_ref() };
        if end.cancelled {
            slab.base.cancelled.add(1);
        }
        // SAFETY: the slot came back so.
        let retire = end.exhausted && !unsafe { S::begin_epoch(slot, slab.base.settings.layout) };
        let find = || thread_caches::find_slowly(this.cast());
        let is_bounded = slab.base.settings.is_bounded();
        let own = if retire || is_bounded { None } else { find() };
        let put = |cache: Node<ThreadCache>| cache.push(slot);
        // A pointer, because a reference in the closure would live longer than the slab may.
        let stripes = slab.stripes.all();
        let has_waiters = is_bounded.then(|| NonNull::from(&slab.has_waiters));
        // SAFETY: the slot keeps the stripes and the slab allocated until it is in one of them.
        let put_into_stripe = || !retire && unsafe { Stripes::put(stripes, slot, has_waiters) };
        if own.map_or_else(put_into_stripe, put) {
            return WakeOnDrop::NONE;
        }
        if is_bounded {
            // SAFETY: the caller's.
            return unsafe { Self::put_or_give(this, slot, retire) };
        }
        // SAFETY: the caller's.
        unsafe { Self::put_slowly(this, slot, own, retire) };
        WakeOnDrop::NONE
    }

    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<S>) -> R) -> R {
        let mut waiters = lock(&self.waiters);
        let result = f(&mut waiters);
        let has_waiters = !waiters.is_empty();
        // ORDERING: Relaxed: the lock orders the changes.
        if self.has_waiters.load(Relaxed) != has_waiters {
            // ORDERING: Relaxed. The locks of stripes and depot order it with the returns, see `pass_locks`.
            self.has_waiters.store(has_waiters, Relaxed);
        }
        result
    }

    fn has_waiters(&self) -> bool {
        // ORDERING: Relaxed, as above.
        self.has_waiters.load(Relaxed)
    }

    fn pass_locks(&self) {
        for stripe in self.stripes.iter() {
            drop(stripe.lock());
        }
        self.locked(|_| ());
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
        let refs = slab.locked(|Locked { depot, caches, is_closed, .. }| {
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
                magazines.drain(magazines.len(), depot, &slab.base.storage);
            }
            let out = depot.counts.in_use() - u32::try_from(counted).expect("they are of the slab");
            // ORDERING: Relaxed: the reference of the handles is released below, and those of slots under the lock later.
            slab.refs.fetch_add(out as usize, Relaxed);
            1 + left
        });
        slab.free_empty_pages(Keep::None, usize::MAX);
        // SAFETY: these are the references of the handles and of the caches that were detached.
        unsafe { Self::release(this, refs) };
    }
}
