//! The role of the consumer, which waits for the result and takes it, or leaves the operation.

use core::{
    marker::PhantomData,
    mem,
    ops::Deref,
    task::{Poll, Waker},
};

use super::{Change, End, Recycler, Rented, State, Vacant, claim::orphan, slot::Slot};
use crate::pieces;

/// The consumer of an operation. The role has no destructor, so the owner of the role must end it. A source that contains the slot is
/// borrowed for `'a`. A slot of a slab stays allocated as long as the role exists.
pub(crate) struct ConsumerRole<'a, T, H: Recycler>(pub(super) Rented<T, H>, PhantomData<&'a ()>);

impl<T, H: Recycler> Deref for ConsumerRole<'_, T, H> {
    type Target = Slot<T, H>;

    #[inline(always)]
    fn deref(&self) -> &Slot<T, H> {
        self.0.slot()
    }
}

/// The consumer of an operation that has a value and no completer. A poll handles this case on its fast path.
pub(crate) struct Completed<'a, T, H: Recycler>(Rented<T, H>, PhantomData<&'a ()>);

/// The consumer of an operation that has ended, with or without a value.
pub(crate) struct Finished<'a, T, H: Recycler> {
    slot: Rented<T, H>,
    state: State,
    borrow: PhantomData<&'a ()>,
}

/// The progress of an operation: the two cases that a poll distinguishes on the fast path, and all other cases.
pub(super) enum Progress<'a, T, H: Recycler> {
    Completed(Completed<'a, T, H>),
    JustBegun(JustBegun<'a, T, H>),
    Other,
}

/// The consumer of an operation that is still in its first state, [`rented`](State::rented).
pub(crate) struct JustBegun<'a, T, H: Recycler>(Rented<T, H>, PhantomData<&'a ()>);

impl<'a, T, H: Recycler> ConsumerRole<'a, T, H> {
    /// Creates the role. The slot stays allocated for `'a`, or as long as the role exists.
    #[inline(always)]
    pub(super) fn new(slot: Rented<T, H>) -> Self {
        ConsumerRole(slot, PhantomData)
    }

    /// Returns the role as a [`Completed`] if the operation has a value and no completer. Otherwise, returns the role as an error.
    #[inline(always)]
    pub(crate) fn completed(self) -> Result<Completed<'a, T, H>, Self> {
        if self.state().is_completed() { Ok(Completed(self.0, PhantomData)) } else { Err(self) }
    }

    /// Returns the progress of the operation. Loads the state only once.
    #[inline(always)]
    pub(super) fn progress(self) -> Progress<'a, T, H> {
        let state = self.state();
        if state.is_completed() {
            Progress::Completed(Completed(self.0, PhantomData))
        } else if state.is_rented() {
            Progress::JustBegun(JustBegun(self.0, PhantomData))
        } else {
            Progress::Other
        }
    }

    /// Returns the role as a [`Finished`] if the operation has ended. Otherwise, returns the role as an error.
    #[inline(always)]
    pub(crate) fn finished(self) -> Result<Finished<'a, T, H>, Self> {
        let state = self.state();
        if state.is_pending() { Err(self) } else { Ok(Finished::new(self.0, state)) }
    }

    /// Makes sure that `waker` is woken when there is a result. If there already is a result, returns the role as a [`Finished`].
    #[inline(always)]
    pub(crate) fn wait(self, waker: &Waker) -> Result<Self, Finished<'a, T, H>> {
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
            Err(state) => Err(Finished::new(slot, state)),
        }
    }

    /// Leaves the operation. If there is a result, drops the result.
    pub(crate) fn leave(self) {
        if let Err(finished) = self.try_leave() {
            finished.discard();
        }
    }

    /// Leaves the operation. If there is a result, returns the role as a [`Finished`] instead.
    #[inline(always)]
    pub(crate) fn try_leave(self) -> Result<(), Finished<'a, T, H>> {
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
        .map_err(|state| Finished::new(slot, state))
    }
}

impl<'a, T, H: Recycler> JustBegun<'a, T, H> {
    /// Makes sure that `waker` is woken when there is a result. If there already is a result, returns the role as a [`Finished`].
    #[inline(always)]
    pub(crate) fn wait(self, waker: &Waker) -> Result<ConsumerRole<'a, T, H>, Finished<'a, T, H>> {
        let slot = self.0;
        match register_first(slot, State::rented(slot.slot().number()), waker) {
            Ok(()) => Ok(ConsumerRole::new(slot)),
            Err(state) => Err(Finished::new(slot, state)),
        }
    }
}

