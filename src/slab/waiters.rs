//! The queue of the futures that wait for a vacant slot of a bounded slab, first in, first out.
//!
//! While a future is queued, no slot becomes vacant: the thread that returns one gives it to the first future of the
//! queue, and wakes it. A future that is dropped returns the slot that it was given, so the next future gets it.

use alloc::vec::Vec;
use core::{mem, task::Waker};

use crate::slot::Vacant;

/// The place of a future in the queue. It is used until [`take`](Waiters::take) removes the future.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u32);

impl Ticket {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// No place.
const NONE: u32 = u32::MAX;

/// The futures that wait for a slot. The queue allocates when more futures wait than ever before.
pub(crate) struct Waiters<S> {
    places: Vec<Place<S>>,
    first: u32,
    last: u32,
    /// The first place that is free.
    free: u32,
    /// The number of places with a slot.
    given: u32,
}

enum Place<S> {
    Free {
        next: u32,
    },
    Queued(Queued),
    /// The future was given a slot, and has not been polled since.
    Given(Vacant<S>),
    /// The pool was closed, or all its slots are retired.
    Ended,
}

struct Queued {
    waker: Waker,
    previous: u32,
    next: u32,
}

/// The state of a future that was removed.
pub(super) enum Taken<S> {
    /// The future was waiting.
    Waker(Waker),
    Slot(Vacant<S>),
    Ended,
}

impl<S> Waiters<S> {
    pub(super) const fn new() -> Self {
        Waiters { places: Vec::new(), first: NONE, last: NONE, free: NONE, given: 0 }
    }

    /// Returns `true` if no future is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Returns the number of slots that were given to futures which have not been polled since.
    pub(super) fn given(&self) -> u32 {
        self.given
    }

    /// Queues a future. Also returns `true` if that called the allocator.
    pub(super) fn push(&mut self, waker: Waker) -> (Ticket, bool) {
        let grows = self.free == NONE && self.places.len() == self.places.capacity();
        if self.free == NONE {
            self.free = u32::try_from(self.places.len()).expect("futures take memory");
            self.places.push(Place::Free { next: NONE });
        }
        let queued = Place::Queued(Queued { waker, previous: self.last, next: NONE });
        let ticket = Ticket(self.free);
        let Place::Free { next } = mem::replace(&mut self.places[ticket.index()], queued) else {
            unreachable!("a place of the free list is free")
        };
        self.free = next;
        self.set_next(self.last, ticket.0);
        self.last = ticket.0;
        (ticket, grows)
    }

    /// Gives a slot to the first future, and returns the waker of the future. Returns the slot if no future is queued.
    pub(super) fn give(&mut self, slot: Vacant<S>) -> Result<(Ticket, Waker), Vacant<S>> {
        if self.is_empty() {
            return Err(slot);
        }
        self.given += 1;
        self.replace_first(Place::Given(slot)).ok_or_else(|| unreachable!("a future is queued"))
    }

    /// Ends the wait of the first future. Returns its waker, or `None` if no future is queued.
    pub(super) fn end_first(&mut self) -> Option<Waker> {
        self.replace_first(Place::Ended).map(|(_, waker)| waker)
    }

    /// Removes the first future from the queue.
    fn replace_first(&mut self, place: Place<S>) -> Option<(Ticket, Waker)> {
        let first = Ticket(self.first);
        let Place::Queued(queued) = mem::replace(self.places.get_mut(first.index())?, place) else {
            unreachable!("the first place is queued")
        };
        Some((first, self.unlink(queued)))
    }

    /// Returns the progress of a future, and removes it if it does not wait. If it waits, and `fresh` has a waker, the two wakers
    /// change places.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
        fresh: &mut Option<Waker>,
    ) -> Progress<S> {
        match (&mut self.places[ticket.index()], fresh) {
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
    pub(super) fn take(&mut self, ticket: Ticket) -> Taken<S> {
        let free = Place::Free { next: mem::replace(&mut self.free, ticket.0) };
        match mem::replace(&mut self.places[ticket.index()], free) {
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
        match self.places.get_mut(next as usize) {
            Some(Place::Queued(queued)) => queued.previous = previous,
            _ => self.last = previous,
        }
        waker
    }

    fn set_next(&mut self, place: u32, next: u32) {
        match self.places.get_mut(place as usize) {
            Some(Place::Queued(queued)) => queued.next = next,
            _ => self.first = next,
        }
    }
}

/// The progress of a future that was queued.
pub(crate) enum Progress<S> {
    Waits,
    /// It waits with another waker.
    NeedsWaker,
    Slot(Vacant<S>),
    /// It has no slot, and does not wait for one.
    Ended,
}
