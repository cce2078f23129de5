//! The fields of a slab for several threads, and the function that locks them.

use crate::slab::{
    base::Base,
    budget::Room,
    depot::{Depot, Spare},
    item::Item,
    pages::Counts,
    reference::{Closed, SlabRef},
    stripes::Stripes,
    thread_cache::{CacheList, FreeCache},
    waiters::Waiters,
};
use crate::sync::{
    AtomicBool, AtomicU32, AtomicU64, Mutex,
    Ordering::{Acquire, Relaxed, Release},
    lock,
};

/// A slab that several threads may use.
#[repr(C)]
pub(crate) struct SharedSlab<S: Item<Slab = Self>> {
    pub(super) base: Base<S>,
    pub(super) stripes: Stripes<S>,
    /// `true` if a future is in the queue `waiters`. Changes only under the lock of `waiters`.
    pub(super) has_waiters: AtomicBool,
    pub(super) locked: Mutex<Locked<S>>,
    /// The state of the depot: [`VACANT`], [`EMPTY`] or [`FULL`]. Changes only under the lock of `locked`.
    pub(super) fill: AtomicU32,
    /// The two numbers of [`Spare`] in one word, for a slab of blocks (`!S::INDEXED`). In a slab of operations, this is always 0. Changes
    /// only under the lock of `locked`.
    pub(super) spare: AtomicU64,
    /// The lock that a thread holds while it allocates a page. The depot is not locked during the allocation.
    pub(super) growing: Mutex<()>,
    /// The futures that wait for a slot, if the slab is bounded. No other lock is taken while this lock is held.
    pub(super) waiters: Mutex<Waiters<S>>,
    /// The number of claimants that are about to return a slot, see `Slab::begin_return`.
    pub(super) returning: AtomicU32,
    /// Makes a loom model fail if the slab is leaked.
    #[cfg(loom)]
    pub(super) lives: loom::alloc::Track<()>,
}

/// The state of a depot that has a vacant slot. The depot of a new slab begins in this state, although it has no slot.
pub(super) const VACANT: u32 = 0;
/// The state of a depot without a vacant slot. The slab grows if there is room.
const EMPTY: u32 = 1;
/// The state of a depot without a vacant slot, if the slab has reached its limit.
const FULL: u32 = 2;

/// The fields that the lock `locked` of a slab protects.
pub(super) struct Locked<S: Item<Slab = SharedSlab<S>>> {
    pub(super) depot: Depot<S>,
    /// The thread caches of this slab, except those from which the slab has detached. (The two sides of a cache, its thread and its slab,
    /// detach separately.)
    pub(super) caches: CacheList<SharedSlab<S>>,
    /// A vacant cache, for the next thread that needs one. The thread that used this cache before has detached from the cache.
    pub(super) unused_cache: Option<FreeCache<SharedSlab<S>>>,
    /// The reference of a closed slab to itself. It is taken when all slots are vacant or retired.
    pub(super) closed: Option<Closed<SharedSlab<S>>>,
}

impl<S: Item<Slab = SharedSlab<S>>> Locked<S> {
    /// If the slab is closed, and all its slots are vacant or retired, takes the reference of the slab to itself. The caller drops this
    /// reference after it has unlocked the slab.
    pub(super) fn take_reference(&mut self) -> Option<SlabRef<SharedSlab<S>>> {
        let all_vacant = self.depot.all_vacant()?;
        Some(self.closed.take()?.into_reference(all_vacant))
    }
}

impl<S: Item<Slab = Self>> SharedSlab<S> {
    /// Locks the slab, and calls a function with the locked fields. Then updates `fill` and `spare`.
    pub(super) fn locked<R>(&self, f: impl FnOnce(&mut Locked<S>) -> R) -> R {
        let mut locked = lock(&self.locked);
        let result = f(&mut locked);
        let Counts { vacant, capacity, .. } = locked.depot.counts();
        let fill = match vacant {
            0 if capacity >= self.base.settings.limit() => FULL,
            0 => EMPTY,
            _ => VACANT,
        };
        // ORDERING: Relaxed: the lock orders the changes.
        if self.fill.load(Relaxed) != fill {
            // ORDERING: Release, with the Acquire in `is_full`.
            self.fill.store(fill, Release);
        }
        if !S::INDEXED {
            let Spare { idle, excess } = locked.depot.spare(&self.base.storage);
            let spare = u64::from(idle) << 32 | u64::from(excess);
            // ORDERING: Relaxed: the lock orders the changes. Threads without the lock use the value only as a hint.
            if self.spare.load(Relaxed) != spare {
                self.spare.store(spare, Relaxed);
            }
        }
        result
    }

    /// Returns `true` if the depot has no vacant slot, and the slab cannot grow.
    pub(super) fn is_full(&self, room: impl Room) -> bool {
        // ORDERING: Acquire, with the Release in `locked`. A thread that moves the last slots of the depot to a stripe first unlocks the
        // stripe, and then stores that the depot is empty. So the caller also sees the new version of this stripe.
        match self.fill.load(Acquire) {
            FULL => true,
            // `grow` first adds a page to the depot, and then counts the memory of the page. So if a new page of this slab has used the
            // room, the load of `fill` after `room.has` sees that the depot is not empty.
            // ORDERING: Acquire, as in the first load.
            EMPTY => !room.has(self.base.storage.bytes_of(1)) && self.fill.load(Acquire) == EMPTY,
            _ => false,
        }
    }
}

#[expect(dead_code, reason = "the function is compiled and never called")]
/// Fails to compile if `SharedSlab` has a field that is not listed here, or if a field in the result is not `Sync`. The implementation of
/// `ForThreads` in `items.rs` relies on this.
fn fields_for_threads<S: Item<Slab = SharedSlab<S>>>(slab: &SharedSlab<S>) -> [&dyn Sync; 5] {
    let SharedSlab {
        // `Base` and `Stripes` contain only settings, the address of the slab, and words and pointers. (If a recycler is `ForThreads`,
        // its types `Word` and `Pointer` are `Sync`.) The `Mutex`es `locked` and `waiters` protect their contents.
        base: Base { .. },
        stripes: Stripes { .. },
        locked: Mutex { .. },
        waiters: Mutex { .. },
        has_waiters,
        fill,
        spare,
        growing,
        returning,
        #[cfg(loom)]
            lives: _,
    } = slab;
    [has_waiters, fill, spare, growing, returning]
}

/// Makes a loom model fail, unless every access of another thread happens-before this drop. See also the drop of a
/// [`Slot`](crate::slot::Slot).
#[cfg(loom)]
impl<S: Item<Slab = Self>> Drop for SharedSlab<S> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.fill.with_mut(|_| ());
            self.spare.with_mut(|_| ());
            // Loom has no `with_mut` for this type.
            std::mem::replace(&mut self.has_waiters, AtomicBool::new(false)).into_inner();
            self.returning.with_mut(|_| ());
            self.stripes.touch();
            self.base.touch();
        }
    }
}
