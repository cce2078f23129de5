//! A thread cache: the magazines that one thread has for one slab.
//!
//! A thread creates a cache when it rents from a slab for the first time. The thread owns the cache, by its [`ThreadHalf`]. The slab
//! has it in a [`CacheList`]. Either may detach first: the one that swaps the capacity to 0. A thread that detaches first moves its slots to
//! the depot, and removes the cache from the list. A slab detaches when it is closed. It counts the slots where they are, and removes
//! the cache from the list. In both cases the thread frees the cache.
//!
//! Invariants:
//!
//! * A cache is freed by its thread, after both have detached. The slab accesses it under its lock, while it is in the list.
//! * A cache that is not detached has slots of the slab at its address, which is allocated, and owns a reference to it. The one that
//!   detaches first takes the reference.
//! * [`RECENT`] has caches of this thread, each of which a [`ThreadHalf`] owns.
//! * A [`ThreadHalf`] is not dropped while there is a [`Pinned`] of its cache.

use alloc::boxed::Box;
use core::{cell::Cell, marker::PhantomData, mem, ops::Deref, ptr::NonNull};

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use super::{
    depot::Depot,
    item::Item,
    list::{Linked, Links, List},
    magazines::{Capacity, CapacityCell, Magazines},
    pages::CachedSlots,
    recent::Recent,
    reference::{Closed, Counted, OpenSlab, SlabAddress, SlabRef},
    storage::Storage,
};
use crate::{
    slot::Vacant,
    sync::{
        AtomicPtr, AtomicU64,
        Ordering::{AcqRel, Relaxed},
    },
};

/// A slab with thread caches.
pub(super) trait CacheOwner: Counted {
    /// Returns the address that the slab was created with.
    fn address(&self) -> SlabAddress;

    /// Detaches the calling thread from a cache.
    fn detach(cache: Leaving<Self>);
}

/// Magazines that several threads may refer to.
pub(super) type SharedMagazines<S> = Magazines<AtomicU64, AtomicPtr<()>, S>;

/// The cache of one thread for one slab.
///
/// It is aligned so that no other data shares its cache lines, or the lines that the prefetcher adds. Every rent and
/// return uses the first line only, and one pointer.
#[repr(C, align(128))]
struct ThreadCache {
    /// [`Capacity::FULL`] while both refer to the cache, and 0 afterwards.
    capacity: CapacityCell,
    /// The number of slots that were rented from this cache, if slots do not count their uses.
    rents: AtomicU64,
    /// The slots of the slab, whose type the caller knows.
    magazines: SharedMagazines<()>,
    /// The number of slots that the slab counted when it detached.
    counted: AtomicU64,
    slab: SlabAddress,
    /// [`CacheOwner::detach`] of the slab.
    detach: fn(CacheRef),
    /// The number of values of [`Pinned`].
    pins: Cell<u32>,
    /// Protected by the lock of the slab.
    links: Links<CacheRef>,
    /// Makes a model fail if the cache leaks.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

impl ThreadCache {
    fn is_detached(&self) -> bool {
        // ORDERING: Relaxed. If the caller misses that the slab was closed, its slot is uncounted until the thread detaches.
        self.capacity.load(Relaxed) == Capacity::NONE
    }

    /// Counts a slot that was rented from this cache.
    #[inline(always)]
    fn count_rent(&self) {
        // ORDERING: Relaxed. Only this thread stores here; other threads read it for statistics.
        self.rents.store(self.rents.load(Relaxed) + 1, Relaxed);
    }

    fn rents(&self) -> u64 {
        // ORDERING: Relaxed, as above.
        self.rents.load(Relaxed)
    }
}

/// Checks that all accesses happened before, as for a [`Slot`](crate::slot::Slot).
#[cfg(loom)]
impl Drop for ThreadCache {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.capacity.touch();
            self.rents.with_mut(|_| ());
            self.counted.with_mut(|_| ());
            self.magazines.touch();
        }
    }
}

/// A pointer to a cache that is allocated.
#[derive(Clone, Copy)]
struct CacheRef(NonNull<ThreadCache>);

impl Deref for CacheRef {
    type Target = ThreadCache;

