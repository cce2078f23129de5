//! Claims. A producer with a key, a completer that has issued its key, the pool (in `abandon_keys` and `close`), or the consumer of a
//! closed pool claims an operation. The claimant then ends the operation, with or without a value.

use core::marker::PhantomData;

use super::{Change, Recycler, Rented, SlotRef, State, WakeOnDrop, Waker, slot::Slot};
use crate::slot::{CompleteErrorKind, IndexLayout, Number};

/// A key that a producer uses, with the properties of the slab or source that decide whether the key is valid.
#[derive(Clone, Copy)]
pub(crate) struct Presented {
    pub(crate) number: Number,
    /// The layout of the numbers of the slab or source.
    pub(crate) layout: IndexLayout,
    /// The lowest generation of a key in the first epoch.
    pub(crate) first_generation: u32,
}

/// The role of a claimant, who may write the result of an operation. By rule 1 of `slot/states.md`, the value field belongs to the
/// claimant.
pub(super) struct Claim<'a, T, H: Recycler> {
    slot: Rented<T, H>,
    /// The state that the claim has stored.
    state: State,
    /// The slot stays allocated for this lifetime.
    borrow: PhantomData<&'a ()>,
}

/// Completes the operation that has this key. If the key is refused, returns the reason and the value as an error.
#[inline]
pub(crate) fn complete_key<T, H: Recycler>(
    slot: SlotRef<'_, Slot<T, H>>,
    key: Presented,
    value: T,
) -> Result<(), (CompleteErrorKind, T)> {
    match Claim::with_key(slot, key) {
        Ok(claim) => match claim.complete(State::complete_claimed, value) {
            Ok(_wake) => Ok(()),
            Err(value) => Err((CompleteErrorKind::Closed, value)),
        },
        Err(kind) => Err((kind, value)),
    }
}

/// Abandons the operation that has this key: the operation ends without a value. If the key is refused, returns the reason as an error.
pub(crate) fn abandon_key<T, H: Recycler>(
    slot: SlotRef<'_, Slot<T, H>>,
    key: Presented,
) -> Result<(), (CompleteErrorKind, ())> {
    match Claim::with_key(slot, key) {
        Ok(claim) => match claim.abandon() {
            Ok(_wake) => Ok(()),
            Err(()) => Err((CompleteErrorKind::Closed, ())),
        },
        Err(kind) => Err((kind, ())),
    }
}

/// Abandons the operation of a slot if only its key can complete the operation. Returns `true` if this call has ended the operation.
pub(crate) fn abandon_keyed<T, H: Recycler>(slot: SlotRef<'_, Slot<T, H>>) -> bool {
    let slot = Rented(slot.pointer());
    let Ok(Change { state, .. }) = slot.change(slot.slot().state(), State::claim_without_completer)
    else {
        return false;
    };
    Claim::new(slot, state).abandon().is_ok()
}

/// Does what [`abandon_keyed`] does, for a slot of a closed pool. If the operation has a completer, marks the operation as `ORPHANED`
/// instead. Then the completer cannot leave the operation to its key.
#[cold]
pub(crate) fn orphan<T, H: Recycler>(slot: SlotRef<'_, Slot<T, H>>) -> bool {
    let slot = Rented(slot.pointer());
    let transition = |state: State| state.claim_without_completer().or_else(|| state.orphan());
    let Ok(Change { state, .. }) = slot.change(slot.slot().state(), transition) else {
        return false;
    };
    // If there is no completer, the transition was `claim_without_completer`.
    !state.is_held() && Claim::new(slot, state).abandon().is_ok()
}

impl<'a, T, H: Recycler> Claim<'a, T, H> {
    /// Creates the role. The caller has claimed the operation by a transition to `state`.
    #[inline(always)]
    pub(super) fn new(slot: Rented<T, H>, state: State) -> Self {
        Claim { slot, state, borrow: PhantomData }
    }

    /// Claims the operation that has this key. First compares the key with all 64 bits of the slot's number. Then the exchange compares the
    /// state, which contains 45 bits of the number (see the module of [`Number`]).
    #[inline(always)]
    fn with_key(slot: SlotRef<'a, Slot<T, H>>, key: Presented) -> Result<Self, CompleteErrorKind> {
        let slot = Rented(slot.pointer());
        let state = slot.slot().state();
        if slot.slot().number_now() == key.number {
            // Both states that this code may expect are computed from the key. The loaded state only decides a branch, which the CPU
            // predicts. So the CPU can start the exchange before the load has finished.
            let keyed = State::keyed(key.number);
            let waiting = keyed.register().expect("a new operation has no registrations");
            let usual = if state.is_only_keyed_and_awaited() { waiting } else { keyed };
            let claimed = usual.claim().expect("the operation is not claimed");
            if slot.exchange(usual, claimed).is_ok() {
                return Ok(Claim::new(slot, claimed));
            }
        }
        Claim::with_key_slowly(slot, key)
    }

