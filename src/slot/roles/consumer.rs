//! The consumer's role: it waits for the result, and then takes it or leaves.

use core::{
    mem,
    ops::Deref,
    task::{Poll, Waker},
};

use super::{Change, End, Recycler, Rented, State, Vacant, claim::orphan};
use crate::{pieces, slot::slot::Slot};

/// The consumer of an operation. It has no destructor: the future that contains it ends the role.
pub(crate) struct ConsumerRole<T, H: Recycler>(pub(super) Rented<T, H>);

impl<T, H: Recycler> Deref for ConsumerRole<T, H> {
    type Target = Slot<T, H>;

    #[inline(always)]
    fn deref(&self) -> &Slot<T, H> {
        self.0.slot()
    }
}

/// The consumer of an operation that has a value, and no completer. This is the usual end.
pub(crate) struct Completed<T, H: Recycler>(Rented<T, H>);

/// The consumer of an operation that has a result: a value, or none.
pub(crate) struct Finished<T, H: Recycler> {
    slot: Rented<T, H>,
    state: State,
}

/// How far an operation is: the two cases that a poll distinguishes on the fast path, and all others.
pub(super) enum Progress<T, H: Recycler> {
    Completed(Completed<T, H>),
    JustBegun(JustBegun<T, H>),
    Other,
}

/// The consumer of an operation in which nothing has happened yet.
pub(crate) struct JustBegun<T, H: Recycler>(Rented<T, H>);

impl<T, H: Recycler> ConsumerRole<T, H> {
    /// Returns the role as [`Completed`], if the operation is.
    #[inline(always)]
    pub(crate) fn completed(self) -> Result<Completed<T, H>, Self> {
        if self.state().is_completed() { Ok(Completed(self.0)) } else { Err(self) }
    }

    /// Returns how far the operation is, from one load of the state.
    #[inline(always)]
    pub(super) fn progress(self) -> Progress<T, H> {
        let state = self.state();
        if state.is_completed() {
            Progress::Completed(Completed(self.0))
        } else if state.is_rented() {
            Progress::JustBegun(JustBegun(self.0))
        } else {
            Progress::Other
        }
    }

    /// Returns the role as [`Finished`], if there is a result.
    #[inline(always)]
    pub(crate) fn finished(self) -> Result<Finished<T, H>, Self> {
        let state = self.state();
        if state.is_pending() { Err(self) } else { Ok(Finished { slot: self.0, state }) }
    }

    /// Makes sure that `waker` is woken when there is a result. Returns the role as an error if there is one.
    #[inline(always)]
    pub(crate) fn wait(self, waker: &Waker) -> Result<Self, Finished<T, H>> {
        let (slot, state) = (self.0, self.state());
        let waits = if state.is_rented() {
            register_first(slot, State::rented(self.number()), waker)
        } else if state.is_pending() {
            wait_slowly(slot, waker)
        } else {
            Err(state)
        };
        match waits {
            Ok(()) => Ok(self),
            Err(state) => Err(Finished { slot, state }),
        }
    }

    /// Leaves, and drops the result if there is one.
    pub(crate) fn leave(self) {
        if let Err(finished) = self.try_leave() {
            finished.discard();
        }
    }

    /// Leaves. Returns the role as an error if there is a result.
    #[inline(always)]
    pub(crate) fn try_leave(self) -> Result<(), Finished<T, H>> {
        let slot = self.0;
        let unclaimed = |state: State| if state.is_claimed() { None } else { state.leave() };
        match slot.change(self.state(), unclaimed) {
            Ok(change) => {
                left(slot, change);
                Ok(())
            }
            Err(state) if state.is_claimed() => leave_to_claimant(slot, state),
            Err(state) => Err(state),
        }
        .map_err(|state| Finished { slot, state })
    }
}

impl<T, H: Recycler> JustBegun<T, H> {
    /// Makes sure that `waker` is woken when there is a result. Returns the role as an error if there is one.
    #[inline(always)]
    pub(crate) fn wait(self, waker: &Waker) -> Result<ConsumerRole<T, H>, Finished<T, H>> {
        let slot = self.0;
        match register_first(slot, State::rented(slot.slot().number()), waker) {
            Ok(()) => Ok(ConsumerRole(slot)),
            Err(state) => Err(Finished { slot, state }),
        }
    }
}

/// Registers the first waker, from a state that is known beforehand, so that the exchange need not wait for the load. Returns the state as
/// an error if there is a result. The consumer has seen that no waker is registered.
#[inline(always)]
fn register_first<T, H: Recycler>(
    slot: Rented<T, H>,
    state: State,
    waker: &Waker,
) -> Result<(), State> {
    let next = state.register().expect("nothing happened yet");
    let fresh = waker.clone();
    slot.slot().waker.store(&fresh);
    if slot.exchange(state, next).is_err() {
        // By value: a reference to it would have put it on the stack before.
        return change_waker(slot, fresh);
    }
    // It belongs to the slot.
    mem::forget(fresh);
    end_if_closed(slot);
    Ok(())
}

/// Ends the operation if its pool was closed, and only a key could complete it.
#[inline(always)]
fn end_if_closed<T, H: Recycler>(slot: Rented<T, H>) {
    if H::is_closed(slot.slot()) {
        orphan(slot.borrowed());
    }
}

