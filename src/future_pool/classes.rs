//! The size classes of a pool. Each class has a slab, which is created when the class is first used.

use core::array;

use super::{
    error::PooledErrorKind,
    sizes::{SIZES, capacity},
    stats::ClassStats,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{affinity::AnyThread, slab::SharedOnceSlab};
use crate::{
    affinity::OneThread,
    slab::{
        Block, Budget, Counters, LocalOnceSlab, OnceSlab, OpenSlab, RentedBlock, Room, Settings,
        Slab, SlabHandle, SlabRecycler, blocks_within, page_of_one,
    },
    slot::{IndexLayout, Recycler},
};

/// If a class is bounded to fewer slots than this number, any thread finds every vacant slot of the class.
const FINDS_ALL_BELOW: u32 = 512;

/// Returns the class of the smallest block with room for an `X`.
pub(crate) const fn class_of<X, H: SlabRecycler>() -> Result<usize, PooledErrorKind> {
    if align_of::<X>() > align_of::<Block<H>>() {
        return Err(PooledErrorKind::TooAligned);
    }
    class_for::<H>(size_of::<X>())
}

/// Returns the class of the smallest block with room for a value of `size` bytes.
const fn class_for<H: SlabRecycler>(size: usize) -> Result<usize, PooledErrorKind> {
    class_of_block(size.saturating_add(size_of::<Block<H>>()))
}

/// Returns the class of the smallest block of at least `size` bytes.
pub(crate) const fn class_of_block(size: usize) -> Result<usize, PooledErrorKind> {
    let mut class = 0;
    while class < SIZES.len() {
        if size <= SIZES[class] {
            return Ok(class);
        }
        class += 1;
    }
    Err(PooledErrorKind::TooLarge)
}

/// The slabs of all classes.
///
/// Invariant: the blocks of the slab of a class have the [size](SIZES) of that class. Only this file creates slabs in a `Slabs`.
pub(crate) struct Slabs<H: SlabRecycler>(
    [OnceSlab<<H as Recycler>::Pointer, H::Blocks>; SIZES.len()],
);

macro_rules! no_slabs {
    ($recycler:ty, $OnceSlab:ident) => {
        impl Slabs<$recycler> {
            crate::sync::const_unless_loom! {
                /// Creates the array without slabs.
                pub(super) fn new() -> Self {
                    #[cfg(not(loom))]
                    return Slabs([const { $OnceSlab::new() }; SIZES.len()]);
                    #[cfg(loom)]
                    return Slabs(array::from_fn(|_| $OnceSlab::new()));
                }
            }
        }
    };
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
no_slabs!(AnyThread, SharedOnceSlab);
no_slabs!(OneThread, LocalOnceSlab);

/// The slabs of a pool and their bounds, and the counters of the futures that found no slot.
pub(crate) struct Classes<H: SlabRecycler> {
    slabs: Slabs<H>,
    bounds: Bounds,
    /// The bound on the memory of all slabs together.
    budget: H::Budget,
    /// Two counters: the number of futures for which the pool has no slots, and the number of futures that found the pool full.
    boxed: H::Counters,
}

/// The trait of [recyclers](Recycler) whose pools any thread may use. Only `AnyThread` implements it.
///
/// The implementations of `Send` and `Sync` for `Classes` have this trait as their bound. So the compiler shows the message below.
/// Otherwise it would only report that a pool contains a `Cell`.
///
/// # Safety
///
/// All fields of `Classes<Self>` are `Send` and `Sync`.
#[diagnostic::on_unimplemented(
    message = "a `LocalFuturePool` is for one thread",
    label = "it cannot be sent to another thread, or shared with one",
    note = "in a `static`, use a `FuturePool`, or put it into a `thread_local!`",
    note = "a `FuturePool` takes futures that are `Send`"
)]
#[allow(dead_code, reason = "rustc 1.85 does not see that the trait is a bound")]
pub(super) unsafe trait Shareable: SlabRecycler {}

