//! The queue of the futures that wait for a vacant slot of a bounded slab, first in, first out.
//!
//! While a future is queued, no slot becomes vacant: the thread that returns one gives it to the first future of the
//! queue, and wakes it. A future that is dropped returns the slot that it was given, so the next future gets it.
//!
//! A flag of the slab says whether the queue has a future. It changes under the lock of the queue. A thread that returns a
//! slot reads it under the lock of the stripe or depot that would take the slot. A future that was queued then
//! [locks and unlocks](Slab::pass_locks) all of these, and looks for vacant slots afterwards. Each return either comes
//! before the future in the order of such a lock, so the future finds the slot, or it comes later and sees the flag.

use alloc::vec::Vec;
use core::{mem, ptr::NonNull, task::Waker};

use super::{Slab, Unlimited};
use crate::slot::{End, WakeOnDrop, Word};

/// The place of a future in the queue. The future gives it up by [`take`](Waiters::take).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(usize);

/// No place.
const NONE: usize = usize::MAX;

/// The futures that wait for a slot. It allocates when more of them wait than ever before.
pub(crate) struct Waiters<S> {
    places: Vec<Place<S>>,
    first: usize,
    last: usize,
    /// The first place that is free.
    free: usize,
    /// The number of places with a slot.
    given: u32,
}

// SAFETY: the slots in it are vacant, and belong to the slab. Only a slab whose slots may be used by several threads is shared.
unsafe impl<S> Send for Waiters<S> {}

enum Place<S> {
    Free {
        next: usize,
    },
    Queued(Queued),
    /// The future was given a slot, and has not been polled since.
    Given(NonNull<S>),
    /// The pool was closed, or all its slots are retired.
    Ended,
}

struct Queued {
    waker: Waker,
    previous: usize,
    next: usize,
}

/// What was at the place of a future.
pub(crate) enum Taken<S> {
    /// The future was waiting.
    Waker(Waker),
    Slot(NonNull<S>),
    Ended,
}

impl<S> Waiters<S> {
    pub(crate) const fn new() -> Self {
        Waiters { places: Vec::new(), first: NONE, last: NONE, free: NONE, given: 0 }
    }

    /// Returns `true` if no future is queued.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Returns the number of slots that were given to futures which have not been polled since.
    pub(crate) fn given(&self) -> u32 {
        self.given
    }

    /// Queues a future. Also returns `true` if that called the allocator.
    fn push(&mut self, waker: Waker) -> (Ticket, bool) {
        let grows = self.free == NONE && self.places.len() == self.places.capacity();
        if self.free == NONE {
            self.free = self.places.len();
            self.places.push(Place::Free { next: NONE });
        }
        let queued = Place::Queued(Queued { waker, previous: self.last, next: NONE });
        let ticket = Ticket(self.free);
        let Place::Free { next } = mem::replace(&mut self.places[ticket.0], queued) else {
            unreachable!("a place of the free list is free")
        };
        self.free = next;
        self.set_next(self.last, ticket.0);
        self.last = ticket.0;
        (ticket, grows)
    }

    /// Gives a slot to the first future. Returns its waker, or `None` if no future is queued.
    pub(crate) fn give(&mut self, slot: NonNull<S>) -> Option<(Ticket, Waker)> {
        let waker = self.replace_first(Place::Given(slot))?;
        self.given += 1;
        Some(waker)
    }

    /// Ends the wait of the first future. Returns its waker, or `None` if no future is queued.
    pub(crate) fn end_first(&mut self) -> Option<Waker> {
        self.replace_first(Place::Ended).map(|(_, waker)| waker)
    }

    /// Takes the first future out of the queue.
    fn replace_first(&mut self, place: Place<S>) -> Option<(Ticket, Waker)> {
        let first = Ticket(self.first);
        let Place::Queued(queued) = mem::replace(self.places.get_mut(first.0)?, place) else {
            unreachable!("the first place is queued")
        };
        Some((first, self.unlink(queued)))
    }

    /// Returns the progress of a future, and removes it if it does not wait. If it waits, and `fresh` has a waker, the two wakers
    /// change places.
    fn poll(&mut self, ticket: Ticket, waker: &Waker, fresh: &mut Option<Waker>) -> Progress<S> {
        match (&mut self.places[ticket.0], fresh) {
            (Place::Queued(queued), Some(fresh)) => {
                mem::swap(&mut queued.waker, fresh);
                Progress::Waits
            }
            (Place::Queued(queued), None) if queued.waker.will_wake(waker) => Progress::Waits,
            (Place::Queued(_), None) => Progress::NeedsWaker,
            _ => match self.take(ticket) {
                Taken::Slot(slot) => Progress::Slot(slot),
                Taken::Waker(_) | Taken::Ended => Progress::Ended,
            },
        }
    }

    /// Removes a future, which does not use the ticket again.
    fn take(&mut self, ticket: Ticket) -> Taken<S> {
        let free = Place::Free { next: mem::replace(&mut self.free, ticket.0) };
        match mem::replace(&mut self.places[ticket.0], free) {
            Place::Queued(queued) => Taken::Waker(self.unlink(queued)),
            Place::Given(slot) => {
                self.given -= 1;
                Taken::Slot(slot)
            }
            Place::Ended => Taken::Ended,
            Place::Free { .. } => unreachable!("a ticket is used once"),
        }
    }

