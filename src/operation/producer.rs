//! The producer's end of an operation: a completer, or whoever has its key.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ptr::NonNull,
    task::{Context, Poll, Waker},
};

use super::{CompleteError, CompleteErrorKind};
use crate::slot::{Change, Home, Key, Slot, State, WakeOnDrop};

/// Wakers that are woken when this is dropped: at the end of a function, with nothing held. If one
/// panics, the other is woken all the same.
pub(super) struct Wake {
    waker: Option<Waker>,
    _watcher: WakeOnDrop,
}

impl Wake {
    #[inline(always)]
    fn of(change: Change) -> Self {
        Wake { waker: change.waker, _watcher: WakeOnDrop(change.watcher) }
    }
}

impl Drop for Wake {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The one completer of an operation.
///
/// `'a` is the borrow of what contains the slot. The destructor uses the slot, and `'a` is a parameter of the type
/// with the destructor: so no handle outlives the owner, not even to be dropped. A slot of a pool lives as long as
/// it is out, so its completer is `'static`.
pub(crate) struct Producer<'a, T, H: Home>(NonNull<Slot<T, H>>, PhantomData<&'a ()>);

impl<T, H: Home> Producer<'_, T, H> {
    /// # Safety
    ///
    /// The slot is out, and its operation has no other completer. If being out does not keep the slot alive,
    /// it lives for the lifetime of the completer.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<Slot<T, H>>) -> Self {
        Producer(slot, PhantomData)
    }

    /// The producer as a pointer, for foreign code.
    pub(crate) fn into_raw(self) -> *mut () {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    /// # Safety
    ///
    /// The pointer is from [`into_raw`](Producer::into_raw) of a producer of this type, and is used once.
    pub(crate) unsafe fn from_raw(pointer: *mut ()) -> Self {
        // SAFETY: the caller's.
        Producer(unsafe { NonNull::new_unchecked(pointer) }.cast(), PhantomData)
    }

    #[inline(always)]
    fn slot(&self) -> &Slot<T, H> {
        // SAFETY: the slot is out as long as it is held.
        unsafe { self.0.as_ref() }
    }

    /// [`Slot::exchange`].
    #[inline(always)]
    fn exchange(&self, from: State, to: State) -> Result<(), State> {
        // SAFETY: the slot is out as long as it is held.
        unsafe { Slot::exchange(self.0, from, to) }
    }

    /// [`Slot::change`].
    #[inline(always)]
    fn change(
        &self,
        state: State,
        transition: impl Fn(State) -> Option<State>,
    ) -> Result<Change, State> {
        // SAFETY: the slot is out as long as it is held.
        unsafe { Slot::change(self.0, state, transition) }
    }

    /// Gives the operation its value, or the value back.
    #[inline(always)]
    pub(crate) fn complete(self, value: T) -> Result<(), CompleteError<T>> {
        let slot = self.slot();
        let rented = State::rented(slot.number());
        let waiting = rented.register().expect("nothing happened yet");
        let state = slot.state();
        if state.is_awaited() {
            // SAFETY: no key was given out and nobody watches: the cell is the completer's.
            unsafe { slot.put_value(value) };
            let next = waiting.complete().expect("nothing else happened");
            // SAFETY: the slot is out as long as it is held.
            let waker = unsafe { Slot::exchange_for_waker(self.0, waiting, next) };
            if let Some(waker) = waker {
                // The slot is the consumer's.
                mem::forget(self);
                waker.wake();
                return Ok(());
            }
        } else if state.is_rented() {
            // SAFETY: as above.
            unsafe { slot.put_value(value) };
            let next = rented.complete().expect("nothing else happened");
            if self.exchange(rented, next).is_ok() {
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
    fn complete_slowly(self, mut value: T) -> Result<(), CompleteError<T>> {
        let slot = self.slot();
        let (mut state, _watcher) = self.unwatch(slot.state());
        if state.complete().is_some() {
            // SAFETY: no key was given out and nobody watches: the cell is the completer's.
            unsafe { slot.put_value(value) };
            match self.change(state, State::complete) {
                Ok(change) => {
                    mem::forget(self);
                    drop(Wake::of(change));
                    return Ok(());
                }
                Err(now) => state = now,
            }
            // SAFETY: the cell is the completer's still, and the value was put there.
            value = unsafe { slot.take_value() };
        }
        let claim = match self.change(state, State::claim) {
            Ok(claim) => claim,
            Err(state) => {
                // A completer needs no key: if none was given out, it is the consumer that has gone.
                let kind = match state.refusal() {
                    CompleteErrorKind::Unknown => CompleteErrorKind::Closed,
                    other => other,
                };
                return Err(self.refused(kind, value));
            }
        };
        // SAFETY: the operation was claimed here.
        match unsafe { fulfil(self.0, claim.state, State::fulfil_and_release, value) } {
            Ok(wake) => {
                // The slot is the consumer's.
                mem::forget(self);
                drop(wake);
                Ok(())
            }
            Err(value) => Err(self.refused(CompleteErrorKind::Closed, value)),
        }
    }

    /// Releases the slot, and gives the value back.
    fn refused(self, kind: CompleteErrorKind, value: T) -> CompleteError<T> {
        let key = H::key_of(self.slot().number());
        self.release();
        CompleteError { key, kind, value }
    }

    /// Ends the operation without a value, unless it has ended. `self` is not used again.
    fn give_up(&self) {
        let slot = self.slot();
        let (state, _watcher) = self.unwatch(slot.state());
        match self.change(state, State::give_up) {
            Ok(change) => drop(Wake::of(change)),
            Err(_) => self.let_go(),
        }
    }

    /// Nobody waits for a result any more: the consumer has gone, or somebody with the key was
    /// faster.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        !self.slot().state().is_open()
    }

    /// `Ready` if [`is_closed`](Producer::is_closed), and otherwise `cx` is woken when it is.
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
            slot.watcher.put(&fresh);
            match self.exchange(state, next) {
                Ok(()) => {
                    mem::forget(fresh);
                    return Poll::Pending;
                }
                Err(now) => state = now,
            }
        }
        if state.is_open() {
            // The registrations are used up: from now on it has to be polled.
            fresh.wake();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Gives the operation's key out.
    pub(crate) fn issue_key(&self) -> Key {
        let slot = self.slot();
        let mut state = slot.state();
        while let Err(now) = self.exchange(state, state.issue_key().expect(HELD)) {
            state = now;
        }
        H::key_of(slot.number())
    }

    /// Leaves the operation to those who have the key.
    #[inline(always)]
    pub(crate) fn into_key(self) -> Key {
        let this = ManuallyDrop::new(self);
        let slot = this.slot();
        let number = slot.number();
        let (rented, keyed) = (State::rented(number), State::keyed(number));
        if !slot.state().is_rented() || this.exchange(rented, keyed).is_err() {
            this.leave_to_key();
        }
        H::key_of(number)
    }

    /// [`into_key`](Producer::into_key), from whatever the state is. `self` is not used again.
    #[cold]
    #[inline(never)]
    fn leave_to_key(&self) {
        let (state, _watcher) = self.unwatch(self.slot().state());
        match self.change(state, State::into_key) {
            Ok(change) if change.state.is_unreferenced() => {
                // SAFETY: nobody refers to the slot.
                drop(unsafe { Slot::give_back(self.0, change.state) });
            }
            Ok(_) => {}
            // Nobody is left to present the key.
            Err(_) => self.give_up(),
        }
    }

    /// Takes the completer's own waker out, if it is there.
    #[inline(always)]
    fn unwatch(&self, state: State) -> (State, Option<Waker>) {
        match self.change(state, State::unwatch) {
            Ok(change) => (change.state, change.watcher),
            Err(state) => (state, None),
        }
    }

    /// Lets go of the slot; nobody watches.
    fn release(self) {
        ManuallyDrop::new(self).let_go();
    }

    /// [`release`](Producer::release); `self` is not used again.
    fn let_go(&self) {
        let mut state = self.slot().state();
        if !state.is_the_completers_own() {
            let Ok(change) = self.change(state, State::release) else { unreachable!("{HELD}") };
            if !change.state.is_unreferenced() {
                return;
            }
            state = change.state;
        }
        // SAFETY: nobody else refers to the slot.
        drop(unsafe { Slot::give_back(self.0, state) });
    }
}

impl<T, H: Home> Drop for Producer<'_, T, H> {
    fn drop(&mut self) {
        self.give_up();
    }
}

const HELD: &str = "a completer holds its slot";

/// Gives a claimed operation its value by `transition`. The consumer is woken when what is returned is dropped.
/// `Err` with the value if the consumer has gone.
///
/// # Safety
///
/// The operation was claimed by the caller, which made the state `claimed`. The transition is
/// [`fulfil`](State::fulfil), or [`fulfil_and_release`](State::fulfil_and_release) for the completer.
#[inline(always)]
pub(super) unsafe fn fulfil<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    claimed: State,
    transition: fn(State) -> Option<State>,
    value: T,
) -> Result<Wake, T> {
    // SAFETY: a slot with a claim on it is out.
    let slot = unsafe { this.as_ref() };
    // SAFETY: the cell is the claimant's.
    unsafe { slot.put_value(value) };
    if claimed.is_waiting() && !claimed.is_watched() {
        let next = transition(claimed).expect("nothing else happened");
        // SAFETY: as above.
        if let Some(waker) = unsafe { Slot::exchange_for_waker(this, claimed, next) } {
            return Ok(Wake { waker: Some(waker), _watcher: WakeOnDrop::NONE });
        }
    }
    // SAFETY: the caller's, and the value was put there.
    unsafe { fulfil_slowly(this, transition) }
}

