//! A thread cache: the magazines that one thread has for one slab.
//!
//! A thread creates a cache when it first rents from an unbounded slab, or first reserves slots there. The thread owns the cache, by a
//! [`ThreadHalf`]. The slab has the cache in a [`CacheList`]. Later, the thread and the slab *detach* from the cache, by a swap of its
//! capacity with 0. The result of the swap says whether the thread or the slab was first.
//!
//! A thread detaches at the latest when it ends. A slab detaches when it is closed. If the thread is first, it moves its slots to the
//! depot, and removes the cache from the list. Then it frees the cache, unless an open slab keeps the cache for the next thread. If the
//! slab is first, it counts the slots in the cache, and removes the cache from the list. In this case, the thread frees the cache when it
//! detaches.
//!
//! Each thread has a table of its recently used caches, [`RECENT`]. A cache in this table is a *recent cache*. The fast paths of a rent and
//! of a return use only recent caches.
//!
//! Invariants:
//!
//! * Only the thread of a cache converts the cache into a box again, after the cache was removed from the list. The slab accesses a cache
//!   only under the lock, and only while the cache is in the list.
//! * Until the thread or the slab detaches, the cache owns a reference to the slab at the address in `slab`. The side that detaches first
//!   takes this reference. All slots in the cache are slots of this slab.
//! * Each cache in the table [`RECENT`] of a thread is owned by a [`ThreadHalf`] of this thread.
//! * A [`ThreadHalf`] is not dropped while a [`Pinned`] of its cache exists.

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
    /// Moves slots of a cache to the depot, after the calling thread has detached from the cache. Slots that the slab has counted before
    /// stay in the cache.
    fn detach(cache: DetachedCache<Self>);
}

/// Magazines whose length several threads may read.
pub(super) type SharedMagazines<S> = Magazines<AtomicU64, AtomicPtr<()>, S>;

/// The cache of one thread for one slab.
///
/// Because of the alignment, no other data shares its CPU cache lines, or the adjacent lines that the CPU prefetches. The fast path of a
/// rent or a return uses only the first line, and one place of the magazines.
#[repr(C, align(128))]
struct ThreadCache {
    /// [`Capacity::FULL`] until the thread or the slab detaches, and [`Capacity::NONE`] afterwards.
    capacity: CapacityCell,
    /// The number of rents by the thread of this cache. Unused if slots [count their uses](Item::INDEXED).
    rents: AtomicU64,
    /// The slots in the cache. The type of the slab says which type they have.
    magazines: SharedMagazines<()>,
    /// The number of slots in the cache that the slab counted when it detached.
    counted: AtomicU64,
    /// The address of the slab, with the provenance of its allocation.
    slab: NonNull<()>,
    /// The function [`detach`] for the type of the slab.
    detach: fn(CacheRef),
    /// The number of [`Pinned`] values of this cache.
    pins: Cell<u32>,
    /// The links in the list of the slab. The lock of the slab protects them.
    links: Links<CacheRef>,
    /// Makes a loom model fail if the cache is leaked.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

impl ThreadCache {
    fn is_detached(&self) -> bool {
        // ORDERING: Relaxed. If this load does not see that the slab has detached, a slot that is put into the cache stays uncounted until
        // the thread detaches.
        self.capacity.load(Relaxed) == Capacity::NONE
    }

    /// Counts a rent by the thread of this cache.
    #[inline(always)]
    fn count_rent(&self) {
        // ORDERING: Relaxed. While the cache is attached, only its thread stores to the counter. Other threads read the counter for
        // statistics.
        self.rents.store(self.rents.load(Relaxed) + 1, Relaxed);
    }

    fn rents(&self) -> u64 {
        // ORDERING: Relaxed, as in `count_rent`.
        self.rents.load(Relaxed)
    }
}

/// Makes a loom model fail, unless every access of another thread happens-before this drop. See also the drop of a
/// [`Slot`](crate::slot::Slot).
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

/// A pointer to a cache.
///
/// Invariant: the pointer is used only while the cache is allocated.
#[derive(Clone, Copy)]
struct CacheRef(NonNull<ThreadCache>);

impl Deref for CacheRef {
    type Target = ThreadCache;

    #[inline(always)]
    fn deref(&self) -> &ThreadCache {
        // SAFETY: the cache is allocated, by the invariant.
        unsafe { self.0.as_ref() }
    }
}

impl Linked for CacheRef {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl CacheRef {
    /// Puts a slot of the slab into the cache of this thread. Returns the slot as an error if the cache is full or detached. The cache may
    /// be that of an older slab with the same address. In that case, the older slab has detached from it.
    #[inline(always)]
    fn push<S>(self, slot: Vacant<S>) -> Result<(), Vacant<S>> {
        // ORDERING: Relaxed. If this load does not see that the slab has detached, a slot that is put into the cache stays uncounted until
        // the thread detaches.
        let capacity = self.capacity.load(Relaxed);
        // SAFETY: the slots in the cache are slots of this slab, or the capacity is 0.
        unsafe { self.magazines.of() }.push(slot, capacity)
    }