/// Registers the first waker. The caller has computed `state`, so that the exchange need not wait until the state is loaded. The caller has
/// also seen that no waker is registered. If there is a result, returns the current state as an error.
#[inline(always)]
fn register_first<T, H: Recycler>(
    slot: Rented<T, H>,
    state: State,
    waker: &Waker,
) -> Result<(), State> {
    let next = state.register().expect("a new operation has no registrations");
    let fresh = waker.clone();
    slot.slot().waker.store(&fresh);
    if slot.exchange(state, next).is_err() {
        // The waker is passed by value. If it were passed by reference, the fast path would also have to store it on the stack.
        return change_waker(slot, fresh);
    }
    // The waker belongs to the slot now.
    mem::forget(fresh);
    end_if_closed(slot);
    Ok(())
}

/// Calls [`orphan`] if the pool of the operation was closed.
#[inline(always)]
fn end_if_closed<T, H: Recycler>(slot: Rented<T, H>) {
    if H::is_closed(slot.slot()) {
        orphan(slot.borrowed());
    }
}

/// Does what [`wait`](ConsumerRole::wait) does, from any state.
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

/// Registers a waker, and drops the waker that was registered before, if there was one.
#[cold]
fn change_waker<T, H: Recycler>(slot: Rented<T, H>, fresh: Waker) -> Result<(), State> {
    // The old waker is dropped at the end of the function, because its destructor may run any code.
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
        // The operation has reached the maximum number of registrations (see `state.rs`), so the waker cannot be stored. Instead, the task
        // is woken at once, and polls again until there is a result.
        fresh.wake();
        return Ok(());
    }
    Err(state)
}

/// Does what [`ConsumerRole::try_leave`] does, for a claimed operation. If the consumer leaves before the claim ends, and there is no
/// completer, the claimant returns the slot. Before the consumer leaves, this function announces the return. So a thread that finds no
/// vacant slot waits for the claimant.
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

/// Finishes the work of a consumer that has left by `change`: returns the slot if no other role refers to the slot, and wakes the
/// completer.
fn left<T, H: Recycler>(slot: Rented<T, H>, change: Change) {
    let Change { state, waker: _own, watcher } = change;
    if state.is_unreferenced() {
        drop(slot.release(state));
    }
    if let Some(watcher) = watcher {
        watcher.wake();
    }
}

impl<T, H: Recycler> Completed<'_, T, H> {
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

    /// Does what [`take`](Completed::take) does, and returns the value as the result of a poll.
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

/// Returns a slot on the slow path, and then returns `result`. If the result is in registers, this call is the last instruction of the
/// caller. So the caller saves no registers.
#[inline(never)]
fn return_slowly<T, H: Recycler, R>(vacant: Vacant<Slot<T, H>>, end: End, result: R) -> R {
    drop(H::release(vacant, end));
    result
}

impl<T, H: Recycler> Finished<'_, T, H> {
    #[inline(always)]
    fn new(slot: Rented<T, H>, state: State) -> Self {
        Finished { slot, state, borrow: PhantomData }
    }

    /// Returns `true` if the result is a value.
    pub(crate) fn has_value(&self) -> bool {
        self.state.has_value()
    }

    /// Takes the value, or creates the result of an operation that was abandoned. Releases the slot.
    pub(crate) fn take(self) -> T {
        let abandoned = self.slot.slot().abandoned();
        self.take_value().unwrap_or_else(abandoned)
    }

    /// Takes the value if there is one, and releases the slot.
    fn take_value(self) -> Option<T> {
        let value = self.state.has_value().then(|| self.slot.take_value());
        release(self.slot, self.state);
        value
    }

    /// Drops the result, and releases the slot.
    fn discard(self) {
        /// The size of the largest value that is moved. Moving a larger value could overflow the stack.
        const MOVED: usize = 1024;

        if size_of::<T>() <= MOVED {
            self.discard_moved();
        } else {
            self.discard_in_place();
        }
    }

    /// Moves the value out, releases the slot, and then drops the value. So the consumer no longer refers to the slot when the destructor
    /// of the value runs.
    #[inline(never)]
    fn discard_moved(self) {
        drop(self.take_value());
    }

    /// Drops the value inside the slot, and then releases the slot.
    #[inline(never)]
    fn discard_in_place(self) {
        /// A guard that releases the slot, even if the destructor of the value panics.
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

/// Ends the role of a consumer. If there was a value, the consumer has already taken the value out of the slot, or dropped it there.
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
    // By rule 3 of `slot/states.md`, no other role refers to the slot.
    drop(slot.release(state));
}