/// [`fulfil`], from whatever the state is, with the value in its cell.
///
/// # Safety
///
/// As there.
#[inline(never)]
unsafe fn fulfil_slowly<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    transition: fn(State) -> Option<State>,
) -> Result<Wake, T> {
    // SAFETY: a slot with a claim on it is out.
    let slot = unsafe { this.as_ref() };
    // SAFETY: as above.
    match unsafe { Slot::change(this, slot.state(), transition) } {
        Ok(change) => Ok(Wake::of(change)),
        Err(state) => {
            // SAFETY: the cell is the claimant's, and the value was put there.
            let value = unsafe { slot.take_value() };
            // SAFETY: the caller's.
            unsafe { withdraw(this, state) };
            Err(value)
        }
    }
}

/// [`fulfil`], without a value.
///
/// # Safety
///
/// As there.
pub(super) unsafe fn refuse<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    claimed: State,
) -> Result<Wake, ()> {
    // SAFETY: a slot with a claim on it is out.
    let change = unsafe { Slot::change(this, claimed, State::refuse) };
    change.map(Wake::of).map_err(|state| {
        // SAFETY: the caller's.
        unsafe { withdraw(this, state) };
    })
}

/// Ends the operation of a slot, if it was left to its key. Whether it was.
///
/// # Safety
///
/// The slot lives.
pub(crate) unsafe fn refuse_left<T, H: Home>(this: NonNull<Slot<T, H>>) -> bool {
    // SAFETY: the caller's.
    let state = unsafe { this.as_ref() }.state();
    // SAFETY: the caller's.
    let Ok(claim) = (unsafe { Slot::change(this, state, State::claim_left) }) else { return false };
    // SAFETY: the operation was claimed here.
    unsafe { refuse(this, claim.state) }.is_ok()
}