    /// Converts the pointer into a box.
    ///
    /// # Safety
    ///
    /// The cache was removed from the list of the slab, and the thread of the cache has detached. No other copy of this pointer is used
    /// again.
    unsafe fn into_box(self) -> Box<ThreadCache> {
        // SAFETY: `FreeCache::new` has allocated the cache as a box, and the caller owns the cache.
        unsafe { Box::from_raw(self.0.as_ptr()) }
    }
}

/// A cache that no thread uses, and that is in no list. The type of its slab is `L`.
pub(super) struct FreeCache<L>(Box<ThreadCache>, PhantomData<fn() -> L>);

impl<L: CacheOwner> FreeCache<L> {
    pub(super) fn new(slab: SlabAddress<L>) -> Self {
        let cache = ThreadCache {
            capacity: CapacityCell::new(Capacity::NONE),
            rents: AtomicU64::new(0),
            magazines: Magazines::new(),
            counted: AtomicU64::new(0),
            slab: slab.get(),
            detach: detach::<L>,
            pins: Cell::new(0),
            links: Links::new(),
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        };
        FreeCache(Box::new(cache), PhantomData)
    }
}

/// The caches of a slab, except those from which the slab has detached. The lock of the slab protects the list.
pub(super) struct CacheList<L> {
    slab: SlabAddress<L>,
    caches: List<CacheRef>,
}

impl<L: CacheOwner> CacheList<L> {
    pub(super) fn new(slab: SlabAddress<L>) -> Self {
        CacheList { slab, caches: List::new() }
    }

    /// Attaches the calling thread and the slab to a cache.
    pub(super) fn attach(
        &mut self,
        FreeCache(cache, _): FreeCache<L>,
        slab: SlabRef<L>,
    ) -> (ThreadHalf, Pinned<L>) {
        let address = self.slab.get();
        assert!(cache.slab == address, "the cache belongs to this slab");
        assert!(address_of(&*slab) == address, "the list belongs to this slab");
        // ORDERING: Relaxed: other threads get the cache through the lock of the slab.
        cache.rents.store(0, Relaxed);
        // ORDERING: Relaxed: other threads get the cache through the lock of the slab.
        cache.capacity.store(Capacity::FULL, Relaxed);
        // From here on, the cache owns this reference.
        mem::forget(slab);
        let cache = CacheRef(NonNull::from(Box::leak(cache)));
        self.caches.push(cache);
        (ThreadHalf(cache), Pinned::new(cache))
    }

    /// Returns the number of slots in the caches, and the number of rents that the caches have counted.
    pub(super) fn totals(&self) -> (u64, u64) {
        self.caches.iter().fold((0, 0), |(slots, rents), cache| {
            (slots + cache.magazines.len(), rents + cache.rents())
        })
    }

    /// Detaches the slab, which is closed, from all its caches. If the thread of a cache has detached first, the cache stays in the list,
    /// because the thread will remove it when it gets the lock. Returns the number of slots in the other caches.
    pub(super) fn detach(&mut self, closed: &Closed<L>) -> CachedSlots {
        assert!(closed.is_of(self.slab.get()), "the caches belong to this slab");
        let (leaving, mut slots) = (List::new(), 0);
        while let Some(cache) = self.caches.pop() {
            // The slab is closed, so the thread of the cache rents no slot, and the number of slots does not decrease.
            let len = cache.magazines.len();
            // ORDERING: Relaxed: the swap publishes the number.
            cache.counted.store(len, Relaxed);
            let slab = cache.slab;
            // ORDERING: AcqRel, with the swap in the function `detach`: the thread sees `counted`. After this swap, the thread may free the
            // cache.
            if cache.capacity.swap(Capacity::NONE, AcqRel) == Capacity::NONE {
                leaving.push(cache);
            } else {
                slots += len;
                // SAFETY: the slab has detached first, so it takes the reference of the cache.
                drop(unsafe { SlabRef::<L>::from_address(slab) });
            }
        }
        self.caches = leaving;
        let slots = u32::try_from(slots).expect("a slab has fewer than 2³² slots");
        // SAFETY: `slots` is the number of slots in the caches from which the slab has just detached. These caches are not in the list any
        // more, so their slots are not counted again.
        unsafe { CachedSlots::new(self.slab.get(), slots) }
    }

