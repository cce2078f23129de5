//! The functions that close a slab, and the functions that empty a cache from which its thread has detached.

use super::slab::{Locked, SharedSlab};
use crate::{
    slab::{
        depot::Keep,
        item::Item,
        reference::{Closed, Counted, SlabRef},
        slab::Slab,
        thread_cache::{CacheOwner, DetachedCache, SlabFirst, ThreadFirst, address_of},
        thread_caches,
    },
    slot::Word,
    sync::AtomicUsize,
};

impl<S: Item<Slab = Self>> Counted for SharedSlab<S> {
    type Slot = S;
    type Count = AtomicUsize;

    fn close(&self, closed: Closed<Self>) {
        thread_caches::detach(address_of(self));
        let stripes = self.stripes.close();
        let last = self.locked(|locked| {
            let cached = locked.caches.detach(&closed);
            locked.depot.close(&closed);
            locked.depot.retire_cached(cached);
            for magazines in stripes.magazines() {
                magazines.drain(magazines.len(), &mut locked.depot, &self.base.storage);
            }
            locked.closed = Some(closed);
            locked.take_reference()
        });
        self.free_empty_pages(Keep::None, usize::MAX);
        drop(last);
    }
}

impl<S: Item<Slab = Self>> CacheOwner for SharedSlab<S> {
    fn detach(cache: DetachedCache<Self>) {
        match cache {
            DetachedCache::ThreadFirst(cache) => Self::thread_detached_first(cache),
            DetachedCache::SlabFirst(cache) => Self::slab_detached_first(&cache),
        }
    }
}

impl<S: Item<Slab = Self>> SharedSlab<S> {
    /// Moves all slots of a cache to the depot. The thread has detached from the cache before the slab did. If the slab is open and has no
    /// unused cache, the slab keeps the cache for the next thread.
    fn thread_detached_first(cache: ThreadFirst<Self>) {
        let slab = cache.slab();
        let (last, unused) = slab.locked(|locked| {
            cache.drain(&mut locked.depot, &slab.base.storage);
            slab.base.rented.add(cache.rents());
            let mut unused = Some(locked.caches.remove(cache));
            if !locked.depot.is_closed() && locked.unused_cache.is_none() {
                locked.unused_cache = unused.take();
            }
            (locked.take_reference(), unused)
        });
        slab.free_empty_pages(Keep::Useful, usize::MAX);
        drop((last, unused));
    }

    /// Moves the uncounted slots of a cache to the depot. The slab has detached from the cache before the thread did. An *uncounted* slot
    /// was put into the cache after the slab had counted the slots there.
    fn slab_detached_first(cache: &SlabFirst<Self>) {
        // The uncounted slot `slot` keeps the slab allocated until `slab` is created. From then on, `slab` keeps the slab allocated.
        let Some(slot) = cache.pop_uncounted() else { return };
        let slab = SlabRef::<Self>::of_slot(&slot);
        let last = slab.locked(|locked| {
            let Locked { depot, .. } = locked;
            depot.release(&slab.base.storage, slot);
            while let Some(slot) = cache.pop_uncounted() {
                depot.release(&slab.base.storage, slot);
            }
            locked.take_reference()
        });
        slab.free_empty_pages(Keep::None, usize::MAX);
        drop(last);
    }
}
