//! The slow paths of a rent. They run if the fast path has found no slot: the thread has no [recent cache](crate::slab::thread_cache) for
//! the slab, or this cache is empty or detached.

use super::slab::SharedSlab;
use crate::{
    slab::{
        budget::Room,
        item::Item,
        magazines::Capacity,
        reference::{OpenSlab, SlabRef},
        slab::{Parts, Slab},
        thread_cache::{FreeCache, Pinned},
        thread_caches,
    },
    slot::{Vacant, Word},
    sync::Backoff,
};

impl<S: Item<Slab = Self>> SharedSlab<S> {
    /// Returns the cache of the calling thread, and creates it if needed. Returns `None` if the thread is running its thread-local
    /// destructors.
    pub(super) fn cache(&self) -> Option<Pinned<Self>> {
        let create = || {
            let cache = self.locked(|locked| locked.unused_cache.take()).unwrap_or_else(|| {
                self.base.allocations.add(1);
                FreeCache::new(self.base.storage.slab())
            });
            let slab = SlabRef::of(self, self.base.storage.slab());
            self.locked(|locked| locked.caches.attach(cache, slab))
        };
        thread_caches::find(self).or_else(|| thread_caches::add(self, create))
    }

    /// Takes a vacant slot of an unbounded slab.
    pub(super) fn rent_unbounded(slab: OpenSlab<'_, Self>, room: impl Room) -> Option<Vacant<S>> {
        let (cache, mut backoff) = (slab.cache(), Backoff::new());
        let own = cache.as_ref().and_then(|own| own.attached(slab));
        loop {
            let cached = match own {
                // The cache may have slots: the fast path finds only the caches that are in the table of recent caches.
                Some(own) => own.pop(Capacity::FULL).or_else(|| {
                    slab.stripes.transfer(own);
                    own.pop(Capacity::FULL)
                }),
                None => slab.stripes.take().ok(),
            };
            if cached.is_some() {
                return cached;
            }
            // If a stripe has slots, another thread may have locked it during the attempt above. Then this thread tries again.
            let are_stripes_empty = slab.stripes.len() == 0;
            if are_stripes_empty && slab.is_full(room) {
                return None;
            }
            let slot = slab.with_depot(|depot| match own {
                Some(own) => {
                    own.refill(depot, S::NEW_AT_ONCE);
                    own.pop(Capacity::FULL)
                }
                None => depot.take(&mut 1),
            });
            if slot.is_some() {
                return slot;
            }
            if !slab.grow(room, |depot| depot.counts().vacant > 0) {
                if are_stripes_empty {
                    return None;
                }
                backoff.wait();
            }
        }
    }

    /// Takes any vacant slot of a bounded slab.
    pub(super) fn rent_bounded(slab: OpenSlab<'_, Self>, room: impl Room) -> Option<Vacant<S>> {
        let mut backoff = Backoff::new();
        loop {
            let seen = match slab.stripes.take() {
                Ok(slot) => return Some(slot),
                Err(seen) => seen,
            };
            // `is_unchanged` reads the stripes again, after `is_full` has read the state of the depot. If no stripe has changed, the
            // stripes and the depot were empty at the same time.
            if slab.is_full(room) && slab.stripes.is_unchanged(seen) {
                return None;
            }
            // The stripe `own` is unlocked first, and the depot second. So a thread that later locks the depot and finds it empty also sees
            // the new version of `own`.
            let (slot, is_unchanged, is_at_limit) = slab.with_depot(|depot| {
                let slot = depot.take(&mut 1);
                if let Some(own) = slot.as_ref().and_then(|_| slab.stripes.own().try_lock()) {
                    own.refill(depot, S::NEW_AT_ONCE);
                }
                let is_at_limit = depot.counts().capacity >= slab.base.settings.limit();
                (slot, slab.stripes.is_unchanged(seen), is_at_limit)
            });
            if slot.is_some() {
                return slot;
            }
            match (is_unchanged, is_at_limit) {
                (false, _) => backoff.wait(),
                (true, true) => return None,
                // If the slab has not grown, another thread may have added a page meanwhile, and moved its slots to a stripe. So the
                // stripes are checked again.
                (true, false) => {
                    let has_grown = slab.grow(room, |depot| depot.counts().vacant > 0);
                    if !has_grown && slab.stripes.is_unchanged(seen) {
                        return None;
                    }
                }
            }
        }
    }
}
