//! The consumer's end of an operation: it waits, and then takes the result or leaves.

use core::{
    any::type_name,
    mem,
    pin::Pin,
    ptr::NonNull,
    task::{Context, Poll, Waker},
};

use super::Abandoned;
use crate::{
    erased::Boxable,
    error::{Site, Spent},
    slot::{Change, Home, Slot, State},
};

/// The one consumer of an operation, until it has taken the result.
pub(crate) struct Consumer<T, H: Home>(Option<NonNull<Slot<T, H>>>);

impl<T, H: Home> Consumer<T, H> {
    /// # Safety
    ///
    /// The slot is out, and its operation has no other consumer.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<Slot<T, H>>) -> Self {
        Consumer(Some(slot))
    }

    /// The slot, whose consumer the caller is now; `None` if the result was taken.
    #[inline(always)]
    pub(crate) fn into_slot(mut self) -> Option<NonNull<Slot<T, H>>> {
        self.0.take()
    }

    /// Where it is, for a message.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn place(&self) -> *const Slot<T, H> {
        self.0.map_or(core::ptr::null(), |slot| slot.as_ptr())
    }

    /// For `Debug`.
    pub(crate) fn progress(&self) -> &'static str {
        match self.is_spent() {
            true => "taken",
            false if self.is_completed() => "completed",
            false => "pending",
        }
    }

    /// Whether there is a result to take.
    pub(crate) fn is_completed(&self) -> bool {
        // SAFETY: the slot is out as long as it has a consumer.
        self.0.is_some_and(|slot| !unsafe { slot.as_ref() }.state().is_pending())
    }

    #[inline(always)]
    pub(crate) fn is_spent(&self) -> bool {
        self.0.is_none()
    }

    /// `Ready(None)` if the result has been taken before.
    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>>
    where
        T: Abandoned,
    {
        let Some(this) = self.0 else { return Poll::Ready(None) };
        // SAFETY: the slot is out as long as it has a consumer.
        let slot = unsafe { this.as_ref() };
        let state = slot.state();
        if state.is_completed() {
            self.0 = None;
            // SAFETY: this was the consumer, and the operation is completed.
            return Poll::Ready(Some(unsafe { Slot::finish(this) }));
        }
        // SAFETY: this is the consumer.
        match unsafe { wait(this, cx.waker()) } {
            Ok(()) => Poll::Pending,
            Err(state) => {
                self.0 = None;
                // SAFETY: this was the consumer, and there is a result.
                Poll::Ready(Some(unsafe { result(this, state) }))
            }
        }
    }

    /// Takes the result if it is there.
    pub(crate) fn try_take(&mut self) -> Option<T>
    where
        T: Abandoned,
    {
        let this = self.0?;
        // SAFETY: the slot is out as long as it has a consumer.
        let state = unsafe { this.as_ref() }.state();
        if state.is_pending() {
            return None;
        }
        self.0 = None;
        // SAFETY: this was the consumer, and there is a result.
        Some(unsafe { result(this, state) })
    }
}

impl<T, H: Home> Drop for Consumer<T, H> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            // SAFETY: this was the consumer.
            unsafe { leave(slot) };
        }
    }
}

/// In a box, if there is no room for the token beside its address.
impl<T: Abandoned, H: Home> Boxable for Consumer<T, H> {
    type Output = T;

    const SITE: Site = Site::Source;

    fn type_name() -> &'static str {
        type_name::<T>()
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Spent>> {
        const TAKEN: Spent = Spent::Completed(Some(Site::Source));
        Consumer::poll(&mut self, cx).map(|result| result.ok_or(TAKEN))
    }
}

/// A way to wait.
pub(super) type Wait<T, H> = unsafe fn(NonNull<Slot<T, H>>, &Waker) -> Result<(), State>;

/// Sees to it that `waker` is woken when the operation has a result. `Err` with the state if it has
/// one.
///
/// # Safety
///
/// The caller is the consumer of the operation.
#[inline(always)]
pub(super) unsafe fn wait<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    waker: &Waker,
) -> Result<(), State> {
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { this.as_ref() };
    let state = slot.state();
    if state.is_rented() {
        // SAFETY: the caller's.
        return unsafe { wait_first(this, waker) };
    }
    if !state.is_pending() {
        return Err(state);
    }
    // SAFETY: the caller's.
    unsafe { wait_on(this, waker) }
}

/// [`wait`], where nothing has happened yet.
///
/// # Safety
///
/// As there.
#[inline(always)]
pub(super) unsafe fn wait_first<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    waker: &Waker,
) -> Result<(), State> {
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { this.as_ref() };
    let rented = State::rented(slot.number());
    // SAFETY: the caller's.
    unsafe { register_first(this, rented, waker) }
}

