//! Stripes: locked magazines that threads without a thread cache share.
//!
//! A bounded slab has about one stripe for each core, and no thread caches. A thread uses its own stripe first. If this stripe is empty,
//! the thread looks into all stripes. So the thread finds a vacant slot in any stripe, even if all other stripes are empty. An unbounded
//! slab has one stripe, for threads that return slots but do not rent.
//!
//! The word of a stripe contains its lock, its length and its version. A thread that takes a slot subtracts 1 from the length in the
//! exchange that locks the stripe. A thread that adds a slot adds 1 in the store that unlocks the stripe. So a stripe of length 0 has no
//! vacant slot, even while it is locked. (A slot that a thread is just adding is not vacant yet.) A thread that has seen all stripes empty
//! reads the words of all stripes again. If no version has changed, all stripes were empty at the same time.
//!
//! ```text
//!  word  63                        9 8      2 1      0
//!       ┌───────────────────────────┬────────┬──────┬──────┐
//!       │ version: number of unlocks│ length │closed│locked│
//!       └───────────────────────────┴────────┴──────┴──────┘
//! ```

use alloc::boxed::Box;
use core::{mem::ManuallyDrop, ops::Deref};

use super::{
    item::Item,
    magazines::{
        CACHE_CAPACITY, Capacity, FreePlace, Lock, MAGAZINE, Magazines, MagazinesOf, fetch,
    },
    thread_number::thread_number,
};
use crate::{
    slot::{Pointer, Vacant, Word},
    sync::{
        AtomicU64, Backoff,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

const LOCKED: u64 = 1;
const CLOSED: u64 = 2;
const SLOT: u64 = 4;
const VERSION: u64 = 1 << 9;
const _: () = assert!(CACHE_CAPACITY * SLOT < VERSION);

/// Returns the length of the stripe with this word.
const fn len(word: u64) -> u64 {
    word % VERSION / SLOT
}

/// A stripe: magazines behind a lock. Because of the alignment, no other data shares its CPU cache lines, or the adjacent lines that the
/// CPU prefetches.
#[repr(align(128))]
pub(super) struct Stripe<S: Item> {
    word: AtomicU64,
    magazines: MagazinesOf<S>,
}

/// The guard of a locked stripe. The drop of the guard unlocks the stripe.
pub(super) struct StripeGuard<'s, S: Item> {
    word: &'s AtomicU64,
    /// The word of the locked stripe.
    locked: u64,
    magazines: &'s MagazinesOf<S>,
}

impl<S: Item> Deref for StripeGuard<'_, S> {
    type Target = MagazinesOf<S>;

    #[inline(always)]
    fn deref(&self) -> &MagazinesOf<S> {
        self.magazines
    }
}

impl<'s, S: Item> StripeGuard<'s, S> {
    /// Returns a value whose drop unlocks the stripe. The stripe then has `len` slots.
    #[inline(always)]
    fn unlock(&self, len: u64) -> Unlock<'s> {
        let version = self.locked - self.locked % VERSION + VERSION;
        Unlock { word: self.word, unlocked: version + len * SLOT + (self.locked & CLOSED) }
    }

    /// Converts the guard into a place for one more slot. If the stripe is full, unlocks it and returns `None`.
    #[inline(always)]
    fn free_place(self) -> Option<FreePlace<'s, S, StripeLock>> {
        let len = self.magazines.len();
        if len == CACHE_CAPACITY {
            return None;
        }
        let this = ManuallyDrop::new(self);
        Some(FreePlace { magazines: this.magazines, guard: this.unlock(len + 1) })
    }
}

impl<S: Item> Drop for StripeGuard<'_, S> {
    #[inline(always)]
    fn drop(&mut self) {
        drop(self.unlock(self.magazines.len()));
    }
}

/// A guard whose drop unlocks a stripe.
pub(super) struct Unlock<'s> {
    word: &'s AtomicU64,
    /// The word of the unlocked stripe.
    unlocked: u64,
}

impl Drop for Unlock<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // ORDERING: Release, with the Acquire in `try_lock_with` and `is_unchanged`.
        self.word.store(self.unlocked, Release);
    }
}