/// [`refuse_left`], for an operation of a closed pool: and from now on no completer leaves it to its key.
///
/// # Safety
///
/// The slot lives.
#[cold]
pub(crate) unsafe fn orphan<T, H: Home>(this: NonNull<Slot<T, H>>) -> bool {
    // SAFETY: the caller's.
    let state = unsafe { this.as_ref() }.state();
    let transition = |state: State| state.claim_left().or_else(|| state.orphan());
    // SAFETY: the caller's.
    let Ok(Change { state, .. }) = (unsafe { Slot::change(this, state, transition) }) else {
        return false;
    };
    // If there is no completer, it was claimed.
    // SAFETY: the operation was claimed here.
    !state.is_held() && unsafe { refuse(this, state) }.is_ok()
}

/// Gives a claim up, because the consumer has gone.
///
/// # Safety
///
/// As [`fulfil`], and `state` is what the operation was since.
#[cold]
unsafe fn withdraw<T, H: Home>(this: NonNull<Slot<T, H>>, state: State) {
    // SAFETY: a slot with a claim on it is out.
    let Ok(change) = (unsafe { Slot::change(this, state, State::withdraw) }) else {
        unreachable!("a claim is the claimant's to withdraw")
    };
    // A future that is woken may rent, and a renter waits until the return has ended: so it is woken afterwards.
    let _wake = if change.state.is_unreferenced() {
        // SAFETY: nobody refers to the slot.
        unsafe { Slot::give_back(this, change.state) }
    } else {
        WakeOnDrop::NONE
    };
    // SAFETY: the claimant holds the slot if it is its completer. Otherwise it borrows the source or a handle of
    // the pool, or drops the last handle, which closes the slab afterwards.
    H::end_return(unsafe { this.as_ref() });
}
