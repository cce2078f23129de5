//! Chunks: pages whose slots are found by their indices, and stay as long as the slab does. The first chunk has one
//! page, and each further one has twice as many as the one before, so that an index is found with shifts.
//!
//! ```text
//!  table ──┬─► chunk 0: page 0        slots  0 to  31
//!          ├─► chunk 1: pages 1 to 2  slots 32 to  95
//!          ├─► chunk 2: pages 3 to 6  slots 96 to 223
//!          └─► …
//! ```

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{alloc::Layout, array, ptr, ptr::NonNull};

use super::{
    Item, Storage,
    page::{Page, Shape},
};
use crate::{
    erased::VTable,
    slot::{Home, IndexLayout, Number, Pointer, Slot, Word},
};

/// A page has so many slots.
const PER_PAGE: u32 = 1 << LOG_PER_PAGE;

const LOG_PER_PAGE: u32 = if cfg!(loom) { 1 } else { 5 };

/// Loom keeps a long record for each entry.
const TABLE: usize = if cfg!(loom) { 4 } else { 32 };

/// What any table has room for: an index has 31 bits.
pub(crate) const MAX: u32 = (1 << 31) - 32;

/// Up to `limit` slots, in pages that are there once their chunk was allocated.
pub(crate) struct Chunks<S: Item> {
    table: [S::Pointer; TABLE],
    limit: u32,
    /// Slots with a lower index were made.
    used: S::Word,
}

impl<S: Item> Chunks<S> {
    const SHAPE: Shape = Shape { slot: Layout::new::<S>(), slots: PER_PAGE };

    /// The chunk of an index, and how far into it.
    #[inline(always)]
    const fn locate(index: u32) -> (usize, u32) {
        // Neither wraps nor is zero, because the index is below `MAX`; written so that no check for
        // that is left.
        let shifted = index.wrapping_add(PER_PAGE);
        let log = (shifted | 1).ilog2();
        (log.wrapping_sub(LOG_PER_PAGE) as usize % TABLE, shifted - (1 << log))
    }

    /// The index of the first slot of a chunk.
    const fn start(chunk: usize) -> u32 {
        ((1_u32 << chunk) - 1) << LOG_PER_PAGE
    }

    /// The number of slots of a chunk.
    fn len(&self, chunk: usize) -> u32 {
        let room = self.limit - Self::start(chunk);
        room.min(PER_PAGE << chunk)
    }

    fn layout(&self, chunk: usize) -> Layout {
        let slots = self.len(chunk);
        let pages = slots.div_ceil(PER_PAGE);
        Self::SHAPE.layout(pages, slots - (pages - 1) * PER_PAGE)
    }

    /// The page of an index, if its chunk was allocated, and the place of the slot in the page.
    #[inline(always)]
    fn page(&self, index: u32) -> Option<(NonNull<Page<S>>, u32)> {
        let (chunk, offset) = Self::locate(index);
        let start = NonNull::new(self.table[chunk].observe())?.cast::<Page<S>>();
        let (page, place) = (offset / PER_PAGE, offset % PER_PAGE);
        // SAFETY: the index is below the limit, so the page is one of its chunk.
        Some((unsafe { start.byte_add(page as usize * Self::SHAPE.size()) }, place))
    }

    /// How many slots were made: those with a lower index.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "it is below `MAX`")]
    pub(crate) fn used(&self) -> u32 {
        self.used.load() as u32
    }

    /// The slot with this index, if it was made.
    #[inline(always)]
    pub(crate) fn get(&self, index: u32) -> Option<NonNull<S>> {
        if index >= self.used() {
            return None;
        }
        let (page, place) = self.page(index)?;
        let distance = Self::SHAPE.offset() + place as usize * size_of::<S>();
        // SAFETY: the page was made, and has so many slots.
        Some(unsafe { page.byte_add(distance) }.cast())
    }
}

/// What knows its index, and how often it was rented.
pub(crate) trait Indexed {
    fn index(&self, layout: IndexLayout) -> u32;

    /// How often it was rented, if its first generation was `first`.
    fn uses(&self, layout: IndexLayout, first: u32) -> u64;
}

impl<S: Item + Indexed> Storage<S> for Chunks<S> {
    const FREES: bool = false;

    fn new(_: &S::Table, limit: u32) -> Self {
        assert!(limit <= MAX);
        let table = array::from_fn(|_| S::Pointer::new(ptr::null_mut()));
        Chunks { table, limit, used: S::Word::new(0) }
    }

