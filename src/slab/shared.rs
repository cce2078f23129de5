//! The slab of many threads: chunks of slots, a [shard](super::shard) for each thread, and a middle
//! behind a lock for what goes from one to another.
//! See *Who frees* in the design text for the rules that comments here refer to.

use alloc::boxed::Box;
use core::{mem, ptr, ptr::NonNull};

use super::{
    Find, Indexed, Settings, Slab, Stats, Storage,
    chunks::{self, Chunks},
    limbo,
    list::{Linked, Stack},
    shard::{Entered, Shard},
    threads::{self, lock},
};
use crate::slot::End;
use crate::sync::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Mutex,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    yield_now,
};

/// The first chunk of shards are the near ones.
const FIRST_SHARDS: u32 = threads::NEAR.ilog2();
type NearShards = [Shard; 1 << FIRST_SHARDS];

#[repr(C)]
pub(crate) struct SharedSlab<S: Linked> {
    settings: Settings<Self>,
    /// As it came from the allocator.
    this: NonNull<Self>,
    slots: S::Storage,
    /// By the numbers of threads. The first, which belongs to none, is shut.
    shards: Chunks<Shard, AtomicPtr<()>, FIRST_SHARDS>,
    /// The near ones of them, which are the short way; in a slab that is bounded or closed, as many
    /// that are shut.
    near: AtomicPtr<Shard>,
    closed: AtomicBool,
    handles: AtomicUsize,
    /// So many slots were handed to threads, and were not freed since. Where they have indices, those with
    /// a lower one.
    used: AtomicU32,
    /// [`OPEN`], [`LOOKED`], or what [`threads::ended`] was when somebody looked for a slot and there was
    /// none.
    full: AtomicU64,
    middle: Mutex<Middle<S>>,
    /// So many slots are in the middle, are retired, or came back when the slab was closed. A return
    /// counts after it has put slots there, which may be taken before: until then this is too low.
    vacant: AtomicI64,
    /// So many slots are about to come back.
    returning: AtomicU32,
    // ORDERING: Relaxed, from here on: counts for reports.
    /// If slots do not count that: so many times other than from a shard that was near.
    rented: AtomicU64,
    retired: AtomicU64,
    abandoned: AtomicU64,
    refused: AtomicU64,
    allocations: AtomicU64,
    /// A model fails if this is left.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
    /// Loom has no statics that could stay.
    #[cfg(loom)]
    shut: NearShards,
}

/// There may be a vacant slot.
const OPEN: u64 = 0;

/// Somebody has begun to look for one, and none has come back since.
const LOOKED: u64 = 1;

const _: () = assert!(threads::NONE_ENDED > LOOKED);

struct Middle<S: Linked> {
    vacant: <S::Storage as Storage<S>>::Stack,
    /// So many slots are there.
    capacity: u32,
}

impl<S: Linked> SharedSlab<S> {
    /// The shard of this thread, or one that is shut.
    #[inline(always)]
    fn near(&self) -> NonNull<Shard> {
        // ORDERING: Relaxed. It points to what was there before anybody had the slab.
        let near = self.near.load(Relaxed);
        // SAFETY: it points to the near shards, or to as many, and the place is that of one of them.
        let near = unsafe { NonNull::new_unchecked(near) };
        // SAFETY: as above.
        unsafe { near.byte_add(threads::place()) }
    }

    /// Near shards that are shut.
    #[cfg_attr(not(loom), expect(clippy::unused_self, reason = "a slab of a model has its own"))]
    fn shut(&self) -> *mut Shard {
        #[cfg(not(loom))]
        let shut = {
            static SHUT: NearShards = Shard::all_shut();
            &raw const SHUT
        };
        #[cfg(loom)]
        let shut = &raw const self.shut;
        shut.cast::<Shard>().cast_mut()
    }

    /// The shard of this thread, by its number, if it is there.
    #[inline(always)]
    fn own(&self) -> Option<NonNull<Shard>> {
        self.shards.get(threads::number())
    }

