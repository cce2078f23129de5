//! The storage of a slab: allocates pages, and finds slots by their indices.
//!
//! ```text
//!  directory ──┬─► part 0: pages 0 to  7     slots   0 to 255
//!              ├─► part 1: pages 8 to 23     slots 256 to 767
//!              └─► …
//! ```

use alloc::{
    alloc::{alloc, dealloc, handle_alloc_error},
    boxed::Box,
};
use core::{alloc::Layout, array, ptr, ptr::NonNull};

use super::{
    Item, Room,
    list::Node,
    page::{Page, Shape},
};
use crate::slot::{IndexLayout, Pointer, Word};

/// The number of pages in the first part of the directory. Each part has twice as many as the one before, so an index is
/// located with shifts, and nothing moves.
const FIRST: u32 = 1 << LOG_FIRST;
const LOG_FIRST: u32 = if cfg!(loom) { 1 } else { 3 };

/// The number of parts. Loom records every access, so models have few.
const PARTS: usize = if cfg!(loom) { 4 } else { 32 };

/// The maximum number of slots: an index has 31 bits.
pub(crate) const MAX: u32 = (1 << 31) - 512;

/// What an allocation is aligned to. (Miri believes in no alignment but that of the allocation.)
const fn align(page: Shape) -> usize {
    if cfg!(miri) { page.offset() } else { 16 }
}

/// The storage of up to `limit` slots.
pub(crate) struct Storage<S: Item> {
    slab: NonNull<()>,
    shape: Shape,
    limit: u32,
    /// The memory of the pages, in bytes. A page is counted from when its slots are in the depot until its memory is freed.
    bytes: S::Word,
    /// The pages by number, if slots are found by their indices.
    directory: [S::Pointer; PARTS],
    /// The number of slots in the pages of the directory.
    end: S::Word,
}