    /// Removes a cache whose thread has detached first.
    pub(super) fn remove(&mut self, ThreadFirst { cache, slab }: ThreadFirst<L>) -> FreeCache<L> {
        assert!(cache.slab == self.slab.get(), "the cache belongs to this slab");
        self.caches.remove(cache);
        drop(slab);
        // SAFETY: the thread has detached, and the list does not contain the cache any more.
        FreeCache(unsafe { cache.into_box() }, PhantomData)
    }
}

/// A cache that the calling thread owns. The drop of this value detaches the thread from the cache.
pub(super) struct ThreadHalf(CacheRef);

impl ThreadHalf {
    /// Returns `true` if the slab has detached.
    pub(super) fn is_detached(&self) -> bool {
        self.0.is_detached()
    }

    /// Puts the cache into the table of recent caches, and returns it. Returns `None` if the cache does not belong to this slab, or is
    /// detached.
    pub(super) fn pin<L: CacheOwner>(&self, slab: &L) -> Option<Pinned<L>> {
        let is_own = self.0.slab == address_of(slab) && !self.is_detached();
        is_own.then(|| Pinned::new(self.0))
    }
}

impl Drop for ThreadHalf {
    fn drop(&mut self) {
        assert!(self.0.pins.get() == 0, "the cache is in use");
        let slab = self.0.slab;
        let _found = RECENT.try_with(|recent| recent.remove(slab));
        (self.0.detach)(self.0);
    }
}

/// Detaches the calling thread from the cache of a slab of type `L`. The thread does not use the cache again.
fn detach<L: CacheOwner>(cache: CacheRef) {
    // ORDERING: AcqRel, with the swap in `CacheList::detach`: if the slab was first, `counted` is visible.
    let is_first = cache.capacity.swap(Capacity::NONE, AcqRel) != Capacity::NONE;
    L::detach(if is_first {
        // SAFETY: the thread has detached first, so it takes the reference of the cache.
        let slab = unsafe { SlabRef::from_address(cache.slab) };
        DetachedCache::ThreadFirst(ThreadFirst { cache, slab })
    } else {
        // SAFETY: the slab has detached before the thread, so the cache is in no list.
        DetachedCache::SlabFirst(SlabFirst(unsafe { cache.into_box() }, PhantomData))
    });
}

/// A cache from which its thread has detached.
pub(super) enum DetachedCache<L: CacheOwner> {
    /// The thread has detached first. The slab still has the cache in its list.
    ThreadFirst(ThreadFirst<L>),
    /// The slab has detached first.
    SlabFirst(SlabFirst<L>),
}

/// A cache from which its thread has detached before its slab.
pub(super) struct ThreadFirst<L: CacheOwner> {
    cache: CacheRef,
    slab: SlabRef<L>,
}

impl<L: CacheOwner> ThreadFirst<L> {
    /// Returns a reference to the slab.
    pub(super) fn slab(&self) -> SlabRef<L> {
        self.slab.clone()
    }

    pub(super) fn rents(&self) -> u64 {
        self.cache.rents()
    }

    /// Moves all slots to the depot.
    pub(super) fn drain(&self, depot: &mut Depot<L::Slot>, storage: &Storage<L::Slot>) {
        // SAFETY: the slots in the cache are slots of this slab.
        let magazines = unsafe { self.cache.magazines.of() };
        magazines.drain(magazines.len(), depot, storage);
    }
}

/// A cache from which its slab has detached before its thread.
pub(super) struct SlabFirst<L>(Box<ThreadCache>, PhantomData<fn() -> L>);

impl<L: CacheOwner> SlabFirst<L> {
    /// Takes a slot that the slab did not count when it detached.
    pub(super) fn pop_uncounted(&self) -> Option<Vacant<L::Slot>> {
        // ORDERING: Relaxed: the thread has detached after the slab, so it sees `counted`.
        if self.0.magazines.len() == self.0.counted.load(Relaxed) {
            return None;
        }
        // SAFETY: the slots in the cache are slots of this slab. The uncounted slots are above the counted ones, and keep the slab
        // allocated.
        unsafe { self.0.magazines.of() }.pop(Capacity::FULL)
    }
}

/// A cache of the calling thread. The thread does not detach while this value exists.
pub(super) struct Pinned<L>(CacheRef, PhantomData<fn() -> L>);

impl<L: CacheOwner> Pinned<L> {
    fn new(cache: CacheRef) -> Self {
        cache.pins.set(cache.pins.get() + 1);
        let slab = cache.slab;
        let _found = RECENT.try_with(|recent| recent.insert(slab, cache.0));
        Pinned(cache, PhantomData)
    }

