//! Chunks: storage that grows without moving anything. The first chunk has `2^FIRST` entries, each
//! further one twice as many as the one before, so that an index is found with shifts.
//!
//! ```text
//!  table ──┬─► chunk 0: entries 0 to 31
//!          ├─► chunk 1: entries 32 to 95
//!          ├─► chunk 2: entries 96 to 223
//!          └─► …
//! ```

use alloc::alloc::{alloc, dealloc, handle_alloc_error};
use core::{alloc::Layout, array, marker::PhantomData, ptr, ptr::NonNull};

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::list::List;
use super::{Indexed, Storage, list::Linked};
use crate::{
    erased::VTable,
    slot::{Home, IndexLayout, Pointer, Slot},
};

/// A chunk begins on a cache line, so that an entry of 64 bytes is one.
const LINE: usize = 64;

/// The first chunk has 32 slots.
pub(crate) const FIRST_SLOTS: u32 = if cfg!(loom) { 0 } else { 5 };

/// Loom keeps a long record for each entry.
const TABLE: usize = if cfg!(loom) { 4 } else { 32 };

/// What any table has room for: an index has 31 bits.
pub(crate) const MAX: u32 = (1 << 31) - 32;

/// Up to `limit` entries, of which those of a chunk are there once the chunk was [added](Chunks::add).
pub(crate) struct Chunks<S, P: Pointer, const FIRST: u32> {
    table: [P; TABLE],
    limit: u32,
    entries: PhantomData<S>,
}

impl<S, P: Pointer, const FIRST: u32> Chunks<S, P, FIRST> {
    pub(crate) fn new(limit: u32) -> Self {
        const { assert!(FIRST <= 5) };
        assert!(limit <= MAX);
        Chunks { table: array::from_fn(|_| P::new(ptr::null_mut())), limit, entries: PhantomData }
    }

    /// The chunk of an index, and how far into it.
    #[inline(always)]
    fn locate(index: u32) -> (usize, usize) {
        // Neither wraps nor is zero, because the index is below `MAX`; written so that no check for
        // that is left.
        let shifted = index.wrapping_add(1 << FIRST);
        let log = (shifted | 1).ilog2();
        (log.wrapping_sub(FIRST) as usize % TABLE, (shifted - (1 << log)) as usize)
    }

    /// The index of the first entry of a chunk.
    fn start(chunk: usize) -> u32 {
        ((1_u32 << chunk) - 1) << FIRST
    }

    fn len(&self, chunk: usize) -> u32 {
        let room = self.limit - Self::start(chunk);
        room.min((1 << FIRST) << chunk)
    }

    fn layout(&self, chunk: usize) -> Layout {
        let layout = Layout::array::<S>(self.len(chunk) as usize);
        layout.and_then(|layout| layout.align_to(LINE)).expect("a chunk fits into memory")
    }

    /// The entry with this index, if its chunk was added before.
    #[inline(always)]
    pub(crate) fn get(&self, index: u32) -> Option<NonNull<S>> {
        if index >= self.limit {
            return None;
        }
        let (chunk, offset) = Self::locate(index);
        let start = NonNull::new(self.table[chunk].observe())?.cast::<S>();
        // SAFETY: the index is below the limit, so the offset is below the length of its chunk.
        Some(unsafe { start.add(offset) })
    }

    /// How many entries there are.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn end(&self) -> u32 {
        let chunks = self.table.iter().take_while(|start| !start.observe().is_null());
        Self::start(chunks.count())
    }

    /// Adds the chunk that begins with the entry `index`. `make` writes the entry of each of its indices
    /// into its place. Returns where the next chunk begins.
    ///
    /// # Safety
    ///
    /// Nobody else adds at the same time, and `make` writes an entry.
    pub(crate) unsafe fn add(&self, index: u32, mut make: impl FnMut(NonNull<S>, u32)) -> u32 {
        let (chunk, offset) = Self::locate(index);
        assert!(offset == 0 && index < self.limit && self.table[chunk].observe().is_null());
        let layout = self.layout(chunk);
        // SAFETY: a chunk has at least one entry, and entries have a size.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        let start = start.cast::<S>();
        let end = index + self.len(chunk);
        for entry in index..end {
            // SAFETY: the chunk was allocated for so many entries.
            make(unsafe { start.add((entry - index) as usize) }, entry);
        }
        self.table[chunk].publish(start.as_ptr().cast());
        end
    }
}

