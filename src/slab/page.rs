//! A page: an array of up to 64 slots, and a bit mask of the vacant ones.
//!
//! ```text
//! ┌──────────────────────────────────┬────────┬────────┬────────┬───
//! │ slab, mask of vacant slots,      │ slot 0 │ slot 1 │ slot 2 │ …
//! │ links to other pages             │        │        │        │
//! └──────────────────────────────────┴────────┴────────┴────────┴───
//!   0                                  64
//! ```
//!
//! A slot is initialized when it is taken for the first time, so a new page costs no pass over its slots. `take` takes the vacant
//! slot with the lowest index. Therefore the uninitialized slots are at the end of the page.

use core::{alloc::Layout, cell::Cell, ptr::NonNull};

use super::{
    Item,
    list::{Linked, Links, Node},
};
use crate::slot::Word;

/// The header of a page. The slots follow it. The lock of the depot protects the cells.
#[repr(C, align(64))]
pub(crate) struct Page<S: Item> {
    /// The start of the allocation.
    start: NonNull<u8>,
    slab: NonNull<()>,
    /// The index of its first slot.
    first: u32,
    /// The number of its slots.
    len: u32,
    /// The distances from a page to its first slot, and from a slot to the next one.
    offset: u32,
    stride: u32,
    /// The number of initialized slots.
    made: S::Word,
    /// A bit for each vacant slot.
    vacant: Cell<u64>,
    links: Links<Page<S>>,
}

impl<S: Item> Linked for Page<S> {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// The layout of a page.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) slot: Layout,
    pub(crate) slots: u32,
}

impl Shape {
    /// The distance from a page to its first slot.
    pub(crate) const fn offset(self) -> usize {
        // The size of the header, for any `S`.
        let header = 64;
        let align = self.slot.align();
        if align > header { align } else { header }
    }

    /// The size of a page with `slots` slots.
    pub(crate) fn bytes(self, slots: u32) -> Option<usize> {
        self.slot.size().checked_mul(slots as usize)?.checked_add(self.offset())
    }
}

/// How many of the slots of a page are vacant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Some slots are vacant.
    Some,
    /// All slots are vacant.
    Empty,
    /// No slot is vacant.
    Full,
}

impl<S: Item> Page<S> {
    /// Initializes the header of a page whose slots are all vacant.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes of a page with that many slots of this shape, and nobody else refers to it. It is freed
    /// as [`Node::new`] requires.
    pub(crate) unsafe fn make(
        place: NonNull<Self>,
        start: NonNull<u8>,
        slab: NonNull<()>,
        shape: Shape,
        first: u32,
        len: u32,
    ) -> Node<Self> {
        const { assert!(size_of::<Self>() == 64) };
        assert!(0 < len && len <= 64);
        let distance = |bytes: usize| u32::try_from(bytes).expect("a slot takes less than 4 GiB");
        let page = Page {
            start,
            slab,
            first,
            len,
            offset: distance(shape.offset()),
            stride: distance(shape.slot.size()),
            made: S::Word::new(0),
            vacant: Cell::new(u64::MAX >> (64 - len)),
            links: Links::new(),
        };
        // SAFETY: the caller's.
        unsafe { place.write(page) };
        // SAFETY: as above.
        unsafe { Node::new(place) }
    }

    #[inline(always)]
    pub(crate) fn slab(&self) -> NonNull<()> {
        self.slab
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Returns the number of initialized slots. They are the first ones.
    #[expect(clippy::cast_possible_truncation, reason = "a page has up to 64 slots")]
    pub(crate) fn made(&self) -> u32 {
        self.made.load() as u32
    }

    pub(crate) fn fill(&self) -> Fill {
        match self.vacant.get().count_ones() {
            0 => Fill::Full,
            all if all == self.len => Fill::Empty,
            _ => Fill::Some,
        }
    }

    /// Returns `true` if [`take`](Page::take) will initialize a slot.
    pub(crate) fn next_is_new(&self) -> bool {
        self.vacant.get().trailing_zeros() >= self.made()
    }

    /// Takes out a vacant slot of a page that has one.
    pub(crate) fn take(this: Node<Self>, first_generation: u32) -> NonNull<S> {
        let vacant = this.vacant.get();
        assert!(vacant != 0);
        let place = vacant.trailing_zeros();
        this.vacant.set(vacant & (vacant - 1));
        let slot = Self::slot(this, place);
        if place >= this.made() {
            // SAFETY: this is the place of a slot, to which nobody refers.
            unsafe { S::make(slot, this, this.first + place, first_generation) };
            this.made.publish(u64::from(place) + 1);
        }
        slot
    }

    /// Marks a slot as vacant.
    ///
    /// # Safety
    ///
    /// The slot is in this page, and nobody refers to it.
    pub(crate) unsafe fn put(this: Node<Self>, slot: NonNull<S>) {
        let distance = slot.addr().get() - this.pointer().addr().get() - this.offset as usize;
        // A division of 32 bits takes a third of the time of one of 64 bits.
        let place = match u32::try_from(distance) {
            Ok(distance) => distance / this.stride,
            Err(_) => u32::try_from(distance / this.stride as usize).expect("it is below 64"),
        };
        debug_assert!(place < this.len && this.vacant.get() >> place & 1 == 0);
        this.vacant.set(this.vacant.get() | 1 << place);
    }

    /// Returns a slot if it is initialized.
    #[inline(always)]
    pub(crate) fn get(this: Node<Self>, place: u32) -> Option<NonNull<S>> {
        (place < this.made()).then(|| Self::slot(this, place))
    }

    /// Returns the place of a slot, which is below the number of slots.
    #[inline(always)]
    fn slot(this: Node<Self>, place: u32) -> NonNull<S> {
        let distance = this.offset as usize + this.stride as usize * place as usize;
        // SAFETY: the allocation of the page contains its slots.
        unsafe { this.pointer().byte_add(distance) }.cast()
    }

    /// Drops the header and the slots. Only loom models need that.
    ///
    /// # Safety
    ///
    /// Nobody uses the page or its slots any more.
    pub(crate) unsafe fn end(this: Node<Self>) {
        let made = if core::mem::needs_drop::<S>() { this.made() } else { 0 };
        for slot in (0..made).filter_map(|place| Self::get(this, place)) {
            // SAFETY: it was made, and this is the end of it.
            unsafe { slot.drop_in_place() };
        }
        // SAFETY: this is the end of it.
        unsafe { this.pointer().drop_in_place() };
    }
}

#[cfg(loom)]
impl<S: Item> Drop for Page<S> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.made.touch();
        }
    }
}
