/// The counters of a pool of completions.
///
/// They are read one after the other. If other threads use the pool meanwhile, the numbers may not fit each
/// other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// The number of operations that were begun.
    pub rented: u64,
    /// The number of operations whose two ends are both gone.
    pub returned: u64,
    /// The number of operations with at least one end: `rented - returned`. A slot that a woken
    /// [`rent_when_vacant`](crate::LocalPool::rent_when_vacant) has not taken yet is not counted, because its operation has not begun.
    pub live: u64,
    /// The number of slots that were rented at least once. In a [`LocalPool`](crate::LocalPool), that is the
    /// greatest number of operations that were live at a time. In a `Pool` it may be greater, by up to 64 slots
    /// for each thread cache.
    pub high_water: u64,
    /// The number of slots.
    pub capacity: u64,
    /// The number of slots that have used all their keys, and are not rented again. A slot of an unbounded pool
    /// is retired after 2³² operations. A slot of a pool that is bounded to 2ⁿ slots is retired after 2⁶³⁻ⁿ
    /// operations. With 65,536 slots, that takes four years at a million operations per second in that slot.
    pub retired: u64,
    /// The number of refused keys: stale, used before, of a cancelled operation, or never created by this pool.
    pub refused_keys: u64,
    /// The number of operations whose consumer was dropped before they had a result. The pool counts them when
    /// their slot is returned.
    pub cancelled: u64,
    /// The number of times that the pool has called the allocator.
    pub allocations: u64,
}
