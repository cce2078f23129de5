//! Two magazines of vacant slots, in one array.
//!
//! A *magazine* is 32 slots (Bonwick and Adams, *Magazines and Vmem*, USENIX 2001). If both magazines are full, the older one
//! goes to the depot. If both are empty, one comes from the depot. In both cases one is full and one is empty afterwards.
//! Therefore any sequence of rents and returns accesses the depot at most once in 32 operations.

use core::{array, ptr, ptr::NonNull};

use super::{Depot, Item, Storage};
use crate::slot::{Pointer, Word};

/// The number of slots in a magazine.
pub(crate) const MAGAZINE: u32 = if cfg!(loom) { 1 } else { 32 };

/// The number of slots in two.
pub(crate) const ROOM: u64 = 2 * MAGAZINE as u64;

const PLACES: usize = 2 * MAGAZINE as usize;

/// Two magazines. One thread at a time changes them; other threads read the length.
///
/// They are an array. A linked list would also store to the slots.
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

    /// Returns the number of slots. What other threads did to the slots before they put them in is visible.
    pub(crate) fn len(&self) -> u64 {
        self.len.load()
    }

    /// Takes out the slot that was put in last. `room` is [`ROOM`], or 0 to take none.
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

    /// Puts a vacant slot in. Returns `false` if there is no room. `room` is [`ROOM`], or 0 to put none.
    ///
    /// The store of the length comes last: the slab may be freed by a thread that counts the slot.
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
        // The place is in bounds. The remainder changes nothing, and saves the bounds check.
        #[expect(clippy::cast_possible_truncation, reason = "a place is below 64")]
        &self.places[place as usize % PLACES]
    }

    /// Fills one magazine from the depot, with at most `new` slots that were never used.
    pub(crate) fn refill<S: Item>(&self, depot: &mut Depot<S>, mut new: u32) {
        while self.len.load_own() < MAGAZINE.into() {
            let Some(slot) = depot.take(&mut new) else { break };
            fetch(slot);
            self.push(slot, ROOM);
        }
        self.reverse();
    }

    /// Reverses the order, so that the slot with the lowest index is taken first.
    fn reverse(&self) {
        let len = self.len.load_own();
        for place in 0..len / 2 {
            let (low, high) = (self.place(place), self.place(len - 1 - place));
            let lower = low.load();
            low.store(high.load());
            high.store(lower);
        }
    }

    /// Moves the `count` oldest slots to the depot.
    pub(crate) fn drain<S: Item>(&self, count: u64, depot: &mut Depot<S>, storage: &Storage<S>) {
        let len = self.len.load_own();
        assert!(count <= len, "there are {len} slots, not {count}");
        for place in 0..count {
            let slot = self.place(place).load();
            // SAFETY: the places below the length hold slots.
            let slot = unsafe { NonNull::new_unchecked(slot) }.cast();
            // SAFETY: a slot in a magazine is vacant, and belongs to the slab of the depot.
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

/// Prefetches the cache line of a slot for writing. The line may be in the cache of another core. Stores are ordered, so without
/// this the core waits for one line after the other.
///
/// This is assembly because `_mm_prefetch` compiles to a prefetch for reading unless the target CPU is known. A CPU without
/// the instruction ignores it.
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
