//! The trait of the slots of a slab, and the layout of a page of slots.

use core::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use super::pages::Location;
use crate::slot::{IndexLayout, Pointer, Recycler, Vacant, Word};

/// A slot of a slab: a slot for the operations of a pool, or a block for a pooled future.
///
/// # Safety
///
/// * [`init`](Item::init) initializes the slot. After that, [`slab`](Item::slab) and [`page`](Item::page) return the slab, and the page or
///   the index, of the location that `init` was given.
/// * [`Slab`](Item::Slab) is the type of the slab at the address that [`slab`](Item::slab) returns. The slab begins with the
///   [`Table`](Item::Table).
/// * A slot fits into the layout that [`shape`](Item::shape) returns.
pub(crate) unsafe trait Item: Sized {
    /// The type of the slab. No other type of slab creates such slots.
    type Slab;
    /// The recycler to which a slot is returned. Its type says whether several threads may use the slot.
    type Recycler: Recycler;
    /// The type of the values that may move to another thread in a slot.
    type Content;
    type Word: Word;
    type Pointer: Pointer;

    /// The type of the table at the beginning of a slab.
    type Table;

    /// `true` if slots are found by their indices. Such slots stay allocated as long as the slab has a handle. They also count how often
    /// they were rented.
    const INDEXED: bool;

    /// The number of slots in a page, if slots are found by their indices.
    const PER_PAGE: u32;

    /// The number of slots that are initialized at a time for one thread.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32;

    /// Returns the layout of a page.
    fn shape(table: &Self::Table) -> Shape;

    /// Returns the capacity, in slots, up to which a slab keeps its empty pages until a trim.
    fn retained(shape: Shape) -> u32;

    /// Initializes a slot.
    fn init(place: &mut MaybeUninit<Self>, location: Location<Self>);

    /// Returns the address of the slab.
    fn slab(&self) -> NonNull<()>;

    /// Returns the address of the page, or the index of the slot. The caller owns the slot.
    fn page(&self) -> PageOf;

    /// Begins the next epoch of a slot that was returned [exhausted](crate::slot::End::exhausted). Returns `false` if this was the last
    /// epoch.
    fn begin_epoch(slot: &Vacant<Self>, layout: IndexLayout) -> bool;

    /// Returns how many times the slot was rented since the generation `first`.
    fn uses(&self, layout: IndexLayout, first: u32) -> u64;
}

/// The data by which the page of a slot is found.
pub(crate) enum PageOf {
    Address(NonNull<()>),
    /// The index in the key of the slot.
    Index(u32),
}

/// The layout of a page.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    slot: Layout,
    slots: u32,
}

impl Shape {
    /// Creates the layout of pages with up to `slots` slots.
    pub(super) const fn new(slot: Layout, slots: u32) -> Self {
        Shape { slot, slots }
    }

    /// Returns the layout of a slot.
    pub(super) const fn slot(self) -> Layout {
        self.slot
    }

    /// Returns the size of a slot.
    pub(super) const fn size(self) -> usize {
        self.slot.size()
    }

    /// Returns the number of slots in a whole page.
    pub(super) const fn slots(self) -> u32 {
        self.slots
    }

    /// The size of the header of a page.
    pub(super) const HEADER: usize = 64;

    /// Returns the distance from a page to its first slot.
    pub(super) const fn offset(self) -> usize {
        let align = self.slot.align();
        if align > Self::HEADER { align } else { Self::HEADER }
    }

    /// Returns the layout of the allocation of a page with `slots` slots.
    pub(super) fn layout(self, slots: u32) -> Layout {
        page_layout(self.offset(), self.slot.size(), slots)
    }
}

/// Returns the layout of the allocation of a page, with padding to align the page. The allocator is not asked for the alignment. If it
/// were, glibc would leave small fragments between the pages, and could not return the memory of pages to the system.
pub(super) fn page_layout(offset: usize, slot: usize, slots: u32) -> Layout {
    // Miri does not assume that an address is aligned more than its allocation. So in Miri the allocation has the alignment of the page.
    let align = if cfg!(miri) { offset } else { 16 };
    let slots = slot.checked_mul(slots as usize);
    let bytes = slots.and_then(|bytes| bytes.checked_add(2 * offset));
    let layout = bytes.map(|bytes| Layout::from_size_align(bytes, align));
    layout.and_then(Result::ok).expect("a page fits into memory")
}
