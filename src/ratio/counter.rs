//! `Counter`: a counter of calls. Without the feature `ratio`, or without pointer-sized atomics, its size is 0, and it counts nothing.

#[cfg(target_has_atomic = "64")]
use core::sync::atomic::AtomicU64 as Atomic;
#[cfg(all(target_has_atomic = "ptr", not(target_has_atomic = "64")))]
use core::sync::atomic::AtomicUsize as Atomic;
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic::Ordering::Relaxed;

#[cfg(target_has_atomic = "ptr")]
const ATOMICS: usize = if cfg!(feature = "ratio") { 1 } else { 0 };

/// A counter: an array of one atomic, or an empty array without the feature `ratio`. Both are arrays of atomics, so both implement the same
/// auto traits, such as `Send`. So a program that compiles without the feature also compiles with the feature.
// ORDERING: relaxed, without a partner. Counters are read for reports only.
#[cfg(target_has_atomic = "ptr")]
pub(super) struct Counter([Atomic; ATOMICS]);

#[cfg(target_has_atomic = "ptr")]
impl Counter {
    pub(super) const IS_ENABLED: bool = ATOMICS == 1;

    pub(super) const fn new() -> Self {
        Counter([const { Atomic::new(0) }; ATOMICS])
    }

    #[cfg(feature = "ratio")]
    #[inline]
    pub(super) fn add_one(&self) {
        self.0[0].fetch_add(1, Relaxed);
    }

    #[cfg_attr(
        target_has_atomic = "64",
        expect(clippy::unnecessary_cast, reason = "on other targets, the count is a `usize`")
    )]
    pub(super) fn get(&self) -> u64 {
        self.0.iter().map(|count| count.load(Relaxed) as u64).sum()
    }
}

/// A counter that counts nothing, for targets without pointer-sized atomics.
#[cfg(not(target_has_atomic = "ptr"))]
pub(super) struct Counter;

#[cfg(not(target_has_atomic = "ptr"))]
impl Counter {
    pub(super) const IS_ENABLED: bool = false;

    pub(super) const fn new() -> Self {
        Counter
    }

    pub(super) fn get(&self) -> u64 {
        0
    }
}
