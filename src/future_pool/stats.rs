use core::fmt;

use super::classes::SIZES;

/// What a pool of futures has done so far, and what it has.
///
/// The numbers are taken one after the other while the pool may be in use; what belongs together is
/// consistent when nobody uses it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FuturePoolStats {
    /// For each size class, the smallest first. A class that was never used has no slots, and no
    /// allocation.
    pub classes: [ClassStats; SIZES.len()],
    /// How many futures were put into slots.
    pub rented: u64,
    /// How many of them are gone.
    pub returned: u64,
    /// How many futures are in slots now: `rented - returned`.
    pub live: u64,
    /// The most slots of each size that were used, together. That may be more than were ever used at a time, if the
    /// sizes had theirs one after the other.
    pub high_water: u64,
    /// How many slots there are.
    pub capacity: u64,
    /// How many times the pool has called the allocator. The boxes of futures without a slot are not
    /// counted.
    pub allocations: u64,
    /// The memory of all slots, in bytes, without what each page and each size takes besides. It never exceeds the [bound of the
    /// whole pool](crate::future_pool::LocalFuturePoolBuilder::max_bytes), unless that was lowered.
    pub bytes: u64,
    /// How many futures were boxed: `too_large + full`.
    pub boxed: u64,
    /// How many futures were boxed because no slot is large enough for them, or aligned enough, or because
    /// the bound in bytes of each size leaves no slot of theirs.
    pub too_large: u64,
    /// How many futures were boxed because no slot of their class was found vacant, and the pool had reached a bound. (What `try_pooled` gives
    /// back is not boxed, and not counted here or above.)
    pub full: u64,
}

impl FuturePoolStats {
    pub(super) fn new(classes: &[ClassStats; SIZES.len()], too_large: u64, full: u64) -> Self {
        let total = |figure: fn(&ClassStats) -> u64| classes.iter().map(figure).sum();
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

/// The sizes that were never needed are left out, and so are the totals.
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

/// What a pool of futures has of one size.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ClassStats {
    /// What a slot takes, in bytes.
    pub slot_size: u64,
    /// The largest future that has room in it, in bytes.
    pub max_size: u64,
    /// How many futures were put into slots.
    pub rented: u64,
    /// How many of them are gone.
    pub returned: u64,
    /// How many are not: `rented - returned`.
    pub live: u64,
    /// The most slots that were ever used, of those that there were at a time. In a
    /// [`LocalFuturePool`](crate::LocalFuturePool) that is how many futures were live at a time, at most. In a
    /// `FuturePool` it may be more, by the 64 vacant slots that each thread may keep for itself.
    pub high_water: u64,
    /// How many slots there are, in whole pages. Memory of a slot that was never used is not touched.
    pub capacity: u64,
    /// How many times the allocator was called: for each page of slots, for the size itself, and for the caches of
    /// threads.
    pub allocations: u64,
}