    /// The shard of this thread, which gets one; `None` if the thread is about to end.
    fn shard(&self) -> Option<NonNull<Shard>> {
        let number = threads::take_number()?;
        self.shards.get(number).or_else(|| self.add_shard(number))
    }

    /// Comes into a shard, where that needs a flag; `None` if somebody is there.
    #[inline(always)]
    fn enter<'s>(&self, shard: &'s Shard) -> Option<Entered<'s>> {
        if self.settings.is_bounded() { shard.try_enter() } else { Some(Entered::freely()) }
    }

    #[cold]
    fn add_shard(&self, number: u32) -> Option<NonNull<Shard>> {
        let _only = lock(&self.middle);
        let mut there = self.shards.end();
        while there <= number {
            // SAFETY: the place is that of a new shard.
            let make = |place: NonNull<Shard>, number| unsafe { place.write(Shard::new(number)) };
            // SAFETY: under the lock.
            there = unsafe { self.shards.add(there, make) };
            self.allocations.fetch_add(1, Relaxed);
        }
        self.shards.get(number)
    }

    fn shards(&self) -> impl Iterator<Item = &Shard> {
        // SAFETY: chunks live as long as the slab.
        (threads::NONE + 1..).map_while(|number| Some(unsafe { self.shards.get(number)?.as_ref() }))
    }

    /// From a shard that is not near, or where that needs a flag, or from elsewhere.
    #[inline(never)]
    fn rent_slowly(&self) -> Option<NonNull<S>> {
        let own = self.own().and_then(|shard| {
            // SAFETY: a slab that has a handle keeps its shards.
            self.take_from(unsafe { shard.as_ref() })
        });
        let slot = match own {
            None if self.is_full() => None,
            None => self.find(),
            own => own,
        }?;
        if !S::Storage::COUNTS_RENTS {
            // ORDERING: Relaxed: it is for reports.
            self.rented.fetch_add(1, Relaxed);
        }
        Some(slot)
    }

    /// There was no slot for anybody, and none has come back since, but perhaps to the shard of a thread that
    /// keeps it for itself. So nobody has to look for one.
    #[inline(always)]
    fn is_full(&self) -> bool {
        // ORDERING: Relaxed. Who knows of a return sees what that stored in `reopen`, or something later.
        self.full.load(Relaxed) == threads::ended()
    }

    /// Says that a slot comes back. The caller has the lock of the middle, or is in the shard of a bounded
    /// slab that the slot goes to.
    #[inline(always)]
    fn reopen(&self) {
        // ORDERING: Relaxed. Whoever looks for a slot has the lock of the middle, and stores `LOOKED` before
        // coming into any shard. If that was in this one before us, it has released it to us (by `Entered`),
        // and we see `LOOKED` or something later. If it comes after us, it finds the slot.
        if self.full.load(Relaxed) != OPEN {
            // ORDERING: AcqRel, with the exchange in `find`: that fails, or comes before this.
            self.full.swap(OPEN, AcqRel);
        }
    }

    /// A slot of this thread's shard, if there is one, and nobody else is there.
    #[inline(always)]
    fn take_from(&self, shard: &Shard) -> Option<NonNull<S>> {
        // Others only take from here, so that there is nothing holds.
        if shard.len() == 0 {
            return None;
        }
        let _entered = self.enter(shard)?;
        shard.pop()
    }

    /// A vacant slot from the middle, a new one, one of other threads, or of a new chunk. The shard
    /// has none, and gets some more.
    #[cold]
    fn find(&self) -> Option<NonNull<S>> {
        // SAFETY: a slab that has a handle keeps its shards.
        let shard = self.shard().map(|shard| unsafe { shard.as_ref() });
        // A thread that had no number before has what the last one with its number left.
        if let Some(slot) = shard.and_then(|shard| self.take_from(shard)) {
            return Some(slot);
        }
        let mut middle = lock(&self.middle);
        loop {
            if let Some(slot) = self.hand_out(&mut middle, shard) {
                return Some(slot);
            }
            if self.use_next(&mut middle) {
                continue;
            }
            // Before what they leave is looked for. It may be too low, and then somebody looks once more.
            let ended = threads::ended();
            // ORDERING: Relaxed: who comes into a shard after us sees it. See `reopen`.
            self.full.store(LOOKED, Relaxed);
            if !self.reclaim(&mut middle) && !self.grow(&mut middle) {
                // Fails if a slot has come back meanwhile.
                // ORDERING: AcqRel, with the swap in `reopen`.
                let _full = self.full.compare_exchange(LOOKED, ended, AcqRel, Relaxed);
                return None;
            }
        }
    }

    /// One from the middle; the shard, which is empty, gets some more.
    fn hand_out(&self, middle: &mut Middle<S>, shard: Option<&Shard>) -> Option<NonNull<S>> {
        // Those of a bounded slab have to do for all threads.
        let wanted = if self.settings.is_bounded() { Shard::HALF } else { Shard::ALL };
        let mut count = 0;
        let own = shard.and_then(|shard| {
            let _entered = self.enter(shard)?;
            count = shard.refill(wanted, &mut middle.vacant);
            shard.pop()
        });
        let slot = own.or_else(|| {
            let slot = middle.vacant.pop()?;
            count += 1;
            Some(slot)
        });
        // ORDERING: Relaxed: what is vacant matters when nobody rents.
        self.vacant.fetch_sub(count.into(), Relaxed);
        slot
    }

    /// Slots that were never used. Several, so that those of one thread are neighbours: two threads
    /// with alternate slots wait for each other's cache lines (11 ns more for each operation).
    fn use_next(&self, middle: &mut Middle<S>) -> bool {
        let used = self.used.load(Relaxed);
        let end = middle.capacity.min(used + Shard::HALF);
        // The lowest is the last to go into the shard, and the first to come out of it.
        // SAFETY: under the lock.
        let new = (used..end).filter_map(|index| unsafe { self.slots.take_new(index) });
        for slot in new {
            // SAFETY: it is vacant, and was never in a list.
            unsafe { middle.vacant.push(slot) };
        }
        // ORDERING: Release, with the Acquire in `used`: the chunk was added before. All who store
        // hold the lock.
        self.used.store(end, Release);
        self.vacant.fetch_add((end - used).into(), Relaxed);
        used < end
    }

    /// Collects what others have and do not need: in a bounded slab all that is vacant, in an
    /// unbounded one what threads left that have ended. Whether there was anything.
    fn reclaim(&self, middle: &mut Middle<S>) -> bool {
        let mut found = false;
        let mut drain = |shard: &Shard| found |= self.collect(middle, shard);
        if self.settings.is_bounded() {
            // All of them before anything is taken out of the first: otherwise a slot could come
            // back behind us, and another go before us, and we would find none where one was vacant
            // at any time. There will be no more of them, nor another who does this: that is under
            // the lock.
            for shard in self.shards() {
                // Whoever is in there is about to leave: it waits for nobody, and calls nobody.
                while shard.try_enter().map(mem::forget).is_none() {
                    yield_now();
                }
            }
            for shard in self.shards() {
                drain(shard);
                drop(shard.entered());
            }
        } else {
            let numbers = threads::numbers();
            let left = numbers.without_thread().map_while(|number| self.shards.get(number));
            // SAFETY: chunks live as long as the slab.
            left.for_each(|shard| drain(unsafe { shard.as_ref() }));
        }
        found
    }

    /// All that is in a shard goes to the middle. Whether there was anything.
    fn collect(&self, middle: &mut Middle<S>, shard: &Shard) -> bool {
        let count = shard.drain(&mut middle.vacant);
        self.vacant.fetch_add(count.into(), Relaxed);
        count > 0
    }

    /// Frees all slots of the middle, and those that were never used; tells how many.
    fn free_all(&self, middle: &mut Middle<S>) -> u32 {
        while self.use_next(middle) {}
        let mut freed = 0;
        while let Some(slot) = middle.vacant.pop() {
            // SAFETY: it was in the middle, so it is vacant.
            unsafe { self.slots.free(slot) };
            freed += 1;
        }
        let capacity = middle.capacity - freed;
        middle.capacity = capacity;
        middle.vacant.shrink(capacity);
        self.vacant.fetch_sub(freed.into(), Relaxed);
        // ORDERING: Relaxed. All who store hold the lock, and where slots are freed, nobody looks for one
        // by its index.
        self.used.store(self.used.load(Relaxed) - freed, Relaxed);
        freed
    }

    fn grow(&self, middle: &mut Middle<S>) -> bool {
        if middle.capacity >= self.settings.limit() {
            return false;
        }
        // SAFETY: the place is that of a new slot.
        let make = |place, index| unsafe { self.settings.make(place, self.this, index) };
        // SAFETY: under the lock.
        middle.capacity = unsafe { self.slots.add(middle.capacity, make) };
        let capacity = middle.capacity;
        let reserved = middle.vacant.reserve(capacity);
        self.allocations.fetch_add(1 + u64::from(reserved), Relaxed);
        true
    }

    /// Whether there was room in that shard, where nobody else was.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`]; the shard is this thread's.
    #[inline(always)]
    unsafe fn put_into(this: NonNull<Self>, shard: NonNull<Shard>, slot: NonNull<S>) -> bool {
        // SAFETY: the slot is out, so the slab lives until its return is counted.
        let slab = unsafe { this.as_ref() };
        // SAFETY: as above.
        let Some(_entered) = slab.enter(unsafe { shard.as_ref() }) else { return false };
        if slab.settings.is_bounded() {
            slab.reopen();
        }
        // SAFETY: as above.
        unsafe { Shard::try_push(shard, slot) }
    }

    /// A return by a thread whose shard has no room, or that has none yet, or none any more.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`].
    #[cold]
    unsafe fn put_elsewhere(this: NonNull<Self>, slot: NonNull<S>) {
        // SAFETY: the slot is out, so the slab lives until its return is counted.
        let slab = unsafe { this.as_ref() };
        let shard = slab.shard();
        // To get the shard may have taken a while, and so may the lock below.
        // ORDERING: Relaxed, both times: that it is closed may be missed, by the fourth rule.
        if slab.closed.load(Relaxed) {
            // SAFETY: the slot was out.
            return unsafe { limbo::put(this, slot) };
        }
        // SAFETY: the caller's.
        if shard.is_some_and(|shard| unsafe { Self::put_into(this, shard, slot) }) {
            return;
        }
        let mut middle = lock(&slab.middle);
        if slab.closed.load(Relaxed) {
            drop(middle);
            // SAFETY: as above.
            return unsafe { limbo::put(this, slot) };
        }
        let full = shard.filter(|_| !slab.settings.is_bounded());
        let count = if let Some(shard) = full {
            // SAFETY: the slot is still out.
            unsafe { shard.as_ref() }.drain(&mut middle.vacant)
        } else {
            // SAFETY: the slot is vacant, and in no list.
            unsafe { middle.vacant.push(slot) };
            1
        };
        slab.reopen();
        drop(middle);
        // ORDERING: Release, with the Acquire in `is_empty`: all was done before.
        slab.vacant.fetch_add(count.into(), Release);
        if let Some(shard) = full {
            // SAFETY: the slot is still out.
            let put = unsafe { Shard::try_push(shard, slot) };
            debug_assert!(put, "there is room now");
        }
    }

    /// Takes a slot back to a closed slab, under the lock of limbo: nobody will rent it.
    ///
    /// # Safety
    ///
    /// As [`Slab::put`].
    pub(crate) unsafe fn put_late(&self, slot: NonNull<S>) {
        if S::Storage::FREES {
            // SAFETY: the slot is vacant, and in no list.
            unsafe { self.slots.free(slot) };
        }
        // ORDERING: Release, with the Acquire in `is_empty`, as the other returns.
        self.vacant.fetch_add(1, Release);
    }

    /// Nothing is out. For a closed slab, where nobody rents: slots only come back then, and go from
    /// shards to the middle. To count the middle first is what makes sure that none is counted twice.
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Acquire, with the Release of the returns.
        let vacant = self.vacant.load(Acquire);
        let settled = self.shards().map(|shard| i64::from(shard.settled())).sum::<i64>();
        vacant + settled == i64::from(self.used.load(Relaxed))
    }
}

