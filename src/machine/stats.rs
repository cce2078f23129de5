/// What a pool of futures has done so far, and what it has.
///
/// The numbers are taken one after the other while the pool may be in use; what belongs together is
/// consistent when nobody uses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct FuturePoolStats {
    /// For each size class, the smallest first. One that was never needed has no slots, and takes no
    /// memory.
    pub classes: [ClassStats; super::classes::SIZES.len()],
    /// How many futures were boxed because no slot is large enough for them, or aligned enough, or because
    /// the bound in bytes leaves no slot of their size.
    pub too_large: u64,
    /// How many futures were boxed because no slot of their class was found vacant. (What `try_future` gives
    /// back is not boxed, and not counted here or above.)
    pub full: u64,
}

impl FuturePoolStats {
    /// How many futures were boxed.
    #[must_use]
    pub const fn boxed(&self) -> u64 {
        self.too_large + self.full
    }

    /// How many futures are in slots now.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.classes.iter().map(|class| class.live).sum()
    }

    /// The memory of all slots, in bytes, without what each size takes besides.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.classes.iter().map(|class| class.capacity * class.slot_size).sum()
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
    /// The most that `capacity` has been: not how many futures were live, as threads keep some vacant slots.
    pub high_water: u64,
    /// How many slots there are.
    pub capacity: u64,
    /// How many times the allocator was called: for each slot, first for the size itself, and a few times
    /// for a list of its slots.
    pub allocations: u64,
}
