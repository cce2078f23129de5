//! Stripes: locked magazines that threads without a thread cache share.
//!
//! A bounded slab has one stripe for each core, and no thread caches. A thread uses its own stripe first. If that is empty, it
//! looks into all stripes, so that it finds the last vacant slot wherever it is. Every other slab has one stripe, for threads
//! that return slots and rent none.
//!
//! The word of a stripe is its lock and its version. A thread that has seen all stripes empty reads the words again. If none
//! has changed, all stripes were empty at the same time.
//!
//! ```text
//!  word  63                        2 1      0
//!       ┌───────────────────────────┬──────┬─────┐
//!       │ how many times it was left│closed│taken│
//!       └───────────────────────────┴──────┴─────┘
//! ```

use alloc::boxed::Box;
use core::ptr::NonNull;

use super::{
    magazines::{MAGAZINE, Magazines, ROOM, fetch},
    thread_caches,
};
use crate::sync::{
    AtomicPtr, AtomicU64, Backoff,
    Ordering::{Acquire, Relaxed, Release},
};

const LOCKED: u64 = 1;
const CLOSED: u64 = 2;
const VERSION: u64 = 4;

/// Magazines behind a lock. It is aligned so that no other data shares its cache lines, or the lines that the prefetcher adds.
#[repr(align(128))]
pub(crate) struct Stripe {
    word: AtomicU64,
    magazines: Magazines<AtomicU64, AtomicPtr<()>>,
}

/// A locked stripe. Dropping the guard unlocks it.
pub(crate) struct StripeGuard<'s> {
    word: &'s AtomicU64,
    locked: u64,
    pub(crate) magazines: &'s Magazines<AtomicU64, AtomicPtr<()>>,
}

impl StripeGuard<'_> {
    /// The word that unlocks the stripe: it has the next version.
    fn unlocked(&self) -> u64 {
        self.locked - LOCKED + VERSION
    }
}

impl Drop for StripeGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // ORDERING: Release, with the Acquire in `try_lock`, `take` and `is_unchanged`.
        self.word.store(self.unlocked(), Release);
    }
}

impl Stripe {
    fn new() -> Self {
        Stripe { word: AtomicU64::new(0), magazines: Magazines::new() }
    }

    /// Locks the stripe. Returns `None` if another thread holds it, or if it is closed.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<StripeGuard<'_>> {
        // ORDERING: Relaxed, both times: the next exchange checks the value.
        let mut word = self.word.load(Relaxed);
        loop {
            let unlocked = word & !(LOCKED | CLOSED);
            let locked = unlocked | LOCKED;
            // ORDERING: Acquire, with the Release of `StripeGuard::drop`: what the last holder did is visible.
            match self.word.compare_exchange(unlocked, locked, Acquire, Relaxed) {
                Ok(_) => {
                    return Some(StripeGuard {
                        word: &self.word,
                        locked,
                        magazines: &self.magazines,
                    });
                }
                Err(now) if now & (LOCKED | CLOSED) != 0 => return None,
                // Other threads have locked and unlocked it meanwhile.
                Err(now) => word = now,
            }
        }
    }

    /// Locks the stripe, which is not closed. Waits if another thread holds it. The caller holds no other lock.
    pub(crate) fn lock(&self) -> StripeGuard<'_> {
        let mut backoff = Backoff::new();
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            backoff.wait();
        }
    }

    /// Closes the stripe: from then on it cannot be locked.
    pub(crate) fn close(&self) {
        self.lock().locked |= CLOSED;
    }

    /// Returns the magazines of a stripe that the caller has closed.
    pub(crate) fn closed(&self) -> &Magazines<AtomicU64, AtomicPtr<()>> {
        debug_assert!(self.word.load(Relaxed) & CLOSED != 0);
        &self.magazines
    }

    /// Puts a vacant slot in. Returns `false` if the stripe is full, or cannot be locked now. The slab may be freed as soon as the
    /// slot is in.
    ///
    /// # Safety
    ///
    /// The stripe lives until then.
    #[inline(always)]
    unsafe fn put<S>(this: NonNull<Self>, slot: NonNull<S>) -> bool {
        // SAFETY: the caller's.
        let stripe = unsafe { this.as_ref() };
        let Some(guard) = stripe.try_lock() else { return false };
        guard.magazines.push(slot, ROOM)
    }

    /// Returns the number of slots. It may change at any time unless the stripe is locked.
    pub(crate) fn len(&self) -> u64 {
        self.magazines.len()
    }
}

