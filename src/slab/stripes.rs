//! Stripes: locked magazines that threads without a thread cache share.
//!
//! A bounded slab has about one stripe for each core, and no thread caches. A thread uses its own stripe first. If that is empty, it
//! looks into all stripes, so that it finds the last vacant slot wherever it is. Every other slab has one stripe, for threads
//! that return slots and rent none.
//!
//! The word of a stripe is its lock, its length and its version. A thread that takes a slot subtracts 1 from the length in the
//! exchange that locks the stripe. A thread that adds a slot adds 1 in the store that unlocks it. So a stripe of length 0 is
//! empty, locked or not. A thread that has seen all stripes empty reads the words again. If no version has changed, all stripes
//! were empty at the same time.
//!
//! ```text
//!  word  63                        9 8      2 1      0
//!       ┌───────────────────────────┬────────┬──────┬──────┐
//!       │ version: number of unlocks│ length │closed│locked│
//!       └───────────────────────────┴────────┴──────┴──────┘
//! ```

use alloc::boxed::Box;
use core::ptr::NonNull;

use super::{
    magazines::{MAGAZINE, Magazines, ROOM, fetch},
    thread_caches,
};
use crate::sync::{
    AtomicBool, AtomicPtr, AtomicU64, Backoff,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

const LOCKED: u64 = 1;
const CLOSED: u64 = 2;
const SLOT: u64 = 4;
const VERSION: u64 = 1 << 9;
const _: () = assert!(ROOM * SLOT < VERSION);

/// Returns the length that a word says.
const fn len(word: u64) -> u64 {
    word % VERSION / SLOT
}

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

impl Drop for StripeGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let version = self.locked - self.locked % VERSION + VERSION;
        let unlocked = version + self.magazines.len() * SLOT + (self.locked & CLOSED);
        // ORDERING: Release, with the Acquire in `try_lock_with` and `is_unchanged`.
        self.word.store(unlocked, Release);
    }
}

impl Stripe {
    fn new() -> Self {
        Stripe { word: AtomicU64::new(0), magazines: Magazines::new() }
    }

    /// Locks the stripe and subtracts `taken` from its length. Returns the word as an error if the stripe is locked or closed, or
    /// has fewer slots than `least`.
    #[inline(always)]
    fn try_lock_with(&self, least: u64, taken: u64) -> Result<StripeGuard<'_>, u64> {
        // ORDERING: Acquire, with the Release of `StripeGuard::drop`: what the last holder did is visible. The exchange is a Release
        // too, with the Acquire of threads that only read the word: who sees that a slot was taken out of this stripe sees what
        // the same thread has put into others before.
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
                // Other threads have locked and unlocked it meanwhile.
                Err(now) => word = now,
            }
        }
        Err(word)
    }

    /// Locks the stripe. Returns `None` if another thread holds it, or if it is closed.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<StripeGuard<'_>> {
        self.try_lock_with(0, 0).ok()
    }

    /// Locks the stripe if it is full.
    pub(crate) fn try_lock_full(&self) -> Option<StripeGuard<'_>> {
        self.try_lock_with(ROOM, 0).ok()
    }

    /// Takes out a slot. The error is the word of the stripe.
    #[inline(always)]
    fn take<S>(&self) -> Result<NonNull<S>, u64> {
        let guard = self.try_lock_with(1, 1)?;
        Ok(guard.magazines.pop(ROOM).expect("the length says so"))
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
        // ORDERING: Relaxed: this thread has stored it.
        debug_assert!(self.word.load(Relaxed) & CLOSED != 0);
        &self.magazines
    }

    /// Returns the number of slots. Other threads may change it at any time.
    pub(crate) fn len(&self) -> u64 {
        // ORDERING: Relaxed: this is a hint, or a figure for `stats`.
        len(self.word.load(Relaxed))
    }
}

/// What a thread has seen that found all stripes empty, one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The sum of all versions. Versions only increase.
    versions: u64,
    /// Another thread held a stripe with slots.
    is_busy: bool,
}

impl Snapshot {
    const NEW: Snapshot = Snapshot { versions: 0, is_busy: false };

    fn add(&mut self, word: u64) {
        self.versions = self.versions.wrapping_add(word / VERSION);
        self.is_busy |= word & LOCKED != 0 && len(word) > 0;
    }
}

/// The stripes of a slab. Their number is a power of two, because a division takes as long as all the rest.
pub(crate) struct Stripes(Box<[Stripe]>);

impl Stripes {
    /// Creates the stripes of a slab with this bound, or of one without a bound.
    pub(crate) fn new(bound: Option<u32>) -> Self {
        let most = bound.map_or(1, |bound| (bound as usize).clamp(1, cores()));
        Stripes((0..1 << most.ilog2()).map(|_| Stripe::new()).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stripe> {
        self.0.iter()
    }

    /// Returns the number of slots in all stripes.
    pub(crate) fn len(&self) -> u64 {
        self.iter().map(Stripe::len).sum()
    }

    /// Returns the stripe that the calling thread uses first.
    #[inline(always)]
    pub(crate) fn own(&self) -> &Stripe {
        &self.0[own(self.0.len())]
    }

    /// Takes a slot out of any stripe. The error is for [`is_unchanged`](Stripes::is_unchanged).
    #[inline]
    pub(crate) fn take<S>(&self) -> Result<NonNull<S>, Snapshot> {
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

    /// Returns `true` if all stripes were empty at the same time: none was unlocked since [`take`](Stripes::take) has seen it empty.
    pub(crate) fn is_unchanged(&self, seen: Snapshot) -> bool {
        let mut now = Snapshot::NEW;
        // ORDERING: Acquire, as in `try_lock_with`. These loads read the same words later, so they are not older.
        self.0.iter().for_each(|stripe| now.add(stripe.word.load(Acquire)));
        !now.is_busy && seen == now
    }

    pub(crate) fn all(&self) -> NonNull<[Stripe]> {
        NonNull::from(&*self.0)
    }

    /// Puts a vacant slot into the stripe of the calling thread, or into another one. Returns `false` if each is full, closed, or
    /// held by another thread, or if the flag says that a future waits for a slot. The slab may be freed as soon as the slot is
    /// in.
    ///
    /// # Safety
    ///
    /// The stripes and the flag live until then.
    #[inline]
    pub(crate) unsafe fn put<S>(
        stripes: NonNull<[Stripe]>,
        slot: NonNull<S>,
        has_waiters: Option<NonNull<AtomicBool>>,
    ) -> bool {
        let (first, len) = (stripes.cast::<Stripe>(), stripes.len());
        let own = own(len);
        for number in own..own + len {
            // SAFETY: it is one of the stripes.
            let stripe = unsafe { first.add(number & (len - 1)) };
            // SAFETY: the caller's.
            let Some(guard) = (unsafe { stripe.as_ref() }).try_lock() else { continue };
            // SAFETY: the caller's.
            // ORDERING: Relaxed: the lock orders it, see `waiters`.
            if has_waiters.is_some_and(|flag| unsafe { flag.as_ref() }.load(Relaxed)) {
                return false;
            }
            if guard.magazines.push(slot, ROOM) {
                return true;
            }
        }
        false
    }

    #[cfg(loom)]
    pub(crate) fn touch(&mut self) {
        for stripe in &mut self.0 {
            stripe.word.with_mut(|_| ());
            stripe.magazines.touch();
        }
    }
}

/// Returns the number of the stripe that the calling thread uses first. There are `stripes`, a power of two.
#[inline(always)]
fn own(stripes: usize) -> usize {
    thread_caches::number() & (stripes - 1)
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
