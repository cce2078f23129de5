//! A block: a slot for anything that fits, each in an allocation of its own, so that it can be given back
//! to the allocator whenever it is vacant. Nobody knows one by an index.
//!
//! ```text
//! ┌──────────────────┬────────┬──────────────────────────────────────────┐
//! │ header of what   │ ► slab │ room for it; in a vacant block, two      │
//! │ is in the block  │        │ links                                    │
//! └──────────────────┴────────┴──────────────────────────────────────────┘
//!   0                  8        16                                  size
//! ```

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use super::{
    End, Home, Slab, Storage,
    cells::Word,
    list::{Linked, List},
};
use crate::erased::Header;

/// What a block begins with.
#[repr(C, align(16))]
pub(crate) struct Block<H: Home> {
    /// Of whoever has the block to put in.
    header: MaybeUninit<Header>,
    slab: NonNull<H::Blocks>,
}

/// Where the links of a vacant block are: where something else is while it is out.
struct Links {
    link: NonNull<*mut ()>,
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    list_link: NonNull<*mut ()>,
}

impl Links {
    /// What a block needs for that.
    const MIN_SIZE: usize = size_of::<Block<crate::OneThread>>() + size_of::<[*mut (); 2]>();

    /// # Safety
    ///
    /// The block lives.
    #[inline(always)]
    unsafe fn of<H: Home>(block: NonNull<Block<H>>) -> Self {
        // SAFETY: a block has room for two pointers behind what it begins with.
        let link = unsafe { block.add(1) }.cast();
        Links {
            link,
            // SAFETY: as above.
            #[cfg(all(feature = "std", target_has_atomic = "64"))]
            list_link: unsafe { link.add(1) },
        }
    }
}

impl<H: Home> Block<H> {
    /// A block of `slab`, which begins with its [`Settings`](super::Settings).
    pub(crate) fn new(slab: NonNull<H::Blocks>) -> Self {
        Block { header: MaybeUninit::uninit(), slab }
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
        const END: End = End { exhausted: false, abandoned: false };
        // SAFETY: the block is out, so it lives.
        let slab = unsafe { this.as_ref() }.slab;
        // SAFETY: the caller's.
        if !unsafe { Slab::try_put(slab, this, END) } {
            // SAFETY: as above.
            unsafe { Slab::put(slab, this, END) };
        }
    }
}

// SAFETY: the links are behind what a block that is out keeps, and there is room for them; a block does
// not move.
unsafe impl<H: Home> Linked for Block<H> {
    type Pointer = H::Pointer;
    /// The size of the blocks.
    type Table = usize;
    type Storage = Blocks<H>;

    #[inline(always)]
    unsafe fn set_link(this: NonNull<Self>, next: *mut ()) {
        // SAFETY: a block in a list lives.
        let links = unsafe { Links::of(this) };
        // SAFETY: the block is vacant, and the caller's.
        unsafe { links.link.write(next) };
    }

    #[inline(always)]
    unsafe fn link(this: NonNull<Self>) -> *mut () {
        // SAFETY: a block in a list lives.
        let links = unsafe { Links::of(this) };
        // SAFETY: it was set when the block came into the list.
        unsafe { links.link.read() }
    }

    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    unsafe fn set_list_link(this: NonNull<Self>, next: *mut ()) {
        // SAFETY: a block in a list lives.
        let links = unsafe { Links::of(this) };
        // SAFETY: the block is vacant, and the caller's.
        unsafe { links.list_link.write(next) };
    }

    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    unsafe fn list_link(this: NonNull<Self>) -> *mut () {
        // SAFETY: a block in a list lives.
        let links = unsafe { Links::of(this) };
        // SAFETY: it was set when the list came into the other one.
        unsafe { links.list_link.read() }
    }
}

/// Blocks of one size.
pub(crate) struct Blocks<H: Home> {
    layout: Layout,
    /// Those that were added, and that nobody got yet.
    fresh: List<Block<H>>,
    /// So many there were at most.
    most: H::Word,
}

/// A block begins on a cache line, so that no other thread's shares it.
const LINE: usize = 64;

impl<H: Home> Storage<Block<H>> for Blocks<H> {
    const COUNTS_RENTS: bool = false;
    const FREES: bool = true;

    fn new(size: &usize, _: u32) -> Self {
        assert!(*size >= Links::MIN_SIZE);
        let layout = Layout::from_size_align(*size, LINE).expect("a block fits into memory");
        Blocks { layout, fresh: List::new(), most: H::Word::new(0) }
    }

    unsafe fn take_new(&self, _: u32) -> Option<NonNull<Block<H>>> {
        self.fresh.pop()
    }

    unsafe fn add(&self, index: u32, mut make: impl FnMut(u32) -> Block<H>) -> u32 {
        // SAFETY: a block has a size.
        let block = unsafe { alloc(self.layout) };
        let Some(block) = NonNull::new(block) else { handle_alloc_error(self.layout) };
        let block = block.cast::<Block<H>>();
        // SAFETY: it was allocated, with room for more than that.
        unsafe { block.write(make(index)) };
        // SAFETY: nobody has it.
        unsafe { self.fresh.push(block) };
        let now = index + 1;
        self.most.store(self.most.load().max(now.into()));
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
