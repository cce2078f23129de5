//! A block: a slot for anything that fits, each in an allocation of its own, so that it can be given back
//! to the allocator whenever it is vacant. Nobody knows one by an index.
//!
//! ```text
//! ┌──────────────────┬────────┬──────────────────────────────────────────┐
//! │ header of what   │ ► slab │ room for it; in a vacant block, a        │
//! │ is in the block  │        │ link                                     │
//! └──────────────────┴────────┴──────────────────────────────────────────┘
//!   0                  8        16                                  size
//! ```

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use alloc::vec::Vec;
use core::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use super::{
    Pooling, Slab, Storage,
    list::{Linked, List},
};
use crate::{
    erased::Header,
    slot::{End, IndexLayout, Word},
};

/// What a block begins with.
#[repr(C, align(16))]
pub(crate) struct Block<H: Pooling> {
    /// Of whoever has the block to put in.
    header: MaybeUninit<Header>,
    slab: NonNull<H::Blocks>,
}

impl<H: Pooling> Block<H> {
    /// Makes a block of `slab`, which begins with its [`Settings`](super::Settings).
    ///
    /// # Safety
    ///
    /// `place` is valid for writes of a block.
    pub(crate) unsafe fn make(place: NonNull<Self>, slab: NonNull<H::Blocks>) {
        // SAFETY: the caller's.
        unsafe { place.write(Block { header: MaybeUninit::uninit(), slab }) };
    }

    /// Where the link of a vacant block is: where something else is while it is out.
    ///
    /// # Safety
    ///
    /// The block lives.
    #[inline(always)]
    unsafe fn place_of_link(this: NonNull<Self>) -> NonNull<*mut ()> {
        // SAFETY: a block has room for a pointer behind what it begins with, as `Blocks::new` asserts.
        unsafe { this.add(1) }.cast()
    }

    /// Puts the header in, by which it is found out what else is in the block.
    ///
    /// # Safety
    ///
    /// The block is out, and the caller has it.
    #[inline(always)]
    pub(crate) unsafe fn set_header(this: NonNull<Self>, header: Header) {
        // SAFETY: the caller's; the header is the first of it.
        unsafe { this.cast::<Header>().write(header) };
    }

    /// Gives the block back to its slab, which may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The block is out, and the caller has it, and gives it up. What was in it was dropped.
    #[inline(always)]
    pub(crate) unsafe fn give_back(this: NonNull<Self>) {
        // SAFETY: the block is out, so it lives.
        let slab = unsafe { this.as_ref() }.slab;
        // SAFETY: the caller's.
        if !unsafe { Slab::try_put(slab, this, Self::END) } {
            // SAFETY: as above.
            unsafe { Self::give_back_slowly(this) };
        }
    }

    /// [`give_back`](Block::give_back), where the list of the thread has no room.
    ///
    /// # Safety
    ///
    /// As there.
    #[cold]
    #[inline(never)]
    unsafe fn give_back_slowly(this: NonNull<Self>) {
        // SAFETY: the block is out, so it lives.
        let slab = unsafe { this.as_ref() }.slab;
        // SAFETY: the caller's.
        unsafe { Slab::put(slab, this, Self::END) };
    }

    const END: End = End { exhausted: false, abandoned: false };
}

// SAFETY: the links are behind what a block that is out keeps, and there is room for them; a block does
// not move.
unsafe impl<H: Pooling> Linked for Block<H> {
    type Pointer = H::Pointer;
    /// The size of the blocks.
    type Table = usize;
    type Storage = Blocks<H>;

    #[inline(always)]
    unsafe fn set_link(this: NonNull<Self>, next: *mut ()) {
        // SAFETY: a block in a list lives.
        let place = unsafe { Block::place_of_link(this) };
        // SAFETY: the block is vacant, and the caller's.
        unsafe { place.write(next) };
    }

    #[inline(always)]
    unsafe fn link(this: NonNull<Self>) -> *mut () {
        // SAFETY: a block in a list lives.
        let place = unsafe { Block::place_of_link(this) };
        // SAFETY: it was set when the block came into the list.
        unsafe { place.read() }
    }

    unsafe fn begin_epoch(_: NonNull<Self>, _: IndexLayout) -> bool {
        unreachable!("a block has no generations");
    }
}

/// Blocks of one size.
pub(crate) struct Blocks<H: Pooling> {
    layout: Layout,
    /// Those that were added, and that nobody got yet.
    fresh: List<Block<H>>,
    /// So many there were at most.
    most: H::Word,
}

/// A block begins on a cache line, so that no other thread's shares it.
const LINE: usize = 64;

impl<H: Pooling> Storage<Block<H>> for Blocks<H> {
    const COUNTS_RENTS: bool = false;
    const FREES: bool = true;

    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    type Stack = Vec<NonNull<Block<H>>>;

    fn new(size: &usize, _: u32) -> Self {
        assert!(*size >= size_of::<Block<H>>() + size_of::<*mut ()>());
        let layout = Layout::from_size_align(*size, LINE).expect("a block fits into memory");
        Blocks { layout, fresh: List::new(), most: H::Word::new(0) }
    }

    unsafe fn take_new(&self, _: u32) -> Option<NonNull<Block<H>>> {
        self.fresh.pop()
    }

    unsafe fn add(&self, index: u32, mut make: impl FnMut(NonNull<Block<H>>, u32)) -> u32 {
        // SAFETY: a block has a size.
        let block = unsafe { alloc(self.layout) };
        let Some(block) = NonNull::new(block) else { handle_alloc_error(self.layout) };
        let block = block.cast::<Block<H>>();
        make(block, index);
        // SAFETY: nobody has it.
        unsafe { self.fresh.push(block) };
        let now = index + 1;
        self.most.publish(self.most.load().max(now.into()));
        now
    }

    fn uses(&self, _: u32, _: u32) -> (u64, u64) {
        (0, self.most.load())
    }

    unsafe fn free(&self, slot: NonNull<Block<H>>) {
        // SAFETY: it was allocated with this layout, and this is the end of it.
        unsafe { dealloc(slot.as_ptr().cast(), self.layout) };
    }
}
