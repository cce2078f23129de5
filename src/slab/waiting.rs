//! How futures wait for a slot of a slab.
//!
//! A flag of the slab says whether its queue has a future. It changes under the lock of the queue. A thread that returns a
//! slot reads it under the lock of the stripe or depot that would take the slot. A future that was queued then
//! [locks and unlocks](Slab::pass_locks) all of these, and looks for vacant slots afterwards. Each return either comes
//! before the future in the order of such a lock, so the future finds the slot, or it comes later and sees the flag.

use core::task::Waker;

use super::{
    budget::Unlimited,
    reference::OpenSlab,
    slab::Slab,
    waiters::{Progress, Taken, Ticket, Waiters},
};
use crate::slot::{End, Vacant, WakeOnDrop, Word};

/// Queues a future.
///
/// If it does not [leave](leave) at once, the caller calls [`serve`] afterwards.
pub(crate) fn queue<S: Slab>(slab: OpenSlab<'_, S>, waker: Waker) -> Ticket {
    let (ticket, grows) = slab.with_waiters(|waiters| waiters.push(waker));
    slab.base().allocations.add(grows.into());
    S::pass_locks(slab);
    ticket
}

/// Gives vacant slots to futures until there is no vacant slot, the queue is empty, or `own` has a slot. It
/// wakes the other futures.
pub(crate) fn serve<S: Slab>(slab: OpenSlab<'_, S>, own: Ticket) {
    /// Goes on if a waker panics. If another one panics then, the process aborts.
    struct Serve<'s, S: Slab> {
        slab: OpenSlab<'s, S>,
        own: Ticket,
        is_done: bool,
    }

    impl<S: Slab> Serve<'_, S> {
        fn run(&mut self) {
            let slab = self.slab;
            while !self.is_done {
                let Some(slot) = slab.has_waiters().then(|| slab.rent(Unlimited)).flatten() else {
                    self.is_done = true;
                    return;
                };
                match slab.with_waiters(|waiters| waiters.give(slot)) {
                    // The caller is inside a poll, so it needs no waker.
                    Ok((ticket, waker)) if ticket == self.own => {
                        self.is_done = true;
                        drop(waker);
                    }
                    Ok((_, waker)) => waker.wake(),
                    Err(slot) => drop(release::<S>(slot)),
                }
            }
        }
    }

    impl<S: Slab> Drop for Serve<'_, S> {
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

/// Removes a future from the queue, which does not use the ticket again. If it was given a slot, it returns that.
pub(crate) fn leave<S: Slab>(slab: &S, ticket: Ticket) {
    match slab.with_waiters(|waiters| waiters.take(ticket)) {
        Taken::Waker(waker) => drop(waker),
        Taken::Slot(slot) => drop(release::<S>(slot)),
        Taken::Ended if is_retired(slab) => drop(end_first(slab)),
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
pub(crate) fn is_retired<S: Slab>(slab: &S) -> bool {
    slab.with_depot(|depot| depot.counts().retired >= slab.base().settings.limit())
}

/// Returns a slot that was not used.
fn release<S: Slab>(slot: Vacant<S::Slot>) -> WakeOnDrop {
    S::release(slot, End { exhausted: false, cancelled: false })
}
