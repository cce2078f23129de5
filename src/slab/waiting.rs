//! The functions by which futures wait for a slot of a slab.
//!
//! In a slab for several threads, a flag says whether the queue has a future. The flag changes under the lock of the queue. A thread that
//! returns a slot reads the flag under the lock of a stripe or of the depot. A poll that queues a future first sets the flag. Then it
//! [locks and unlocks](Slab::pass_locks) each stripe and the depot, and looks for vacant slots. If a return has taken its lock before the
//! poll takes the same lock, the poll finds the slot. Otherwise, the return sees the flag.

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
/// After this call, the caller checks whether the pool was closed, or all slots are retired. If so, the caller calls [`leave`], and
/// otherwise [`serve`].
pub(crate) fn queue<S: Slab>(slab: OpenSlab<'_, S>, waker: Waker) -> Ticket {
    let (ticket, grows) = slab.with_waiters(|waiters| waiters.push(waker));
    slab.base().allocations.add(grows.into());
    S::pass_locks(slab);
    ticket
}

/// Gives vacant slots to futures until there is no vacant slot, the queue is empty, or the future with the ticket `own` has a slot. Wakes
/// the other futures that get a slot.
pub(crate) fn serve<S: Slab>(slab: OpenSlab<'_, S>, own: Ticket) {
    /// The loop of the function. If a waker panics, the drop of this value continues the loop. If a second waker panics during the drop,
    /// the process aborts.
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
                    // The caller polls this future, so the future need not be woken.
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

/// Returns the progress of a future. If the future waits with the waker of another task, replaces this waker, and stores the old waker in
/// `replaced`. If the future does not wait any more, the caller does not use the ticket again.
pub(crate) fn poll<S: Slab>(
    slab: &S,
    ticket: Ticket,
    waker: &Waker,
    replaced: &mut Option<Waker>,
) -> Progress<S::Slot> {
    // The waker is cloned while the queue is not locked, because the clone calls code of the executor. The caller drops the waker in
    // `replaced` after it has used the progress.
    let progress = slab.with_waiters(|waiters| waiters.poll(ticket, waker, replaced));
    let Progress::NeedsWaker = progress else { return progress };
    // The next call of `Waiters::poll` swaps this clone with the old waker.
    *replaced = Some(waker.clone());
    slab.with_waiters(|waiters| waiters.poll(ticket, waker, replaced))
}

/// Removes a future from the queue. The caller does not use the ticket again. If the future was given a slot, returns this slot to the
/// slab. If the wait was ended because all slots are retired, ends the wait of the next future.
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
    /// The loop of the function. If a waker panics, the drop of this value continues the loop. If a second waker panics during the drop,
    /// the process aborts.
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

/// Ends the wait of the first future, because all slots are retired. The poll or drop of that future calls this function for the next
/// future.
pub(crate) fn end_first<S: Slab>(slab: &S) -> WakeOnDrop {
    WakeOnDrop(slab.with_waiters(Waiters::end_first))
}

/// Returns `true` if the slab has reached its limit, and all its slots are retired.
pub(crate) fn is_retired<S: Slab>(slab: &S) -> bool {
    slab.with_depot(|depot| depot.counts().retired >= slab.base().settings.limit())
}

/// Returns a slot to the slab. No operation has begun in this slot.
fn release<S: Slab>(slot: Vacant<S::Slot>) -> WakeOnDrop {
    S::release(slot, End { exhausted: false, cancelled: false })
}