    /// Does what [`with_key`](Claim::with_key) does, from any state.
    #[cold]
    #[inline(never)]
    fn with_key_slowly(slot: Rented<T, H>, key: Presented) -> Result<Self, CompleteErrorKind> {
        loop {
            // The number is read after the state, and before an exchange that expects this state. If the exchange succeeds, the state and
            // the number belong to the same operation.
            let state = slot.slot().state();
            let number = slot.slot().number_now();
            let of_key = state.generation() == key.number.generation();
            if of_key && number == key.number {
                let Some(claimed) = state.claim() else { return Err(state.refusal()) };
                if slot.exchange(state, claimed).is_ok() {
                    return Ok(Claim::new(slot, claimed));
                }
                continue;
            }
            let order = |number| key.layout.order(number);
            let (Some(presented), Some(now)) = (order(key.number), order(number)) else {
                return Err(CompleteErrorKind::Unknown);
            };
            // When an operation ends, the slot gets the number of the next operation, but keeps the state until the next operation begins.
            // So the state may belong to the operation before the one that has `number`.
            if of_key && presented + 1 == now {
                if state.is_open() {
                    // The operation has ended since the state was read.
                    continue;
                }
                return Err(state.refusal());
            }
            let past = (key.first_generation.into()..now).contains(&presented);
            return Err(if past { CompleteErrorKind::Stale } else { CompleteErrorKind::Unknown });
        }
    }

    /// Completes the operation by `transition`. A producer with a key passes [`State::complete_claimed`]. A completer passes
    /// [`State::complete_claimed_and_release`]. When the returned [`Wake`] is dropped, it wakes the consumer and the completer, if they
    /// wait. If the consumer has left, returns the value as an error.
    #[inline(always)]
    pub(super) fn complete(
        self,
        transition: fn(State) -> Option<State>,
        value: T,
    ) -> Result<Wake, T> {
        let Claim { slot, state: claimed, .. } = self;
        slot.store_value(value);
        if claimed.is_waiting() && !claimed.is_watched() {
            let next = transition(claimed).expect("the consumer has not left");
            if let Some(waker) = slot.exchange_for_waker(claimed, next) {
                return Ok(Wake { waker: Some(waker), _watcher: WakeOnDrop::NONE });
            }
        }
        Claim::complete_slowly(slot, transition)
    }

    /// Does what [`complete`](Claim::complete) does, from any state. The value is already in its field.
    #[inline(never)]
    fn complete_slowly(
        slot: Rented<T, H>,
        transition: fn(State) -> Option<State>,
    ) -> Result<Wake, T> {
        match slot.change(slot.slot().state(), transition) {
            Ok(change) => Ok(Wake::of(change)),
            Err(state) => {
                // The operation was not completed, so the value field still belongs to the claimant.
                let value = slot.take_value();
                Claim::unclaim(slot, state);
                Err(value)
            }
        }
    }

    /// Ends the operation without a value. Returns an error if the consumer has left.
    fn abandon(self) -> Result<Wake, ()> {
        let change = self.slot.change(self.state, State::abandon_claimed);
        change.map(Wake::of).map_err(|state| Claim::unclaim(self.slot, state))
    }

    /// Ends the claim, because the consumer has left. `state` is a state in which the caller has seen the flag `LEFT`.
    ///
    /// A consumer that finds its pool closed claims its own operation, by [`orphan`]. This function is not called for such a claim, because
    /// the consumer has not left.
    #[cold]
    fn unclaim(slot: Rented<T, H>, state: State) {
        let Ok(change) = slot.change(state, State::unclaim) else {
            unreachable!("only the claimant ends its claim")
        };
        // `_wake` is dropped after `end_return`: the woken task may call `rent`, which waits until each announced return has ended.
        let _wake = if change.state.is_unreferenced() {
            slot.release(change.state)
        } else {
            WakeOnDrop::NONE
        };
        // The slot may be vacant now, but it is still allocated. The claimant borrows the slab or source, or it is the completer, which
        // still refers to the slot.
        H::end_return(slot.slot());
    }
}

/// The wakers of the consumer and of the completer. They are woken when this value is dropped, at the end of a function. Even if the
/// consumer's waker panics, the completer's waker is woken.
pub(super) struct Wake {
    waker: Option<Waker>,
    _watcher: WakeOnDrop,
}

impl Wake {
    #[inline(always)]
    pub(super) fn of(change: Change) -> Self {
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
