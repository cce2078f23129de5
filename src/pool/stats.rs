/// What a pool has done so far. The numbers are taken one after the other while the pool may be in
/// use; what belongs together is consistent when nobody uses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// How many operations were begun.
    pub rented: u64,
    /// How many of them are over, with both ends gone.
    pub returned: u64,
    /// How many are not: `rented - returned`.
    pub live: u64,
    /// How many slots were rented at least once. In a [`LocalPool`](crate::LocalPool) that is how many
    /// were live at a time, at most. In a `Pool` it may be more, by the 64 that each thread may keep
    /// for itself.
    pub high_water: u64,
    /// How many slots there are.
    pub capacity: u64,
    /// How many slots have used all their keys, and are not rented again. A slot of a pool without a bound is
    /// retired after 2³² of its operations. A slot of a pool that is bounded to 2ⁿ is retired after 2⁶³⁻ⁿ: with
    /// 65,536 slots, after four years at a million operations a second in that slot.
    pub retired: u64,
    /// How many times a key was refused, for whatever reason: it was stale, had been used, was that of a cancelled
    /// operation, or never given out.
    pub refused_keys: u64,
    /// How many operations lost their consumer before they had a result. They are counted when their
    /// slot comes back.
    pub cancelled: u64,
    /// How many times the pool has called the allocator.
    pub allocations: u64,
}
