//! The queue of the futures that wait for a vacant slot of a bounded slab, first in, first out.
//!
//! While a future is queued, no returned slot becomes vacant. Instead, the thread that returns a slot gives it to the first future of the
//! queue, and wakes this future. A future that is dropped returns the slot that it was given, so the next future gets the slot.

use alloc::vec::Vec;
use core::{mem, task::Waker};

use crate::slot::Vacant;

/// The index of the entry of a future. It is valid until [`take`](Waiters::take) removes the future.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u32);

impl Ticket {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The index that stands for no entry.
const NONE: u32 = u32::MAX;

/// The queue of the futures that wait for a slot. It allocates if it needs more entries than ever before.
pub(crate) struct Waiters<S> {
    entries: Vec<Entry<S>>,
    first: u32,
    last: u32,
    /// The first entry of the list of free entries.
    free: u32,
    /// The number of futures that were given a slot, and have not been polled since.
    given: u32,
}

enum Entry<S> {
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

/// The state that a future had when it was removed.
pub(super) enum Taken<S> {
    /// The future was still waiting, with this waker.
    Waker(Waker),
    Slot(Vacant<S>),
    Ended,
}

impl<S> Waiters<S> {
    pub(super) const fn new() -> Self {
        Waiters { entries: Vec::new(), first: NONE, last: NONE, free: NONE, given: 0 }
    }

    /// Returns `true` if no future is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Returns the number of futures that were given a slot, and have not been polled since.
    pub(super) fn given(&self) -> u32 {
        self.given
    }

    /// Queues a future. Returns its ticket, and `true` if this call has allocated memory.
    pub(super) fn push(&mut self, waker: Waker) -> (Ticket, bool) {
        let grows = self.free == NONE && self.entries.len() == self.entries.capacity();
        if self.free == NONE {
            self.free = u32::try_from(self.entries.len()).expect("fewer than 2³² futures wait");
            self.entries.push(Entry::Free { next: NONE });
        }
        let queued = Entry::Queued(Queued { waker, previous: self.last, next: NONE });
        let ticket = Ticket(self.free);
        let Entry::Free { next } = mem::replace(&mut self.entries[ticket.index()], queued) else {
            unreachable!("an entry of the free list is free")
        };
        self.free = next;
        self.set_next(self.last, ticket.0);
        self.last = ticket.0;
        (ticket, grows)
    }

    /// Gives a slot to the first future, and returns the ticket and the waker of the future. Returns the slot as an error if no future is
    /// queued.
    pub(super) fn give(&mut self, slot: Vacant<S>) -> Result<(Ticket, Waker), Vacant<S>> {
        if self.is_empty() {
            return Err(slot);
        }
        self.given += 1;
        self.replace_first(Entry::Given(slot)).ok_or_else(|| unreachable!("a future is queued"))
    }

    /// Ends the wait of the first future. Returns its waker, or `None` if no future is queued.
    pub(super) fn end_first(&mut self) -> Option<Waker> {
        self.replace_first(Entry::Ended).map(|(_, waker)| waker)
    }

    /// Removes the first future from the queue, and replaces its entry by `entry`.
    fn replace_first(&mut self, entry: Entry<S>) -> Option<(Ticket, Waker)> {
        let first = Ticket(self.first);
        let Entry::Queued(queued) = mem::replace(self.entries.get_mut(first.index())?, entry)
        else {
            unreachable!("the first entry is queued")
        };
        Some((first, self.unlink(queued)))
    }

    /// Returns the progress of a future that is polled with `waker`. Removes the future if it does not wait any more. If the future waits
    /// and `fresh` contains a waker, swaps this waker with the waker in the entry of the future.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
        fresh: &mut Option<Waker>,
    ) -> Progress<S> {
        match (&mut self.entries[ticket.index()], fresh) {
            (Entry::Queued(queued), Some(fresh)) => {
                mem::swap(&mut queued.waker, fresh);
                Progress::Waits
            }
            (Entry::Queued(queued), None) if queued.waker.will_wake(waker) => Progress::Waits,
            (Entry::Queued(_), None) => Progress::NeedsWaker,
            _ => match self.take(ticket) {
                Taken::Slot(slot) => Progress::Slot(slot),
                Taken::Waker(_) | Taken::Ended => Progress::Ended,
            },
        }
    }

    /// Removes a future. The caller does not use the ticket again.
    pub(super) fn take(&mut self, ticket: Ticket) -> Taken<S> {
        let free = Entry::Free { next: mem::replace(&mut self.free, ticket.0) };
        match mem::replace(&mut self.entries[ticket.index()], free) {
            Entry::Queued(queued) => Taken::Waker(self.unlink(queued)),
            Entry::Given(slot) => {
                self.given -= 1;
                Taken::Slot(slot)
            }
            Entry::Ended => Taken::Ended,
            Entry::Free { .. } => unreachable!("a ticket is used once"),
        }
    }

    /// Connects the neighbours of a future that leaves the queue. Returns the waker of the future.
    fn unlink(&mut self, Queued { waker, previous, next }: Queued) -> Waker {
        self.set_next(previous, next);
        match self.entries.get_mut(next as usize) {
            Some(Entry::Queued(queued)) => queued.previous = previous,
            _ => self.last = previous,
        }
        waker
    }

    fn set_next(&mut self, entry: u32, next: u32) {
        match self.entries.get_mut(entry as usize) {
            Some(Entry::Queued(queued)) => queued.next = next,
            _ => self.first = next,
        }
    }
}

/// The progress of a future that was queued.
pub(crate) enum Progress<S> {
    Waits,
    /// The future waits, but its entry has the waker of another task.
    NeedsWaker,
    Slot(Vacant<S>),
    /// The future has no slot, and does not wait for a slot any more.
    Ended,
}
