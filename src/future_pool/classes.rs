//! The size classes of a pool, and the slab of each, which is made when it is first needed.

use core::{array, ptr::NonNull};

use super::{ClassStats, PooledErrorKind};
use crate::{
    slab::{Block, Budget, Pooling, Room, Settings, Slab, blocks_within, page_of_one},
    slot::{IndexLayout, Pointer},
};

/// The sizes of blocks. Each is a few cache lines, and no large power of two: what stands at the beginning
/// of such blocks would compete for the same places in the cache.
pub(crate) const SIZES: [usize; 8] = [64, 128, 192, 320, 576, 1088, 2112, 4160];

/// A pool bounded to fewer slots of a size finds each of them wherever it is.
const EXACT_BELOW: u32 = 512;

/// What the blocks of a class have room for.
pub(crate) const fn capacity<H: Pooling>(class: usize) -> usize {
    SIZES[class] - size_of::<Block<H>>()
}

/// The class of the smallest block with room for an `X`.
pub(crate) const fn class_of<X, H: Pooling>() -> Result<usize, PooledErrorKind> {
    if align_of::<X>() > align_of::<Block<H>>() {
        return Err(PooledErrorKind::TooAligned);
    }
    class_for::<H>(size_of::<X>())
}

/// The class of the smallest block with room for so many bytes.
const fn class_for<H: Pooling>(size: usize) -> Result<usize, PooledErrorKind> {
    class_of_block(size.saturating_add(size_of::<Block<H>>()))
}

/// The class of the smallest block that has so many bytes.
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

/// The slabs, each with one handle, which is here.
pub(crate) struct Classes<H: Pooling> {
    slabs: [H::Pointer; SIZES.len()],
    bounds: Bounds,
    /// The bound on the memory of all slabs together.
    budget: H::Budget,
}

/// How much a pool may have of each class.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) slots: Option<u32>,
    pub(crate) bytes: Option<usize>,
}

impl Bounds {
    pub(crate) const NONE: Bounds = Bounds { slots: None, bytes: None };

    /// So many blocks of a class.
    fn of_class(self, class: usize) -> u32 {
        let by_bytes = self.bytes.map(|bytes| blocks_within(bytes, SIZES[class]));
        self.slots.unwrap_or(u32::MAX).min(by_bytes.unwrap_or(u32::MAX))
    }
}

impl<H: Pooling> Classes<H> {
    /// With no slab so far: all of the pointers are null.
    pub(crate) const fn new(
        slabs: [H::Pointer; SIZES.len()],
        bounds: Bounds,
        budget: H::Budget,
    ) -> Self {
        Classes { slabs, bounds, budget }
    }

    /// The memory that the slab of a class may grow by.
    fn room(&self, class: usize) -> RoomOf<'_, H> {
        RoomOf { classes: self, class }
    }

    pub(crate) fn set_max_bytes(&self, bytes: usize) {
        self.budget.set_max(bytes);
    }

    /// A vacant block of a class, which is out from now on. It is out of line, so that the code of a method has none of this.
    #[inline(never)]
    pub(crate) fn rent(&self, class: usize) -> Result<NonNull<Block<H>>, PooledErrorKind> {
        let room = self.room(class);
        // If there is no room, a size that was never used takes no memory for itself.
        let is_new = || self.slab(class).is_none() && self.bounds.of_class(class) > 0;
        // Another thread may have made the slab meanwhile, and that may have taken the room. So look again.
        if is_new() && !room.has(page_of_one(SIZES[class])) && is_new() {
            return Err(PooledErrorKind::Full);
        }
        self.slab_or_new(class)?.rent(room).ok_or(PooledErrorKind::Full)
    }

    /// [`rent`](Classes::rent), if this thread has a vacant block at hand.
    #[inline(always)]
    pub(crate) fn try_rent(&self, class: usize) -> Option<NonNull<Block<H>>> {
        self.slab(class)?.try_rent()
    }

    /// Makes blocks with room for so many bytes, until this thread finds so many more without the
    /// allocator.
    pub(crate) fn reserve(&self, size: usize, additional: u32) -> Result<(), PooledErrorKind> {
        let class = class_for::<H>(size)?;
        self.slab_or_new(class)?.reserve(additional, self.room(class));
        Ok(())
    }

    #[inline(always)]
    fn slab_or_new(&self, class: usize) -> Result<&H::Blocks, PooledErrorKind> {
        match self.slab(class) {
            Some(slab) => Ok(slab),
            None => self.make(class).ok_or(PooledErrorKind::NoneOfSize),
        }
    }

    /// The slab of a class, if there is one.
    #[inline(always)]
    pub(crate) fn slab(&self, class: usize) -> Option<&H::Blocks> {
        let slab = NonNull::new(self.slabs[class % SIZES.len()].observe())?;
        // SAFETY: what is there is a slab with a handle.
        Some(unsafe { slab.cast().as_ref() })
    }

    #[cold]
    #[inline(never)]
    fn make(&self, class: usize) -> Option<&H::Blocks> {
        let limit = self.bounds.of_class(class);
        if limit == 0 {
            return None;
        }
        let slab = <H::Blocks as Slab>::new(Settings {
            table: SIZES[class],
            initial: 0,
            limit: Some(limit),
            // What threads keep for themselves may be all that there is.
            exact: limit.min(blocks_within(self.budget.max(), SIZES[class])) < EXACT_BELOW,
            layout: IndexLayout::ONE_SLOT,
            first_generation: 1,
        });
        if self.slabs[class].publish_first(slab.as_ptr().cast()).is_err() {
            // Somebody else was faster.
            // SAFETY: it was just made, and nobody has seen it.
            unsafe { give_up(slab) };
        }
        self.slab(class)
    }
}