impl<S: Linked> Drop for SharedSlab<S> {
    fn drop(&mut self) {
        if S::Storage::FREES {
            let mut middle = lock(&self.middle);
            // ORDERING: who drops the slab has counted all slots, in `is_empty`, with Acquire: what
            // others did to their shards is visible.
            for shard in self.shards() {
                self.collect(&mut middle, shard);
            }
            self.free_all(&mut middle);
        }
        // As for a `Slot`.
        #[cfg(loom)]
        if !std::thread::panicking() {
            // SAFETY: this is the end of it. Loom has no `with_mut` for this type.
            let _ = unsafe { self.closed.unsync_load() };
            self.near.with_mut(|_| ());
            self.handles.with_mut(|_| ());
            self.used.with_mut(|_| ());
            self.full.with_mut(|_| ());
            self.vacant.with_mut(|_| ());
            self.returning.with_mut(|_| ());
            let Self { rented, retired, abandoned, refused, allocations, .. } = self;
            for count in [rented, retired, abandoned, refused, allocations] {
                count.with_mut(|_| ());
            }
        }
    }
}

impl<S: Linked<Storage: Indexed<S>>> Find for SharedSlab<S> {
    #[inline(always)]
    fn used(&self) -> u32 {
        // ORDERING: Acquire, with the Release in `use_next`: the chunks of these slots are there.
        self.used.load(Acquire)
    }