    /// Connects the neighbours of a future that leaves the queue.
    fn unlink(&mut self, Queued { waker, previous, next }: Queued) -> Waker {
        self.set_next(previous, next);
        match self.places.get_mut(next) {
            Some(Place::Queued(queued)) => queued.previous = previous,
            _ => self.last = previous,
        }
        waker
    }

    fn set_next(&mut self, place: usize, next: usize) {
        match self.places.get_mut(place) {
            Some(Place::Queued(queued)) => queued.next = next,
            _ => self.first = next,
        }
    }
}

/// How far a future has come that was queued.
pub(crate) enum Progress<S> {
    Waits,
    /// It waits with another waker.
    NeedsWaker,
    Slot(NonNull<S>),
    /// It has no slot, and does not wait for one any more.
    Ended,
}

/// Queues a future.
///
/// If it does not [leave](leave) at once, the caller calls [`serve`] afterwards.
pub(crate) fn queue<S: Slab>(slab: &S, waker: Waker) -> Ticket {
    let (ticket, grows) = slab.with_waiters(|waiters| waiters.push(waker));
    slab.base().allocations.add(grows.into());
    slab.pass_locks();
    ticket
}

/// Gives vacant slots to futures until there is no vacant slot, the queue is empty, or `own` has a slot. It
/// wakes the other futures.
///
/// # Safety
///
/// The slab has a handle meanwhile.
pub(crate) unsafe fn serve<S: Slab>(slab: NonNull<S>, own: Ticket) {
    /// Goes on if a waker panics. If another one panics then, the process aborts.
    struct Serve<S: Slab> {
        slab: NonNull<S>,
        own: Ticket,
        is_done: bool,
    }

    impl<S: Slab> Serve<S> {
        fn run(&mut self) {
            // SAFETY: the slab has a handle.
            let slab = unsafe { self.slab.as_ref() };
            while !self.is_done {
                let Some(slot) = slab.has_waiters().then(|| slab.rent(Unlimited)).flatten() else {
                    self.is_done = true;
                    return;
                };
                match slab.with_waiters(|waiters| waiters.give(slot)) {
                    // The caller is inside a poll, so it needs no waker.
                    Some((ticket, waker)) if ticket == self.own => {
                        self.is_done = true;
                        drop(waker);
                    }
                    Some((_, waker)) => waker.wake(),
                    // SAFETY: the slot was vacant.
                    None => drop(unsafe { put(self.slab, slot) }),
                }
            }
        }
    }

    impl<S: Slab> Drop for Serve<S> {
        fn drop(&mut self) {
            self.run();
        }
    }

    Serve { slab, own, is_done: false }.run();
}

/// Returns the progress of a future, and replaces its waker if it waits. If it does not wait, the ticket is not used again.
pub(crate) fn poll<S: Slab>(
    slab: &S,
    ticket: Ticket,
    waker: &Waker,
    fresh: &mut Option<Waker>,
) -> Progress<S::Slot> {
    // A waker is cloned when the queue is not locked, and dropped by the caller, when it has used the progress.
    let progress = slab.with_waiters(|waiters| waiters.poll(ticket, waker, fresh));
    let Progress::NeedsWaker = progress else { return progress };
    *fresh = Some(waker.clone());
    slab.with_waiters(|waiters| waiters.poll(ticket, waker, fresh))
}

/// Removes a future from the queue. If it was given a slot, it returns that.
///
/// # Safety
///
/// The slab has a handle meanwhile. The ticket is not used again.
pub(crate) unsafe fn leave<S: Slab>(slab: NonNull<S>, ticket: Ticket) {
    // SAFETY: the caller's.
    let slab_ref = unsafe { slab.as_ref() };
    match slab_ref.with_waiters(|waiters| waiters.take(ticket)) {
        Taken::Waker(waker) => drop(waker),
        // SAFETY: the slot was vacant.
        Taken::Slot(slot) => drop(unsafe { put(slab, slot) }),
        Taken::Ended if is_worn_out(slab_ref) => drop(end_first(slab_ref)),
        Taken::Ended => {}
    }
}

/// Ends the wait of all futures, because the pool was closed.
pub(crate) fn end_all<S: Slab>(slab: &S) {
    /// Goes on if a waker panics. If another one panics then, the process aborts.
    struct EndAll<'s, S: Slab>(&'s S);

    impl<S: Slab> EndAll<'_, S> {
        fn run(&self) {
            while let Some(waker) = self.0.with_waiters(Waiters::end_first) {
                waker.wake();
            }
        }
    }

    impl<S: Slab> Drop for EndAll<'_, S> {
        fn drop(&mut self) {
            self.run();
        }
    }

    EndAll(slab).run();
}

/// Ends the wait of the first future, because all slots are retired. That future does the same for the next one.
pub(crate) fn end_first<S: Slab>(slab: &S) -> WakeOnDrop {
    WakeOnDrop(slab.with_waiters(Waiters::end_first))
}

/// Returns `true` if all slots of the slab are retired, and it has reached its limit.
pub(crate) fn is_worn_out<S: Slab>(slab: &S) -> bool {
    slab.with_depot(|depot| depot.counts.retired >= slab.base().settings.limit())
}

/// Returns a slot that was vacant.
///
/// # Safety
///
/// The slot is one of this slab, out, and referred to by nobody.
unsafe fn put<S: Slab>(slab: NonNull<S>, slot: NonNull<S::Slot>) -> WakeOnDrop {
    // SAFETY: the caller's.
    unsafe { S::put(slab, slot, End { exhausted: false, cancelled: false }) }
}
