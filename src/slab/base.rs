//! The part that `LocalSlab` and `SharedSlab` have in common: settings, storage and counters.

use super::{
    item::Item,
    pages::Counts,
    reference::{OpenSlab, SlabAddress},
    stats::Stats,
    storage::{self, Storage},
};
use crate::slot::{IndexLayout, Word};

/// The settings of a slab.
#[repr(C)]
pub(crate) struct Settings<S: Item> {
    pub(crate) table: S::Table,
    pub(crate) initial: u32,
    pub(crate) limit: Option<u32>,
    /// If `true`, any thread can take any vacant slot of a slab with a limit. If `false`, the slab may report that it is full while vacant
    /// slots are in the caches of other threads.
    pub(crate) finds_all: bool,
    /// How the bits of an index are divided between slots and epochs.
    pub(crate) layout: IndexLayout,
    pub(crate) first_generation: u32,
}

impl<S: Item> Settings<S> {
    /// Returns `true` if the slab has a limit, and any thread finds every vacant slot. In this layer, only such a slab is called
    /// *bounded*. All other slabs are *unbounded*, with or without a limit.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) fn is_bounded(&self) -> bool {
        self.finds_all && self.limit.is_some()
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(storage::MAX).min(storage::MAX)
    }
}

/// The first field of every slab. It begins with the [`Table`](Item::Table) of the slab.
#[repr(C)]
pub(crate) struct Base<S: Item> {
    pub(crate) settings: Settings<S>,
    pub(crate) storage: Storage<S>,
    /// The number of rents that are not in the counter of a thread cache: the rents without a cache, and those of caches from which the
    /// thread has detached. Unused if slots [count their uses](Item::INDEXED).
    pub(super) rented: S::Word,
    pub(super) cancelled: S::Word,
    /// The number of keys that were refused.
    pub(crate) refused: S::Word,
    pub(super) allocations: S::Word,
    /// 1 after `Pool::close` was called, otherwise 0. In a closed pool, a rent fails, and `into_key` ends the operation. (A
    /// *closed slab* is a slab without handles. This field does not record that.)
    pub(crate) closed: S::Word,
}

impl<S: Item> Base<S> {
    /// Creates the base of the slab at this address. The slab has called the allocator `allocations` times so far.
    pub(super) fn new(slab: SlabAddress<S::Slab>, settings: Settings<S>, allocations: u64) -> Self {
        Base {
            storage: Storage::new(slab, &settings.table, settings.limit()),
            settings,
            rented: S::Word::new(0),
            cancelled: S::Word::new(0),
            refused: S::Word::new(0),
            allocations: S::Word::new(allocations),
            closed: S::Word::new(0),
        }
    }

    /// Returns the counters of the slab. `cached` is the number of vacant slots that are not in the depot, including those that were given
    /// to waiting futures. `rented` is the number of rents that the thread caches have counted.
    pub(super) fn stats(
        &self,
        slab: OpenSlab<'_, S::Slab>,
        counts: Counts,
        cached: u64,
        rented: u64,
    ) -> Stats {
        let live = u64::from(counts.in_use()).saturating_sub(cached);
        let uses = self.storage.uses(slab, self.settings.first_generation);
        let counted = (rented + self.rented.load(), counts.most.into());
        let (rented, high_water) = uses.unwrap_or(counted);
        Stats {
            rented,
            returned: rented.saturating_sub(live),
            live,
            high_water,
            capacity: counts.capacity.into(),
            retired: counts.retired.into(),
            refused_keys: self.refused.load(),
            cancelled: self.cancelled.load(),
            allocations: self.allocations.load(),
        }
    }

    #[cfg(loom)]
    pub(super) fn touch(&mut self) {
        let Self { rented, cancelled, refused, allocations, closed, .. } = self;
        [rented, cancelled, refused, allocations, closed].into_iter().for_each(Word::touch);
    }
}
