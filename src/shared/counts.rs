//! Who refers to an operation, and to its memory: two counts in one word, so that one load tells
//! whether anybody else does.

use crate::sync::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// The lower half counts the handles, which keep what is shared. The upper half counts who keeps the
/// memory: wakers, weak handles, and all handles together as one.
pub(super) struct Counts(AtomicU64);

const HANDLE: u64 = 1;
const MEMORY: u64 = 1 << 32;
const ALONE: u64 = MEMORY + HANDLE;
/// From here on there may be too many. So many cannot be made within the time between a count and the
/// look at it.
const MANY: u32 = u32::MAX / 2;

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn handles(counts: u64) -> u32 {
    counts as u32
}

const fn memory(counts: u64) -> u32 {
    (counts >> 32) as u32
}

impl Counts {
    /// One handle.
    pub(super) fn new() -> Self {
        Counts(AtomicU64::new(ALONE))
    }

    /// There is one handle, and nobody else refers to anything. So whoever has that handle to himself
    /// has everything to himself.
    #[inline(always)]
    pub(super) fn is_alone(&self) -> bool {
        // ORDERING: Acquire, with the decrements of those who were here: what they did is done.
        self.0.load(Acquire) == ALONE
    }

    pub(super) fn add_handle(&self) {
        // ORDERING: Relaxed. Whoever gets the handle gets it from who has one.
        if handles(self.0.fetch_add(HANDLE, Relaxed)) >= MANY {
            too_many();
        }
    }

    /// Makes a handle, if there is one still.
    pub(super) fn try_add_handle(&self) -> bool {
        // ORDERING: Relaxed. Nothing is read on the strength of it.
        let mut counts = self.0.load(Relaxed);
        while handles(counts) > 0 {
            if handles(counts) >= MANY {
                too_many();
            }
            // ORDERING: Relaxed, as in `add_handle`: a weak handle was made from one, and got from
            // somewhere.
            match self.0.compare_exchange(counts, counts + HANDLE, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(now) => counts = now,
            }
        }
        false
    }

    /// Returns `true` if there is a handle.
    pub(super) fn has_handle(&self) -> bool {
        // ORDERING: Relaxed. Nothing is read on the strength of it.
        handles(self.0.load(Relaxed)) > 0
    }

    /// Gives a handle up. Whether it was the last: then what is shared is the caller's, and so is
    /// the handles' count on the memory.
    pub(super) fn remove_handle(&self) -> bool {
        // ORDERING: Release, with `is_alone` and the other decrements: what was done with the handle
        // was done before. Acquire, with those decrements.
        self.is_alone() || handles(self.0.fetch_sub(HANDLE, AcqRel)) == 1
    }

    pub(super) fn add_memory(&self) {
        // ORDERING: Relaxed, as in `add_handle`.
        if memory(self.0.fetch_add(MEMORY, Relaxed)) >= MANY {
            too_many();
        }
    }

    /// Gives a count on the memory up. Whether it was the last: then the memory is the caller's.
    pub(super) fn remove_memory(&self) -> bool {
        // ORDERING: Acquire, as in `is_alone`: if there is one count, it is the caller's, and nobody
        // else can make another. Otherwise as in `remove_handle`.
        memory(self.0.load(Acquire)) == 1 || memory(self.0.fetch_sub(MEMORY, AcqRel)) == 1
    }
}

/// Only what was leaked, billions of times, comes here. A panic could be caught, and the count would
/// go on.
#[cold]
fn too_many() -> ! {
    std::process::abort();
}

/// For loom, which does not see a release.
#[cfg(loom)]
impl Drop for Counts {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.with_mut(|_| ());
        }
    }
}
