/// The counters of a pool of completions.
///
/// The counters are read one after the other. If other threads use the pool meanwhile, the counters may contradict each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// The number of operations that were begun.
    pub rented: u64,
    /// The number of operations whose completer and consumer no longer exist.
    pub returned: u64,
    /// The number of operations whose completer or consumer still exists: `rented - returned`. A slot that was given to a
    /// [`rent_when_vacant`](crate::LocalPool::rent_when_vacant) future is not counted until this future is polled, because its operation
    /// begins in that poll.
    pub live: u64,
    /// The number of slots that were rented at least once. In a [`LocalPool`](crate::LocalPool), this is the greatest number of operations
    /// that were live at the same time. In a `Pool`, the number may be greater, by up to 64 for each list of cached slots. An unbounded
    /// pool has such a list for each thread that rents, and one for all other threads. A bounded pool has at most one list for each core.
    pub high_water: u64,
    /// The number of slots.
    pub capacity: u64,
    /// The number of slots that have used all their keys. These slots are not rented again. A slot of an unbounded pool is retired after
    /// 2³² operations. A slot of a pool that is bounded to 2ⁿ slots is retired after 2⁶³⁻ⁿ operations. With 65,536 slots, a slot with a
    /// million operations per second is retired after four years.
    pub retired: u64,
    /// The number of times that the pool has refused a key: a key that was stale, used before, of a cancelled operation, or not issued by
    /// this pool.
    pub refused_keys: u64,
    /// The number of operations whose consumer was dropped before there was a result. The pool counts such an operation when its slot is
    /// returned.
    pub cancelled: u64,
    /// The number of times that the pool has called the allocator.
    pub allocations: u64,
}
