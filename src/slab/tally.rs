//! Two event counters, for statistics.

use core::cell::Cell;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::thread_caches;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{AtomicU64, Ordering::Relaxed};

pub(crate) trait Tally {
    /// Increments the second counter if `which` is `true`, otherwise the first.
    fn count(&self, which: bool);

    /// Returns both counters.
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

/// Counters in 16 cache lines, to avoid contention. The first 8 threads of a program have one line each. All later threads share
/// the other 8.
#[derive(Default)]
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) struct SharedTally([Line; 2 * OWN]);

#[cfg(all(feature = "std", target_has_atomic = "64"))]
const OWN: usize = 8;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 2]);

#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
impl SharedTally {
    pub(crate) const fn new() -> Self {
        SharedTally([const { Line([const { AtomicU64::new(0) }; 2]) }; 2 * OWN])
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Tally for SharedTally {
    #[inline(always)]
    fn count(&self, which: bool) {
        // ORDERING: Relaxed: they are for reports.
        let number = thread_caches::number();
        // The number of a thread without one is 0.
        if (1..=OWN).contains(&number) {
            // Only this thread stores there.
            let count = &self.0[number - 1].0[usize::from(which)];
            count.store(count.load(Relaxed) + 1, Relaxed);
        } else {
            let count = &self.0[OWN + number % OWN].0[usize::from(which)];
            count.fetch_add(1, Relaxed);
        }
    }

    fn counts(&self) -> [u64; 2] {
        [0, 1].map(|which| self.0.iter().map(|line| line.0[which].load(Relaxed)).sum())
    }
}
