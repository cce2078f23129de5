//! A page: up to 64 slots in a row, and which of them are vacant.
//!
//! ```text
//! ┌──────────────────────────────────┬────────┬────────┬────────┬───
//! │ slab, bits of the vacant slots,  │ slot 0 │ slot 1 │ slot 2 │ …
//! │ links to other pages             │        │        │        │
//! └──────────────────────────────────┴────────┴────────┴────────┴───
//!   0                                  64
//! ```
//!
//! A slot is made when it is first taken, so that a new page costs no pass over its slots. The vacant slot with
//! the lowest index is taken first, so those that were never taken are the last ones of the page.

use core::{alloc::Layout, cell::Cell, ptr::NonNull};

use super::{
    Item,
    list::{Linked, Links},
};
use crate::slot::Word;

/// What a page begins with. Its slots are behind it.
///
/// Its cells are used by one thread at a time: who has the lock of the depot.
#[repr(C, align(64))]
pub(crate) struct Page<S: Item> {
    /// Of its allocation.
    start: NonNull<u8>,
    slab: NonNull<()>,
    /// The index of its first slot.
    first: u32,
    /// The number of its slots.
    len: u32,
    /// The number of slots that were made.
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

/// How the slots of a page lie.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) slot: Layout,
    pub(crate) slots: u32,
}

impl Shape {
    /// The distance from a page to its first slot.
    pub(crate) const fn offset(self) -> usize {
        // The size of a page is a multiple of 64, whatever `S` is.
        let header = 64;
        let align = self.slot.align();
        if align > header { align } else { header }
    }

    /// The size of a page with so many slots.
    pub(crate) fn bytes(self, slots: u32) -> Option<usize> {
        self.slot.size().checked_mul(slots as usize)?.checked_add(self.offset())
    }
}

/// Whether a page has vacant slots.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Some of its slots are vacant.
    Some,
    /// All are.
    Empty,
    /// None is.
    Full,
}

impl<S: Item> Page<S> {
    /// Makes a page, whose slots are vacant.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes, and nobody else refers to it.
    pub(crate) unsafe fn make(
        place: NonNull<Self>,
        start: NonNull<u8>,
        slab: NonNull<()>,
        first: u32,
        len: u32,
    ) {
        const { assert!(size_of::<Self>() == 64) };
        assert!(0 < len && len <= 64);
        let page = Page {
            start,
            slab,
            first,
            len,
            made: S::Word::new(0),
            vacant: Cell::new(u64::MAX >> (64 - len)),
            links: Links::new(),
        };
        // SAFETY: the caller's.
        unsafe { place.write(page) };
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

    /// The number of slots that were made: those that come first.
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

    /// The next vacant slot was never taken.
    pub(crate) fn next_is_new(&self) -> bool {
        self.vacant.get().trailing_zeros() >= self.made()
    }

    /// Takes a vacant slot out. There is one.
    ///
    /// # Safety
    ///
    /// The page lives, and has this shape.
    pub(crate) unsafe fn take(
        this: NonNull<Self>,
        shape: Shape,
        first_generation: u32,
    ) -> NonNull<S> {
        // SAFETY: the caller's.
        let page = unsafe { this.as_ref() };
        let vacant = page.vacant.get();
        debug_assert!(vacant != 0);
        let place = vacant.trailing_zeros();
        page.vacant.set(vacant & (vacant - 1));
        // SAFETY: the page has so many slots.
        let slot = unsafe { Self::slot(this, shape, place) };
        if place >= page.made() {
            // SAFETY: there is room for a slot, which nobody else refers to.
            unsafe { S::make(slot, this, page.first + place, first_generation) };
            page.made.publish(u64::from(place) + 1);
        }
        slot
    }

    /// Takes a slot back.
    ///
    /// # Safety
    ///
    /// The page lives, and has this shape. The slot is one of its slots, vacant, and nobody refers to it.
    pub(crate) unsafe fn put(this: NonNull<Self>, shape: Shape, slot: NonNull<S>) {
        // SAFETY: the caller's.
        let page = unsafe { this.as_ref() };
        let distance = slot.addr().get() - this.addr().get() - shape.offset();
        let size = shape.slot.size();
        // Of 32 bits where that is enough, because a division of 64 takes three times as long.
        let place = match (u32::try_from(distance), u32::try_from(size)) {
            (Ok(distance), Ok(size)) => distance / size,
            _ => u32::try_from(distance / size).expect("a page has up to 64 slots"),
        };
        debug_assert!(place < page.len && page.vacant.get() >> place & 1 == 0);
        page.vacant.set(page.vacant.get() | 1 << place);
    }

    /// A slot, if it was made.
    ///
    /// # Safety
    ///
    /// The page lives, and has this shape.
    #[inline(always)]
    pub(crate) unsafe fn get(this: NonNull<Self>, shape: Shape, place: u32) -> Option<NonNull<S>> {
        // SAFETY: the caller's.
        let is_made = place < unsafe { this.as_ref() }.made();
        // SAFETY: the page has so many slots.
        is_made.then(|| unsafe { Self::slot(this, shape, place) })
    }

    /// The place of a slot.
    ///
    /// # Safety
    ///
    /// The page lives, has this shape, and more than `place` slots.
    unsafe fn slot(this: NonNull<Self>, shape: Shape, place: u32) -> NonNull<S> {
        // SAFETY: the slots are behind the header.
        unsafe { this.byte_add(shape.offset() + shape.slot.size() * place as usize) }.cast()
    }

    /// Drops the slots, where that does something: in models.
    ///
    /// # Safety
    ///
    /// The page lives, and has this shape. Nobody uses its slots any more.
    pub(crate) unsafe fn drop_slots(this: NonNull<Self>, shape: Shape) {
        if core::mem::needs_drop::<S>() {
            // SAFETY: the caller's.
            let made = unsafe { this.as_ref() }.made();
            for place in 0..made {
                // SAFETY: the page has so many slots.
                let slot = unsafe { Self::slot(this, shape, place) };
                // SAFETY: it was made, and this is the end of it.
                unsafe { slot.drop_in_place() };
            }
        }
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
