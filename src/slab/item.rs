//! The trait of the slots of a slab, and the layout of a page of slots.

use core::{alloc::Layout, marker::PhantomData, mem::MaybeUninit, ptr::NonNull};

use crate::slot::{IndexLayout, Number, Pointer, Recycler, Vacant, Word};

/// A slot of a slab: a slot for the operations of a pool, or a block for a pooled future.
///
/// # Safety
///
/// * [`init`](Item::init) initializes the slot. After that, [`slab`](Item::slab) returns the slab of the location that `init` was given.
///   [`page`](Item::page) returns the page of this location, or the index of the slot.
/// * [`Slab`](Item::Slab) is the type of the slab at the address that [`slab`](Item::slab) returns. The slab begins with the
///   [`Table`](Item::Table).
pub(crate) unsafe trait Item: Sized {
    /// The type of the slab. No other type of slab creates slots of this type.
    type Slab;
    /// The recycler to which a slot is returned. Its type says whether several threads may use the slot.
    type Recycler: Recycler;
    /// The type of the values in the slots. For blocks, this is `()`. A slab is `Send` and `Sync` only if this type is `Send`.
    type Content;
    type Word: Word;
    type Pointer: Pointer;

    /// The type of the table at the beginning of a slab.
    type Table;

    /// `true` for the slots of operations, and `false` for blocks. A slot of an operation is found by the index in a key, so it stays
    /// allocated as long as the slab has a handle. The slot also counts how often it was rented.
    const INDEXED: bool;

    /// The number of slots in a page. Used only if [`INDEXED`](Item::INDEXED) is `true`.
    const PER_PAGE: u32;

    /// The maximum number of slots that are initialized at a time for one thread.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32;

    /// Returns the layout of a page.
    fn shape(table: &Self::Table) -> Shape<Self>;

    /// Returns a capacity, in slots. When slots are returned, the slab frees no empty page that it needs for this capacity.
    fn retained(shape: Shape<Self>) -> u32;

    /// Initializes a slot.
    fn init(place: &mut MaybeUninit<Self>, location: impl Location<Self>);

    /// Returns the address of the slab.
    fn slab(&self) -> NonNull<()>;

    /// Returns the address of the page, or the index of the slot. The caller owns the slot.
    fn page(&self) -> PageOf;

    /// Begins the next epoch of a slot that was returned [exhausted](crate::slot::End::exhausted). Returns `false` if there is no further
    /// epoch.
    fn begin_epoch(slot: &Vacant<Self>, layout: IndexLayout) -> bool;

    /// Returns how many times the slot was rented. `first` is the generation of its first operation.
    fn uses(&self, layout: IndexLayout, first: u32) -> u64;
}

/// The location of a new slot.
///
/// # Safety
///
/// The slot is in the page at the address [`page`](Location::page). The slab at the address [`slab`](Location::slab) owns the page, and
/// begins with the [`Table`](Item::Table) of its slots. The page and the slab stay allocated as long as the slot.
pub(crate) unsafe trait Location<S: Item> {
    /// Returns the address of the slab.
    fn slab(&self) -> NonNull<()>;

    /// Returns the address of the page.
    fn page(&self) -> NonNull<()>;

    /// Returns the number of the first operation of the slot.
    fn first_number(&self) -> Number;
}

/// The data by which the page of a slot is found.
pub(crate) enum PageOf {
    Address(NonNull<()>),
    /// The index in the number of the slot. Its low bits name the slot, and its other bits count epochs.
    Index(u32),
}

/// The size of the header of a page, in bytes.
pub(super) const HEADER: usize = 64;

/// The layout of a page of slots of type `S`.
///
/// Invariant: a slot has room for an `S`, and each slot of a page is aligned for an `S`.
pub(crate) struct Shape<S> {
    /// The size of a slot, in bytes.
    size: usize,
    /// The distance from a page to its first slot, in bytes.
    offset: u32,
    slots: u32,
    of: PhantomData<fn() -> S>,
}

impl<S> Clone for Shape<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Shape<S> {}

impl<S> Shape<S> {
    /// Creates the layout of pages with up to `slots` slots.
    pub(super) const fn new(slot: Layout, slots: u32) -> Self {
        let (size, align) = (slot.size(), slot.align());
        assert!(size >= size_of::<S>() && align >= align_of::<S>());
        assert!(size % align == 0, "each slot of a page is aligned");
        assert!(align <= 1 << 31, "a slot is aligned to at most 2 GiB");
        #[expect(clippy::cast_possible_truncation, reason = "the alignment is at most 2³¹")]
        let offset = if align > HEADER { align } else { HEADER } as u32;
        Shape { size, offset, slots, of: PhantomData }
    }

    /// Returns the size of a slot, in bytes.
    pub(super) const fn size(self) -> usize {
        self.size
    }

    /// Returns the number of slots in a whole page.
    pub(super) const fn slots(self) -> u32 {
        self.slots
    }

    /// Returns the distance from a page to its first slot, in bytes.
    pub(super) const fn offset(self) -> usize {
        self.offset as usize
    }

    /// Returns the layout of the allocation of a page with `slots` slots.
    pub(super) fn layout(self, slots: u32) -> Layout {
        page_layout(self.offset(), self.size, slots)
    }
}

/// Returns the layout of the allocation of a page, with padding to align the page. The allocator is not asked for the alignment. If it
/// were, glibc would leave small fragments between the pages, and could not return the memory of pages to the system.
pub(super) fn page_layout(offset: usize, slot: usize, slots: u32) -> Layout {
    // Miri does not align an address to more than the alignment of its allocation. So in Miri, the allocation has the alignment of the
    // page.
    let align = if cfg!(miri) { offset } else { 16 };
    let slots = slot.checked_mul(slots as usize);
    let bytes = slots.and_then(|bytes| bytes.checked_add(2 * offset));
    let layout = bytes.map(|bytes| Layout::from_size_align(bytes, align));
    layout.and_then(Result::ok).expect("a page fits into memory")
}
