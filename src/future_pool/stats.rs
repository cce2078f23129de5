use core::fmt;

use super::sizes::SIZES;

/// The counters of a pool of futures.
///
/// The counters are read one after the other. If other threads use the pool at the same time, the counters may be inconsistent.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FuturePoolStats {
    /// The counters of each size class, the smallest first. A class that was never used has no slots, and no
    /// allocation.
    pub classes: [ClassStats; SIZES.len()],
    /// The number of futures that were put into slots.
    pub rented: u64,
    /// The number of futures that have left their slots.
    pub returned: u64,
    /// The number of futures in slots: `rented - returned`.
    pub live: u64,
    /// The sum of the high-water marks of all sizes. It may exceed the greatest number of slots in use at one time, because each size may
    /// reach its mark at a different time.
    pub high_water: u64,
    /// The number of slots.
    pub capacity: u64,
    /// The number of times that the pool has called the allocator, without the boxes of futures that found no
    /// slot.
    pub allocations: u64,
    /// The memory of all slots, in bytes, without the overhead of pages and sizes. It never exceeds the [bound
    /// of the whole pool](crate::future_pool::LocalFuturePoolBuilder::max_bytes), unless this bound was lowered.
    pub bytes: u64,
    /// The number of futures that were boxed: `too_large + full`.
    pub boxed: u64,
    /// The number of futures that were boxed because no slot fits them. Their size or alignment is too large, or the bound in bytes of
    /// their size class has no room for even one slot.
    pub too_large: u64,
    /// The number of futures that were boxed because no slot of their class was found vacant, and the pool had
    /// reached a bound. (`boxed`, `too_large` and `full` do not count the futures that `try_pooled` returns as
    /// errors.)
    pub full: u64,
}

impl FuturePoolStats {
    pub(super) fn new(classes: &[ClassStats; SIZES.len()], too_large: u64, full: u64) -> Self {
        let total = |counter: fn(&ClassStats) -> u64| classes.iter().map(counter).sum();
        FuturePoolStats {
            classes: *classes,
            rented: total(|class| class.rented),
            returned: total(|class| class.returned),
            live: total(|class| class.live),
            high_water: total(|class| class.high_water),
            capacity: total(|class| class.capacity),
            allocations: total(|class| class.allocations),
            bytes: total(|class| class.capacity * class.slot_size),
            boxed: too_large + full,
            too_large,
            full,
        }
    }
}

/// Shows the sizes that were used, `too_large` and `full`, without the other totals.
impl fmt::Debug for FuturePoolStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Used<'s>(&'s [ClassStats]);

        impl fmt::Debug for Used<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.0.iter().filter(|class| class.allocations > 0)).finish()
            }
        }

        let FuturePoolStats { classes, too_large, full, .. } = self;
        f.debug_struct("FuturePoolStats")
            .field("classes", &Used(classes))
            .field("too_large", too_large)
            .field("full", full)
            .finish()
    }
}

/// The counters of one size of a pool of futures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ClassStats {
    /// The size of a slot, in bytes.
    pub slot_size: u64,
    /// The size of the largest future that fits into a slot, in bytes.
    pub max_size: u64,
    /// The number of futures that were put into slots.
    pub rented: u64,
    /// The number of futures that have left their slots.
    pub returned: u64,
    /// The number of futures in slots: `rented - returned`.
    pub live: u64,
    /// The greatest number of slots that were in use at one time. In a [`LocalFuturePool`](crate::LocalFuturePool), these are the slots
    /// with live futures. In a `FuturePool`, slots in thread caches are also counted, up to 64 for each cache.
    pub high_water: u64,
    /// The number of slots of all pages, including slots that were never used. The pool does not access the memory of a slot that was never
    /// used.
    pub capacity: u64,
    /// The number of times that the pool has called the allocator: for each page of slots, for the size itself,
    /// and for the caches of threads.
    pub allocations: u64,
}
