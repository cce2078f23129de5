//! A block: a slot for a value of any type that fits. Blocks are not found by an index, so a page can be freed as soon as all its
//! blocks are vacant. If a slab is full, a block may also be a box, which is freed when it is given back.
//!
//! ```text
//! ┌──────────────────┬────────┬──────────────────────────────────────────┐
//! │ header of the    │ ► page │ the value                                │
//! │ value            │        │                                          │
//! └──────────────────┴────────┴──────────────────────────────────────────┘
//!   0                  8        16                                  size
//! ```

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{
    alloc::Layout,
    mem::MaybeUninit,
    ptr::{self, NonNull},
};

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
    /// The header of the value. The owner of the block writes it.
    header: MaybeUninit<Header>,
    /// The page, or the [size](BOXED) of a box.
    page: NonNull<Page<Self>>,
}

/// The tag bit of a boxed block. The address of a page never has it.
const BOXED: usize = 1;

impl<H: Pooling> Block<H> {
    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, align_of::<Self>()).expect("a block fits into memory")
    }

    /// Allocates a block that is a box of `size` bytes.
    #[cold]
    #[inline(never)]
    pub(crate) fn boxed(size: usize) -> NonNull<Self> {
        let layout = Self::layout(size);
        // SAFETY: a block has a size.
        let Some(block) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        let block = block.cast::<Self>();
        let page = NonNull::new(ptr::without_provenance_mut(size | BOXED)).expect("it has a size");
        // SAFETY: the allocation is large enough, and aligned for a block.
        unsafe { block.write(Block { header: MaybeUninit::uninit(), page }) };
        block
    }

    /// Returns `true` if the block is a box.
    #[inline(always)]
    pub(crate) fn is_boxed(&self) -> bool {
        self.page.addr().get() & BOXED != 0
    }

    /// Returns the page of a block that is in one.
    #[inline(always)]
    fn page(&self) -> Node<Page<Self>> {
        debug_assert!(!self.is_boxed());
        // SAFETY: the page is valid as long as its blocks are.
        unsafe { Node::new(self.page) }
    }

    /// Gives the block back to its slab, which may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The block is out, and the caller has it, and gives it up. What was in it was dropped.
    #[inline(always)]
    pub(crate) unsafe fn give_back(this: NonNull<Self>) {
        // SAFETY: the block is out, so it lives.
        let block = unsafe { this.as_ref() };
        if block.is_boxed() {
            // SAFETY: the caller's.
            return unsafe { Self::free(this) };
        }
        let slab = block.page().slab().cast::<H::Blocks>();
        // SAFETY: the caller's.
        if !unsafe { Slab::try_put(slab, this, Self::END) } {
            // SAFETY: as above.
            unsafe { Self::give_back_slowly(this) };
        }
    }

    /// The slow path of [`give_back`](Block::give_back).
    ///
    /// # Safety
    ///
    /// As there. The block is no box.
    #[cold]
    #[inline(never)]
    unsafe fn give_back_slowly(this: NonNull<Self>) {
        // SAFETY: the block is out, so it lives.
        let slab = unsafe { this.as_ref() }.page().slab().cast::<H::Blocks>();
        // SAFETY: the caller's.
        drop(unsafe { Slab::put(slab, this, Self::END) });
    }

    /// Frees a block that is a box.
    ///
    /// # Safety
    ///
    /// As [`give_back`](Block::give_back).
    #[cold]
    #[inline(never)]
    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: the block is out, so it lives.
        let size = unsafe { this.as_ref() }.page.addr().get() - BOXED;
        // SAFETY: `boxed` has allocated it with this layout.
        unsafe { dealloc(this.as_ptr().cast(), Self::layout(size)) };
    }

    const END: End = End { exhausted: false, cancelled: false };
}

// SAFETY: `page` returns the page that made the block.
unsafe impl<H: Pooling> Item for Block<H> {
    type Word = H::Word;
    type Pointer = H::Pointer;
    /// The size of the blocks.
    type Table = usize;

    const INDEXED: bool = false;
    /// Unused: the number depends on the size.
    const PER_PAGE: u32 = 1;

    /// One, so that unused memory is not touched.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = 1;

    fn shape(size: &usize) -> Shape {
        assert!(*size >= size_of::<Self>() && size % LINE == 0);
        let slot = Layout::from_size_align(*size, LINE).expect("a block fits into memory");
        let slots = u32::try_from(blocks_in_page(*size)).expect("a page has few blocks");
        Shape { slot, slots }
    }

    fn retained(shape: Shape) -> u32 {
        u32::try_from((RETAINED_BYTES / shape.slot.size()).max(RETAINED_BLOCKS))
            .expect("they are few")
    }

    unsafe fn make(place: NonNull<Self>, page: Node<Page<Self>>, _: u32, _: u32) {
        // SAFETY: the caller's.
        unsafe { place.write(Block { header: MaybeUninit::uninit(), page: page.pointer() }) };
    }

    unsafe fn page(this: NonNull<Self>, _: &Storage<Self>) -> Node<Page<Self>> {
        // SAFETY: the caller's.
        unsafe { this.as_ref() }.page()
    }

    unsafe fn begin_epoch(_: NonNull<Self>, _: IndexLayout) -> bool {
        unreachable!("a block has no generations");
    }

    fn uses(&self, _: IndexLayout, _: u32) -> u64 {
        unreachable!("a block does not know");
    }
}

/// Pages that are not in use are retained up to this many bytes, or this many blocks if that is more.
const RETAINED_BYTES: usize = 64 << 10;
const RETAINED_BLOCKS: usize = 256;

/// A block begins on a cache line, so that no other thread's shares it.
const LINE: usize = 64;

/// What an allocation contains besides the blocks: the header of the page, and room to align it.
const BESIDE: usize = 2 * LINE;

/// Returns the number of blocks in a page. The allocation is at most a power of two, because those are size classes of all
/// allocators: from 4 KiB for the smallest blocks to 64 KiB for the largest.
const fn blocks_in_page(size: usize) -> usize {
    let page = (15 * size).next_power_of_two();
    if cfg!(loom) { 1 } else { (if page < 4096 { 4096 } else { page } - BESIDE) / size }
}

/// Returns the memory of a page with one block of this size, in bytes.
pub(crate) const fn page_of_one(size: usize) -> usize {
    BESIDE + size
}

/// Returns the number of blocks of this size in `bytes`, including the headers of whole pages.
pub(crate) fn blocks_within(bytes: usize, size: usize) -> u32 {
    let of_page = blocks_in_page(size);
    let page = BESIDE + size * of_page;
    let blocks = if bytes < page { bytes / size } else { (bytes / page) * of_page };
    u32::try_from(blocks).unwrap_or(u32::MAX)
}