/// The lock of a stripe.
pub(super) struct StripeLock;

impl Lock for StripeLock {
    type Guard<'s> = Unlock<'s>;
}

impl<S: Item> Stripe<S> {
    fn new() -> Self {
        Stripe { word: AtomicU64::new(0), magazines: Magazines::new() }
    }

    /// Locks the stripe and subtracts `taken` from its length. Returns the word as an error if the stripe is locked or closed, or
    /// has fewer slots than `least`.
    #[inline(always)]
    fn try_lock_with(&self, least: u64, taken: u64) -> Result<StripeGuard<'_, S>, u64> {
        // ORDERING: Acquire, with the Release of `Unlock::drop`: everything that the previous holder of the lock did is visible. The
        // exchange is also a Release, with the Acquire of threads that only read the word. If such a thread sees that a slot was taken from
        // this stripe, it also sees the slots that the taking thread has put into other stripes before.
        let mut word = self.word.load(Acquire);
        while word & (LOCKED | CLOSED) == 0 && len(word) >= least {
            let locked = word - taken * SLOT + LOCKED;
            match self.word.compare_exchange_weak(word, locked, AcqRel, Acquire) {
                Ok(_) => {
                    return Ok(StripeGuard {
                        word: &self.word,
                        locked,
                        magazines: &self.magazines,
                    });
                }
                // Another thread has changed the word meanwhile.
                Err(now) => word = now,
            }
        }
        Err(word)
    }

    /// Locks the stripe. Returns `None` if another thread holds the lock, or if the stripe is closed.
    #[inline(always)]
    pub(super) fn try_lock(&self) -> Option<StripeGuard<'_, S>> {
        self.try_lock_with(0, 0).ok()
    }

    /// Locks the stripe if it is full.
    pub(super) fn try_lock_full(&self) -> Option<StripeGuard<'_, S>> {
        self.try_lock_with(CACHE_CAPACITY, 0).ok()
    }

    /// Takes a slot. Returns the word of the stripe as an error if the stripe is empty or closed, or if another thread has locked it.
    #[inline(always)]
    fn take(&self) -> Result<Vacant<S>, u64> {
        let guard = self.try_lock_with(1, 1)?;
        Ok(guard.magazines.pop(Capacity::FULL).expect("the length was not 0"))
    }

    /// Locks the stripe, which must not be closed. Waits while another thread holds the lock. The caller holds no other lock.
    pub(super) fn lock(&self) -> StripeGuard<'_, S> {
        let mut backoff = Backoff::new();
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            backoff.wait();
        }
    }

    /// Returns the number of slots. Other threads may change it at any time.
    pub(super) fn len(&self) -> u64 {
        // ORDERING: Relaxed: this is a hint, or a counter for `stats`.
        len(self.word.load(Relaxed))
    }
}

/// A summary of the words of all stripes. A thread has read these words one after the other, and has taken no slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The sum of all versions. Versions only increase.
    versions: u64,
    /// `true` if another thread had locked a stripe with slots.
    is_busy: bool,
}

impl Snapshot {
    const NEW: Snapshot = Snapshot { versions: 0, is_busy: false };

    /// Adds the word of a stripe.
    fn add(&mut self, word: u64) {
        self.versions = self.versions.wrapping_add(word / VERSION);
        self.is_busy |= word & LOCKED != 0 && len(word) > 0;
    }
}

/// The stripes of a slab. Their number is a power of two, so no division is needed to find the stripe of a thread. A division would take as
/// long as everything else in a return.
pub(super) struct Stripes<S: Item>(Box<[Stripe<S>]>);

