//! A thread cache: the magazines that one thread has for one slab.
//!
//! A thread creates a cache when it rents from a slab for the first time. The thread and the slab both refer to it, and
//! either may detach first: the one that swaps `room` to 0. A thread that detaches first moves its slots to the depot. A
//! slab detaches when it is closed. It counts the slots where they are, and does not refer to the cache any more. In both
//! cases the thread frees the cache.

use alloc::boxed::Box;
use core::ptr::NonNull;

use super::{
    list::{Linked, Links, Node},
    magazines::{Magazines, ROOM},
};
use crate::sync::{
    AtomicPtr, AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

/// The cache of one thread for one slab.
///
/// It is aligned so that no other data shares its cache lines, or the lines that the prefetcher adds. Every rent and
/// return uses the first line only, and one pointer.
#[repr(C, align(128))]
pub(crate) struct ThreadCache {
    /// [`ROOM`] while both refer to the cache, and 0 afterwards.
    room: AtomicU64,
    /// The number of slots that were rented from this cache, if slots do not count their uses.
    rents: AtomicU64,
    pub(crate) magazines: Magazines<AtomicU64, AtomicPtr<()>>,
    /// The number of slots that the slab counted when it detached.
    counted: AtomicU64,
    slab: NonNull<()>,
    detach: unsafe fn(Node<ThreadCache>),
    /// Protected by the lock of the slab.
    links: Links<ThreadCache>,
    /// Makes a model fail if the cache leaks.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

impl Linked for ThreadCache {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The state that a thread finds when it detaches.
pub(crate) enum Detached {
    /// The thread is first. The slab lives, and has the cache in its list.
    First,
    /// The slab was first, and has not counted `uncounted` slots. If that is not 0, the slab lives.
    Second { uncounted: u64 },
}

impl ThreadCache {
    /// Creates a cache. [`detach`](ThreadCache::detach) calls the function `detach`.
    pub(crate) fn new(slab: NonNull<()>, detach: unsafe fn(Node<ThreadCache>)) -> Node<Self> {
        let cache = Box::new(ThreadCache {
            room: AtomicU64::new(ROOM),
            rents: AtomicU64::new(0),
            magazines: Magazines::new(),
            counted: AtomicU64::new(0),
            slab,
            detach,
            links: Links::new(),
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        });
        // SAFETY: only `free` frees it.
        unsafe { Node::new(NonNull::from(Box::leak(cache))) }
    }

    /// Detaches the cache from its slab, for its thread.
    ///
    /// # Safety
    ///
    /// It is the cache of the calling thread, which does not use it again.
    pub(crate) unsafe fn detach(this: Node<Self>) {
        // SAFETY: the caller's.
        unsafe { (this.detach)(this) };
    }

    /// Frees the cache.
    ///
    /// # Safety
    ///
    /// Neither the thread nor the slab refers to it.
    pub(crate) unsafe fn free(this: Node<Self>) {
        // SAFETY: `new` made it with `Box::leak`, and nobody uses it again.
        drop(unsafe { Box::from_raw(this.pointer().as_ptr()) });
    }

    pub(crate) fn slab(&self) -> NonNull<()> {
        self.slab
    }

    /// Takes a slot out of the cache.
    #[inline(always)]
    pub(crate) fn pop<S>(&self) -> Option<NonNull<S>> {
        // ORDERING: Relaxed. The caller has a handle of an open slab. Whoever gave it that handle knows that an older slab
        // with this address was closed, and so the caller sees that its cache was detached.
        self.magazines.pop(self.room.load(Relaxed))
    }

    /// Puts a slot into the cache. Returns `false` if there is no room. The slab may be freed as soon as the slot is in.
    #[inline(always)]
    pub(crate) fn push<S>(&self, slot: NonNull<S>) -> bool {
        // ORDERING: Relaxed. If the caller misses that the slab was closed, its slot is uncounted until the thread detaches.
        self.magazines.push(slot, self.room.load(Relaxed))
    }

    /// Returns `true` if the slab has detached.
    pub(crate) fn is_detached(&self) -> bool {
        // ORDERING: Relaxed, as above.
        self.room.load(Relaxed) == 0
    }

    /// Counts a slot that was rented from this cache.
    #[inline(always)]
    pub(crate) fn count(&self) {
        // ORDERING: Relaxed. Only this thread stores here; other threads read it for statistics.
        self.rents.store(self.rents.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn rents(&self) -> u64 {
        // ORDERING: Relaxed, as above.
        self.rents.load(Relaxed)
    }

    /// Detaches the thread.
    pub(crate) fn detach_by_thread(&self) -> Detached {
        // ORDERING: AcqRel, with the swap in `detach_by_slab`: what the slab has counted is visible.
        if self.room.swap(0, AcqRel) != 0 {
            return Detached::First;
        }
        Detached::Second { uncounted: self.magazines.len() - self.counted.load(Relaxed) }
    }

    /// Makes an empty cache usable by another thread, after its thread has detached first.
    pub(crate) fn renew(&self) {
        self.rents.store(0, Relaxed);
        // ORDERING: Relaxed: the next thread gets the cache through the lock of the slab.
        self.room.store(ROOM, Relaxed);
    }

    /// Detaches the slab, which holds its lock and has removed the cache from its list. Returns the number of slots in the
    /// cache, which the slab counts. Returns `None` if the thread is first and waits for the lock; otherwise the thread may
    /// free the cache at any time.
    pub(crate) fn detach_by_slab(this: Node<Self>) -> Option<u64> {
        // The slab is closed, so the thread rents nothing, and the number cannot decrease.
        let len = this.magazines.len();
        this.counted.store(len, Relaxed);
        // ORDERING: AcqRel, with the swap in `detach_by_thread`.
        (this.room.swap(0, AcqRel) != 0).then_some(len)
    }
}

/// Checks that all accesses happened before, as for a [`Slot`](crate::slot::Slot).
#[cfg(loom)]
impl Drop for ThreadCache {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.room.with_mut(|_| ());
            self.rents.with_mut(|_| ());
            self.counted.with_mut(|_| ());
            self.magazines.touch();
        }
    }
}
