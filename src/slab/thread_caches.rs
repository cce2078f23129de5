//! The caches of the calling thread, by the addresses of their slabs.
//!
//! The allocator may reuse the address of a closed slab. The cache of the closed slab is detached by then, so it has no room
//! and no slots for the new slab. The thread replaces it.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    ptr::{self, NonNull},
};
use std::collections::HashMap;

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use super::{list::Node, thread_cache::ThreadCache};
use crate::sync::{AtomicUsize, Ordering::Relaxed};

/// A direct-mapped table of recently used caches, and what a thread needs without a destructor.
struct Recent {
    places: [Place; PLACES],
    /// `true` once the thread has used [`ALL`]. The first use allocates, so a return must not be the first.
    has_any: Cell<bool>,
    /// The number of the thread, or 0 if it has none yet.
    number: Cell<usize>,
}

/// A slab and a cache for it. The slab is null in a vacant place.
struct Place {
    slab: Cell<*mut ()>,
    cache: Cell<NonNull<ThreadCache>>,
}

impl Place {
    const fn new() -> Self {
        Place { slab: Cell::new(ptr::null_mut()), cache: Cell::new(NonNull::dangling()) }
    }

    fn set(&self, slab: NonNull<()>, cache: Node<ThreadCache>) {
        self.slab.set(slab.as_ptr());
        self.cache.set(cache.pointer());
    }

    fn clear(&self) {
        self.slab.set(ptr::null_mut());
    }

    #[inline(always)]
    fn get(&self, slab: NonNull<()>) -> Option<Node<ThreadCache>> {
        // SAFETY: a place with a slab has a cache of this thread, which is cleared before the cache is freed.
        (self.slab.get() == slab.as_ptr()).then(|| unsafe { Node::new(self.cache.get()) })
    }
}

const PLACES: usize = if cfg!(loom) { 2 } else { 32 };

impl Recent {
    const fn new() -> Self {
        let places = [const { Place::new() }; PLACES];
        Recent { places, has_any: Cell::new(false), number: Cell::new(0) }
    }

    #[inline(always)]
    fn place(&self, slab: NonNull<()>) -> &Place {
        // Fibonacci hashing: the distances between slabs are often equal.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half has enough of the address"
        )]
        let hash = (slab.addr().get() as u32).wrapping_mul(0x9E37_79B9);
        &self.places[(hash >> (u32::BITS - PLACES.ilog2())) as usize]
    }
}

/// All caches of the thread. The thread detaches them when it ends.
struct All(RefCell<HashMap<NonNull<()>, Node<ThreadCache>>>);

impl Drop for All {
    fn drop(&mut self) {
        // A failed model ends before its threads do.
        #[cfg(loom)]
        if std::thread::panicking() {
            return;
        }
        let _ended = RECENT.try_with(|front| {
            front.has_any.set(false);
            front.places.iter().for_each(Place::clear);
        });
        for cache in self.0.get_mut().drain() {
            // SAFETY: it was in the table of this thread, which does not find it again.
            unsafe { ThreadCache::detach(cache.1) };
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    // Without a destructor, so that an access needs no check.
    static RECENT: Recent = const { Recent::new() };
    static ALL: All = All(RefCell::default());
}
#[cfg(loom)]
thread_local! {
    static RECENT: Recent = Recent::new();
    static ALL: All = All(RefCell::default());
}

/// Returns the cache of this thread for a slab, if the table of recent ones has it. It may be detached.
#[inline(always)]
pub(crate) fn find(slab: NonNull<()>) -> Option<Node<ThreadCache>> {
    RECENT.try_with(|front| front.place(slab).get(slab)).ok().flatten()
}

/// Returns the cache of this thread for a slab, and makes it a recent one. Detaches the thread from the cache of a closed
/// slab with this address. The caller holds no lock.
pub(crate) fn find_slowly(slab: NonNull<()>) -> Option<Node<ThreadCache>> {
    if let Some(recent) = find(slab).filter(|cache| !cache.is_detached()) {
        return Some(recent);
    }
    let cache = lookup(slab)?;
    if cache.is_detached() {
        detach(slab);
        return None;
    }
    let _found = RECENT.try_with(|front| front.place(slab).set(slab, cache));
    Some(cache)
}

fn lookup(slab: NonNull<()>) -> Option<Node<ThreadCache>> {
    let may_have_one = RECENT.try_with(|front| front.has_any.get()).unwrap_or(false);
    let find = || ALL.try_with(|all| all.0.borrow().get(&slab).copied()).ok();
    may_have_one.then(find)??
}

/// Detaches this thread from its cache for a slab, if it has one.
pub(crate) fn detach(slab: NonNull<()>) {
    if lookup(slab).is_some() {
        let _found = RECENT.try_with(|front| front.place(slab).clear());
        let cache = ALL.try_with(|all| all.0.borrow_mut().remove(&slab));
        if let Ok(Some(cache)) = cache {
            // SAFETY: it was in the table of this thread, which does not find it again.
            unsafe { ThreadCache::detach(cache) };
        }
    }
}

/// Adds a cache for a slab without one. Returns `None` if the thread is running its thread-local destructors.
pub(crate) fn add(
    slab: NonNull<()>,
    make: impl FnOnce() -> Node<ThreadCache>,
) -> Option<Node<ThreadCache>> {
    ALL.try_with(|all| {
        // Before the map grows, detach the caches of closed slabs.
        let len = all.0.borrow().len();
        if len == all.0.borrow().capacity() {
            let all = all.0.borrow();
            let gone = all.iter().filter(|(_, cache)| cache.is_detached()).map(|(slab, _)| *slab);
            let gone = gone.collect::<Vec<_>>();
            drop(all);
            gone.into_iter().for_each(detach);
        }
        let cache = make();
        let old = all.0.borrow_mut().insert(slab, cache);
        // On targets without native thread-locals `RECENT` may be destroyed and created again before `ALL`.
        if let Some(old) = old {
            // SAFETY: it was in the table of this thread, which does not find it again.
            unsafe { ThreadCache::detach(old) };
        }
        let _found = RECENT.try_with(|front| {
            front.has_any.set(true);
            front.place(slab).set(slab, cache);
        });
        cache
    })
    .ok()
}

/// Returns the number of this thread. Consecutive threads have consecutive numbers.
#[inline(always)]
pub(crate) fn number() -> usize {
    let number = RECENT.try_with(|front| {
        if front.number.get() == 0 {
            front.number.set(next_number());
        }
        front.number.get()
    });
    number.unwrap_or(0)
}

#[cold]
fn next_number() -> usize {
    #[cfg(not(loom))]
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    #[cfg(loom)]
    crate::sync::model_static! {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
    }
    // ORDERING: Relaxed: the number orders nothing.
    NEXT.fetch_add(1, Relaxed)
}
