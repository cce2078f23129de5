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

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{alloc::Layout, marker::PhantomData, mem::MaybeUninit, ptr::NonNull};

use super::{
    Item, Pooling, Slab, Storage,
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
    page: NonNull<Page<Self>>,
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
        // SAFETY: the block is out, so it lives.
        let page = unsafe { this.as_ref() }.page;
        // SAFETY: a page lives as long as one of its blocks is out.
        unsafe { page.as_ref() }.slab().cast()
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

// SAFETY: a block leads to its page, and so to its slab.
unsafe impl<H: Pooling> Item for Block<H> {
    type Word = H::Word;
    type Pointer = H::Pointer;
    /// The size of the blocks.
    type Table = usize;
    type Storage = Blocks<H>;

    /// Memory that nobody needs is not touched.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = 1;

    unsafe fn make(place: NonNull<Self>, page: NonNull<Page<Self>>, _: u32, _: u32) {
        // SAFETY: the caller's.
        unsafe { place.write(Block { header: MaybeUninit::uninit(), page }) };
    }

    unsafe fn begin_epoch(_: NonNull<Self>, _: IndexLayout) -> bool {
        unreachable!("a block has no generations");
    }
}

/// Pages of blocks of one size, each in an allocation of its own.
pub(crate) struct Blocks<H: Pooling> {
    shape: Shape,
    limit: u32,
    home: PhantomData<H>,
}

/// A page takes so many bytes, or less.
const PAGE: usize = 16 << 10;

/// Of the pages that are not used, so many bytes are kept, or more.
const KEPT: usize = 64 << 10;

/// A page has so many blocks at most.
const MOST: usize = if cfg!(loom) { 1 } else { 63 };

/// To what the allocator aligns a page.
const ALIGN: usize = 16;

/// A block begins on a cache line, so that no other thread's shares it.
const LINE: usize = 64;

/// A page of blocks of this size has so many.
fn blocks_in_page(size: usize) -> u32 {
    u32::try_from(((PAGE - LINE) / size).clamp(1, MOST)).expect("a page has few blocks")
}

/// So many blocks of this size take so many bytes, with their pages, or less.
pub(crate) fn blocks_within(bytes: usize, size: usize) -> u32 {
    let of_page = blocks_in_page(size);
    let page = 2 * LINE + size * of_page as usize;
    let blocks = if bytes < page { bytes / size } else { (bytes / page) * of_page as usize };
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

impl<H: Pooling> Blocks<H> {
    /// The layout of a page, and of what it takes to begin it on a line. That is not left to the allocator: what some
    /// cut off in front of it keeps them from giving memory back to the system.
    fn layout(&self, slots: u32) -> Layout {
        let page = self.shape.layout(1, slots);
        Layout::from_size_align(page.size() + LINE, ALIGN).expect("a page fits into memory")
    }
}

impl<H: Pooling> Storage<Block<H>> for Blocks<H> {
    const FREES: bool = true;

    fn new(size: &usize, limit: u32) -> Self {
        assert!(*size >= size_of::<Block<H>>() && size % LINE == 0);
        let slot = Layout::from_size_align(*size, LINE).expect("a block fits into memory");
        Blocks { shape: Shape { slot, slots: blocks_in_page(*size) }, limit, home: PhantomData }
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn allocate(&self, capacity: u32) -> (u32, Option<NonNull<Page<Block<H>>>>) {
        let slots = self.shape.slots.min(self.limit - capacity);
        let layout = self.layout(slots);
        // SAFETY: a page has at least one block, and blocks have a size.
        let page = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(page) else { handle_alloc_error(layout) };
        let lead = LINE - start.addr().get() % LINE;
        // SAFETY: there is a line more than the page takes.
        let page = unsafe { start.add(lead) };
        // SAFETY: as above.
        let before = unsafe { page.sub(1) };
        // SAFETY: it is at least as far from the start as an allocation is aligned.
        unsafe { before.write(u8::try_from(lead).expect("a line is short")) };
        (slots, Some(page.cast()))
    }

    fn next_page(&self, _: u32) -> Option<(NonNull<Page<Block<H>>>, u32)> {
        None
    }

    fn kept(&self) -> u32 {
        u32::try_from(KEPT / self.shape.slot.size()).expect("they are few")
    }

    fn note_made(&self, _: u32) {}

    unsafe fn page_of(&self, slot: NonNull<Block<H>>) -> NonNull<Page<Block<H>>> {
        // SAFETY: the caller's.
        unsafe { slot.as_ref() }.page
    }

    fn uses(&self, _: u32) -> Option<(u64, u64)> {
        None
    }

    unsafe fn free(&self, page: NonNull<Page<Block<H>>>) {
        // SAFETY: the caller's.
        let layout = self.layout(unsafe { page.as_ref() }.len());
        let page = page.cast::<u8>();
        // SAFETY: there is a line more than the page takes.
        let before = unsafe { page.sub(1) };
        // SAFETY: `allocate` has written there how far it is to the start.
        let lead = unsafe { before.read() };
        // SAFETY: as above.
        let start = unsafe { page.sub(lead.into()) };
        // SAFETY: it was allocated with this layout, and this is the end of it.
        unsafe { dealloc(start.as_ptr(), layout) };
    }
}