// All fields of `Classes<AnyThread>` are `Send` and `Sync`. (`pooled.rs` relies on this.)
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(Slabs<AnyThread>: Send, Sync);
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(Bounds: Send, Sync);
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(
    (<AnyThread as SlabRecycler>::Budget, <AnyThread as SlabRecycler>::Counters): Send, Sync
);

/// The bounds that each class has: a number of slots, and a number of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) slots: Option<u32>,
    pub(crate) bytes: Option<usize>,
}

impl Bounds {
    pub(crate) const NONE: Bounds = Bounds { slots: None, bytes: None };

    /// Returns the maximum number of blocks of a class.
    fn of_class(self, class: usize) -> u32 {
        let by_bytes = self.bytes.map(|bytes| blocks_within(bytes, SIZES[class]));
        self.slots.unwrap_or(u32::MAX).min(by_bytes.unwrap_or(u32::MAX))
    }
}

impl<H: SlabRecycler> Classes<H> {
    pub(crate) const fn new(
        slabs: Slabs<H>,
        boxed: H::Counters,
        bounds: Bounds,
        budget: H::Budget,
    ) -> Self {
        Classes { slabs, bounds, budget, boxed }
    }

    /// Returns the memory by which the slab of a class may grow.
    fn room(&self, class: usize) -> RoomOf<'_, H> {
        RoomOf { classes: self, class }
    }

    pub(crate) fn set_max_bytes(&self, bytes: usize) {
        self.budget.set_max(bytes);
    }

    /// Rents a block of a class. This function is not inlined, so that the methods that create futures have less code.
    #[inline(never)]
    pub(crate) fn rent(&self, class: usize) -> Result<RentedBlock<H>, PooledErrorKind> {
        let room = self.room(class);
        // If a class was never used and the budget has no room for a page of one slot, the class gets no slab, because the slab itself also
        // takes memory.
        let is_new = || self.slab(class).is_none() && self.bounds.of_class(class) > 0;
        // Another thread may just have created the slab, and used the rest of the budget for its page. This page may have a vacant slot. So
        // this code looks for the slab again.
        if is_new() && !room.has(page_of_one(SIZES[class])) && is_new() {
            return Err(PooledErrorKind::Full);
        }
        let block = self.slab_or_new(class)?.rent(room);
        block.map(RentedBlock::from).ok_or(PooledErrorKind::Full)
    }

    /// The fast path of [`rent`](Classes::rent): takes a block that this thread has cached.
    #[inline(always)]
    pub(crate) fn rent_cached(&self, class: usize) -> Option<RentedBlock<H>> {
        Slab::rent_cached(self.slab(class)?).map(RentedBlock::from)
    }

    /// Creates blocks for values of `size` bytes, until this thread finds `additional` vacant blocks, or until the bounds allow no more.
    pub(crate) fn reserve(&self, size: usize, additional: u32) -> Result<(), PooledErrorKind> {
        let class = class_for::<H>(size)?;
        self.slab_or_new(class)?.reserve(additional, self.room(class));
        Ok(())
    }

    #[inline(always)]
    fn slab_or_new(&self, class: usize) -> Result<OpenSlab<'_, H::Blocks>, PooledErrorKind> {
        match self.slab(class) {
            Some(slab) => Ok(slab),
            None => self.create(class).ok_or(PooledErrorKind::NoneOfSize),
        }
    }

    /// Returns the slab of a class, if it was created.
    #[inline(always)]
    pub(crate) fn slab(&self, class: usize) -> Option<OpenSlab<'_, H::Blocks>> {
        self.slabs.0[class % SIZES.len()].get()
    }

    #[cold]
    #[inline(never)]
    fn create(&self, class: usize) -> Option<OpenSlab<'_, H::Blocks>> {
        let limit = self.bounds.of_class(class);
        if limit == 0 {
            return None;
        }
        let settings = Settings {
            table: SIZES[class],
            initial: 0,
            limit: Some(limit),
            // If the limit is low, a few threads could cache all slots. Therefore any thread must find every vacant slot.
            finds_all: limit.min(blocks_within(self.budget.max(), SIZES[class])) < FINDS_ALL_BELOW,
            layout: IndexLayout::ONE_SLOT,
            first_generation: 1,
        };
        Some(self.slabs.0[class].get_or_create(|| SlabHandle::new(settings)))
    }
}