/// What a thread has seen that found all stripes empty, one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The sum of all versions. Versions only increase.
    versions: u64,
    /// Another thread held a stripe, which may have slots.
    is_busy: bool,
}

impl Snapshot {
    const NEW: Snapshot = Snapshot { versions: 0, is_busy: false };

    fn add(&mut self, word: u64) {
        self.versions = self.versions.wrapping_add(word / VERSION);
        self.is_busy |= word & LOCKED != 0;
    }
}

/// The stripes of a slab.
pub(crate) struct Stripes(Box<[Stripe]>);

impl Stripes {
    /// Creates the stripes of a slab with this bound, or of one without a bound.
    pub(crate) fn new(bound: Option<u32>) -> Self {
        let stripes = bound.map_or(1, |bound| (bound as usize).min(cores()));
        Stripes((0..stripes).map(|_| Stripe::new()).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stripe> {
        self.0.iter()
    }

    /// Returns the stripe that the calling thread uses first.
    #[inline(always)]
    pub(crate) fn own(&self) -> &Stripe {
        &self.0[thread_caches::number() % self.0.len()]
    }

    /// Takes a slot out of any stripe. The error is for [`is_unchanged`](Stripes::is_unchanged).
    #[inline]
    pub(crate) fn take<S>(&self) -> Result<NonNull<S>, Snapshot> {
        let (before, after) = self.0.split_at(thread_caches::number() % self.0.len());
        let mut seen = Snapshot::NEW;
        for stripe in after.iter().chain(before) {
            // ORDERING: Acquire, with the Release of `StripeGuard::drop`: a thread that sees this version sees the length.
            let word = stripe.word.load(Acquire);
            if word & LOCKED == 0 && stripe.len() == 0 {
                seen.add(word);
                continue;
            }
            let Some(guard) = stripe.try_lock() else {
                seen.is_busy = true;
                continue;
            };
            if let Some(slot) = guard.magazines.pop(ROOM) {
                return Ok(slot);
            }
            seen.add(guard.unlocked());
        }
        Err(seen)
    }

    /// Moves slots into the cache of the calling thread, up to one magazine.
    pub(crate) fn transfer<S>(&self, magazines: &Magazines<AtomicU64, AtomicPtr<()>>) {
        for stripe in self.0.iter().filter(|stripe| stripe.len() > 0) {
            let Some(guard) = stripe.try_lock() else { continue };
            while magazines.len() < MAGAZINE.into() {
                let Some(slot) = guard.magazines.pop::<S>(ROOM) else { break };
                fetch(slot);
                magazines.push(slot, ROOM);
            }
        }
    }

    /// Returns `true` if no stripe was locked since [`take`](Stripes::take) has seen it empty: then all were empty at the same
    /// time.
    pub(crate) fn is_unchanged(&self, seen: Snapshot) -> bool {
        let mut now = Snapshot::NEW;
        // ORDERING: Acquire, as in `take`. These loads read the same words later, so they are not older.
        self.0.iter().for_each(|stripe| now.add(stripe.word.load(Acquire)));
        !now.is_busy && seen == now
    }

    pub(crate) fn all(&self) -> NonNull<[Stripe]> {
        NonNull::from(&*self.0)
    }

    /// Puts a vacant slot into the stripe of the calling thread, or into another one. Returns `false` if each is full, closed, or
    /// held by another thread. The slab may be freed as soon as the slot is in.
    ///
    /// # Safety
    ///
    /// The stripes live until then.
    #[inline]
    pub(crate) unsafe fn put<S>(stripes: NonNull<[Stripe]>, slot: NonNull<S>) -> bool {
        let (first, len) = (stripes.cast::<Stripe>(), stripes.len());
        let own = thread_caches::number() % len;
        (own..own + len).any(|number| {
            // SAFETY: it is one of the stripes.
            let stripe = unsafe { first.add(number % len) };
            // SAFETY: the caller's.
            unsafe { Stripe::put(stripe, slot) }
        })
    }

    #[cfg(loom)]
    pub(crate) fn touch(&mut self) {
        for stripe in &mut self.0 {
            stripe.word.with_mut(|_| ());
            stripe.magazines.touch();
        }
    }
}

/// Returns the number of threads that can run at the same time.
fn cores() -> usize {
    #[cfg(any(loom, miri))]
    return 2;
    #[cfg(not(any(loom, miri)))]
    {
        use std::sync::OnceLock;

        static CORES: OnceLock<usize> = OnceLock::new();
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        (*CORES.get_or_init(cores)).clamp(1, 64)
    }
}
