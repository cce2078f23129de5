//! Counts of two things that happen, for reports. To count takes no read-modify-write, where several
//! threads do, as long as there are not very many of them.

use core::cell::Cell;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::threads;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{AtomicU64, Ordering::Relaxed};

pub(crate) trait Tally {
    /// The one or the other has happened.
    fn count(&self, which: bool);

    fn counts(&self) -> [u64; 2];
}

#[derive(Default)]
pub(crate) struct LocalTally([Cell<u64>; 2]);

#[cfg(not(loom))]
impl LocalTally {
    pub(crate) const fn new() -> Self {
        LocalTally([const { Cell::new(0) }; 2])
    }
}

impl Tally for LocalTally {
    #[inline(always)]
    fn count(&self, which: bool) {
        let count = &self.0[usize::from(which)];
        count.set(count.get() + 1);
    }

    fn counts(&self) -> [u64; 2] {
        [self.0[0].get(), self.0[1].get()]
    }
}

/// For each thread with a low number its own counts, and the first ones for all others.
#[derive(Default)]
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) struct SharedTally([Line; threads::NEAR as usize]);

#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 2]);

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Line {
    /// Of the line of the thread's own number, where nobody else stores.
    #[inline(always)]
    fn count(&self, which: bool) {
        let count = &self.0[usize::from(which)];
        // ORDERING: Relaxed: it is for reports.
        count.store(count.load(Relaxed) + 1, Relaxed);
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl SharedTally {
    /// Of a thread that has no low number; it takes one, for the next time.
    #[cold]
    fn count_slowly(&self, which: bool) {
        threads::take_number();
        // ORDERING: Relaxed, as above.
        self.0[threads::NONE as usize].0[usize::from(which)].fetch_add(1, Relaxed);
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
impl SharedTally {
    pub(crate) const fn new() -> Self {
        SharedTally([const { Line([const { AtomicU64::new(0) }; 2]) }; threads::NEAR as usize])
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Tally for SharedTally {
    #[inline(always)]
    fn count(&self, which: bool) {
        match self.0.get(threads::number() as usize) {
            Some(own) if threads::number() != threads::NONE => own.count(which),
            _ => self.count_slowly(which),
        }
    }

    fn counts(&self) -> [u64; 2] {
        [0, 1].map(|which| self.0.iter().map(|line| line.0[which].load(Relaxed)).sum())
    }
}