impl<H: SlabRecycler> Classes<H> {
    /// Counts a future that found no slot.
    pub(crate) fn count_boxed(&self, why: PooledErrorKind) {
        self.boxed.count(why == PooledErrorKind::Full);
    }

    /// Returns the number of futures for which the pool has no slots, and the number of futures that found the pool full.
    pub(crate) fn boxed(&self) -> [u64; 2] {
        self.boxed.counts()
    }

    /// Returns the counters of all classes. No slab grows during this call. So the memory of all slabs together is within the budget,
    /// unless the budget was lowered.
    pub(crate) fn stats(&self) -> [ClassStats; SIZES.len()] {
        let _guard = self.budget.lock();
        array::from_fn(|class| self.stats_of(class))
    }

    fn stats_of(&self, class: usize) -> ClassStats {
        let stats = self.slab(class).map(Slab::stats).unwrap_or_default();
        ClassStats {
            slot_size: SIZES[class] as u64,
            max_size: capacity::<H>(class) as u64,
            rented: stats.rented,
            returned: stats.returned,
            live: stats.live,
            high_water: stats.high_water,
            capacity: stats.capacity,
            allocations: stats.allocations,
        }
    }

    /// Frees the empty pages of a class. Returns how many bytes their blocks had.
    pub(crate) fn trim(&self, class: usize) -> u64 {
        self.slab(class).map_or(0, |slab| u64::from(slab.trim()) * SIZES[class] as u64)
    }
}

/// The memory by which the slab of one class may grow.
struct RoomOf<'c, H: SlabRecycler> {
    classes: &'c Classes<H>,
    class: usize,
}

impl<H: SlabRecycler> Clone for RoomOf<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: SlabRecycler> Copy for RoomOf<'_, H> {}

impl<'c, H: SlabRecycler> RoomOf<'c, H> {
    /// Returns the number of bytes of the budget that no slab has taken. While the caller has the guard that `lock` returns, the number is
    /// never too high, because other threads may free pages, but add none.
    fn left(self) -> usize {
        let slabs = (0..SIZES.len()).filter_map(|class| self.classes.slab(class));
        match self.classes.budget.max() {
            usize::MAX => usize::MAX,
            max => slabs.fold(max, |left, slab| left.saturating_sub(slab.base().storage.bytes())),
        }
    }

    /// Returns those slabs of other classes that can free memory, each with the number of bytes that it can free.
    fn others(self) -> impl Iterator<Item = (OpenSlab<'c, H::Blocks>, usize)> {
        let others = (0..SIZES.len()).filter(move |class| *class != self.class);
        let slabs = others.filter_map(move |class| self.classes.slab(class));
        slabs.map(|slab| (slab, slab.bytes_for_others())).filter(|(_, bytes)| *bytes > 0)
    }
}

impl<H: SlabRecycler> Room for RoomOf<'_, H> {
    fn lock(self) -> impl Sized {
        self.classes.budget.lock()
    }

    fn has(self, bytes: usize) -> bool {
        let left = self.left();
        left >= bytes || self.others().fold(left, |sum, other| sum.saturating_add(other.1)) >= bytes
    }

    fn provide(self, least: usize, wanted: usize) -> usize {
        let mut left = self.left();
        if left < wanted && self.has(least) {
            for (other, _) in self.others() {
                if left >= wanted {
                    break;
                }
                other.free_for_others(wanted - left);
                left = self.left();
            }
        }
        left
    }
}
