//! The memory of slots: the pages of a slab, and its directory of pages.
//!
//! ```text
//! ┌──────────────────────────────────┬────────┬────────┬────────┬───
//! │ slab, mask of vacant slots,      │ slot 0 │ slot 1 │ slot 2 │ …
//! │ links to other pages             │        │        │        │
//! └──────────────────────────────────┴────────┴────────┴────────┴───
//!   0                                  64
//! ```
//!
//! A slot is initialized when it is taken for the first time, so a new page needs no loop over its slots.
//!
//! Invariants:
//!
//! * A [`PageRef`] points to a page that is allocated. Each page is in the list of its [`Fill`], or an [`EmptyPage`] or a [`RemovedPage`]
//!   owns the page.
//! * If the bit of a slot in the mask is set, the page owns the slot. If the bit is not set, the slot is retired, or it belongs to a
//!   [`Vacant`], to magazines, to the roles of an operation, or to the future in a block.
//! * If slots are found by [indices](Item::INDEXED), pages are freed only after the slab was [`Closed`]. In a closed slab, only a return
//!   looks up the page of a slot. The slot is not vacant yet, so its page is not empty, and is still allocated.

use alloc::{
    alloc::{alloc, dealloc, handle_alloc_error},
    boxed::Box,
};
use core::{array, mem::needs_drop, ops::Deref, ptr, ptr::NonNull};

use super::{
    item::{HEADER, Item, Location, PageOf, Shape},
    list::{Linked, Links, List},
    mask::{Fill, Mask},
    reference::{AllVacant, Closed, Counted, OpenSlab, SlabAddress},
};
use crate::slot::{IndexLayout, Number, Pointer, SlotRef, Vacant, Word};

/// The header of a page. The slots follow the header.
#[repr(C, align(64))]
pub(super) struct Page<S: Item> {
    mask: Mask<S::Word>,
    /// The start of the allocation.
    start: NonNull<u8>,
    slab: NonNull<()>,
    links: Links<PageRef<S>>,
}

impl<S: Item> Page<S> {
    #[inline(always)]
    pub(super) fn slab(&self) -> NonNull<()> {
        self.slab
    }
}

/// A pointer to a page.
struct PageRef<S: Item>(NonNull<Page<S>>);

impl<S: Item> Clone for PageRef<S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Item> Copy for PageRef<S> {}

impl<S: Item> Deref for PageRef<S> {
    type Target = Page<S>;

    #[inline(always)]
    fn deref(&self) -> &Page<S> {
        // SAFETY: the page is allocated, by the invariant.
        unsafe { self.0.as_ref() }
    }
}

impl<S: Item> Linked for PageRef<S> {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl<S: Item> PageRef<S> {
    /// Returns the address of the slot in a place.
    #[inline(always)]
    fn slot(self, place: u32) -> NonNull<S> {
        debug_assert!(place < self.mask.len());
        // SAFETY: the allocation of the page contains its slots.
        unsafe { self.0.byte_add(self.mask.distance(place)) }.cast()
    }

    /// Takes a vacant slot of this page. The caller has checked that the page has a vacant slot.
    fn take(self, first_generation: u32) -> Vacant<S> {
        let is_new = self.mask.next_is_new();
        let place = self.mask.take();
        let slot = self.slot(place);
        if is_new {
            let index = self.mask.first() + place;
            let location = NewSlot { page: self, index, first_generation };
            // SAFETY: the allocation of the page contains the memory of this slot, and nothing refers to that memory.
            S::init(unsafe { slot.cast().as_mut() }, location);
            self.mask.count_initialized();
        }
        // SAFETY: the bit of the slot was set in the mask, so the page owned the slot. Now the bit is not set.
        unsafe { Vacant::new(slot) }
    }
}

/// A slot of a page that is being initialized.
struct NewSlot<S: Item> {
    page: PageRef<S>,
    index: u32,
    first_generation: u32,
}

// SAFETY: `take` creates this value for a slot of the page. The slab owns the page, because `Pages::add` has checked this. The slab begins
// with the table, by the contract of `Item`. A page is freed only when no slot is in use, and the slab only after its pages.
unsafe impl<S: Item> Location<S> for NewSlot<S> {
    fn slab(&self) -> NonNull<()> {
        self.page.slab
    }

    fn page(&self) -> NonNull<()> {
        self.page.0.cast()
    }