    /// Returns the number of slots.
    pub(super) fn len(&self) -> u64 {
        self.0.magazines.len()
    }

    /// Puts a slot into the cache. Returns the slot as an error if the cache is full or detached. As soon as the slot is in the cache, the
    /// slab may be freed.
    pub(super) fn push(&self, slot: Vacant<L::Slot>) -> Result<(), Vacant<L::Slot>> {
        assert!(slot.slab() == self.0.slab, "the cache belongs to the slab of the slot");
        self.0.push(slot)
    }

    /// Returns the magazines, unless the slab has detached. The slab is open for `'p`, so it does not detach while the magazines are
    /// borrowed.
    pub(super) fn attached<'p>(
        &'p self,
        slab: OpenSlab<'p, L>,
    ) -> Option<&'p SharedMagazines<L::Slot>> {
        self.magazines_of(address_of(slab.get()))
    }

    /// Returns the magazines, unless the slab has detached. The slab does not detach while its list is borrowed.
    pub(super) fn attached_in<'p>(
        &'p self,
        caches: &'p CacheList<L>,
    ) -> Option<&'p SharedMagazines<L::Slot>> {
        self.magazines_of(caches.slab.get())
    }

    /// Returns the magazines, unless the slab has detached. The caller guarantees that the slab does not detach while the magazines are
    /// borrowed.
    fn magazines_of(&self, slab: NonNull<()>) -> Option<&SharedMagazines<L::Slot>> {
        assert!(self.0.slab == slab, "the cache belongs to this slab");
        // SAFETY: the slots in the cache are slots of this slab.
        (!self.0.is_detached()).then(|| unsafe { self.0.magazines.of() })
    }
}

impl<L> Drop for Pinned<L> {
    fn drop(&mut self) {
        self.0.pins.set(self.0.pins.get() - 1);
    }
}

// `RECENT` has no destructor. So with native thread-local storage, an access need not check whether it was destroyed.
#[cfg(not(loom))]
thread_local! {
    static RECENT: Recent<ThreadCache> = const { Recent::new() };
}
#[cfg(loom)]
thread_local! {
    static RECENT: Recent<ThreadCache> = Recent::new();
}

/// Returns the address of a slab, by which its caches are found. The address does not have the provenance of the whole allocation.
#[inline(always)]
pub(super) fn address_of<L>(slab: &L) -> NonNull<()> {
    NonNull::from(slab).cast()
}

/// Returns the cache of this thread for a slab, if the table of recent caches has it. The cache may be detached. A detached cache may be
/// that of an older slab with the same address.
#[inline(always)]
fn find(slab: NonNull<()>) -> Option<CacheRef> {
    RECENT.try_with(|recent| recent.get(slab)).ok().flatten().map(CacheRef)
}

/// Takes a slot from the recent cache of this thread. If slots do not count their uses, counts the rent in the cache.
#[inline(always)]
pub(super) fn pop<L: CacheOwner>(slab: OpenSlab<'_, L>) -> Option<Vacant<L::Slot>> {
    let cache = find(address_of(slab.get()))?;
    // ORDERING: Relaxed. The cache may be that of an older slab with the same address. The older slab detached from the cache before it was
    // freed, and it was freed before this slab was created. So the caller sees that the cache is detached.
    let capacity = cache.capacity.load(Relaxed);
    // SAFETY: the slots in the cache are slots of this slab, or the capacity is 0.
    let slot = unsafe { cache.magazines.of() }.pop(capacity)?;
    if !L::Slot::INDEXED {
        cache.count_rent();
    }
    Some(slot)
}

/// Puts a slot into the recent cache of this thread. Returns the slot as an error if there is no such cache, or if the cache is full or
/// detached. As soon as the slot is in the cache, the slab may be freed.
#[inline(always)]
pub(super) fn push<S: Item>(slot: Vacant<S>) -> Result<(), Vacant<S>> {
    match find(slot.slab()) {
        Some(cache) => cache.push(slot),
        None => Err(slot),
    }
}

/// Counts a rent in the recent cache of this thread. Returns `false` if the thread has no recent cache for the slab.
pub(super) fn count_rent<L: CacheOwner>(slab: &L) -> bool {
    let Some(cache) = recent(slab) else { return false };
    cache.0.count_rent();
    true
}

/// Returns the cache of this thread for a slab, if the table of recent caches has it. Returns `None` if the cache is detached.
pub(super) fn recent<L: CacheOwner>(slab: &L) -> Option<Pinned<L>> {
    let cache = find(address_of(slab)).filter(|cache| !cache.is_detached())?;
    Some(Pinned::new(cache))
}
