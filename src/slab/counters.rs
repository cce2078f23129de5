//! Two event counters, for statistics.

use core::cell::Cell;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::thread_number::thread_number;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{AtomicU64, Ordering::Relaxed};

pub(crate) trait Counters {
    /// Increments the second counter if `which` is `true`, and the first counter otherwise.
    fn count(&self, which: bool);

    /// Returns both counters.
    fn counts(&self) -> [u64; 2];
}

#[derive(Default)]
pub(crate) struct LocalCounters([Cell<u64>; 2]);

#[cfg(not(loom))]
impl LocalCounters {
    pub(crate) const fn new() -> Self {
        LocalCounters([const { Cell::new(0) }; 2])
    }
}

impl Counters for LocalCounters {
    #[inline(always)]
    fn count(&self, which: bool) {
        let count = &self.0[usize::from(which)];
        count.set(count.get() + 1);
    }

    fn counts(&self) -> [u64; 2] {
        [self.0[0].get(), self.0[1].get()]
    }
}

/// Counters in 16 CPU cache lines, to avoid contention. The threads with the [numbers](thread_number) 1 to 8 have one line each. All other
/// threads share the other 8 lines.
#[derive(Default)]
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) struct SharedCounters([Line; 2 * OWN]);

/// The number of threads that have a line of their own.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
const OWN: usize = 8;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 2]);

#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
impl SharedCounters {
    pub(crate) const fn new() -> Self {
        SharedCounters([const { Line([const { AtomicU64::new(0) }; 2]) }; 2 * OWN])
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Counters for SharedCounters {
    #[inline(always)]
    fn count(&self, which: bool) {
        // ORDERING: Relaxed, in all accesses to the counters: they are only for statistics.
        let number = thread_number();
        // The number is 0 if the thread-local variable that contains it was destroyed. In this case, the thread uses a shared line.
        if (1..=OWN).contains(&number) {
            // No other thread stores to this line.
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