    #[inline]
    fn get(&self, index: u32) -> Option<NonNull<S>> {
        if index < self.used() { self.slots.get(index) } else { None }
    }
}

impl<S: Linked> Slab for SharedSlab<S> {
    type Slot = S;

    fn new(settings: Settings<Self>) -> NonNull<Self> {
        let count = || AtomicU64::new(0);
        let middle = Middle { vacant: Stack::new(), capacity: 0 };
        let slab = Box::new(SharedSlab {
            slots: Storage::new(&settings.table, settings.limit()),
            shards: Chunks::new(chunks::MAX),
            near: AtomicPtr::new(ptr::null_mut()),
            closed: AtomicBool::new(false),
            handles: AtomicUsize::new(1),
            used: AtomicU32::new(0),
            full: AtomicU64::new(OPEN),
            middle: Mutex::new(middle),
            vacant: AtomicI64::new(0),
            returning: AtomicU32::new(0),
            rented: count(),
            retired: count(),
            abandoned: count(),
            refused: count(),
            allocations: AtomicU64::new(1),
            settings,
            this: NonNull::dangling(),
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
            #[cfg(loom)]
            shut: Shard::all_shut(),
        });
        let this = NonNull::new(Box::into_raw(slab)).expect("a box has an address");
        // SAFETY: nobody else has seen the slab yet.
        let slab = unsafe { &mut *this.as_ptr() };
        slab.this = this;
        // As the chunk has it, and not by way of a reference to the first: that leads to no other.
        let near = slab.add_shard(threads::NONE).expect("there is room for it").as_ptr();
        slab.near.store(if slab.settings.is_bounded() { slab.shut() } else { near }, Relaxed);
        slab.reserve(slab.settings.initial);
        this
    }

