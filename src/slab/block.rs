//! A block: a slot for anything that fits. Nobody knows one by an index, so that its page can be given back to
//! the allocator when all of the page is vacant.
//!
//! ```text
//! ┌──────────────────┬────────┬──────────────────────────────────────────┐
//! │ header of what   │ ► page │ room for it                              │
//! │ is in the block  │        │                                          │
//! └──────────────────┴────────┴──────────────────────────────────────────┘
//!   0                  8        16                                  size
//! ```

use core::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use super::{
    Item, Pooling, Slab, Storage,
    list::Node,
    page::{Page, Shape},
};
use crate::{
    erased::Header,
    slot::{End, IndexLayout},
};

/// What a block begins with.
#[repr(C, align(16))]
pub(crate) struct Block<H: Pooling> {
    /// Of whoever has the block to put in.
    header: MaybeUninit<Header>,
    page: Node<Page<Self>>,
}

impl<H: Pooling> Block<H> {
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

    /// # Safety
    ///
    /// The block is out.
    #[inline(always)]
    unsafe fn slab(this: NonNull<Self>) -> NonNull<H::Blocks> {
        // SAFETY: the block is out, so it lives, and so does its page.
        unsafe { this.as_ref() }.page.slab().cast()
    }

    /// Gives the block back to its slab, which may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The block is out, and the caller has it, and gives it up. What was in it was dropped.
    #[inline(always)]
    pub(crate) unsafe fn give_back(this: NonNull<Self>) {
        // SAFETY: the caller's.
        let slab = unsafe { Self::slab(this) };
        // SAFETY: the caller's.
        if !unsafe { Slab::try_put(slab, this, Self::END) } {
            // SAFETY: as above.
            unsafe { Self::give_back_slowly(this) };
        }
    }

    /// [`give_back`](Block::give_back), where the thread has no room.
    ///
    /// # Safety
    ///
    /// As there.
    #[cold]
    #[inline(never)]
    unsafe fn give_back_slowly(this: NonNull<Self>) {
        // SAFETY: the caller's.
        let slab = unsafe { Self::slab(this) };
        // SAFETY: the caller's.
        unsafe { Slab::put(slab, this, Self::END) };
    }

    const END: End = End { exhausted: false, abandoned: false };
}

// SAFETY: a block leads to its page.
unsafe impl<H: Pooling> Item for Block<H> {
    type Word = H::Word;
    type Pointer = H::Pointer;
    /// The size of the blocks.
    type Table = usize;

    const INDEXED: bool = false;
    /// It depends on their size.
    const PER_PAGE: u32 = 1;

    /// Memory that nobody needs is not touched.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = 1;

    fn shape(size: &usize) -> Shape {
        assert!(*size >= size_of::<Self>() && size % LINE == 0);
        let slot = Layout::from_size_align(*size, LINE).expect("a block fits into memory");
        let slots = u32::try_from(blocks_in_page(*size)).expect("a page has few blocks");
        Shape { slot, slots }
    }

    fn kept(shape: Shape) -> u32 {
        u32::try_from((KEPT / shape.slot.size()).max(KEPT_BLOCKS)).expect("they are few")
    }

    unsafe fn make(place: NonNull<Self>, page: Node<Page<Self>>, _: u32, _: u32) {
        // SAFETY: the caller's.
        unsafe { place.write(Block { header: MaybeUninit::uninit(), page }) };
    }

    unsafe fn page(this: NonNull<Self>, _: &Storage<Self>) -> Node<Page<Self>> {
        // SAFETY: the caller's.
        unsafe { this.as_ref() }.page
    }

    unsafe fn begin_epoch(_: NonNull<Self>, _: IndexLayout) -> bool {
        unreachable!("a block has no generations");
    }

    fn uses(&self, _: IndexLayout, _: u32) -> u64 {
        unreachable!("a block does not know");
    }
}

/// Of the pages that are not used, so many bytes are kept, or more, and so many blocks.
const KEPT: usize = 64 << 10;
const KEPT_BLOCKS: usize = 256;

/// A block begins on a cache line, so that no other thread's shares it.
const LINE: usize = 64;

/// What a page takes besides its blocks: what it begins with, and what it takes to begin it on a line.
const BESIDE: usize = 2 * LINE;

/// A page of blocks of this size has so many: what a power of two has room for, because allocators have such sizes; 4 KiB
/// for the smallest, and 64 KiB for the largest.
const fn blocks_in_page(size: usize) -> usize {
    let page = (15 * size).next_power_of_two();
    if cfg!(loom) { 1 } else { (if page < 4096 { 4096 } else { page } - BESIDE) / size }
}

/// So many blocks of this size take so many bytes or less, with their pages, or without if they do not fill one.
pub(crate) fn blocks_within(bytes: usize, size: usize) -> u32 {
    let of_page = blocks_in_page(size);
    let page = BESIDE + size * of_page;
    let blocks = if bytes < page { bytes / size } else { (bytes / page) * of_page };
    u32::try_from(blocks).unwrap_or(u32::MAX)
}