    fn first_number(&self) -> Number {
        Number::new(self.index, self.first_generation)
    }
}

/// A new page that is in no list. If this value is dropped, the page is leaked.
#[must_use]
pub(super) struct EmptyPage<S: Item>(PageRef<S>);

impl<S: Item> EmptyPage<S> {
    /// Allocates a page with `len` slots. The index of the first slot is `first`. `shape` is the one that [`Item::shape`] returns for the
    /// table of the slab.
    pub(super) fn allocate(
        slab: SlabAddress<S::Slab>,
        shape: Shape<S>,
        first: u32,
        len: u32,
    ) -> Self {
        const { assert!(size_of::<Page<S>>() == HEADER) };
        let mask = Mask::new(shape, first, len);
        let layout = mask.layout();
        // SAFETY: the size of a page is not 0.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        let lead = start.align_offset(shape.offset());
        // SAFETY: the allocation has padding of at least `lead` bytes.
        let place = unsafe { start.add(lead) }.cast();
        let page = Page { mask, start, slab: slab.get(), links: Links::new() };
        // SAFETY: the rest of the allocation, after the padding, is large enough for the page.
        unsafe { place.write(page) };
        EmptyPage(PageRef(place))
    }
}

/// A page that was removed from its list. All its slots are vacant or retired, and no other thread finds them. If this value is dropped,
/// the page is leaked.
#[must_use]
pub(super) struct RemovedPage<S: Item>(PageRef<S>);

impl<S: Item> RemovedPage<S> {
    pub(super) fn len(&self) -> u32 {
        self.0.mask.len()
    }

    /// Frees the page.
    pub(super) fn free(self) {
        let RemovedPage(page) = self;
        let (start, layout) = (page.start, page.mask.layout());
        // Slots have destructors only in loom models.
        let slots = if needs_drop::<S>() { page.mask.initialized() } else { 0 };
        for slot in (0..slots).map(|place| page.slot(place)) {
            // SAFETY: the slot was initialized, and nothing refers to it.
            unsafe { slot.drop_in_place() };
        }
        // SAFETY: nothing refers to the page.
        unsafe { page.0.drop_in_place() };
        // SAFETY: `allocate` has allocated the memory with this layout.
        unsafe { dealloc(start.as_ptr(), layout) };
    }
}

#[cfg(loom)]
impl<S: Item> Drop for Page<S> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.mask.touch();
        }
    }
}

/// The pages of a slab.
pub(super) struct Pages<S: Item> {
    slab: SlabAddress<S::Slab>,
    /// The pages of which some slots are vacant, but not all.
    some: List<PageRef<S>>,
    /// The pages whose slots are all vacant.
    empty: List<PageRef<S>>,
    /// The pages without a vacant slot.
    full: List<PageRef<S>>,
    counts: Counts,
    is_closed: bool,
}

/// The numbers of slots and pages of a slab.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    /// The number of slots in all pages.
    pub(super) capacity: u32,
    /// The number of slots that are vacant in their pages.
    pub(super) vacant: u32,
    /// The number of retired slots.
    pub(super) retired: u32,
    /// The number of slots in empty pages.
    pub(super) idle: u32,
    /// The number of pages that are not empty.
    pub(super) occupied: u32,
    /// The number of initialized slots.
    initialized: u32,
    /// The greatest value that `initialized` has had.
    pub(super) most: u32,
}

impl Counts {
    /// Returns the number of slots that are neither vacant in their pages nor retired.
    pub(super) fn in_use(self) -> u32 {
        self.capacity - self.vacant - self.retired
    }
}

