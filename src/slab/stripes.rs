//! Where a slab has vacant slots at hand for threads without a cache, in stripes. A bounded slab has one for each core: who
//! finds nothing in its own stripe looks into all of them, so that the last vacant slot is found wherever it is. Any other
//! slab has one, for threads that only return slots.
//!
//! A stripe is for who has marked its word as taken. The word also counts how many times that was, so that two loads of
//! it tell whether anybody was there in between: a slab is full if all stripes were seen empty, and nobody has been in any of
//! them until all were seen.
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
    caches,
    magazines::{MAGAZINE, Magazines, ROOM, fetch},
};
use crate::sync::{
    AtomicPtr, AtomicU64, Backoff,
    Ordering::{Acquire, Relaxed, Release},
};

const TAKEN: u64 = 1;
const CLOSED: u64 = 2;
const ONE_TIME: u64 = 4;

/// On cache lines of its own, and not beside those that the prefetcher brings along.
#[repr(align(128))]
pub(crate) struct Stripe {
    word: AtomicU64,
    magazines: Magazines<AtomicU64, AtomicPtr<()>>,
}

/// Somebody is in a stripe, and leaves it when this is dropped.
pub(crate) struct Inside<'s> {
    word: &'s AtomicU64,
    taken: u64,
    pub(crate) magazines: &'s Magazines<AtomicU64, AtomicPtr<()>>,
}

impl Inside<'_> {
    /// The word when it was left.
    fn left(&self) -> u64 {
        self.taken - TAKEN + ONE_TIME
    }
}

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // ORDERING: Release, with the Acquire in `enter`, `take` and `confirm`.
        self.word.store(self.left(), Release);
    }
}

impl Stripe {
    fn new() -> Self {
        Stripe { word: AtomicU64::new(0), magazines: Magazines::new() }
    }

    /// Comes in, if nobody is there, and it is not closed.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<Inside<'_>> {
        // ORDERING: Relaxed, both times: the next exchange finds out whether it is still so.
        let mut word = self.word.load(Relaxed);
        loop {
            let free = word & !(TAKEN | CLOSED);
            let taken = free | TAKEN;
            // ORDERING: Acquire, with the Release of `Inside::drop`: what was done there is visible.
            match self.word.compare_exchange(free, taken, Acquire, Relaxed) {
                Ok(_) => {
                    return Some(Inside { word: &self.word, taken, magazines: &self.magazines });
                }
                Err(now) if now & (TAKEN | CLOSED) != 0 => return None,
                // Others have left since.
                Err(now) => word = now,
            }
        }
    }

    /// Comes in when whoever is there has left. For who holds no lock. That it is closed is not the case.
    pub(crate) fn wait(&self) -> Inside<'_> {
        let mut backoff = Backoff::new();
        loop {
            if let Some(inside) = self.enter() {
                return inside;
            }
            backoff.wait();
        }
    }

    /// Nobody comes in any more.
    pub(crate) fn close(&self) {
        self.wait().taken |= CLOSED;
    }

    /// The magazines of a stripe that the caller has closed.
    pub(crate) fn closed(&self) -> &Magazines<AtomicU64, AtomicPtr<()>> {
        debug_assert!(self.word.load(Relaxed) & CLOSED != 0);
        &self.magazines
    }

    /// Puts a vacant slot in, if nobody is there, and there is room. The slab may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The stripe lives until the slot is there.
    #[inline(always)]
    unsafe fn put<S>(this: NonNull<Self>, slot: NonNull<S>) -> bool {
        // SAFETY: the caller's.
        let stripe = unsafe { this.as_ref() };
        let Some(inside) = stripe.enter() else { return false };
        inside.magazines.push(slot, ROOM)
    }

    /// The number of slots, if nobody takes or puts any.
    pub(crate) fn len(&self) -> u64 {
        self.magazines.len()
    }
}

/// What somebody saw who looked into all stripes: that each was empty at some time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Of all of them.
    times: u64,
    /// Somebody was in one of them, which may hold slots.
    is_busy: bool,
}

impl Seen {
    const NOTHING: Seen = Seen { times: 0, is_busy: false };

    fn add(&mut self, word: u64) {
        self.times = self.times.wrapping_add(word / ONE_TIME);
        self.is_busy |= word & TAKEN != 0;
    }
}

/// The stripes of a slab.
pub(crate) struct Stripes(Box<[Stripe]>);

impl Stripes {
    /// `bound` is that of a bounded slab.
    pub(crate) fn new(bound: Option<u32>) -> Self {
        let stripes = bound.map_or(1, |bound| (bound as usize).min(cores()));
        Stripes((0..stripes).map(|_| Stripe::new()).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Stripe> {
        self.0.iter()
    }

    /// The stripe that this thread looks into first.
    #[inline(always)]
    pub(crate) fn own(&self) -> &Stripe {
        &self.0[caches::number() % self.0.len()]
    }

    /// Takes a slot of any stripe. If there is none, that is to be [confirmed](Stripes::confirm).
    #[inline]
    pub(crate) fn take<S>(&self) -> Result<NonNull<S>, Seen> {
        let (before, after) = self.0.split_at(caches::number() % self.0.len());
        let mut seen = Seen::NOTHING;
        for stripe in after.iter().chain(before) {
            // ORDERING: Acquire, with the Release of `Inside::drop`: who sees that sees the length.
            let word = stripe.word.load(Acquire);
            if word & TAKEN == 0 && stripe.len() == 0 {
                seen.add(word);
                continue;
            }
            let Some(inside) = stripe.enter() else {
                seen.is_busy = true;
                continue;
            };
            if let Some(slot) = inside.magazines.pop(ROOM) {
                return Ok(slot);
            }
            seen.add(inside.left());
        }
        Err(seen)
    }

    /// Moves slots into the magazines of a thread, until one is full.
    pub(crate) fn pour<S>(&self, magazines: &Magazines<AtomicU64, AtomicPtr<()>>) {
        for stripe in self.0.iter().filter(|stripe| stripe.len() > 0) {
            let Some(inside) = stripe.enter() else { continue };
            while magazines.len() < MAGAZINE.into() {
                let Some(slot) = inside.magazines.pop::<S>(ROOM) else { break };
                fetch(slot);
                magazines.push(slot, ROOM);
            }
        }
    }

    /// All stripes were empty at the same time: since each was seen, nobody has been there. Otherwise one has to look
    /// again.
    pub(crate) fn confirm(&self, seen: Seen) -> bool {
        let mut now = Seen::NOTHING;
        // ORDERING: Acquire: the loads that follow are not done before those of the look. (They are of the same words, and
        // never older.)
        self.0.iter().for_each(|stripe| now.add(stripe.word.load(Acquire)));
        !now.is_busy && seen == now
    }

    pub(crate) fn all(&self) -> NonNull<[Stripe]> {
        NonNull::from(&*self.0)
    }

    /// Puts a vacant slot into the stripe of this thread, or another one. Fails if somebody is in each, or they are full or
    /// closed. The slab may be gone afterwards.
    ///
    /// # Safety
    ///
    /// They live until the slot is there.
    #[inline]
    pub(crate) unsafe fn put<S>(stripes: NonNull<[Stripe]>, slot: NonNull<S>) -> bool {
        let (first, len) = (stripes.cast::<Stripe>(), stripes.len());
        let own = caches::number() % len;
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

/// So many threads run at a time, at most.
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
