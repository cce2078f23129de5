//! The two kinds of slots in slabs: slots of operations, which are found by the index in a key, and blocks.
//!
//! A block is a slot for a value of any type that fits. Blocks are not found by an index, so a page can be freed as soon as all its blocks
//! are vacant. If the pool has no vacant block for a value, a new box is used as the block. The box is freed when the block is released.
//!
//! ```text
//! ┌──────────────────┬────────┬──────────────────────────────────────────┐
//! │ header of the    │ ► page │ the value                                │
//! │ value            │        │                                          │
//! └──────────────────┴────────┴──────────────────────────────────────────┘
//!   0                  8        16                                  size
//! ```

use alloc::boxed::Box;
use core::{
    alloc::Layout,
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{self, NonNull},
};

use super::{
    block_size::{LINE, blocks_in_page, retained_blocks},
    budget::Budget,
    counters::Counters,
    item::{Item, Location, PageOf, Shape},
    pages::Page,
    reference::slab_of,
    slab::Slab,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{affinity::AnyThread, slot::ForThreads};
use crate::{
    affinity::OneThread,
    erased::{CellStorage, Emptied, ErasedFuture, Header, VacantCell},
    error::ArmOrigin,
    slot::{End, IndexLayout, Recycler, Slot, SlotTable, Vacant},
};

/// A recycler that returns each slot to the slab that created it.
pub(crate) trait SlabRecycler: Recycler {
    type Slab<T>: Slab<Slot = Slot<T, Self>>;
    type Blocks: Slab<Slot = Block<Self>>;
    type Counters: Counters;
    type Budget: Budget;
}

// SAFETY: the slabs of `AnyThread` are `SharedSlab`s, which only contain fields for threads (see `fields_for_threads`).
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl ForThreads for AnyThread {}

// SAFETY: `init` makes a slot refer to the table at the beginning of the slab. The number of the slot contains its index.
unsafe impl<T, H: SlabRecycler> Item for Slot<T, H> {
    type Slab = H::Slab<T>;
    type Recycler = H;
    type Content = T;
    type Word = H::Word;
    type Pointer = H::Pointer;
    type Table = SlotTable<T, H>;

    const INDEXED: bool = true;
    const PER_PAGE: u32 = if cfg!(loom) { 2 } else { 32 };

    /// 16, so that the slots of one thread are adjacent. If the slots of two threads alternate, the threads wait for each other's CPU cache
    /// lines. Then each operation takes 11 ns longer.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = if cfg!(loom) { 1 } else { 16 };

    fn shape(_: &Self::Table) -> Shape<Self> {
        Shape::new(Layout::new::<Self>(), Self::PER_PAGE)
    }

    fn retained(_: Shape<Self>) -> u32 {
        u32::MAX
    }

    fn init(place: &mut MaybeUninit<Self>, location: impl Location<Self>) {
        let place = NonNull::from(place).cast::<Self>();
        // SAFETY: `place` is valid for writes, because it was borrowed. The slab begins with the table, and is allocated as long as the
        // slot, by the contract of `Location`.
        unsafe { Slot::make(place, location.slab().cast(), location.first_number()) };
    }

    #[inline(always)]
    fn slab(&self) -> NonNull<()> {
        self.table()
    }

    fn page(&self) -> PageOf {
        PageOf::Index(self.number().key().index())
    }

    fn begin_epoch(slot: &Vacant<Self>, layout: IndexLayout) -> bool {
        slot.begin_epoch(layout)
    }

    fn uses(&self, layout: IndexLayout, first: u32) -> u64 {
        // `before` is the number of operations of this slot before the operation with the number `number`. In a vacant slot, `number` is
        // the number of the next operation, but `state` is still the state of the previous operation. So the generations are equal only if
        // the operation with the number `number` has begun.
        let state = self.state();
        let number = self.number_now();
        let begun = state.generation() == number.generation();
        let before = layout.order(number).expect("a slot has a number") - u64::from(first);
        before + u64::from(begun)
    }
}

/// The first fields of a block. The value follows these fields.
#[repr(C, align(16))]
pub(crate) struct Block<H> {
    /// The header of the [cell](VacantCell) that the block contains.
    header: MaybeUninit<Header>,
    /// The address of the page. If the block is a box, this is the size of the box in bytes, plus [`BOXED`].
    page: NonNull<()>,
    recycler: PhantomData<fn() -> H>,
}

/// The tag bit of the field `page` of a boxed block. The address of a page never has this bit.
const BOXED: usize = 1;

impl<H> Block<H> {
    fn new(page: NonNull<()>) -> Self {
        Block { header: MaybeUninit::uninit(), page, recycler: PhantomData }
    }

    /// Returns `true` if the block is a box.
    #[inline(always)]
    fn is_boxed(&self) -> bool {
        self.page.addr().get() & BOXED != 0
    }
}

// SAFETY: `init` makes a block refer to its page, and the page refers to the slab.
unsafe impl<H: SlabRecycler> Item for Block<H> {
    type Slab = H::Blocks;
    type Recycler = H;
    /// `()`, because the type that owns the block decides whether the value in the block can be sent.
    type Content = ();
    type Word = H::Word;
    type Pointer = H::Pointer;
    /// The size of a block, in bytes.
    type Table = usize;

    const INDEXED: bool = false;
    /// Unused: the number of blocks in a page depends on their size.
    const PER_PAGE: u32 = 1;

    /// 1, so that memory is not accessed before it is needed.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = 1;

    fn shape(size: &usize) -> Shape<Self> {
        assert!(*size >= size_of::<Self>() && size % LINE == 0);
        let slot = Layout::from_size_align(*size, LINE).expect("a block fits into memory");
        let slots = u32::try_from(blocks_in_page(*size)).expect("a page has few blocks");
        Shape::new(slot, slots)
    }

    fn retained(shape: Shape<Self>) -> u32 {
        u32::try_from(retained_blocks(shape.size())).expect("a slab retains few blocks")
    }

    fn init(place: &mut MaybeUninit<Self>, location: impl Location<Self>) {
        place.write(Block::new(location.page()));
    }

    #[inline(always)]
    fn slab(&self) -> NonNull<()> {
        debug_assert!(!self.is_boxed());
        // SAFETY: the block is not a box, so it is in a page. The page stays allocated while the block is borrowed.
        unsafe { self.page.cast::<Page<Self>>().as_ref() }.slab()
    }

    fn page(&self) -> PageOf {
        PageOf::Address(self.page)
    }

    fn begin_epoch(_: &Vacant<Self>, _: IndexLayout) -> bool {
        unreachable!("a block has no generations");
    }

    fn uses(&self, _: IndexLayout, _: u32) -> u64 {
        unreachable!("a block does not count its uses");
    }
}

/// A block in use: a slot of a slab, or a box. Only the owner of this value uses the block.
#[must_use = "a block that is not released is lost"]
pub(crate) struct RentedBlock<H>(Vacant<Block<H>>);

impl<H> RentedBlock<H> {
    /// Converts the block into a [`VacantCell`] for a future.
    ///
    /// # Safety
    ///
    /// The block has at least [`VacantCell::SIZE`] bytes, and is aligned for the future.
    #[inline(always)]
    pub(crate) unsafe fn into_cell<F: ErasedFuture>(self) -> VacantCell<Block<H>, F>
    where
        H: BlockTable,
    {
        debug_assert!(self.size() >= VacantCell::<Block<H>, F>::SIZE);
        // SAFETY: the caller guarantees the size and the alignment. The block begins with space for a header, and stays allocated until it
        // is released. `BlockTable::release` gets this pointer back, and releases the block. If the affinity `H` is `Send`, it is `AnyThread`,
        // because `BlockTable` is sealed. Any thread may release a block of `AnyThread`, because the words of its slab are atomics.
        unsafe { VacantCell::new(self.into_pointer()) }
    }

    /// Returns the address of the block, for [`from_pointer`](RentedBlock::from_pointer).
    #[inline(always)]
    fn into_pointer(self) -> NonNull<Block<H>> {
        self.0.into_pointer()
    }

    /// Converts the address of a block into a block in use.
    ///
    /// # Safety
    ///
    /// The pointer is the address of a new box, or it is from [`into_pointer`](RentedBlock::into_pointer). It is used once. The block
    /// contains no value.
    #[inline(always)]
    unsafe fn from_pointer(block: NonNull<Block<H>>) -> Self {
        // SAFETY: the caller owns the block. The block stays allocated until it is released.
        RentedBlock(unsafe { Vacant::new(block) })
    }

    /// Allocates a block that is a box of at least `size` bytes.
    #[cold]
    #[inline(never)]
    pub(crate) fn boxed(size: usize) -> Self {
        let units = size.div_ceil(size_of::<Block<H>>());
        let size = ptr::without_provenance_mut((units * size_of::<Block<H>>()) | BOXED);
        let mut block = Box::<[Block<H>]>::new_uninit_slice(units);
        block[0].write(Block::new(NonNull::new(size).expect("the size has a tag")));
        let block = NonNull::from(Box::leak(block)).cast();
        // SAFETY: the box was just allocated, and only `free` frees it.
        unsafe { RentedBlock::from_pointer(block) }
    }

    /// Frees a block that is a box.
    #[cold]
    #[inline(never)]
    fn free(self) {
        let units = (self.0.page.addr().get() - BOXED) / size_of::<Block<H>>();
        let block = self.into_pointer().cast::<MaybeUninit<Block<H>>>();
        let block = NonNull::slice_from_raw_parts(block, units);
        // SAFETY: `boxed` has allocated the block as a box of this length.
        drop(unsafe { Box::from_raw(block.as_ptr()) });
    }
}

/// Converts a vacant block of a slab into a block in use.
impl<H> From<Vacant<Block<H>>> for RentedBlock<H> {
    #[inline(always)]
    fn from(block: Vacant<Block<H>>) -> Self {
        RentedBlock(block)
    }
}

impl<H: SlabRecycler> RentedBlock<H> {
    /// Returns the size of the block in bytes.
    fn size(&self) -> usize {
        if self.0.is_boxed() {
            self.0.page.addr().get() - BOXED
        } else {
            slab_of::<Block<H>>(&self.0).base().settings.table
        }
    }

    /// Returns the block to its slab. If the block is a box, frees it.
    #[inline(always)]
    pub(crate) fn release(self) {
        if self.0.is_boxed() {
            return self.free();
        }
        if let Err(block) = H::Blocks::try_release(self.0, END) {
            release_slowly::<H>(block);
        }
    }
}

/// The slow path of [`release`](RentedBlock::release).
#[cold]
#[inline(never)]
fn release_slowly<H: SlabRecycler>(block: Vacant<Block<H>>) {
    drop(H::Blocks::release(block, END));
}

const END: End = End { exhausted: false, cancelled: false };

impl<H: BlockTable> CellStorage for Block<H> {
    type Affinity = H;

    const RELEASE: extern "C" fn(Emptied<Self>) = <H as BlockTable>::release;

    fn arm_origin(&self) -> ArmOrigin {
        if self.is_boxed() { ArmOrigin::Boxed } else { ArmOrigin::Pooled }
    }
}

mod sealed {
    /// Unsafe code relies on [`BlockTable`](super::BlockTable). Because of this trait, only this file implements it.
    pub(crate) trait Sealed {}
}

/// A recycler with the function `release`, by which the table of a pooled future releases the block. The function has no type parameters,
/// so it is compiled in this crate, and not in each crate that uses a pool.
pub(crate) trait BlockTable: sealed::Sealed + SlabRecycler {
    /// Releases the block of a cell.
    extern "C" fn release(block: Emptied<Block<Self>>);
}

macro_rules! block_table {
    ($recycler:ty) => {
        impl sealed::Sealed for $recycler {}

        impl BlockTable for $recycler {
            #[inline(never)]
            extern "C" fn release(block: Emptied<Block<Self>>) {
                // SAFETY: `into_cell` has got this pointer from `into_pointer`. The future in the block was dropped.
                unsafe { RentedBlock::<Self>::from_pointer(block.into_pointer()) }.release();
            }
        }
    };
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
block_table!(AnyThread);
block_table!(OneThread);