/// What knows how often it was rented.
pub(crate) trait Counted {
    /// How often it was rented, if its first generation was `first`.
    fn uses(&self, layout: IndexLayout, first: u32) -> u64;
}

impl<S: Linked + Counted, const FIRST: u32> Indexed<S> for Chunks<S, S::Pointer, FIRST> {
    #[inline(always)]
    fn get(&self, index: u32) -> Option<NonNull<S>> {
        self.get(index)
    }
}

/// Slots stay as long as the slab does.
impl<S: Linked + Counted, const FIRST: u32> Storage<S> for Chunks<S, S::Pointer, FIRST> {
    const COUNTS_RENTS: bool = true;
    const FREES: bool = false;

    /// A slot with a value of one word takes 64 bytes, and no more.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    type Stack = List<S>;

    fn new(_: &S::Table, limit: u32) -> Self {
        Chunks::new(limit)
    }

    unsafe fn take_new(&self, index: u32) -> Option<NonNull<S>> {
        self.get(index)
    }

    unsafe fn add(&self, index: u32, make: impl FnMut(NonNull<S>, u32)) -> u32 {
        // SAFETY: the caller's.
        unsafe { self.add(index, make) }
    }

    fn uses(&self, used: u32, first: u32) -> (u64, u64) {
        // SAFETY: an entry lives as long as the chunks.
        let entries = (0..used).filter_map(|index| Some(unsafe { self.get(index)?.as_ref() }));
        entries.fold((0, 0), |(rents, entries), entry| {
            let of_entry = entry.uses(IndexLayout::of(self.limit), first);
            (rents + of_entry, entries + u64::from(of_entry > 0))
        })
    }

    unsafe fn free(&self, _: NonNull<S>) {
        unreachable!("slots stay as long as the slab does");
    }
}

impl<S, P: Pointer, const FIRST: u32> Drop for Chunks<S, P, FIRST> {
    fn drop(&mut self) {
        #[cfg(loom)]
        if !std::thread::panicking() {
            self.table.iter_mut().for_each(Pointer::touch);
        }
        for (chunk, start) in self.table.iter().enumerate() {
            let start = start.observe().cast::<S>();
            if start.is_null() {
                return;
            }
            let entries = ptr::slice_from_raw_parts_mut(start, self.len(chunk) as usize);
            // SAFETY: they were written when the chunk was added, and this is the end of them.
            unsafe { entries.drop_in_place() };
            // SAFETY: it was allocated with this layout, and this is the end of it.
            unsafe { dealloc(start.cast(), self.layout(chunk)) };
        }
    }
}

// SAFETY: the link of a vacant slot is nobody else's, and a slot does not move.
unsafe impl<T, H: Home> Linked for Slot<T, H> {
    type Pointer = H::Pointer;
    type Table = VTable<T>;

    type Storage = Chunks<Self, H::Pointer, FIRST_SLOTS>;

    #[inline(always)]
    unsafe fn set_link(this: NonNull<Self>, next: *mut ()) {
        // SAFETY: a slot in a list lives.
        unsafe { this.as_ref() }.link().store(next);
    }

    #[inline(always)]
    unsafe fn link(this: NonNull<Self>) -> *mut () {
        // SAFETY: a slot in a list lives.
        unsafe { this.as_ref() }.link().load()
    }

    unsafe fn begin_epoch(this: NonNull<Self>, layout: IndexLayout) -> bool {
        // SAFETY: the caller's.
        let slot = unsafe { this.as_ref() };
        // SAFETY: as above.
        unsafe { slot.begin_epoch(layout) }
    }
}

impl<T, H: Home> Counted for Slot<T, H> {
    fn uses(&self, layout: IndexLayout, first: u32) -> u64 {
        // The state may be older than the number, but then this operation is over.
        let state = self.state();
        let number = self.number_now();
        let begun = state.generation() == number.generation();
        let before = layout.order(number).expect("a slot has a number") - u64::from(first);
        before + u64::from(begun)
    }
}
