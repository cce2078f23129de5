//! The map of the caches of the calling thread. A cache is found by the address of its slab.
//!
//! The allocator may reuse the address of a closed slab. The closed slab has detached from its caches, so no slot can be put into these
//! caches or taken out of them. If the thread uses a new slab at this address, the thread first detaches from the cache of the closed slab.

use alloc::vec::Vec;
use core::{
    cell::{Cell, RefCell},
    ptr::NonNull,
};
use std::collections::HashMap;

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use super::thread_cache::{CacheOwner, Pinned, ThreadHalf, address_of, recent};

/// All caches of the thread. The thread detaches from them when it ends.
struct All(RefCell<HashMap<NonNull<()>, ThreadHalf>>);

impl Drop for All {
    fn drop(&mut self) {
        let all = core::mem::take(self.0.get_mut());
        // A failed loom model ends before its threads do. The drop of a cache would then use atomics of the ended model. So the caches are
        // leaked.
        #[cfg(loom)]
        if std::thread::panicking() {
            return core::mem::forget(all);
        }
        let _ended = HAS_ANY.try_with(|has_any| has_any.set(false));
        drop(all);
    }
}

// `HAS_ANY` is `true` after the thread has added a cache to `ALL`. The first use of `ALL` may allocate, and a return must not allocate. So
// a return reads `HAS_ANY` first.
#[cfg(not(loom))]
thread_local! {
    static HAS_ANY: Cell<bool> = const { Cell::new(false) };
    static ALL: All = All(RefCell::default());
}
#[cfg(loom)]
thread_local! {
    static HAS_ANY: Cell<bool> = Cell::new(false);
    static ALL: All = All(RefCell::default());
}

/// Returns the cache of this thread for a slab, and puts it into the table of recent caches. If the map has the cache of a closed slab with
/// the same address, detaches the thread from that cache. The caller holds no lock.
pub(super) fn find<L: CacheOwner>(slab: &L) -> Option<Pinned<L>> {
    let recent = recent(slab);
    if recent.is_some() {
        return recent;
    }
    let address = address_of(slab);
    let found = with(address, |cache| cache.pin(slab))?;
    if found.is_none() {
        detach(address);
    }
    found
}

/// Calls a function with the cache of this thread for a slab. Returns `None` if there is no such cache.
fn with<R>(slab: NonNull<()>, f: impl FnOnce(&ThreadHalf) -> R) -> Option<R> {
    if !HAS_ANY.try_with(Cell::get).unwrap_or(false) {
        return None;
    }
    ALL.try_with(|all| all.0.borrow().get(&slab).map(f)).ok()?
}

/// Detaches this thread from its cache for a slab, if it has one.
pub(super) fn detach(slab: NonNull<()>) {
    if with(slab, |_| ()).is_some() {
        let cache = ALL.try_with(|all| all.0.borrow_mut().remove(&slab));
        // The map is not borrowed any more when the cache is dropped.
        drop(cache);
    }
}

/// Creates a cache and adds it to the map. The thread has no cache for this slab yet. Returns `None` if the thread is running its
/// thread-local destructors.
pub(super) fn add<L: CacheOwner>(
    slab: &L,
    create: impl FnOnce() -> (ThreadHalf, Pinned<L>),
) -> Option<Pinned<L>> {
    ALL.try_with(|all| {
        // Before the map grows, the thread detaches from the caches of closed slabs.
        let len = all.0.borrow().len();
        if len == all.0.borrow().capacity() {
            let all = all.0.borrow();
            let closed = all.iter().filter(|(_, cache)| cache.is_detached());
            let closed = closed.map(|(slab, _)| *slab).collect::<Vec<_>>();
            drop(all);
            closed.into_iter().for_each(detach);
        }
        let (cache, pinned) = create();
        let old = all.0.borrow_mut().insert(address_of(slab), cache);
        // `old` may be a cache: on targets without native thread-locals, `HAS_ANY` may be destroyed and created again while `ALL` still
        // exists.
        drop(old);
        let _found = HAS_ANY.try_with(|has_any| has_any.set(true));
        pinned
    })
    .ok()
}