    #[inline(always)]
    fn deref(&self) -> &ThreadCache {
        // SAFETY: the cache is allocated.
        unsafe { self.0.as_ref() }
    }
}

impl Linked for CacheRef {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl CacheRef {
    /// Puts a slot of the slab into the cache of this thread. Returns the slot if there is no room. The cache may be that of an older
    /// slab with this address. Then its capacity is 0.
    #[inline(always)]
    fn push<S>(self, slot: Vacant<S>) -> Result<(), Vacant<S>> {
        // ORDERING: Relaxed. If the caller misses that the slab was closed, its slot is uncounted until the thread detaches.
        let capacity = self.capacity.load(Relaxed);
        // SAFETY: they are slots of the slab, or the capacity is 0.
        unsafe { self.magazines.of() }.push(slot, capacity)
    }

    /// Takes the cache from a thread and a slab that have both detached.
    ///
    /// # Safety
    ///
    /// No other copy of this pointer is used again.
    unsafe fn into_box(self) -> Box<ThreadCache> {
        // SAFETY: `FreeCache::new` has allocated it as a box, and the caller owns it.
        unsafe { Box::from_raw(self.0.as_ptr()) }
    }
}

/// A cache that neither a thread nor a slab uses, for slabs of one type.
pub(super) struct FreeCache<L>(Box<ThreadCache>, PhantomData<fn() -> L>);

impl<L: CacheOwner> FreeCache<L> {
    pub(super) fn new(slab: SlabAddress) -> Self {
        let cache = ThreadCache {
            capacity: CapacityCell::new(Capacity::NONE),
            rents: AtomicU64::new(0),
            magazines: Magazines::new(),
            counted: AtomicU64::new(0),
            slab,
            detach: detach::<L>,
            pins: Cell::new(0),
            links: Links::new(),
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        };
        FreeCache(Box::new(cache), PhantomData)
    }
}

/// The caches of a slab, which is not detached from them. The lock of the slab protects it.
pub(super) struct CacheList<L> {
    slab: SlabAddress,
    caches: List<CacheRef>,
    of: PhantomData<fn() -> L>,
}

impl<L: CacheOwner> CacheList<L> {
    pub(super) fn new(slab: SlabAddress) -> Self {
        CacheList { slab, caches: List::new(), of: PhantomData }
    }

    /// Attaches the calling thread and the slab to a cache.
    pub(super) fn attach(
        &mut self,
        FreeCache(cache, _): FreeCache<L>,
        slab: SlabRef<L>,
    ) -> (ThreadHalf, Pinned<L>) {
        assert!(
            cache.slab == self.slab && slab.address() == self.slab,
            "a slab has its own caches"
        );
        // ORDERING: Relaxed: as below.
        cache.rents.store(0, Relaxed);
        // ORDERING: Relaxed: other threads get the cache through the lock of the slab.
        cache.capacity.store(Capacity::FULL, Relaxed);
        // The cache owns it.
        mem::forget(slab);
        let cache = CacheRef(NonNull::from(Box::leak(cache)));
        self.caches.push(cache);
        (ThreadHalf(cache), Pinned::new(cache))
    }

    /// Returns the number of slots in the caches, and the number of slots that were rented from them.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.caches.iter().fold((0, 0), |(slots, rents), cache| {
            (slots + cache.magazines.len(), rents + cache.rents())
        })
    }

    /// Detaches a slab without a handle from all caches. The list keeps the caches whose threads are first, and wait for the lock.
    /// Returns the number of slots in the other caches.
    pub(super) fn detach(&mut self, _: &Closed<L>) -> CachedSlots {
        let (leaving, mut slots) = (List::new(), 0);
        while let Some(cache) = self.caches.pop() {
            // The slab is closed, so the thread rents nothing, and the number cannot decrease.
            let len = cache.magazines.len();
            // ORDERING: Relaxed: the swap publishes it.
            cache.counted.store(len, Relaxed);
            let slab = cache.slab;
            // ORDERING: AcqRel, with the swap in `detach`: the thread sees the number. It may free the cache from here on.
            if cache.capacity.swap(Capacity::NONE, AcqRel) == Capacity::NONE {
                leaving.push(cache);
            } else {
                slots += len;
                // SAFETY: the slab is first.
                drop(unsafe { SlabRef::<L>::from_address(slab) });
            }
        }
        self.caches = leaving;
        let slots = u32::try_from(slots).expect("they are slots of the slab");
        // SAFETY: the caches that are not on the list any more have so many.
        unsafe { CachedSlots::new(slots) }
    }

    /// Removes a cache whose thread is first.
    pub(super) fn remove(&mut self, First { cache, slab }: First<L>) -> FreeCache<L> {
        assert!(cache.slab == self.slab, "a slab has its own caches");
        self.caches.remove(cache);
        drop(slab);
        // SAFETY: the thread has detached, and the list does not contain the cache any more.
        FreeCache(unsafe { cache.into_box() }, PhantomData)
    }
}