impl<S: Item> Storage<S> {
    pub(crate) fn new(slab: NonNull<()>, table: &S::Table, limit: u32) -> Self {
        assert!(limit <= MAX);
        Storage {
            slab,
            shape: S::shape(table),
            limit,
            bytes: S::Word::new(0),
            directory: array::from_fn(|_| S::Pointer::new(ptr::null_mut())),
            end: S::Word::new(0),
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns the layout of the allocation of a page, with room to align the page. The allocator does not align it: glibc would
    /// leave small fragments between the pages, and could not return their memory to the system.
    fn layout(&self, slots: u32) -> Layout {
        let page = self.shape.bytes(slots).and_then(|bytes| bytes.checked_add(self.shape.offset()));
        let layout = page.map(|bytes| Layout::from_size_align(bytes, align(self.shape)));
        layout.and_then(Result::ok).expect("a page fits into memory")
    }

    /// Returns the memory of a page with `slots` slots, in bytes.
    pub(crate) fn bytes_of(&self, slots: u32) -> usize {
        self.layout(slots).size()
    }

    /// Returns the memory that pages with `slots` slots together have at least, in bytes.
    pub(crate) fn bytes_of_pages(&self, slots: u32) -> usize {
        let pages = slots.div_ceil(self.shape.slots) as usize;
        slots as usize * self.shape.slot.size() + pages * self.bytes_of(0)
    }

    /// Returns the memory of all pages, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        // A page may be freed before it is charged. The thread that charges it has the guard of the room.
        isize::try_from(self.bytes.load()).map_or(0, isize::unsigned_abs)
    }

    /// Counts the memory of a page with `slots` slots, which was added to the depot.
    pub(crate) fn charge(&self, slots: u32) {
        self.bytes.add_and_publish(self.bytes_of(slots) as u64);
    }

    /// Returns the number of slots that the next page of a slab with `capacity` slots can have: up to a whole page, the limit, and
    /// the room.
    pub(crate) fn slots_of_next(&self, capacity: u32, room: impl Room) -> u32 {
        let slots = self.shape.slots.min(self.limit.saturating_sub(capacity));
        if slots == 0 {
            return 0;
        }
        let bytes = room.make(self.bytes_of(1), self.bytes_of(slots));
        let within = bytes.saturating_sub(self.bytes_of(0)) / self.shape.slot.size();
        u32::try_from(within).unwrap_or(u32::MAX).min(slots)
    }

    /// Allocates a page with `slots` slots for a slab with `capacity` slots. One thread at a time calls this. Also returns the number
    /// of allocations.
    pub(crate) fn allocate(&self, capacity: u32, slots: u32) -> (Node<Page<S>>, u64) {
        let layout = self.layout(slots);
        // SAFETY: a page has a size.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        let lead = start.align_offset(self.shape.offset());
        // SAFETY: the allocation has room for the offset.
        let place = unsafe { start.add(lead) }.cast();
        // SAFETY: this is the place of a new page. Only `free` frees it.
        let page = unsafe { Page::make(place, start, self.slab, self.shape, capacity, slots) };
        let mut allocations = 1;
        if S::INDEXED {
            allocations += u64::from(self.enter(page, capacity));
            self.end.publish((capacity + slots).into());
        }
        (page, allocations)
    }

    /// Frees a page.
    ///
    /// # Safety
    ///
    /// Nobody uses the page or its slots again, or looks for one of the slots.
    pub(crate) unsafe fn free(&self, page: Node<Page<S>>) {
        let (start, layout) = (page.start(), self.layout(page.len()));
        // SAFETY: the caller's.
        unsafe { Page::end(page) };
        // SAFETY: it was allocated with this layout.
        unsafe { dealloc(start.as_ptr(), layout) };
        self.bytes.add_and_publish((layout.size() as u64).wrapping_neg());
    }

    /// Returns the part of a page number, the offset in the part, and the length of the part.
    #[inline(always)]
    const fn locate(page: u32) -> (usize, usize, usize) {
        // Neither wraps nor is zero, because the index is below `MAX`; written so that no check for
        // that is left.
        let shifted = page.wrapping_add(FIRST);
        let log = (shifted | 1).ilog2();
        let part = log.wrapping_sub(LOG_FIRST) as usize % PARTS;
        (part, (shifted - (1 << log)) as usize, (FIRST as usize) << part)
    }

    /// Enters a page into the directory. `first` is the index of its first slot. Returns `true` if that allocated a part.
    fn enter(&self, page: Node<Page<S>>, first: u32) -> bool {
        let (part, offset, len) = Self::locate(first / S::PER_PAGE);
        if offset == 0 {
            let entries = (0..len).map(|_| S::Pointer::new(ptr::null_mut())).collect::<Box<[_]>>();
            self.directory[part].publish(Box::into_raw(entries).cast());
        }
        self.entry(first).expect("there is a part for it").publish(page.pointer().as_ptr().cast());
        offset == 0
    }

    /// Returns the directory entry of the page that contains an index.
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&S::Pointer> {
        let (part, offset, _) = Self::locate(index / S::PER_PAGE);
        let entries = NonNull::new(self.directory[part].observe())?.cast::<S::Pointer>();
        // SAFETY: a part has so many entries.
        let entry = unsafe { entries.add(offset) };
        // SAFETY: it lives as long as the storage.
        Some(unsafe { entry.as_ref() })
    }

    /// Returns the page that contains an index.
    #[inline(always)]
    pub(crate) fn page(&self, index: u32) -> Option<Node<Page<S>>> {
        let page = NonNull::new(self.entry(index)?.observe())?;
        // SAFETY: it was made by `make`, and nobody looks for a page that is freed.
        Some(unsafe { Node::new(page.cast()) })
    }

    /// Returns the slot with an index, if it is initialized.
    #[inline(always)]
    pub(crate) fn get(&self, index: u32) -> Option<NonNull<S>> {
        Page::get(self.page(index)?, index % S::PER_PAGE)
    }

    /// Returns a bound for the indices of initialized slots.
    #[expect(clippy::cast_possible_truncation, reason = "it is at most `MAX`")]
    pub(crate) fn end(&self) -> u32 {
        self.end.load() as u32
    }

    /// Returns how many times slots were rented since the generation `first`, and how many slots were. Returns `None` if slots do
    /// not count their uses.
    pub(crate) fn uses(&self, first: u32) -> Option<(u64, u64)> {
        let layout = IndexLayout::of(self.limit);
        let slots = (0..self.end()).filter_map(|index| self.get(index));
        S::INDEXED.then(|| {
            slots.fold((0, 0), |(rents, slots), slot| {
                // SAFETY: a slot lives as long as its page.
                let of_slot = unsafe { slot.as_ref() }.uses(layout, first);
                (rents + of_slot, slots + u64::from(of_slot > 0))
            })
        })
    }

    /// Returns how indices are divided between slots and epochs.
    pub(crate) fn layout_of_indices(&self) -> IndexLayout {
        IndexLayout::of(self.limit)
    }
}

impl<S: Item> Drop for Storage<S> {
    /// The slab has freed the pages before.
    fn drop(&mut self) {
        #[cfg(loom)]
        if !std::thread::panicking() {
            self.directory.iter_mut().for_each(Pointer::touch);
            self.end.touch();
            self.bytes.touch();
        }
        for (part, entries) in self.directory.iter().enumerate() {
            if let Some(entries) = NonNull::new(entries.observe().cast::<S::Pointer>()) {
                let entries = NonNull::slice_from_raw_parts(entries, (FIRST as usize) << part);
                // SAFETY: it is from a box of so many, and this is the end of it.
                drop(unsafe { Box::from_raw(entries.as_ptr()) });
            }
        }
    }
}
