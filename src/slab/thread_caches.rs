//! The caches of the calling thread, by the addresses of their slabs.
//!
//! The allocator may reuse the address of a closed slab. The cache of the closed slab is detached by then, so it has no room
//! and no slots for the new slab. The thread replaces it.

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

use super::thread_cache::{CacheOwner, Pinned, ThreadHalf, recent};

/// All caches of the thread. The thread detaches from them when it ends.
struct All(RefCell<HashMap<NonNull<()>, ThreadHalf>>);

impl Drop for All {
    fn drop(&mut self) {
        let all = core::mem::take(self.0.get_mut());
        // A failed model ends before its threads do.
        #[cfg(loom)]
        if std::thread::panicking() {
            return core::mem::forget(all);
        }
        let _ended = HAS_ANY.try_with(|has_any| has_any.set(false));
        drop(all);
    }
}

// `HAS_ANY` is `true` once the thread has used `ALL`. The first use of `ALL` allocates, so a return must not be the first.
// `HAS_ANY` has no destructor.
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

/// Returns the cache of this thread for a slab, and makes it a recent one. Detaches the thread from the cache of a closed
/// slab with this address. The caller holds no lock.
pub(super) fn find<L: CacheOwner>(slab: &L) -> Option<Pinned<L>> {
    let recent = recent(slab);
    if recent.is_some() {
        return recent;
    }
    let address = slab.address().get();
    let found = with(address, |cache| cache.pin(slab))?;
    if found.is_none() {
        detach(address);
    }
    found
}

/// Calls a function with the cache of this thread for a slab.
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
        // The map is not borrowed meanwhile.
        drop(cache);
    }
}

/// Adds a cache for a slab without one. Returns `None` if the thread is running its thread-local destructors.
pub(super) fn add<L: CacheOwner>(
    slab: NonNull<()>,
    create: impl FnOnce() -> (ThreadHalf, Pinned<L>),
) -> Option<Pinned<L>> {
    ALL.try_with(|all| {
        // Before the map grows, detach from the caches of closed slabs.
        let len = all.0.borrow().len();
        if len == all.0.borrow().capacity() {
            let all = all.0.borrow();
            let closed = all.iter().filter(|(_, cache)| cache.is_detached());
            let closed = closed.map(|(slab, _)| *slab).collect::<Vec<_>>();
            drop(all);
            closed.into_iter().for_each(detach);
        }
        let (cache, pinned) = create();
        let old = all.0.borrow_mut().insert(slab, cache);
        // On targets without native thread-locals `HAS_ANY` may be destroyed and created again before `ALL`.
        drop(old);
        let _found = HAS_ANY.try_with(|has_any| has_any.set(true));
        pinned
    })
    .ok()
}
