//! What a slab keeps for one thread: the vacant slots that the thread has returned.
//!
//! The thread takes and puts without a read-modify-write and without a lock, because nobody else
//! comes here. When there is no room, all of the slots go to the middle of the slab, and when there
//! is none left, up to as many come from there: a thread that only rents, and one that only returns, meet
//! once in so many operations.
//!
//! A shard that is *shut* stands where no thread's own does: it has nothing to take and no room, and so
//! sends whoever comes by the short way to the long one.
//!
//! In a bounded slab others must be able to get at the last vacant slot wherever it is: then there
//! is a flag that whoever comes in takes, for a read-modify-write each time.

#[cfg(all(target_arch = "x86_64", not(miri)))]
use core::arch::asm;
use core::{ptr, ptr::NonNull};

use super::{list::Stack, threads};
use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Room for so many slots.
const ROOM: u32 = if cfg!(loom) { 2 } else { 32 };

/// The length of a shard that is shut: neither it nor the one below is that of a place.
const SHUT: u32 = u32::MAX;

/// On cache lines of its own, and not beside those that the prefetcher brings along.
///
/// An array, and not a list: a list would store to the slot as well, and need a count beside it.
#[repr(align(128))]
pub(crate) struct Shard {
    /// So many of the places are taken.
    len: AtomicU32,
    taken: AtomicBool,
    /// So many slots were taken out by who rents, where the slots do not count that.
    rents: AtomicU64,
    places: [AtomicPtr<()>; ROOM as usize],
}

impl Shard {
    #[cfg(not(loom))]
    const fn with_len(len: u32) -> Self {
        let places = [const { AtomicPtr::new(ptr::null_mut()) }; ROOM as usize];
        let rents = AtomicU64::new(0);
        Shard { len: AtomicU32::new(len), taken: AtomicBool::new(false), rents, places }
    }

    #[cfg(loom)]
    fn with_len(len: u32) -> Self {
        let places = core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut()));
        let rents = AtomicU64::new(0);
        Shard { len: AtomicU32::new(len), taken: AtomicBool::new(false), rents, places }
    }

    /// For the thread with this number; shut, if no thread has it.
    pub(crate) fn new(number: u32) -> Self {
        Shard::with_len(if number == threads::NONE { SHUT } else { 0 })
    }

    /// So many that are shut, instead of those of a slab.
    #[cfg(not(loom))]
    pub(crate) const fn all_shut<const N: usize>() -> [Self; N] {
        [const { Shard::with_len(SHUT) }; N]
    }

    #[cfg(loom)]
    pub(crate) fn all_shut<const N: usize>() -> [Self; N] {
        core::array::from_fn(|_| Shard::with_len(SHUT))
    }

    /// Comes into the shard of a bounded slab, if nobody is there.
    #[inline(always)]
    pub(crate) fn try_enter(&self) -> Option<Entered<'_>> {
        // ORDERING: Acquire, with the Release of `Entered::drop`: what was done there is visible.
        let free = self.taken.compare_exchange(false, true, Acquire, Relaxed).is_ok();
        // Made only if it is free: dropping it is what leaves.
        free.then(|| self.entered())
    }

    /// For somebody who has come in, and whose guard was forgotten.
    pub(crate) fn entered(&self) -> Entered<'_> {
        Entered(Some(&self.taken))
    }

    #[inline(always)]
    pub(crate) fn pop<S>(&self) -> Option<NonNull<S>> {
        let len = self.len.load(Relaxed).wrapping_sub(1);
        let slot = self.places.get(len as usize)?.load(Relaxed);
        // ORDERING: Relaxed, although it ends what `try_push` has released: who counts all slots counts
        // this one too, and so what its return released, or the count of the middle that it went to.
        self.len.store(len, Relaxed);
        // SAFETY: the places below the length hold slots.
        Some(unsafe { NonNull::new_unchecked(slot) }.cast())
    }

    /// Counts a slot that was taken out.
    #[inline(always)]
    pub(crate) fn count(&self) {
        // ORDERING: Relaxed. Nobody else stores here; others read it for reports.
        self.rents.store(self.rents.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn counted(&self) -> u64 {
        // ORDERING: Relaxed, as above.
        self.rents.load(Relaxed)
    }

    /// Puts a vacant slot in, if there is room. To an unbounded slab nothing is done after that: it may
    /// be gone. So this has no reference for an argument, which would have to be good to the end.
    ///
    /// # Safety
    ///
    /// The shard lives until the slot is counted.
    #[inline(always)]
    pub(crate) unsafe fn try_push<S>(this: NonNull<Self>, slot: NonNull<S>) -> bool {
        // SAFETY: the caller's.
        let shard = unsafe { this.as_ref() };
        let len = shard.len.load(Relaxed);
        let Some(place) = shard.places.get(len as usize) else { return false };
        place.store(slot.as_ptr().cast(), Relaxed);
        // ORDERING: Release, with the Acquire in `len`: who counts this slot sees all that was done
        // to the slab before.
        shard.len.store(len + 1, Release);
        true
    }

    /// Takes slots from the middle until `wanted` places are taken, and tells how many.
    pub(crate) fn refill<S>(&self, wanted: u32, middle: &mut impl Stack<S>) -> u32 {
        let mut count = 0;
        while self.len() < wanted {
            let Some(slot) = middle.pop() else { break };
            fetch(slot);
            // SAFETY: the shard is borrowed.
            unsafe { Shard::try_push(NonNull::from(self), slot) };
            count += 1;
        }
        count
    }

    /// Gives the middle all that is there, and tells how many.
    pub(crate) fn drain<S>(&self, middle: &mut impl Stack<S>) -> u32 {
        let mut count = 0;
        while let Some(slot) = self.pop() {
            // SAFETY: a slot that was here is vacant, and in no list.
            unsafe { middle.push(slot) };
            count += 1;
        }
        count
    }

    /// All places.
    pub(crate) const ALL: u32 = ROOM;

    /// Half of them.
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
impl Drop for Shard {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.len.with_mut(|_| ());
            self.rents.with_mut(|_| ());
            // SAFETY: this is the end of it. Loom has no `with_mut` for this type.
            let _ = unsafe { self.taken.unsync_load() };
            self.places.iter_mut().for_each(|place| place.with_mut(|_| ()));
        }
    }
}

/// Has the cache line of a slot that is about to be rented brought here, to be written. It lies with the
/// thread that returned the slot, and stores keep their order: otherwise each such line is waited for alone.
/// (By name, because `_mm_prefetch` becomes the instruction for reading, unless the compiler is told of a
/// processor for certain. One that does not know this instruction ignores it.)
#[inline(always)]
fn fetch<S>(slot: NonNull<S>) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: this reads and changes nothing.
    unsafe {
        asm!("prefetchw [{}]", in(reg) slot.as_ptr(), options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = slot;
}

/// Somebody is in a shard, and has taken the flag of one of a bounded slab.
pub(crate) struct Entered<'s>(Option<&'s AtomicBool>);

impl Entered<'_> {
    /// Where nobody else comes.
    #[inline(always)]
    pub(crate) fn freely() -> Self {
        Entered(None)
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Release, with the Acquire of `try_enter` and `settled`.
        if let Some(taken) = self.0 {
            taken.store(false, Release);
        }
    }
}