    fn settings(&self) -> &Settings<Self> {
        &self.settings
    }

    #[inline(always)]
    fn rent(&self) -> Option<NonNull<S>> {
        // SAFETY: a slab that has a handle keeps its shards.
        let shard = unsafe { self.near().as_ref() };
        let Some(slot) = shard.pop() else {
            // A thread that is not near may have one in its own shard.
            let full = threads::is_near() && self.is_full();
            return if full { None } else { self.rent_slowly() };
        };
        if !S::Storage::COUNTS_RENTS {
            shard.count();
        }
        Some(slot)
    }

    #[inline(always)]
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<S>, end: End) -> bool {
        if end.exhausted || end.abandoned {
            return false;
        }
        // SAFETY: the slot is out, so the slab lives until its return is counted.
        let shard = unsafe { this.as_ref() }.near();
        // SAFETY: as above. That the slab is closed may be missed; see the fourth rule.
        unsafe { Shard::try_push(shard, slot) }
    }

    #[inline(always)]
    unsafe fn put(this: NonNull<Self>, slot: NonNull<S>, end: End) {
        // SAFETY: the slot is out, so the slab lives until its return is counted.
        let slab = unsafe { this.as_ref() };
        // ORDERING: Relaxed: these are for reports, and that it is closed may be missed, by the fourth
        // rule.
        if end.abandoned {
            slab.abandoned.fetch_add(1, Relaxed);
        }
        if slab.closed.load(Relaxed) {
            // SAFETY: the slot was out.
            return unsafe { limbo::put(this, slot) };
        }
        // SAFETY: the slot came back so.
        if end.exhausted && !unsafe { S::begin_epoch(slot, slab.settings.layout) } {
            slab.retired.fetch_add(1, Relaxed);
            // ORDERING: Release, with the Acquire in `is_empty`: all was done before.
            slab.vacant.fetch_add(1, Release);
            return;
        }
        // SAFETY: the caller's.
        if !slab.own().is_some_and(|shard| unsafe { Self::put_into(this, shard, slot) }) {
            // SAFETY: the caller's.
            unsafe { Self::put_elsewhere(this, slot) };
        }
    }

    fn reserve(&self, additional: u32) {
        // SAFETY: a slab that has a handle keeps its shards.
        let own = self.shard().map_or(0, |shard| unsafe { shard.as_ref() }.len());
        let mut middle = lock(&self.middle);
        loop {
            let new = middle.capacity - self.used.load(Relaxed);
            let retired = i64::try_from(self.retired.load(Relaxed)).unwrap_or(i64::MAX);
            let at_hand = i64::from(new) + i64::from(own);
            let at_hand = at_hand + self.vacant.load(Relaxed) - retired;
            if at_hand >= additional.into() || !self.grow(&mut middle) {
                return;
            }
        }
    }

    fn trim(&self) -> u32 {
        // SAFETY: a slab that has a handle keeps its shards.
        let own = self.own().map(|shard| unsafe { shard.as_ref() });
        let mut middle = lock(&self.middle);
        if let Some(shard) = own {
            if let Some(_entered) = self.enter(shard) {
                self.collect(&mut middle, shard);
            }
        }
        self.reclaim(&mut middle);
        self.reopen();
        self.free_all(&mut middle)
    }

    fn stats(&self) -> Stats {
        // The middle first, so that what goes there from a shard meanwhile is not counted twice.
        let vacant = self.vacant.load(Acquire);
        let in_shards = self.shards().map(|shard| i64::from(shard.len())).sum::<i64>();
        // ORDERING: Acquire, with the Release in `use_next`: the chunks of these slots are there.
        let used = self.used.load(Acquire);
        let live = (i64::from(used) - vacant - in_shards).max(0).unsigned_abs();
        let (rented, high_water) = self.slots.uses(used, self.settings.first_generation);
        let counted = self.shards().map(Shard::counted).sum::<u64>();
        let rented = rented + counted + self.rented.load(Relaxed);
        Stats {
            rented,
            returned: rented.saturating_sub(live),
            live,
            high_water,
            capacity: lock(&self.middle).capacity.into(),
            retired: self.retired.load(Relaxed),
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
        limbo::close(this, |slab| {
            // ORDERING: Relaxed. A return that sees both takes the lock of limbo, which is what
            // orders it after this; one that does not falls under the fourth rule.
            slab.closed.store(true, Relaxed);
            slab.near.store(slab.shut(), Relaxed);
        });
    }
}
