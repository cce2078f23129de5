//! The consumer's end of an operation: it waits, and then takes the result or leaves.

use core::{
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    pin::Pin,
    ptr::{self, NonNull},
    task::{Context, Poll, Waker},
};

use super::producer::orphan;
use crate::{
    erased::{Boxable, ready_or_broken},
    error::{Site, Spent},
    slot::{Change, Home, Slot, State},
};

/// The one consumer of an operation. When it has ended, the pointer is one of the two addresses below, at which no
/// slot is. So it is one word, and so is an `Option` of it.
///
/// The pointer is that of a `Slot<T, H>`. It has no type, so that a consumer is covariant in `T`: it gives out a `T`, and takes
/// none in.
pub(crate) struct Consumer<'a, T, H: Home>(
    NonNull<()>,
    PhantomData<&'a ()>,
    PhantomData<fn() -> (T, H)>,
);

/// The consumer has taken the result.
const TAKEN: usize = 1;
/// The function that makes the missing result has panicked.
const PANICKED: usize = 2;

impl<T, H: Home> Consumer<'_, T, H> {
    /// The address that says how a consumer has ended.
    const fn ended(how: usize) -> NonNull<()> {
        const { assert!(align_of::<Slot<T, H>>() > PANICKED) };
        NonNull::new(ptr::without_provenance_mut(how)).expect("it is not zero")
    }

    /// The slot, unless the consumer has ended.
    #[inline(always)]
    fn slot(&self) -> Option<NonNull<Slot<T, H>>> {
        (self.0.addr().get() > PANICKED).then_some(self.0.cast())
    }

    /// # Safety
    ///
    /// The slot is out, and its operation has no other consumer. If being out does not keep the slot alive, it
    /// lives for the lifetime of the consumer.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<Slot<T, H>>) -> Self {
        Consumer(slot.cast(), PhantomData, PhantomData)
    }

    /// The slot, whose consumer the caller is now; or how the consumer has ended.
    #[inline(always)]
    pub(crate) fn into_slot(self) -> Result<NonNull<Slot<T, H>>, Spent> {
        let this = ManuallyDrop::new(self);
        this.slot().ok_or_else(|| this.spent())
    }

    /// Where it is, for a message.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn place(&self) -> *const () {
        self.0.as_ptr()
    }

    /// For `Debug`.
    pub(crate) fn progress(&self) -> &'static str {
        match (self.slot(), self.spent()) {
            (None, Spent::Panicked(_)) => "panicked",
            (None, _) => "taken",
            (Some(_), _) if self.is_completed() => "completed",
            (Some(_), _) => "pending",
        }
    }

    /// How a consumer has ended that is [spent](Consumer::is_spent).
    #[cold]
    pub(crate) fn spent(&self) -> Spent {
        match self.0.addr().get() {
            PANICKED => Spent::Panicked(Site::Source),
            _ => Spent::Completed(Some(Site::Source)),
        }
    }

    /// Whether there is a result to take.
    pub(crate) fn is_completed(&self) -> bool {
        // SAFETY: the slot is out as long as it has a consumer.
        self.slot().is_some_and(|slot| !unsafe { slot.as_ref() }.state().is_pending())
    }

    /// Whether the result to take is a value, or one that is made because there is none.
    pub(crate) fn result_is_value(&self) -> Option<bool> {
        // SAFETY: the slot is out as long as it has a consumer.
        let state = unsafe { self.slot()?.as_ref() }.state();
        if state.is_pending() { None } else { Some(state.has_value()) }
    }

    /// The consumer as a pointer, for foreign code.
    pub(crate) fn into_raw(self) -> *mut () {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// # Safety
    ///
    /// The pointer is from [`into_raw`](Consumer::into_raw) of a consumer of this type, and is used once.
    pub(crate) unsafe fn from_raw(pointer: *mut ()) -> Self {
        // SAFETY: the caller's.
        Consumer(unsafe { NonNull::new_unchecked(pointer) }, PhantomData, PhantomData)
    }

    #[inline(always)]
    pub(crate) fn is_spent(&self) -> bool {
        self.slot().is_none()
    }

    /// `Ready(None)` if it is [spent](Consumer::is_spent).
    #[inline(always)]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(this) = self.slot() else { return Poll::Ready(None) };
        // SAFETY: the slot is out as long as it has a consumer.
        let slot = unsafe { this.as_ref() };
        let state = slot.state();
        if state.is_completed() {
            self.0 = Self::ended(TAKEN);
            // SAFETY: this was the consumer, and the operation is completed.
            return Poll::Ready(Some(unsafe { Slot::finish(this) }));
        }
        // SAFETY: this is the consumer.
        match unsafe { wait(this, cx.waker()) } {
            Ok(()) => Poll::Pending,
            // SAFETY: this is the consumer, and there is a result.
            Err(state) => Poll::Ready(Some(unsafe { self.take(this, state) })),
        }
    }

    /// Takes the result if it is there.
    pub(crate) fn try_take(&mut self) -> Option<T> {
        let this = self.slot()?;
        // SAFETY: the slot is out as long as it has a consumer.
        let state = unsafe { this.as_ref() }.state();
        if state.is_pending() {
            return None;
        }
        // SAFETY: this is the consumer, and there is a result.
        Some(unsafe { self.take(this, state) })
    }

    /// Leaves. Takes the result, if there is one.
    pub(crate) fn close(mut self) -> Option<T> {
        let this = self.slot()?;
        self.0 = Self::ended(TAKEN);
        // SAFETY: this was the consumer.
        match unsafe { leave_pending(this) } {
            Ok(()) => None,
            // SAFETY: as above, and there is a result.
            Err(state) => Some(unsafe { result(this, state) }),
        }
    }

    /// Takes the result.
    ///
    /// # Safety
    ///
    /// `slot` is the slot of this consumer, and `state` was loaded from it when the operation had a result.
    unsafe fn take(&mut self, slot: NonNull<Slot<T, H>>, state: State) -> T {
        // If there is a value, it is the waker of another future that may panic, which is woken for the slot.
        self.0 = Self::ended(if state.has_value() { TAKEN } else { PANICKED });
        // SAFETY: the caller's, and this was the consumer.
        let result = unsafe { result(slot, state) };
        self.0 = Self::ended(TAKEN);
        result
    }
}