/// The cache of a thread. The thread detaches from it when this is dropped.
pub(super) struct ThreadHalf(CacheRef);

impl ThreadHalf {
    /// Returns `true` if the slab has detached.
    pub(super) fn is_detached(&self) -> bool {
        self.0.is_detached()
    }

    /// Makes the cache a recent one, and returns it. Returns `None` if it is not one of this slab.
    pub(super) fn pin<L: CacheOwner>(&self, slab: &L) -> Option<Pinned<L>> {
        let is_own = self.0.slab == slab.address() && !self.is_detached();
        is_own.then(|| Pinned::new(self.0))
    }
}

impl Drop for ThreadHalf {
    fn drop(&mut self) {
        assert!(self.0.pins.get() == 0, "the cache is in use");
        let slab = self.0.slab.get();
        let _found = RECENT.try_with(|recent| recent.remove(slab));
        (self.0.detach)(self.0);
    }
}

/// [`CacheOwner::detach`], with the cache of a slab of type `L`, whose thread does not use it again.
fn detach<L: CacheOwner>(cache: CacheRef) {
    // ORDERING: AcqRel, with the swap in `CacheList::detach`: the number that the slab has counted is visible.
    let is_first = cache.capacity.swap(Capacity::NONE, AcqRel) != Capacity::NONE;
    L::detach(if is_first {
        // SAFETY: the thread is first.
        let slab = unsafe { SlabRef::from_address(cache.slab) };
        Leaving::First(First { cache, slab })
    } else {
        // SAFETY: the slab has detached before, and now the thread has.
        Leaving::Second(Second(unsafe { cache.into_box() }, PhantomData))
    });
}

/// A cache from which its thread has detached.
pub(super) enum Leaving<L: CacheOwner> {
    /// The thread was first. The slab has the cache in its list.
    First(First<L>),
    /// The slab was first.
    Second(Second<L>),
}

/// A cache from which its thread has detached, and not its slab.
pub(super) struct First<L: CacheOwner> {
    cache: CacheRef,
    slab: SlabRef<L>,
}

impl<L: CacheOwner> First<L> {
    /// Returns a reference to the slab.
    pub(super) fn slab(&self) -> SlabRef<L> {
        self.slab.clone()
    }

    pub(super) fn rents(&self) -> u64 {
        self.cache.rents()
    }

    /// Moves all slots to the depot.
    pub(super) fn drain(&self, depot: &mut Depot<L::Slot>, storage: &Storage<L::Slot>) {
        // SAFETY: they are slots of the slab.
        let magazines = unsafe { self.cache.magazines.of() };
        magazines.drain(magazines.len(), depot, storage);
    }
}

/// A cache from which its slab has detached, and then its thread.
pub(super) struct Second<L>(Box<ThreadCache>, PhantomData<fn() -> L>);

impl<L: CacheOwner> Second<L> {
    /// Takes a slot that the slab has not counted.
    pub(super) fn pop_uncounted(&self) -> Option<Vacant<L::Slot>> {
        // ORDERING: Relaxed: the thread has detached after the slab, so it sees the number.
        if self.0.magazines.len() == self.0.counted.load(Relaxed) {
            return None;
        }
        // SAFETY: they are slots of the slab. The slots above those that it has counted keep it allocated.
        unsafe { self.0.magazines.of() }.pop(Capacity::FULL)
    }
}

/// A cache of the calling thread, which stays attached to it.
pub(super) struct Pinned<L>(CacheRef, PhantomData<fn() -> L>);

