//! `Counter`: a relaxed atomic counter. Without the feature `ratio`, it has no size and counts nothing.

#[cfg(all(feature = "ratio", target_has_atomic = "ptr"))]
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub(super) struct Counter {
    // ORDERING: relaxed, without a partner. Counters are read for reports only.
    #[cfg(all(feature = "ratio", target_has_atomic = "ptr"))]
    count: AtomicUsize,
}

#[cfg(all(feature = "ratio", target_has_atomic = "ptr"))]
impl Counter {
    pub(super) const IS_ENABLED: bool = true;

    pub(super) const fn new() -> Self {
        Counter { count: AtomicUsize::new(0) }
    }

    #[inline]
    pub(super) fn add_one(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.count.load(Relaxed) as u64
    }
}

#[cfg(not(all(feature = "ratio", target_has_atomic = "ptr")))]
impl Counter {
    pub(super) const IS_ENABLED: bool = false;

    pub(super) const fn new() -> Self {
        Counter {}
    }

    #[expect(clippy::unused_self, reason = "the feature uses it")]
    pub(super) fn get(&self) -> u64 {
        0
    }
}
