//! The role of the completer, which is the producer's end of an operation.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ptr::NonNull,
    task::{Context, Poll, Waker},
};

use super::{
    Change, Recycler, Rented, State,
    claim::{Claim, Wake},
    slot::Slot,
};
use crate::slot::{CompleteError, CompleteErrorKind, Key};

/// The completer of an operation. If this role is dropped, the operation ends without a value.
///
/// `'a` is the borrow of the object that contains the slot. `CompleterRole` implements `Drop`, and has this lifetime as a parameter. So the
/// compiler refuses a completer that outlives the object, even if the completer is only dropped. A slot of a pool stays allocated while it
/// is rented, so a completer of a pool has the lifetime `'static`.
pub(crate) struct CompleterRole<'a, T, H: Recycler>(Rented<T, H>, PhantomData<&'a ()>);

const HOLDS_ITS_SLOT: &str = "a completer holds its slot";

impl<T, H: Recycler> CompleterRole<'_, T, H> {
    #[inline(always)]
    pub(super) fn new(slot: Rented<T, H>) -> Self {
        CompleterRole(slot, PhantomData)
    }

    /// Converts the role into the address of its slot, for [`from_raw`](CompleterRole::from_raw).
    pub(crate) fn into_pointer(self) -> NonNull<Slot<T, H>> {
        ManuallyDrop::new(self).0.0
    }

    #[inline(always)]
    fn slot(&self) -> &Slot<T, H> {
        self.0.slot()
    }

    /// Completes the operation. If the operation is closed, returns an error that contains the value.
    #[inline(always)]
    pub(crate) fn complete(self, value: T) -> Result<(), CompleteError<T>> {
        let slot = self.0;
        let rented = State::rented(self.slot().number());
        let waiting = rented.register().expect("a new operation has no registrations");
        let state = self.slot().state();
        // If `is_awaited` or `is_rented` returns `true`, no key was issued, and the completer's waker is not in the slot. So the value
        // field belongs to the completer.
        if state.is_awaited() {
            slot.store_value(value);
            let next = waiting.complete().expect("no key was issued");
            if let Some(waker) = slot.exchange_for_waker(waiting, next) {
                mem::forget(self);
                waker.wake();
                return Ok(());
            }
        } else if state.is_rented() {
            slot.store_value(value);
            let next = rented.complete().expect("no key was issued");
            if slot.exchange(rented, next).is_ok() {
                mem::forget(self);
                return Ok(());
            }
        } else {
            return self.complete_slowly(value);
        }
        // The exchange has failed, so the value field still belongs to the completer.
        let value = slot.take_value();
        self.complete_slowly(value)
    }

    /// Does what [`complete`](CompleterRole::complete) does, from any state.
    #[cold]
    fn complete_slowly(self, mut value: T) -> Result<(), CompleteError<T>> {
        let slot = self.0;
        let (mut state, _watcher) = self.unwatch(self.slot().state());
        if state.complete().is_some() {
            // The transition `complete` is allowed only if no key was issued. So the value field belongs to the completer.
            slot.store_value(value);
            match slot.change(state, State::complete) {
                Ok(change) => {
                    mem::forget(self);
                    drop(Wake::of(change));
                    return Ok(());
                }
                Err(now) => state = now,
            }
            value = slot.take_value();
        }
        let claim = match slot.change(state, State::claim) {
            Ok(change) => Claim::<T, H>::new(slot, change.state),
            Err(state) => {
                // `refusal` returns `Unknown` if no key was issued. Without a key, no producer can have ended the operation. So the reason
                // for the refusal is that the consumer has left.
                let kind = match state.refusal() {
                    CompleteErrorKind::Unknown => CompleteErrorKind::Closed,
                    other => other,
                };
                return Err(self.refused(kind, value));
            }
        };
        match claim.complete(State::complete_claimed_and_release, value) {
            Ok(wake) => {
                mem::forget(self);
                drop(wake);
                Ok(())
            }
            Err(value) => Err(self.refused(CompleteErrorKind::Closed, value)),
        }
    }

    /// Releases the slot, and returns the error that contains the value.
    fn refused(self, kind: CompleteErrorKind, value: T) -> CompleteError<T> {
        let key = H::key_of(self.slot().number());
        ManuallyDrop::new(self).release();
        CompleteError { key, kind, value }
    }

    /// Returns `true` if the operation needs no result any more: the consumer has left, or a producer with the key has ended the operation.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        !self.slot().state().is_open()
    }

    /// Returns `Ready` if the operation [is closed](CompleterRole::is_closed). Otherwise, makes sure that the task is woken when the
    /// operation is closed.
    pub(crate) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let slot = self.slot();
        let state = slot.state();
        if !state.is_open() {
            return Poll::Ready(());
        }
        if state.is_watched() && slot.watcher.holds(cx.waker()) {
            return Poll::Pending;
        }
        let fresh = cx.waker().clone();
        let (mut state, _old) = self.unwatch(state);
        while let Some(next) = state.watch() {
            slot.watcher.store(&fresh);
            match self.0.exchange(state, next) {
                Ok(()) => {
                    mem::forget(fresh);
                    return Poll::Pending;
                }
                Err(now) => state = now,
            }
        }
        if state.is_open() {
            // The operation has reached the maximum number of registrations (see `state.rs`), so the waker cannot be stored. Instead, the
            // task is woken at once, and polls again until the operation is closed.
            fresh.wake();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Returns the key of the operation. From now on, a producer with the key can complete the operation, too.
    pub(crate) fn issue_key(&self) -> Key {
        let slot = self.slot();
        let mut state = slot.state();
        while let Err(now) = self.0.exchange(state, state.issue_key().expect(HOLDS_ITS_SLOT)) {
            state = now;
        }
        H::key_of(slot.number())
    }

    /// Returns the key of the operation, and leaves the operation to this key.
    #[inline(always)]
    pub(crate) fn into_key(self) -> Key {
        let this = ManuallyDrop::new(self);
        let number = this.slot().number();
        let (rented, keyed) = (State::rented(number), State::keyed(number));
        if !this.slot().state().is_rented() || this.0.exchange(rented, keyed).is_err() {
            this.leave_to_key();
        }
        H::key_of(number)
    }

    /// Leaves the operation to its key, from any state. The caller does not use the role again.
    #[cold]
    #[inline(never)]
    fn leave_to_key(&self) {
        let (state, _watcher) = self.unwatch(self.slot().state());
        match self.0.change(state, State::into_key) {
            Ok(change) if change.state.is_unreferenced() => drop(self.0.release(change.state)),
            Ok(_) => {}
            // The operation is `ORPHANED`: its pool was closed. The operation must not wait for a producer with the key, so the completer
            // ends it.
            Err(_) => self.abandon(),
        }
    }

    /// Takes the completer's waker out of the slot, if the slot contains this waker. Returns the new state and the waker.
    #[inline(always)]
    fn unwatch(&self, state: State) -> (State, Option<Waker>) {
        match self.0.change(state, State::unwatch) {
            Ok(change) => (change.state, change.watcher),
            Err(state) => (state, None),
        }
    }

    /// Ends the operation without a value, unless it has already ended. The caller does not use the role again.
    fn abandon(&self) {
        let (state, _watcher) = self.unwatch(self.slot().state());
        match self.0.change(state, State::abandon) {
            Ok(change) => drop(Wake::of(change)),
            Err(_) => self.release(),
        }
    }

    /// Releases the slot. The caller has taken the completer's waker out of the slot, and does not use the role again.
    fn release(&self) {
        let mut state = self.slot().state();
        if !state.only_completer_is_left() {
            let Ok(Change { state: now, .. }) = self.0.change(state, State::release) else {
                unreachable!("{HOLDS_ITS_SLOT}")
            };
            if !now.is_unreferenced() {
                return;
            }
            state = now;
        }
        // By rule 3 of `slot/states.md`, no other role refers to the slot.
        drop(self.0.release(state));
    }
}

impl<T, H: Recycler> Drop for CompleterRole<'_, T, H> {
    fn drop(&mut self) {
        self.abandon();
    }
}