impl<S: Item> Pages<S> {
    pub(super) fn new(slab: SlabAddress<S::Slab>) -> Self {
        let (some, empty, full) = (List::new(), List::new(), List::new());
        Pages { slab, some, empty, full, counts: Counts::default(), is_closed: false }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Marks the pages as those of a closed slab.
    pub(super) fn close<L: Counted<Slot = S>>(&mut self, closed: &Closed<L>) {
        assert!(closed.is_of(self.slab.get()), "the slab is the one of these pages");
        self.is_closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// If the slab is closed, and all its slots are vacant or retired, returns an [`AllVacant`] as the proof.
    pub(super) fn all_vacant(&self) -> Option<AllVacant> {
        // SAFETY: `in_use` counts every slot that is neither vacant in its page nor retired. No slot is taken from a closed slab.
        (self.is_closed && self.counts.in_use() == 0)
            .then(|| unsafe { AllVacant::new(self.slab.get()) })
    }

    /// Adds a page of this slab.
    pub(super) fn add(&mut self, EmptyPage(page): EmptyPage<S>) {
        assert!(page.slab == self.slab.get());
        self.empty.push(page);
        let len = page.mask.len();
        self.counts.capacity += len;
        self.counts.vacant += len;
        self.counts.idle += len;
    }

    /// Returns the page from which the next slot is taken. Looks at up to three pages for one whose next slot is already initialized. If
    /// there is none, prefers a page that is not empty.
    fn next(&self) -> Option<PageRef<S>> {
        let is_old = |page: &PageRef<S>| !page.mask.next_is_new();
        let some = self.some.iter().take(2).find(is_old);
        let old = some.or_else(|| self.empty.first().filter(is_old));
        old.or(self.some.first()).or(self.empty.first())
    }

    /// Takes a vacant slot, unless the slab is closed. `new` is the number of slots that may still be initialized for the caller. A call
    /// that initializes a slot subtracts 1.
    pub(super) fn take(&mut self, new: &mut u32, first_generation: u32) -> Option<Vacant<S>> {
        let page = if self.is_closed { None } else { self.next() }?;
        let (is_new, before) = (page.mask.next_is_new(), page.mask.fill());
        *new = new.checked_sub(is_new.into())?;
        let slot = page.take(first_generation);
        if is_new {
            self.counts.initialized += 1;
            self.counts.most = self.counts.most.max(self.counts.initialized);
        }
        self.counts.vacant -= 1;
        self.move_page(page, before);
        Some(slot)
    }

    /// Takes a slot back. `directory` is the directory of the slab. `layout` is the layout of the indices in the keys of the slab.
    pub(super) fn release(
        &mut self,
        slot: Vacant<S>,
        directory: &Directory<S>,
        layout: IndexLayout,
    ) {
        let page = match slot.page() {
            PageOf::Address(page) => PageRef(page.cast()),
            PageOf::Index(index) => directory.page(layout.slot(index)).expect("a slot has a page"),
        };
        assert!(page.slab == self.slab.get(), "the slot is one of this slab");
        let before = page.mask.fill();
        let distance = slot.into_pointer().addr().get().wrapping_sub(page.0.addr().get());
        page.mask.release(distance);
        self.counts.vacant += 1;
        self.move_page(page, before);
    }

    /// Takes back a slot that will not be rented again.
    pub(super) fn retire(&mut self, slot: Vacant<S>) {
        assert!(slot.slab() == self.slab.get(), "the slot is one of this slab");
        let _retired = slot.into_pointer();
        self.counts.retired += 1;
    }

    /// Moves a page from the list for its old fill `before` to the list for its present fill.
    fn move_page(&mut self, page: PageRef<S>, before: Fill) {
        let (now, len) = (page.mask.fill(), page.mask.len());
        if before != now {
            self.list(before).remove(page);
            self.list(now).push(page);
            if before == Fill::Empty {
                self.counts.idle -= len;
                self.counts.occupied += 1;
            } else if now == Fill::Empty {
                self.counts.idle += len;
                self.counts.occupied -= 1;
            }
        }
    }

    fn list(&self, fill: Fill) -> &List<PageRef<S>> {
        match fill {
            Fill::Some => &self.some,
            Fill::Empty => &self.empty,
            Fill::Full => &self.full,
        }
    }

    /// Returns the number of slots in the first empty page, or `None` if no page is empty.
    pub(super) fn first_empty(&self) -> Option<u32> {
        Some(self.empty.first()?.mask.len())
    }

    /// Removes an empty page. If slots are found by [indices](Item::INDEXED), no page is removed before the slab is closed.
    pub(super) fn remove_empty(&mut self) -> Option<RemovedPage<S>> {
        if S::INDEXED && !self.is_closed {
            return None;
        }
        let page = self.empty.pop()?;
        let len = page.mask.len();
        self.counts.capacity -= len;
        self.counts.vacant -= len;
        self.counts.idle -= len;
        self.counts.initialized -= page.mask.initialized();
        Some(RemovedPage(page))
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<S: Item> Pages<S> {
    /// Counts slots in thread caches as retired. These slots will not be rented again.
    pub(super) fn retire_cached(&mut self, CachedSlots { slab, slots }: CachedSlots) {
        assert!(slab == self.slab.get(), "the slots are those of this slab");
        self.counts.retired += slots;
    }
}

/// The number of slots of a slab that are in thread caches from which the slab has detached. No thread takes these slots out of the caches
/// again.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(super) struct CachedSlots {
    slab: NonNull<()>,
    slots: u32,
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl CachedSlots {
    /// # Safety
    ///
    /// The slab at this address has detached from caches that together have `slots` slots. These slots were not counted before.
    pub(super) unsafe fn new(slab: NonNull<()>, slots: u32) -> Self {
        CachedSlots { slab, slots }
    }
}

impl<S: Item> Drop for Pages<S> {
    /// Frees the pages when the slab is freed. Some pages may contain retired slots. If a slot is still in use, the pages are leaked.
    fn drop(&mut self) {
        if self.counts.in_use() == 0 {
            let pop = || self.some.pop().or_else(|| self.empty.pop()).or_else(|| self.full.pop());
            while let Some(page) = pop() {
                RemovedPage(page).free();
            }
        }
    }
}

/// The number of pages in the first part of the directory. Each further part has twice as many pages as the part before. So a few
/// instructions find the part for an index. A part never grows, so no entry moves when the directory grows.
const FIRST: u32 = 1 << LOG_FIRST;
const LOG_FIRST: u32 = if cfg!(loom) { 1 } else { 3 };

/// The number of parts. Loom records every access, so a directory has few parts in models.
const PARTS: usize = if cfg!(loom) { 4 } else { 32 };

/// The directory of the pages of a slab. It finds the page of a slot by the index of the slot. The directory of a slab of blocks is empty.
///
/// ```text
///  directory ──┬─► part 0: pages 0 to  7     slots   0 to 255
///              ├─► part 1: pages 8 to 23     slots 256 to 767
///              └─► …
/// ```
pub(super) struct Directory<S: Item> {
    parts: [S::Pointer; PARTS],
    /// The number of slots in all pages.
    end: S::Word,
}

impl<S: Item> Directory<S> {
    pub(super) fn new() -> Self {
        let parts = array::from_fn(|_| S::Pointer::new(ptr::null_mut()));
        Directory { parts, end: S::Word::new(0) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the number is at most `MAX`")]
    /// Returns the number of slots in all pages, including slots that are not initialized.
    pub(super) fn end(&self) -> u32 {
        self.end.load() as u32
    }

    /// Adds the page with the next indices. One thread at a time calls this. Returns `true` if this call has allocated a part of the
    /// directory.
    pub(super) fn add(&self, EmptyPage(page): &EmptyPage<S>) -> bool {
        let first = page.mask.first();
        let (part, offset) = Self::locate(first);
        if offset == 0 {
            let entries = (0..Self::len(part)).map(|_| S::Pointer::new(ptr::null_mut()));
            let entries = entries.collect::<Box<[_]>>();
            self.parts[part].publish(Box::into_raw(entries).cast());
        }
        self.entry(first).expect("there is a part for the page").publish(page.0.as_ptr().cast());
        self.end.publish((first + page.mask.len()).into());
        offset == 0
    }

    /// Returns the part that has the page with this index, and the offset of the page in the part.
    #[inline(always)]
    const fn locate(index: u32) -> (usize, usize) {
        let page = index / S::PER_PAGE;
        // The sum neither wraps nor is zero, because an index has at most 31 bits. The code uses `wrapping_add` and `| 1` so that the
        // compiler adds no checks for these cases.
        let shifted = page.wrapping_add(FIRST);
        let log = (shifted | 1).ilog2();
        let part = log.wrapping_sub(LOG_FIRST) as usize % PARTS;
        (part, (shifted - (1 << log)) as usize)
    }

    /// Returns the number of pages in a part.
    const fn len(part: usize) -> usize {
        (FIRST as usize) << part
    }

    #[inline(always)]
    fn part(&self, part: usize) -> Option<NonNull<[S::Pointer]>> {
        let entries = NonNull::new(self.parts[part].observe())?.cast();
        Some(NonNull::slice_from_raw_parts(entries, Self::len(part)))
    }

    /// Returns the entry of the page that contains the slot with this index.
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&S::Pointer> {
        let (part, offset) = Self::locate(index);
        let entries = self.part(part)?;
        // SAFETY: `add` has allocated the part, and the part is freed with the directory.
        unsafe { entries.as_ref() }.get(offset)
    }

    /// Returns the page that contains the slot with this index.
    #[inline(always)]
    fn page(&self, index: u32) -> Option<PageRef<S>> {
        let page = NonNull::new(self.entry(index)?.observe())?;
        Some(PageRef(page.cast()))
    }

    /// Returns the slot with this index, if the slot is initialized. The directory belongs to the slab.
    #[inline(always)]
    pub(super) fn get<'s>(
        &'s self,
        _: OpenSlab<'s, S::Slab>,
        index: u32,
    ) -> Option<SlotRef<'s, S>> {
        let (page, place) = (self.page(index)?, index % S::PER_PAGE);
        let slot = (place < page.mask.initialized()).then(|| page.slot(place))?;
        // SAFETY: the slot is initialized. By the invariant, its page stays allocated until the slab is closed. The slab is open for `'s`.
        Some(unsafe { SlotRef::new(slot) })
    }

    /// Returns all initialized slots. The directory belongs to the slab.
    pub(super) fn iter<'s>(
        &'s self,
        slab: OpenSlab<'s, S::Slab>,
    ) -> impl Iterator<Item = SlotRef<'s, S>> {
        (0..self.end()).filter_map(move |index| self.get(slab, index))
    }
}

impl<S: Item> Drop for Directory<S> {
    fn drop(&mut self) {
        #[cfg(loom)]
        if !std::thread::panicking() {
            self.parts.iter_mut().for_each(Pointer::touch);
            self.end.touch();
        }
        for entries in (0..PARTS).filter_map(|part| self.part(part)) {
            // SAFETY: `add` has allocated the part as a box of this length.
            drop(unsafe { Box::from_raw(entries.as_ptr()) });
        }
    }
}