impl<S: Item> Stripes<S> {
    /// Creates the stripes of a slab. `bound` is the limit of a bounded slab, or `None` for an unbounded slab.
    pub(super) fn new(bound: Option<u32>) -> Self {
        let most = bound.map_or(1, |bound| (bound as usize).clamp(1, cores()));
        Stripes((0..1 << most.ilog2()).map(|_| Stripe::new()).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stripe<S>> {
        self.0.iter()
    }

    /// Returns the number of slots in all stripes.
    pub(super) fn len(&self) -> u64 {
        self.iter().map(Stripe::len).sum()
    }

    /// Returns the stripe that the calling thread uses first.
    #[inline(always)]
    pub(super) fn own(&self) -> &Stripe<S> {
        &self.0[own(self.0.len())]
    }

    /// Takes a slot from any stripe. If the calling thread finds no slot, returns a snapshot as an error, for
    /// [`is_unchanged`](Stripes::is_unchanged).
    #[inline]
    pub(super) fn take(&self) -> Result<Vacant<S>, Snapshot> {
        let (before, after) = self.0.split_at(own(self.0.len()));
        let mut seen = Snapshot::NEW;
        for stripe in after.iter().chain(before) {
            match stripe.take() {
                Ok(slot) => return Ok(slot),
                Err(word) => seen.add(word),
            }
        }
        Err(seen)
    }

    /// Moves slots from the stripes into the cache of the calling thread, until the cache has one magazine of slots. Skips the stripes that
    /// other threads have locked.
    pub(super) fn transfer<W: Word, P: Pointer>(&self, magazines: &Magazines<W, P, S>) {
        for stripe in self.0.iter().filter(|stripe| stripe.len() > 0) {
            let Some(guard) = stripe.try_lock() else { continue };
            while magazines.len() < MAGAZINE.into() {
                let Some(slot) = guard.magazines.pop(Capacity::FULL) else { break };
                fetch(&slot);
                let _pushed = magazines.push(slot, Capacity::FULL);
            }
        }
    }

    /// Returns `true` if all stripes were empty at the same time: no stripe was unlocked after [`take`](Stripes::take) had read its word
    /// for `seen`, and no other thread has locked a stripe with slots.
    pub(super) fn is_unchanged(&self, seen: Snapshot) -> bool {
        let mut now = Snapshot::NEW;
        // ORDERING: Acquire, as in `try_lock_with`. These loads come after the loads of `take`. So they do not return older words than
        // `take` has read.
        self.0.iter().for_each(|stripe| now.add(stripe.word.load(Acquire)));
        !now.is_busy && seen == now
    }

    /// Returns a place for a slot in the stripe of the calling thread, or in another stripe. Returns `None` if each stripe is full, closed
    /// or locked by another thread. This function calls `is_awaited` while it holds the lock of a stripe, and returns `None` if the result
    /// is `true`.
    #[inline]
    pub(super) fn free_place(
        &self,
        is_awaited: impl Fn() -> bool,
    ) -> Option<FreePlace<'_, S, StripeLock>> {
        let own = own(self.0.len());
        for number in own..own + self.0.len() {
            let stripe = &self.0[number & (self.0.len() - 1)];
            let Some(guard) = stripe.try_lock() else { continue };
            if is_awaited() {
                return None;
            }
            let place = guard.free_place();
            if place.is_some() {
                return place;
            }
        }
        None
    }

    /// Closes the stripes, so that no thread can lock them any more. The caller holds no other lock.
    pub(super) fn close(&self) -> ClosedStripes<'_, S> {
        for stripe in self.iter() {
            stripe.lock().locked |= CLOSED;
        }
        ClosedStripes(self)
    }

    #[cfg(loom)]
    pub(super) fn touch(&mut self) {
        for stripe in &mut self.0 {
            stripe.word.with_mut(|_| ());
            stripe.magazines.touch();
        }
    }
}

/// Stripes that the calling thread has closed. No other thread uses their magazines.
pub(super) struct ClosedStripes<'s, S: Item>(&'s Stripes<S>);

impl<S: Item> ClosedStripes<'_, S> {
    pub(super) fn magazines(&self) -> impl Iterator<Item = &MagazinesOf<S>> {
        self.0.iter().map(|stripe| &stripe.magazines)
    }
}

/// Returns the number of the stripe that the calling thread uses first. `stripes` is the number of stripes, a power of two.
#[inline(always)]
fn own(stripes: usize) -> usize {
    thread_number() & (stripes - 1)
}

/// Returns the number of threads that can run at the same time, but at most 64.
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