impl<L: CacheOwner> Pinned<L> {
    fn new(cache: CacheRef) -> Self {
        cache.pins.set(cache.pins.get() + 1);
        let slab = cache.slab.get();
        let _found = RECENT.try_with(|recent| recent.insert(slab, cache.0));
        Pinned(cache, PhantomData)
    }

    /// Returns the number of slots.
    pub(super) fn len(&self) -> u64 {
        self.0.magazines.len()
    }

    /// Puts a slot in. Returns the slot if there is no room. The slab may be freed as soon as the slot is in.
    pub(super) fn push(&self, slot: Vacant<L::Slot>) -> Result<(), Vacant<L::Slot>> {
        self.0.push(slot)
    }

    /// Returns the magazines, unless the slab has detached. An open slab does not detach.
    pub(super) fn attached<'p>(
        &'p self,
        slab: OpenSlab<'p, L>,
    ) -> Option<&'p SharedMagazines<L::Slot>> {
        self.magazines_of(slab.address())
    }

    /// Returns the magazines, unless the slab has detached. It does not detach while the list is borrowed.
    pub(super) fn attached_in<'p>(
        &'p self,
        caches: &'p CacheList<L>,
    ) -> Option<&'p SharedMagazines<L::Slot>> {
        self.magazines_of(caches.slab)
    }

    /// The caller knows that the slab does not detach meanwhile.
    fn magazines_of(&self, slab: SlabAddress) -> Option<&SharedMagazines<L::Slot>> {
        assert!(self.0.slab == slab, "a slab has its own caches");
        // SAFETY: they are slots of the slab.
        (!self.0.is_detached()).then(|| unsafe { self.0.magazines.of() })
    }
}

impl<L> Drop for Pinned<L> {
    fn drop(&mut self) {
        self.0.pins.set(self.0.pins.get() - 1);
    }
}

// Without a destructor, so that an access needs no check.
#[cfg(not(loom))]
thread_local! {
    static RECENT: Recent<ThreadCache> = const { Recent::new() };
}
#[cfg(loom)]
thread_local! {
    static RECENT: Recent<ThreadCache> = Recent::new();
}

/// Returns the cache of this thread for a slab, if the table of recent ones has it. It may be detached. Then it may be the cache of
/// an older slab with this address.
#[inline(always)]
fn find(slab: NonNull<()>) -> Option<CacheRef> {
    RECENT.try_with(|recent| recent.get(slab)).ok().flatten().map(CacheRef)
}

/// Takes a slot from the recent cache of this thread, and counts it if slots do not count their uses.
#[inline(always)]
pub(super) fn pop<L: CacheOwner>(slab: OpenSlab<'_, L>) -> Option<Vacant<L::Slot>> {
    let cache = find(NonNull::from(slab.get()).cast())?;
    // ORDERING: Relaxed. The slab is open. The thread that has opened it knows that an older slab with this address was closed, and
    // so the caller sees that the cache of that slab was detached.
    let capacity = cache.capacity.load(Relaxed);
    // SAFETY: they are slots of the slab, or the capacity is 0.
    let slot = unsafe { cache.magazines.of() }.pop(capacity)?;
    if !L::Slot::INDEXED {
        cache.count_rent();
    }
    Some(slot)
}

/// Puts a slot into the recent cache of this thread. Returns the slot if there is no room. The slab may be freed as soon as the
/// slot is in.
#[inline(always)]
pub(super) fn push<S: Item>(slot: Vacant<S>) -> Result<(), Vacant<S>> {
    match find(slot.slab()) {
        Some(cache) => cache.push(slot),
        None => Err(slot),
    }
}

/// Counts a rented slot in the recent cache of this thread. Returns `false` if it has none.
pub(super) fn count_rent<L: CacheOwner>(slab: &L) -> bool {
    let Some(cache) = recent(slab) else { return false };
    cache.0.count_rent();
    true
}

/// Returns the recent cache of this thread. Returns `None` if the table of recent ones has none, or if it is detached.
pub(super) fn recent<L: CacheOwner>(slab: &L) -> Option<Pinned<L>> {
    let cache = find(slab.address().get()).filter(|cache| !cache.is_detached())?;
    Some(Pinned::new(cache))
}