// `'a` is a parameter of the type with the destructor: so drop check keeps the owner of the slot alive until here.
impl<T, H: Home> Drop for Consumer<'_, T, H> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(slot) = self.slot() {
            // SAFETY: this was the consumer.
            unsafe { leave(slot) };
        }
    }
}

/// In a box, if there is no room for the token beside its address.
impl<T, H: Home> Boxable for Consumer<'_, T, H> {
    type Output = T;

    const SITE: Site = Site::Source;

    fn type_name() -> &'static str {
        H::source_name::<T>()
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>, broken: &mut Option<Spent>) -> Poll<T> {
        let polled = Consumer::poll(&mut self, cx);
        ready_or_broken(polled.map(|result| result.ok_or_else(|| self.spent())), broken)
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
    // SAFETY: the slot is out as long as it has a consumer.
    if H::is_closed(unsafe { this.as_ref() }) {
        // SAFETY: as above.
        unsafe { orphan(this) };
    }
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
                // SAFETY: as above.
                if H::is_closed(unsafe { this.as_ref() }) {
                    // SAFETY: as above.
                    unsafe { orphan(this) };
                }
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
pub(super) unsafe fn result<T, H: Home>(slot: NonNull<Slot<T, H>>, state: State) -> T {
    // SAFETY: the slot is out as long as it has a consumer.
    let abandoned = unsafe { slot.as_ref() }.abandoned();
    // SAFETY: the caller's.
    let value = unsafe { take(slot, state) };
    value.unwrap_or_else(abandoned)
}

/// Takes the result, `None` if it is no value, and gives up the slot.
///
/// # Safety
///
/// The caller is the consumer, and is so no longer afterwards. The operation is not pending:
/// `state` is what it was since.
unsafe fn take<T, H: Home>(slot: NonNull<Slot<T, H>>, state: State) -> Option<T> {
    // SAFETY: the slot is out as long as it has a consumer.
    let there = unsafe { slot.as_ref() };
    // SAFETY: the flag says that there is a value, and it is ours.
    let value = state.has_value().then(|| unsafe { there.take_value() });
    // SAFETY: the caller's, and the value was taken out.
    unsafe { let_go(slot, state) };
    value
}

/// Gives up the slot, whose value was taken out or dropped, if there was one.
///
/// # Safety
///
/// As [`take`].
unsafe fn let_go<T, H: Home>(slot: NonNull<Slot<T, H>>, mut state: State) {
    loop {
        let next = state.take().or_else(|| state.take_nothing());
        let next = next.expect("an operation that is not pending has a result");
        if !state.is_held() {
            break;
        }
        // SAFETY: the slot is out as long as it has a consumer.
        match unsafe { Slot::exchange(slot, state, next) } {
            // The completer gives the slot back.
            Ok(()) => return,
            Err(now) => state = now,
        }
    }
    // SAFETY: nobody else refers to the slot.
    drop(unsafe { Slot::give_back(slot, state) });
}

/// Leaves without the result.
///
/// # Safety
///
/// The caller is the consumer of the operation, and is so no longer afterwards.
pub(super) unsafe fn leave<T, H: Home>(this: NonNull<Slot<T, H>>) {
    // SAFETY: the caller's.
    if let Err(state) = unsafe { leave_pending(this) } {
        // SAFETY: the caller is the consumer, and the operation is not pending.
        unsafe { discard(this, state) };
    }
}

/// Leaves, unless there is a result. Then the error is the state, and the caller is the consumer still.
///
/// # Safety
///
/// As [`leave`].
#[inline(always)]
unsafe fn leave_pending<T, H: Home>(this: NonNull<Slot<T, H>>) -> Result<(), State> {
    // SAFETY: the slot is out as long as it has a consumer.
    let state = unsafe { this.as_ref() }.state();
    let unclaimed = |state: State| if state.is_claimed() { None } else { state.leave() };
    // SAFETY: as above.
    match unsafe { Slot::change(this, state, unclaimed) } {
        Ok(change) => {
            // SAFETY: the consumer has just left.
            unsafe { left(this, change) };
            Ok(())
        }
        // SAFETY: the caller's.
        Err(state) if state.is_claimed() => unsafe { leave_to_claimant(this, state) },
        Err(state) => Err(state),
    }
}

/// Drops the result, and gives up the slot.
///
/// # Safety
///
/// As [`take`].
unsafe fn discard<T, H: Home>(this: NonNull<Slot<T, H>>, state: State) {
    /// A larger value may be larger than the stack.
    const MOVED: usize = 1024;

    if size_of::<T>() <= MOVED {
        // SAFETY: the caller's.
        unsafe { discard_moved(this, state) };
    } else {
        // SAFETY: the caller's.
        unsafe { discard_in_place(this, state) };
    }
}

/// [`discard`]: first the slot, so that the destructor of the value finds it vacant.
///
/// # Safety
///
/// As there.
#[inline(never)]
unsafe fn discard_moved<T, H: Home>(this: NonNull<Slot<T, H>>, state: State) {
    // SAFETY: the caller's.
    drop(unsafe { take(this, state) });
}

/// [`discard`]: first the value, where it lies.
///
/// # Safety
///
/// As there.
#[inline(never)]
unsafe fn discard_in_place<T, H: Home>(this: NonNull<Slot<T, H>>, state: State) {
    /// Also if the value panics.
    struct LetGo<T, H: Home>(NonNull<Slot<T, H>>, State);
    impl<T, H: Home> Drop for LetGo<T, H> {
        fn drop(&mut self) {
            // SAFETY: the caller's, and the value was dropped.
            unsafe { let_go(self.0, self.1) };
        }
    }

    let _let_go = LetGo(this, state);
    if state.has_value() {
        // SAFETY: the slot is out as long as it has a consumer.
        let there = unsafe { this.as_ref() };
        // SAFETY: the flag says that there is a value, and it is ours.
        unsafe { there.drop_value() };
    }
}

/// [`leave_pending`] if a producer has claimed the operation. If the consumer leaves first, the claimant returns the slot.
/// That is announced before, so that a caller that finds no vacant slot waits for it.
///
/// # Safety
///
/// As there; the operation was claimed.
#[cold]
unsafe fn leave_to_claimant<T, H: Home>(
    this: NonNull<Slot<T, H>>,
    state: State,
) -> Result<(), State> {
    // SAFETY: the slot is out as long as it has a consumer.
    H::begin_return(unsafe { this.as_ref() });
    // SAFETY: as above.
    match unsafe { Slot::change(this, state, State::leave) } {
        Ok(change) => {
            // SAFETY: the consumer has just left.
            unsafe { left(this, change) };
            Ok(())
        }
        Err(state) => {
            // SAFETY: the slot is out as long as it has a consumer.
            H::end_return(unsafe { this.as_ref() });
            Err(state)
        }
    }
}

/// Returns the slot, if nobody else refers to it, and wakes the completer.
///
/// # Safety
///
/// The consumer has left by this change.
unsafe fn left<T, H: Home>(this: NonNull<Slot<T, H>>, change: Change) {
    let Change { state, waker: _own, watcher } = change;
    if state.is_unreferenced() {
        // SAFETY: nobody refers to the slot.
        drop(unsafe { Slot::give_back(this, state) });
    }
    if let Some(watcher) = watcher {
        watcher.wake();
    }
}