    fn shape(&self) -> Shape {
        Self::SHAPE
    }

    fn allocate(&self, capacity: u32) -> (u32, Option<NonNull<Page<S>>>) {
        let (chunk, offset) = Self::locate(capacity);
        assert!(offset == 0 && capacity < self.limit && self.table[chunk].observe().is_null());
        let layout = self.layout(chunk);
        // SAFETY: a chunk has at least one slot, and slots have a size.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        self.table[chunk].publish(start.as_ptr().cast());
        (self.len(chunk), None)
    }

    fn next_page(&self, opened: u32) -> Option<(NonNull<Page<S>>, u32)> {
        let (page, _) = self.page(opened)?;
        Some((page, PER_PAGE.min(self.limit - opened)))
    }

    fn kept(&self) -> u32 {
        self.limit
    }

    fn note_made(&self, index: u32) {
        // Pages are opened when no other has vacant slots, so indices are made in order.
        debug_assert_eq!(index, self.used());
        self.used.publish(u64::from(index) + 1);
    }

    unsafe fn page_of(&self, slot: NonNull<S>) -> NonNull<Page<S>> {
        // SAFETY: the caller's.
        let index = unsafe { slot.as_ref() }.index(IndexLayout::of(self.limit));
        self.page(index).expect("the chunk of a slot was allocated").0
    }

    fn uses(&self, first: u32) -> Option<(u64, u64)> {
        // SAFETY: a slot lives as long as the chunks.
        let slots = (0..self.used()).filter_map(|index| Some(unsafe { self.get(index)?.as_ref() }));
        Some(slots.fold((0, 0), |(rents, slots), slot| {
            let of_slot = slot.uses(IndexLayout::of(self.limit), first);
            (rents + of_slot, slots + u64::from(of_slot > 0))
        }))
    }

    unsafe fn free(&self, _: NonNull<Page<S>>) {
        unreachable!("slots stay as long as the slab does");
    }
}

impl<S: Item> Drop for Chunks<S> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<S>() {
            for slot in (0..self.used()).filter_map(|index| self.get(index)) {
                // SAFETY: it was made, and this is the end of it.
                unsafe { slot.drop_in_place() };
            }
        }
        #[cfg(loom)]
        if !std::thread::panicking() {
            self.table.iter_mut().for_each(Pointer::touch);
            self.used.touch();
        }
        for (chunk, start) in self.table.iter().enumerate() {
            let start = start.observe();
            if start.is_null() {
                return;
            }
            // SAFETY: it was allocated with this layout, and this is the end of it.
            unsafe { dealloc(start.cast(), self.layout(chunk)) };
        }
    }
}

// SAFETY: a slot begins with a pointer to the table that its slab begins with.
unsafe impl<T, H: Home> Item for Slot<T, H> {
    type Word = H::Word;
    type Pointer = H::Pointer;
    type Table = VTable<T>;
    type Storage = Chunks<Self>;

    /// Several, so that those of one thread are neighbours: two threads with alternate slots wait for each other's
    /// cache lines (11 ns more for each operation).
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32 = if cfg!(loom) { 1 } else { 16 };

    unsafe fn make(place: NonNull<Self>, page: NonNull<Page<Self>>, index: u32, generation: u32) {
        // SAFETY: the page of a slot that is made lives.
        let table = unsafe { page.as_ref() }.slab().cast();
        // SAFETY: the caller's; a slab begins with the table of its slots.
        unsafe { Slot::make(place, table, Number::new(index, generation)) };
    }

    unsafe fn begin_epoch(this: NonNull<Self>, layout: IndexLayout) -> bool {
        // SAFETY: the caller's.
        let slot = unsafe { this.as_ref() };
        // SAFETY: as above.
        unsafe { slot.begin_epoch(layout) }
    }
}

impl<T, H: Home> Indexed for Slot<T, H> {
    fn index(&self, layout: IndexLayout) -> u32 {
        layout.slot(self.number().key().index())
    }

    fn uses(&self, layout: IndexLayout, first: u32) -> u64 {
        // The state may be older than the number, but then this operation is over.
        let state = self.state();
        let number = self.number_now();
        let begun = state.generation() == number.generation();
        let before = layout.order(number).expect("a slot has a number") - u64::from(first);
        before + u64::from(begun)
    }
}