/// The transition `register`, from a state that is known beforehand, and so need not be waited for.
///
/// # Safety
///
/// As [`wait`].
#[inline(always)]
unsafe fn register_first<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    state: State,
    waker: &Waker,
) -> Result<(), State> {
    let next = state.register().expect("nothing happened yet");
    let fresh = waker.clone();
    // SAFETY: the slot is out as long as it has a consumer.
    unsafe { this.as_ref() }.waker.put(&fresh);
    // SAFETY: as above.
    if unsafe { Slot::exchange(this, state, next) }.is_err() {
        // By value: a reference to it would have put it on the stack before.
        // SAFETY: the caller's.
        return unsafe { change_waker(this, fresh) };
    }
    // It is the slot's.
    mem::forget(fresh);
    Ok(())
}

/// [`wait`], from whatever the state is.
///
/// # Safety
///
/// As there.
#[cold]
unsafe fn wait_on<T, H: Home>(this: NonNull<Slot<T, H>>, waker: &Waker) -> Result<(), State> {
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { this.as_ref() };
    let state = slot.state();
    if state.is_only_keyed() {
        let keyed = State::keyed(slot.number());
        // SAFETY: the caller's.
        return unsafe { register_first(this, keyed, waker) };
    }
    if state.is_waiting() && slot.waker.holds(waker) {
        return Ok(());
    }
    // SAFETY: the caller's.
    unsafe { change_waker(this, waker.clone()) }
}

/// Puts a waker in, in the place of the one that may be there.
///
/// # Safety
///
/// As [`wait`].
#[cold]
unsafe fn change_waker<T, H: Home>(this: NonNull<Slot<T, H>>, fresh: Waker) -> Result<(), State> {
    // SAFETY: the slot is out as long as it has a consumer.
    let slot = unsafe { this.as_ref() };
    let state = slot.state();
    // What was there is dropped at the end, with the state in order.
    // SAFETY: the slot is out as long as it has a consumer.
    let (mut state, _old) = match unsafe { Slot::change(this, state, State::unregister) } {
        Ok(change) => (change.state, change.waker),
        Err(state) => (state, None),
    };
    while let Some(next) = state.register() {
        slot.waker.put(&fresh);
        // SAFETY: as above.
        match unsafe { Slot::exchange(this, state, next) } {
            Ok(()) => {
                mem::forget(fresh);
                return Ok(());
            }
            Err(now) => state = now,
        }
    }
    if state.is_pending() {
        // The registrations of this operation are used up: from now on it has to be polled.
        fresh.wake();
        return Ok(());
    }
    Err(state)
}

/// Takes the result.
///
/// # Safety
///
/// As [`take`].
pub(super) unsafe fn result<T: Abandoned, H: Home>(slot: NonNull<Slot<T, H>>, state: State) -> T {
    // SAFETY: the caller's.
    let value = unsafe { take(slot, state) };
    value.unwrap_or_else(T::abandoned)
}

/// Takes the result, `None` if it is no value, and gives up the slot.
///
/// # Safety
///
/// The caller is the consumer, and is so no longer afterwards. The operation is not pending:
/// `state` is what it was since.
unsafe fn take<T, H: Home>(slot: NonNull<Slot<T, H>>, mut state: State) -> Option<T> {
    // SAFETY: the slot is out as long as it has a consumer.
    let there = unsafe { slot.as_ref() };
    // SAFETY: the flag says that there is a value, and it is ours.
    let value = state.has_value().then(|| unsafe { there.take_value() });
    loop {
        let next = state.take().or_else(|| state.take_nothing());
        let next = next.expect("an operation that is not pending has a result");
        if !state.is_held() {
            break;
        }
        // SAFETY: the slot is out as long as it has a consumer.
        match unsafe { Slot::exchange(slot, state, next) } {
            // The completer gives the slot back.
            Ok(()) => return value,
            Err(now) => state = now,
        }
    }
    // SAFETY: nobody else refers to the slot.
    unsafe { Slot::give_back(slot, state) };
    value
}

/// Leaves without the result.
///
/// # Safety
///
/// The caller is the consumer of the operation, and is so no longer afterwards.
pub(super) unsafe fn leave<T, H: Home>(this: NonNull<Slot<T, H>>) {
    // SAFETY: the slot is out as long as it has a consumer.
    let state = unsafe { this.as_ref() }.state();
    // SAFETY: as above.
    match unsafe { Slot::change(this, state, State::leave) } {
        Ok(Change { state, waker: _own, watcher }) => {
            if state.is_unreferenced() {
                // SAFETY: nobody refers to the slot.
                unsafe { Slot::give_back(this, state) };
            }
            if let Some(watcher) = watcher {
                watcher.wake();
            }
        }
        // SAFETY: the caller is the consumer, and the operation is not pending.
        Err(state) => drop(unsafe { take(this, state) }),
    }
}
