//! `Counts`: the number of handles of a shared future, and the number of references to the memory that they share. Both counts are in one
//! word, so one load shows if a handle is the only reference.

use crate::sync::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Two counts in one word. The lower half counts the handles, which keep the content (the future or its result) alive. The upper half
/// counts the references to the memory: each waker, each weak handle, and one for all handles together.
pub(super) struct Counts(AtomicU64);

const HANDLE: u64 = 1;
const MEMORY: u64 = 1 << 32;
const ALONE: u64 = MEMORY + HANDLE;
/// If a count has reached this value, the next increment aborts the process. The value is half of the maximum, because other threads may
/// add references between the increment and the check.
const MANY: u32 = u32::MAX / 2;

#[expect(clippy::cast_possible_truncation, reason = "the lower half counts the handles")]
const fn handles(counts: u64) -> u32 {
    counts as u32
}

const fn memory(counts: u64) -> u32 {
    (counts >> 32) as u32
}

impl Counts {
    /// Creates the counts for the first handle: one handle, and one reference to the memory.
    pub(super) fn new() -> Self {
        Counts(AtomicU64::new(ALONE))
    }

    /// Returns `true` if one handle exists, and no other reference. Then a caller that borrows the handle mutably has exclusive access to
    /// the memory.
    #[inline(always)]
    pub(super) fn is_alone(&self) -> bool {
        // ORDERING: Acquire. It pairs with the Release of the decrements: every access through another reference happens-before the
        // accesses of the caller.
        self.0.load(Acquire) == ALONE
    }

    pub(super) fn add_handle(&self) {
        // ORDERING: Relaxed. The caller has a handle, so the content is alive. Passing the new handle to another thread orders the
        // accesses.
        if handles(self.0.fetch_add(HANDLE, Relaxed)) >= MANY {
            too_many();
        }
    }

    /// Adds a handle if a handle exists. Returns `false` if none exists.
    pub(super) fn try_add_handle(&self) -> bool {
        // ORDERING: Relaxed. No memory access depends on this value.
        let mut counts = self.0.load(Relaxed);
        while handles(counts) > 0 {
            if handles(counts) >= MANY {
                too_many();
            }
            // ORDERING: Relaxed. The caller has a weak handle, so the memory is allocated. The new handle accesses the content only after
            // an Acquire load, or after it has locked the queue.
            match self.0.compare_exchange(counts, counts + HANDLE, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(now) => counts = now,
            }
        }
        false
    }

    /// Returns `true` if a handle exists.
    pub(super) fn has_handle(&self) -> bool {
        // ORDERING: Relaxed. No memory access depends on this value.
        handles(self.0.load(Relaxed)) > 0
    }

    /// Removes a handle. Returns `true` if it was the last handle. Then the caller owns the content, and the reference to the memory that
    /// all handles had together.
    pub(super) fn remove_handle(&self) -> bool {
        // ORDERING: AcqRel. The Release pairs with the Acquire in `is_alone` and in the other decrements: every access through this handle
        // happens-before the drop of the content by the last handle. The Acquire pairs with the Release of the other decrements.
        self.is_alone() || handles(self.0.fetch_sub(HANDLE, AcqRel)) == 1
    }

    pub(super) fn add_memory(&self) {
        // ORDERING: Relaxed. The caller has a reference to the memory, so the memory is allocated.
        if memory(self.0.fetch_add(MEMORY, Relaxed)) >= MANY {
            too_many();
        }
    }

    /// Removes a reference to the memory. Returns `true` if it was the last reference. Then the caller owns the memory.
    pub(super) fn remove_memory(&self) -> bool {
        // ORDERING: Acquire for the load, as in `is_alone`. If the count is 1, the caller has the only reference, and no other thread can
        // add one. AcqRel for the decrement, as in `remove_handle`.
        memory(self.0.load(Acquire)) == 1 || memory(self.0.fetch_sub(MEMORY, AcqRel)) == 1
    }
}

/// Aborts the process. (A panic could be caught, and the count would overflow later.) Only a program that leaks billions of references
/// calls this.
#[cold]
fn too_many() -> ! {
    std::process::abort();
}

/// In a loom model, checks that every other access happens-before this drop.
#[cfg(loom)]
impl Drop for Counts {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.with_mut(|_| ());
        }
    }
}
