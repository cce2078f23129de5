//! What a slab keeps for one thread: the vacant slots that the thread has returned.
//!
//! The thread takes and puts without a read-modify-write and without a lock, because nobody else
//! comes here. When there is no room, half of the slots go to the middle of the slab, and when there
//! is none left, up to as many come from there: a thread that only rents, and one that only returns, meet
//! once in so many operations.
//!
//! In a bounded slab others must be able to get at the last vacant slot wherever it is: then there
//! is a flag that whoever comes in takes, for a read-modify-write each time.

use core::{array, ptr, ptr::NonNull};

use super::list::{Linked, List};
use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// Room for so many slots.
const ROOM: u32 = if cfg!(loom) { 2 } else { 32 };

/// On cache lines of its own, and not beside those that the prefetcher brings along.
///
/// An array, and not a list: a list would store to the slot as well, and need a count beside it.
#[repr(align(128))]
pub(crate) struct Shard<S: Linked> {
    /// So many of the places are taken.
    len: AtomicU32,
    taken: AtomicBool,
    places: [AtomicPtr<S>; ROOM as usize],
}

impl<S: Linked> Shard<S> {
    pub(crate) fn new() -> Self {
        Shard {
            len: AtomicU32::new(0),
            taken: AtomicBool::new(false),
            places: array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
        }
    }

    /// Comes into the shard of a bounded slab, if nobody is there.
    pub(crate) fn try_enter(&self) -> Option<Entered<'_>> {
        // ORDERING: Acquire, with the Release of `Entered::drop`: what was done there is visible.
        let free = self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok();
        // Made only if it is free: dropping it is what leaves.
        free.then(|| self.entered())
    }

    /// For somebody who has come in, and whose guard was forgotten.
    pub(crate) fn entered(&self) -> Entered<'_> {
        Entered(&self.taken)
    }

    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<NonNull<S>> {
        let len = self.len.load(Relaxed).checked_sub(1)?;
        let slot = self.places[(len % ROOM) as usize].load(Relaxed);
        self.len.store(len, Relaxed);
        // SAFETY: the places below the length hold slots.
        Some(unsafe { NonNull::new_unchecked(slot) })
    }

    /// Puts a vacant slot in, if there is room. To an unbounded slab nothing is done after that: it may
    /// be gone. So this has no reference for an argument, which would have to be good to the end.
    ///
    /// # Safety
    ///
    /// The shard lives until the slot is counted.
    #[inline(always)]
    pub(crate) unsafe fn try_push(this: NonNull<Self>, slot: NonNull<S>) -> bool {
        // SAFETY: the caller's.
        let shard = unsafe { this.as_ref() };
        let len = shard.len.load(Relaxed);
        let Some(place) = shard.places.get(len as usize) else { return false };
        place.store(slot.as_ptr(), Relaxed);
        // ORDERING: Release, with the Acquire in `len`: who counts this slot sees all that was done
        // to the slab before.
        shard.len.store(len + 1, Release);
        true
    }

    /// Takes slots from a list until half of the places are taken.
    pub(crate) fn refill(&self, list: &List<S>) {
        while self.len() < Self::HALF {
            let Some(slot) = list.pop() else { return };
            // SAFETY: the shard is borrowed.
            unsafe { Shard::try_push(NonNull::from(self), slot) };
        }
    }

    /// Takes so many slots out that half of the places are free.
    pub(crate) fn drain_half(&self) -> List<S> {
        self.drain(Self::HALF)
    }

    /// Takes `count` slots out, or all that are there.
    pub(crate) fn drain(&self, count: u32) -> List<S> {
        let list = List::new();
        for _ in 0..count {
            let Some(slot) = self.pop() else { break };
            // SAFETY: a slot that was here is vacant, and in no list.
            unsafe { list.push(slot) };
        }
        list
    }

    /// Half of the places.
    pub(crate) const HALF: u32 = ROOM / 2;

    pub(crate) fn len(&self) -> u32 {
        // ORDERING: Acquire, with `try_push`.
        self.len.load(Acquire)
    }

    /// The number of slots that are here for certain: none, if somebody is in the shard.
    pub(crate) fn settled(&self) -> u32 {
        let len = self.len();
        // ORDERING: Acquire, with the Release of `Entered::drop`: who is seen to have left does
        // nothing to the shard any more. Who has put the last of the slots there was seen to enter.
        if self.taken.load(Acquire) { 0 } else { len }
    }
}

/// As for a [`Slot`](super::Slot).
#[cfg(loom)]
impl<S: Linked> Drop for Shard<S> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.len.with_mut(|_| ());
            // SAFETY: this is the end of it. Loom has no `with_mut` for this type.
            let _ = unsafe { self.taken.unsync_load() };
            self.places.iter_mut().for_each(|place| place.with_mut(|_| ()));
        }
    }
}

/// Somebody is in the shard of a bounded slab.
pub(crate) struct Entered<'s>(&'s AtomicBool);

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Release, with the Acquire of `try_enter` and `settled`.
        self.0.store(false, Release);
    }
}
