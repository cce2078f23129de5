//! The producer's end of an operation: a completer, or whoever has its key.

use core::{
    mem::{self, ManuallyDrop},
    ptr::NonNull,
    task::{Context, Poll, Waker},
};

use crate::slab::{Home, Key, Slot, State, WakerParts};

/// A waker that is woken when it is dropped: at the end of a function, with nothing held, and also
/// if another one panics.
pub(super) struct Wake(Option<Waker>);

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}

/// The one completer of an operation.
pub(crate) struct Producer<T, H: Home>(NonNull<Slot<T, H>>);

impl<T, H: Home> Producer<T, H> {
    /// # Safety
    ///
    /// The slot is out, and its operation has no other completer.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<Slot<T, H>>) -> Self {
        Producer(slot)
    }

    #[inline(always)]
    fn slot(&self) -> &Slot<T, H> {
        // SAFETY: the slot is out as long as it is held.
        unsafe { self.0.as_ref() }
    }

    /// Gives the operation its value, or the value back.
    #[inline(always)]
    pub(crate) fn complete(self, value: T) -> Result<(), T> {
        let slot = self.slot();
        // SAFETY: this is the completer.
        let rented = State::rented(unsafe { slot.generation() });
        let waiting = rented.register().expect("nothing happened yet");
        let state = slot.state();
        if state.is_awaited() {
            let parts = slot.waker.copy();
            // SAFETY: no key was given out and nobody watches: the cell is the completer's.
            unsafe { slot.put_value(value) };
            let next = waiting.complete().expect("nothing else happened");
            if slot.exchange(waiting, next).is_ok() {
                // The slot is the consumer's.
                mem::forget(self);
                // SAFETY: the flag was cleared here, so the waker belongs to us.
                unsafe { parts.into_waker() }.wake();
                return Ok(());
            }
        } else if state.is_rented() {
            // SAFETY: as above.
            unsafe { slot.put_value(value) };
            let next = rented.complete().expect("nothing else happened");
            if slot.exchange(rented, next).is_ok() {
                mem::forget(self);
                return Ok(());
            }
        } else {
            return self.complete_slowly(value);
        }
        // SAFETY: the cell is the completer's still, and the value was put there.
        let value = unsafe { slot.take_value() };
        self.complete_slowly(value)
    }

    /// [`complete`](Producer::complete), where somebody has gone, watches, or has the key.
    #[cold]
    fn complete_slowly(self, mut value: T) -> Result<(), T> {
        let slot = self.slot();
        let (mut state, _watcher) = self.unwatch(slot.state());
        while let Some(next) = state.complete() {
            let waker = state.is_waiting().then(|| slot.waker.copy());
            // SAFETY: no key was given out and nobody watches: the cell is the completer's.
            unsafe { slot.put_value(value) };
            match slot.exchange(state, next) {
                Ok(()) => {
                    // The slot is the consumer's.
                    mem::forget(self);
                    // SAFETY: the flag was cleared here, so the waker belongs to us.
                    drop(Wake(waker.map(|parts| unsafe { parts.into_waker() })));
                    return Ok(());
                }
                Err(now) => state = now,
            }
            // SAFETY: the cell is the completer's still, and the value was put there.
            value = unsafe { slot.take_value() };
        }
        let Ok(claimed) = claim(slot, state) else {
            self.release();
            return Err(value);
        };
        // SAFETY: the operation was claimed here.
        let done = unsafe { fulfil(self.0, claimed, Some(value)) };
        self.release();
        // Now the consumer is woken.
        done.map(drop).map_err(|value| value.expect("what was given comes back"))
    }

    /// Ends the operation without a value, unless it has ended. `self` is not used again.
    fn give_up(&self) {
        let slot = self.slot();
        let (mut state, _watcher) = self.unwatch(slot.state());
        while let Some(next) = state.give_up() {
            let waker = state.is_waiting().then(|| slot.waker.copy());
            match slot.exchange(state, next) {
                Ok(()) => {
                    if let Some(parts) = waker {
                        // SAFETY: the flag was cleared here, so the waker belongs to us.
                        unsafe { parts.into_waker() }.wake();
                    }
                    return;
                }
                Err(now) => state = now,
            }
        }
        self.let_go();
    }

    /// Nobody waits for a result any more: the consumer has gone, or somebody with the key was
    /// faster.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        let state = self.slot().state();
        state.is_gone() || !state.is_pending()
    }

    /// `Ready` if [`is_abandoned`](Producer::is_abandoned), and otherwise `cx` is woken when it is.
    pub(crate) fn poll_abandoned(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let slot = self.slot();
        let fresh = cx.waker().clone();
        let (mut state, _old) = self.unwatch(slot.state());
        while let Some(next) = state.watch() {
            slot.watcher.put(&fresh);
            match slot.exchange(state, next) {
                Ok(()) => {
                    mem::forget(fresh);
                    return Poll::Pending;
                }
                Err(now) => state = now,
            }
        }
        if state.is_pending() && !state.is_gone() {
            // The registrations are used up: from now on it has to be polled.
            fresh.wake();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    pub(crate) fn key(&self) -> Key {
        let slot = self.slot();
        let mut state = slot.state();
        while let Err(now) = slot.exchange(state, state.issue_key().expect(HELD)) {
            state = now;
        }
        // SAFETY: this is the completer.
        unsafe { slot.key() }
    }

    /// Leaves the operation to those who have the key.
    pub(crate) fn into_key(self) -> Key {
        let key = self.key();
        let (_, _watcher) = self.unwatch(self.slot().state());
        self.release();
        key
    }

    /// Takes the completer's own waker out, if it is there.
    #[inline(always)]
    fn unwatch(&self, mut state: State) -> (State, Option<Waker>) {
        while let Some(next) = state.unwatch() {
            let parts = self.slot().watcher.copy();
            match self.slot().exchange(state, next) {
                // SAFETY: the flag was cleared here, so the waker belongs to us.
                Ok(()) => return (next, Some(unsafe { parts.into_waker() })),
                Err(now) => state = now,
            }
        }
        (state, None)
    }

    /// Lets go of the slot; nobody watches.
    fn release(self) {
        ManuallyDrop::new(self).let_go();
    }

    /// [`release`](Producer::release); `self` is not used again.
    fn let_go(&self) {
        let mut state = self.slot().state();
        loop {
            let next = state.release().expect(HELD);
            if state.is_the_completers_own() {
                break;
            }
            match self.slot().exchange(state, next) {
                Ok(()) if next.is_unreferenced() => break,
                Ok(()) => return,
                Err(now) => state = now,
            }
        }
        // SAFETY: nobody else refers to the slot.
        unsafe { Slot::give_back(self.0, state) };
    }
}

impl<T, H: Home> Drop for Producer<T, H> {
    fn drop(&mut self) {
        self.give_up();
    }
}

const HELD: &str = "a completer holds its slot";

/// Claims an operation for somebody who has its key. `Err` with the state if that is not allowed.
pub(super) fn claim<T, H: Home>(slot: &Slot<T, H>, mut state: State) -> Result<State, State> {
    while let Some(next) = state.claim() {
        match slot.exchange(state, next) {
            Ok(()) => return Ok(next),
            Err(now) => state = now,
        }
    }
    Err(state)
}

/// Gives a claimed operation its outcome, `None` if there is no value. The consumer is woken when
/// what is returned is dropped. `Err` with the outcome if the consumer has gone.
///
/// # Safety
///
/// The operation was claimed by the caller, which made the state `claimed`.
pub(super) unsafe fn fulfil<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    claimed: State,
    outcome: Option<T>,
) -> Result<[Wake; 2], Option<T>> {
    // SAFETY: a slot with a claim on it is out.
    let slot = unsafe { this.as_ref() };
    let has_value = outcome.is_some();
    if let Some(value) = outcome {
        // SAFETY: the cell is the claimant's.
        unsafe { slot.put_value(value) };
    }
    let mut state = claimed;
    while let Some(next) = if has_value { state.fulfil() } else { state.refuse() } {
        let waker = state.is_waiting().then(|| slot.waker.copy());
        let watcher = state.is_watched().then(|| slot.watcher.copy());
        match slot.exchange(state, next) {
            Ok(()) => {
                let wake = |waker: Option<WakerParts>| {
                    // SAFETY: the flags were cleared here, so the wakers belong to us.
                    Wake(waker.map(|parts| unsafe { parts.into_waker() }))
                };
                return Ok([wake(waker), wake(watcher)]);
            }
            Err(now) => state = now,
        }
    }
    // The consumer has gone.
    // SAFETY: the cell is the claimant's, and the value was put there.
    let outcome = has_value.then(|| unsafe { slot.take_value() });
    loop {
        let next = state.withdraw().expect("a claim is the claimant's to withdraw");
        match slot.exchange(state, next) {
            Ok(()) if next.is_unreferenced() => break,
            Ok(()) => return Err(outcome),
            Err(now) => state = now,
        }
    }
    // SAFETY: nobody refers to the slot.
    unsafe { Slot::give_back(this, state) };
    Err(outcome)
}