/// [`wait`](ConsumerRole::wait), from any state.
#[cold]
fn wait_slowly<T, H: Recycler>(slot: Rented<T, H>, waker: &Waker) -> Result<(), State> {
    let state = slot.slot().state();
    if state.is_only_keyed() {
        return register_first(slot, State::keyed(slot.slot().number()), waker);
    }
    if state.is_waiting() && slot.slot().waker.holds(waker) {
        return Ok(());
    }
    change_waker(slot, waker.clone())
}

/// Registers a waker, and drops the one that may be registered.
#[cold]
fn change_waker<T, H: Recycler>(slot: Rented<T, H>, fresh: Waker) -> Result<(), State> {
    // The old waker is dropped at the end of the function, because its destructor is foreign code.
    let (mut state, _old) = match slot.change(slot.slot().state(), State::unregister) {
        Ok(change) => (change.state, change.waker),
        Err(state) => (state, None),
    };
    while let Some(next) = state.register() {
        slot.slot().waker.store(&fresh);
        match slot.exchange(state, next) {
            Ok(()) => {
                mem::forget(fresh);
                end_if_closed(slot);
                return Ok(());
            }
            Err(now) => state = now,
        }
    }
    if state.is_pending() {
        // All registrations of the operation are used. From now on, the task polls until there is a result.
        fresh.wake();
        return Ok(());
    }
    Err(state)
}

/// [`ConsumerRole::try_leave`], if a producer has claimed the operation. If the consumer leaves first, the claimant returns the slot. The
/// consumer announces that before, so that a caller that finds no vacant slot waits for the claimant.
#[cold]
fn leave_to_claimant<T, H: Recycler>(slot: Rented<T, H>, state: State) -> Result<(), State> {
    H::begin_return(slot.slot());
    match slot.change(state, State::leave) {
        Ok(change) => {
            left(slot, change);
            Ok(())
        }
        Err(state) => {
            H::end_return(slot.slot());
            Err(state)
        }
    }
}

/// Returns the slot if no other role refers to it, and wakes the completer. The consumer has left by this change.
fn left<T, H: Recycler>(slot: Rented<T, H>, change: Change) {
    let Change { state, waker: _own, watcher } = change;
    if state.is_unreferenced() {
        drop(slot.release(state));
    }
    if let Some(watcher) = watcher {
        watcher.wake();
    }
}

impl<T, H: Recycler> Completed<T, H> {
    /// Takes the value, and returns the slot.
    #[inline(always)]
    pub(crate) fn take(self) -> T {
        let value = self.0.take_value();
        let (vacant, end) = self.0.end(false);
        match H::try_release(vacant, end) {
            Ok(()) => value,
            Err(vacant) => return_slowly(vacant, end, value),
        }
    }

    /// [`take`](Completed::take), as the result of a poll.
    #[inline(always)]
    pub(crate) fn take_polled(self) -> Poll<T> {
        let polled = Poll::Ready(self.0.take_value());
        let (vacant, end) = self.0.end(false);
        match H::try_release(vacant, end) {
            Ok(()) => polled,
            Err(vacant) if pieces::fits_registers::<Poll<T>>() => {
                return_slowly(vacant, end, polled)
            }
            Err(vacant) => {
                return_slowly(vacant, end, ());
                polled
            }
        }
    }
}

/// Returns a slot. It is the last call of its callers if the result is in registers, so that they save none.
#[inline(never)]
fn return_slowly<T, H: Recycler, R>(vacant: Vacant<Slot<T, H>>, end: End, result: R) -> R {
    drop(H::release(vacant, end));
    result
}

impl<T, H: Recycler> Finished<T, H> {
    /// Returns `true` if the result is a value.
    pub(crate) fn has_value(&self) -> bool {
        self.state.has_value()
    }

    /// Takes the value, or creates the result of an operation that was abandoned.
    pub(crate) fn take(self) -> T {
        let abandoned = self.slot.slot().abandoned();
        self.take_value().unwrap_or_else(abandoned)
    }

    /// Takes the value, or `None` if there is none, and releases the slot.
    fn take_value(self) -> Option<T> {
        let value = self.state.has_value().then(|| self.slot.take_value());
        release(self.slot, self.state);
        value
    }

    /// Drops the result, and releases the slot.
    fn discard(self) {
        /// Moving a larger value could overflow the stack.
        const MOVED: usize = 1024;

        if size_of::<T>() <= MOVED {
            self.discard_moved();
        } else {
            self.discard_in_place();
        }
    }

    /// Releases the slot first, so that the destructor of the value finds it vacant.
    #[inline(never)]
    fn discard_moved(self) {
        drop(self.take_value());
    }

    /// Drops the value in its cell, and then releases the slot.
    #[inline(never)]
    fn discard_in_place(self) {
        /// Releases the slot also if the destructor of the value panics.
        struct Release<T, H: Recycler>(Rented<T, H>, State);
        impl<T, H: Recycler> Drop for Release<T, H> {
            fn drop(&mut self) {
                release(self.0, self.1);
            }
        }

        let _release = Release(self.slot, self.state);
        if self.state.has_value() {
            self.slot.drop_value();
        }
    }
}

/// Ends the role of a consumer that has taken the result out of the slot.
fn release<T, H: Recycler>(slot: Rented<T, H>, mut state: State) {
    loop {
        let next = state.take().or_else(|| state.take_abandoned());
        let next = next.expect("an operation that is not pending has a result");
        if !state.is_held() {
            break;
        }
        match slot.exchange(state, next) {
            // The completer returns the slot.
            Ok(()) => return,
            Err(now) => state = now,
        }
    }
    // By rule 3, no other role refers to the slot.
    drop(slot.release(state));
}
