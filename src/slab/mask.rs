//! The mask of a page says which slots of the page are vacant. A *place* is the position of a slot in its page, beginning with 0.

use core::{alloc::Layout, cell::Cell};

use super::item::{Shape, page_layout};
use crate::slot::Word;

/// The places of up to 64 slots, and a bit for each place. If the depot has a lock, the lock protects the bits.
///
/// The first vacant place is always taken first. So the slots that were never taken are at the end of the page.
pub(super) struct Mask<W> {
    /// The index of the first slot.
    first: u32,
    /// The number of slots.
    len: u32,
    /// The distance in bytes from the page to its first slot.
    offset: u32,
    /// The distance in bytes from a slot to the next one.
    stride: u32,
    /// The number of initialized slots.
    initialized: W,
    /// A bit for each place, which is set if the slot in the place is vacant.
    vacant: Cell<u64>,
}

/// The fill of a page: whether none, some or all of its slots are vacant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    /// Some slots are vacant, but not all.
    Some,
    /// All slots are vacant.
    Empty,
    /// No slot is vacant.
    Full,
}

impl<W: Word> Mask<W> {
    /// Creates a mask of `len` slots that are all vacant. The index of the first slot is `first`.
    pub(super) fn new<S>(shape: Shape<S>, first: u32, len: u32) -> Self {
        assert!(0 < len && len <= 64);
        let distance = |bytes: usize| u32::try_from(bytes).expect("a slot takes less than 4 GiB");
        Mask {
            first,
            len,
            offset: distance(shape.offset()),
            stride: distance(shape.size()),
            initialized: W::new(0),
            vacant: Cell::new(u64::MAX >> (64 - len)),
        }
    }

    /// Returns the index of the first slot.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Returns the layout of the allocation of the page.
    pub(super) fn layout(&self) -> Layout {
        page_layout(self.offset as usize, self.stride as usize, self.len)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a page has up to 64 slots")]
    /// Returns the number of initialized slots. They are the first slots of the page.
    pub(super) fn initialized(&self) -> u32 {
        self.initialized.load() as u32
    }

    /// Adds 1 to the number of initialized slots. The caller has initialized the slot in the place that [`take`](Mask::take) has returned.
    pub(super) fn count_initialized(&self) {
        self.initialized.publish(u64::from(self.initialized()) + 1);
    }

    pub(super) fn fill(&self) -> Fill {
        match self.vacant.get().count_ones() {
            0 => Fill::Full,
            all if all == self.len => Fill::Empty,
            _ => Fill::Some,
        }
    }

    /// Returns `true` if [`take`](Mask::take) would take the place of a slot that is not initialized.
    pub(super) fn next_is_new(&self) -> bool {
        self.vacant.get().trailing_zeros() >= self.initialized()
    }

    /// Takes the first vacant place, and returns it.
    pub(super) fn take(&self) -> u32 {
        let vacant = self.vacant.get();
        assert!(vacant != 0, "a slot is vacant");
        self.vacant.set(vacant & (vacant - 1));
        vacant.trailing_zeros()
    }

    /// Marks the slot at this distance from the page as vacant.
    pub(super) fn release(&self, distance: usize) {
        let distance = distance.wrapping_sub(self.offset as usize);
        // A 32-bit division takes a third of the time of a 64-bit division.
        let place = match u32::try_from(distance) {
            Ok(distance) => (distance / self.stride) as usize,
            Err(_) => distance / self.stride as usize,
        };
        assert!(place < self.len as usize, "the slot is in the page");
        debug_assert!(self.vacant.get() >> place & 1 == 0);
        self.vacant.set(self.vacant.get() | 1 << place);
    }

    /// Returns the distance in bytes from the page to the slot in a place.
    #[inline(always)]
    pub(super) fn distance(&self, place: u32) -> usize {
        self.offset as usize + self.stride as usize * place as usize
    }

    #[cfg(loom)]
    pub(super) fn touch(&mut self) {
        self.initialized.touch();
    }
}
