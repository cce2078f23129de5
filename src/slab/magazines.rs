//! Two magazines of vacant slots, in one array: what a thread, or a group of threads, has at hand.
//!
//! A *magazine* is 32 slots (Bonwick and Adams, *Magazines and Vmem*, USENIX 2001). When both are full, the older
//! one goes to the depot; when both are empty, one comes from there. After either, one is full and one is empty. So
//! whatever order of rents and returns follows, the depot is needed once in 32 of them, at most.

use core::{array, ptr, ptr::NonNull};

use super::{Depot, Item, Storage};
use crate::slot::{Pointer, Word};

/// The number of slots in a magazine.
pub(crate) const MAGAZINE: u32 = if cfg!(loom) { 1 } else { 32 };

/// The number of slots in two.
pub(crate) const ROOM: u64 = 2 * MAGAZINE as u64;

const PLACES: usize = 2 * MAGAZINE as usize;

/// One thread uses them at a time; others only read the length.
///
/// An array, and not a list: a list would store to the slots as well.
#[repr(C)]
pub(crate) struct Magazines<W, P> {
    len: W,
    places: [P; PLACES],
}

impl<W: Word, P: Pointer> Magazines<W, P> {
    pub(crate) fn new() -> Self {
        let places = array::from_fn(|_| P::new(ptr::null_mut()));
        Magazines { len: W::new(0), places }
    }

    /// The number of slots, and with it all that was done to them before they were put here.
    pub(crate) fn len(&self) -> u64 {
        self.len.load()
    }

    /// Takes out the slot that came last, if there is one. `room` is [`ROOM`], or 0 if nothing may be taken.
    #[inline(always)]
    pub(crate) fn pop<S>(&self, room: u64) -> Option<NonNull<S>> {
        let len = self.len.load_own().wrapping_sub(1);
        if len >= room {
            return None;
        }
        let slot = self.place(len).load();
        self.len.publish(len);
        // SAFETY: the places below the length hold slots.
        Some(unsafe { NonNull::new_unchecked(slot) }.cast())
    }

    /// Puts a vacant slot in, if there is room. `room` is [`ROOM`], or 0 if nothing may be put.
    ///
    /// In magazines that others may count, nothing is done after the length is stored: they may be gone.
    #[inline(always)]
    pub(crate) fn push<S>(&self, slot: NonNull<S>, room: u64) -> bool {
        let len = self.len.load_own();
        if len >= room {
            return false;
        }
        self.place(len).store(slot.as_ptr().cast());
        self.len.publish(len + 1);
        true
    }

    #[inline(always)]
    fn place(&self, place: u64) -> &P {
        // The length is at most that of the array, so that this changes nothing, and needs no check.
        #[expect(clippy::cast_possible_truncation, reason = "a place is below 64")]
        &self.places[place as usize % PLACES]
    }

    /// Fills one magazine from the depot.
    ///
    /// `new` is how many that were never taken may be among them.
    pub(crate) fn refill<S: Item>(&self, depot: &mut Depot<S>, mut new: u32) {
        while self.len.load_own() < MAGAZINE.into() {
            let Some(slot) = depot.take(&mut new) else { break };
            fetch(slot);
            self.push(slot, ROOM);
        }
        self.reverse();
    }

    /// The lowest slot is the first to come out.
    fn reverse(&self) {
        let len = self.len.load_own();
        for place in 0..len / 2 {
            let (low, high) = (self.place(place), self.place(len - 1 - place));
            let lower = low.load();
            low.store(high.load());
            high.store(lower);
        }
    }

    /// Puts the `count` slots that came first into the depot.
    pub(crate) fn drain<S: Item>(&self, count: u64, depot: &mut Depot<S>, storage: &Storage<S>) {
        let len = self.len.load_own();
        for place in 0..count {
            let slot = self.place(place).load();
            // SAFETY: the places below the length hold slots.
            let slot = unsafe { NonNull::new_unchecked(slot) }.cast();
            // SAFETY: a slot that was here is vacant.
            unsafe { depot.put(storage, slot) };
        }
        for place in count..len {
            self.place(place - count).store(self.place(place).load());
        }
        self.len.publish(len - count);
    }

    #[cfg(loom)]
    pub(crate) fn touch(&mut self) {
        self.len.touch();
        self.places.iter_mut().for_each(Pointer::touch);
    }
}

/// Has the cache line of a slot that is about to be rented brought here, to be written. It may lie with the
/// thread that returned the slot, and stores keep their order: otherwise each such line is waited for alone.
/// (By name, because `_mm_prefetch` becomes the instruction for reading, unless the compiler is told of a
/// processor for certain. One that does not know this instruction ignores it.)
#[inline(always)]
pub(crate) fn fetch<S>(slot: NonNull<S>) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: this reads and changes nothing.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) slot.as_ptr(), options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = slot;
}