impl<H: Pooling> Classes<H> {
    /// The figures of all classes. None grows meanwhile, so that all together are within the budget.
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

    /// Gives vacant blocks of a class back to the allocator; tells how many bytes.
    pub(crate) fn trim(&self, class: usize) -> u64 {
        self.slab(class).map_or(0, |slab| u64::from(slab.trim()) * SIZES[class] as u64)
    }
}

/// The memory that the slab of one class may grow by.
struct RoomOf<'c, H: Pooling> {
    classes: &'c Classes<H>,
    class: usize,
}

impl<H: Pooling> Clone for RoomOf<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H: Pooling> Copy for RoomOf<'_, H> {}

impl<'c, H: Pooling> RoomOf<'c, H> {
    /// Returns the number of bytes that no slab has. It is exact while the caller has the guard.
    fn left(self) -> usize {
        let slabs = (0..SIZES.len()).filter_map(|class| self.classes.slab(class));
        match self.classes.budget.max() {
            usize::MAX => usize::MAX,
            max => slabs.fold(max, |left, slab| left.saturating_sub(slab.base().storage.bytes())),
        }
    }

    /// Returns the other slabs, and how many bytes each would free.
    fn others(self) -> impl Iterator<Item = (&'c H::Blocks, usize)> {
        let others = (0..SIZES.len()).filter(move |class| *class != self.class);
        let slabs = others.filter_map(move |class| self.classes.slab(class));
        slabs.map(|slab| (slab, slab.bytes_for_others())).filter(|(_, bytes)| *bytes > 0)
    }
}

impl<H: Pooling> Room for RoomOf<'_, H> {
    fn lock(self) -> impl Sized {
        self.classes.budget.lock()
    }

    fn has(self, bytes: usize) -> bool {
        let left = self.left();
        left >= bytes || self.others().fold(left, |sum, other| sum.saturating_add(other.1)) >= bytes
    }

    fn make(self, least: usize, wanted: usize) -> usize {
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

/// # Safety
///
/// The slab has one handle, which is the caller's, and is given up.
unsafe fn give_up<L: Slab>(slab: NonNull<L>) {
    // SAFETY: the caller's.
    let last = unsafe { L::remove_handle(slab) };
    debug_assert!(last);
    // SAFETY: that was the handle.
    unsafe { L::close(slab) };
}

impl<H: Pooling> Drop for Classes<H> {
    fn drop(&mut self) {
        for slab in &self.slabs {
            if let Some(slab) = NonNull::new(slab.observe()) {
                // SAFETY: it is a slab with one handle, which is here.
                unsafe { give_up(slab.cast::<H::Blocks>()) };
            }
        }
    }
}
