//! What a slab consists of: the trait of its slots, and the layout of a page of them.

use core::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use super::pages::Location;
use crate::slot::{IndexLayout, Pointer, Recycler, Vacant, Word};

/// A slot of a slab: one for the operations of a pool, or a block for a pooled future.
///
/// # Safety
///
/// * [`init`](Item::init) initializes the slot. After that, [`slab`](Item::slab) and [`page`](Item::page) return what the location
///   says that `init` was called with.
/// * [`Slab`](Item::Slab) is the type of the slab at that address. The slab begins with the [`Table`](Item::Table).
/// * A slot fits into the layout that [`shape`](Item::shape) returns.
pub(crate) unsafe trait Item: Sized {
    /// The type of the slab, which is the only one that creates such slots.
    type Slab;
    /// What a slot returns to. It says whether several threads may use the slot.
    type Recycler: Recycler;
    /// The values that pass from one thread to another in a slot.
    type Content;
    type Word: Word;
    type Pointer: Pointer;

    /// The beginning of a slab, to which its slots refer.
    type Table;

    /// `true` if slots are found by their indices. They stay allocated as long as the slab has a handle, and count their uses.
    const INDEXED: bool;

    /// The number of slots in a page, if slots are found by their indices.
    const PER_PAGE: u32;

    /// The number of slots that are initialized at a time for one thread.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32;

    /// Returns the layout of a page.
    fn shape(table: &Self::Table) -> Shape;

    /// Returns the number of slots whose pages are not freed before a trim.
    fn retained(shape: Shape) -> u32;

    /// Initializes a slot.
    fn init(place: &mut MaybeUninit<Self>, location: Location<Self>);

    /// Returns the address of the slab.
    fn slab(&self) -> NonNull<()>;

    /// Returns the address of the page, or the index of the slot. Called by the owner of the slot.
    fn page(&self) -> PageOf;

    /// Begins the next epoch of a slot that was returned [exhausted](crate::slot::End::exhausted). Returns `false` if there is
    /// none.
    fn begin_epoch(slot: &Vacant<Self>, layout: IndexLayout) -> bool;

    /// Returns how many times the slot was rented since the generation `first`.
    fn uses(&self, layout: IndexLayout, first: u32) -> u64;
}

/// How the page of a slot is found.
pub(crate) enum PageOf {
    Address(NonNull<()>),
    /// The index of the key of the slot.
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

/// Returns the layout of the allocation of a page, with room to align the page. The allocator does not align it: glibc would leave
/// small fragments between the pages, and could not return their memory to the system.
pub(super) fn page_layout(offset: usize, slot: usize, slots: u32) -> Layout {
    // Miri assumes no alignment but that of the allocation.
    let align = if cfg!(miri) { offset } else { 16 };
    let slots = slot.checked_mul(slots as usize);
    let bytes = slots.and_then(|bytes| bytes.checked_add(2 * offset));
    let layout = bytes.map(|bytes| Layout::from_size_align(bytes, align));
    layout.and_then(Result::ok).expect("a page fits into memory")
}
