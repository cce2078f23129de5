//! Claims: a producer that does not have the completer claims the operation, writes the result, and ends the claim.

use core::marker::PhantomData;

use super::{Change, Recycler, Rented, SlotRef, State, WakeOnDrop, Waker};
use crate::slot::{CompleteErrorKind, IndexLayout, Number, slot::Slot};

/// The key of an operation, as a producer presents it.
#[derive(Clone, Copy)]
pub(crate) struct Presented {
    pub(crate) number: Number,
    /// The layout of the numbers of the slab or source.
    pub(crate) layout: IndexLayout,
    /// The first generation of its slots.
    pub(crate) first_generation: u32,
}

/// The right to write the result of an operation. Rule 1 gives the value cell to its owner.
pub(super) struct Claim<'a, T, H: Recycler> {
    slot: Rented<T, H>,
    /// The state when the claim began.
    state: State,
    /// The slot stays allocated for this lifetime.
    borrow: PhantomData<&'a ()>,
}

/// Completes the operation with this key.
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

/// Ends the operation with this key without a value.
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

/// Ends the operation of a slot without a value, if it was left to its key. Returns `true` if it was.
pub(crate) fn abandon_keyed<T, H: Recycler>(slot: SlotRef<'_, Slot<T, H>>) -> bool {
    let slot = Rented(slot.pointer());
    let Ok(Change { state, .. }) = slot.change(slot.slot().state(), State::claim_without_completer)
    else {
        return false;
    };
    Claim::new(slot, state).abandon().is_ok()
}

/// Does what [`abandon_keyed`] does, for a slot of a closed pool. If a completer holds the operation, marks the operation, so that the
/// completer cannot leave it to its key.
#[cold]
pub(crate) fn orphan<T, H: Recycler>(slot: SlotRef<'_, Slot<T, H>>) -> bool {
    let slot = Rented(slot.pointer());
    let transition = |state: State| state.claim_without_completer().or_else(|| state.orphan());
    let Ok(Change { state, .. }) = slot.change(slot.slot().state(), transition) else {
        return false;
    };
    // If there is no completer, the transition was the claim.
    !state.is_held() && Claim::new(slot, state).abandon().is_ok()
}

impl<'a, T, H: Recycler> Claim<'a, T, H> {
    /// The calling role has claimed the operation by a transition to `state`.
    #[inline(always)]
    pub(super) fn new(slot: Rented<T, H>, state: State) -> Self {
        Claim { slot, state, borrow: PhantomData }
    }

    /// Claims the operation with this key. Compares all 64 bits of the number. The exchange then compares the 45 bits in the state again.
    /// See [`Number`].
    #[inline(always)]
    fn with_key(slot: SlotRef<'a, Slot<T, H>>, key: Presented) -> Result<Self, CompleteErrorKind> {
        let slot = Rented(slot.pointer());
        let state = slot.slot().state();
        if slot.slot().number_now() == key.number {
            // The expected state is computed from the key. So the core can start the exchange before the load of the state has finished.
            let keyed = State::keyed(key.number);
            let waiting = keyed.register().expect("nothing else happened");
            let usual = if state.is_only_keyed_and_awaited() { waiting } else { keyed };
            let claimed = usual.claim().expect("nothing else happened");
            if slot.exchange(usual, claimed).is_ok() {
                return Ok(Claim::new(slot, claimed));
            }
        }
        Claim::with_key_slowly(slot, key)
    }

    /// [`with_key`](Claim::with_key), from any state.
    #[cold]
    #[inline(never)]
    fn with_key_slowly(slot: Rented<T, H>, key: Presented) -> Result<Self, CompleteErrorKind> {
        loop {
            // The number is read after the state, and before an exchange from that state. If the exchange succeeds, both belong to one
            // operation.
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
            // A slot keeps the state of its last operation until the next one begins.
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

    /// Completes the operation by `transition`. A key uses [`State::complete_claimed`]. A completer uses
    /// [`State::complete_claimed_and_release`]. The consumer is woken when the returned value is dropped. Returns the value as an error if
    /// the consumer has left.
    #[inline(always)]
    pub(super) fn complete(
        self,
        transition: fn(State) -> Option<State>,
        value: T,
    ) -> Result<Wake, T> {
        let Claim { slot, state: claimed, .. } = self;
        slot.store_value(value);
        if claimed.is_waiting() && !claimed.is_watched() {
            let next = transition(claimed).expect("nothing else happened");
            if let Some(waker) = slot.exchange_for_waker(claimed, next) {
                return Ok(Wake { waker: Some(waker), _watcher: WakeOnDrop::NONE });
            }
        }
        Claim::complete_slowly(slot, transition)
    }

    /// [`complete`](Claim::complete), from any state. The value is in its cell.
    #[inline(never)]
    fn complete_slowly(
        slot: Rented<T, H>,
        transition: fn(State) -> Option<State>,
    ) -> Result<Wake, T> {
        match slot.change(slot.slot().state(), transition) {
            Ok(change) => Ok(Wake::of(change)),
            Err(state) => {
                // The cell still belongs to the claim.
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

    /// Ends the claim, because the consumer has left. `state` is the state since then.
    ///
    /// A consumer that claims its own operation never gets here, because it has not left.
    #[cold]
    fn unclaim(slot: Rented<T, H>, state: State) {
        let Ok(change) = slot.change(state, State::unclaim) else {
            unreachable!("only the claimant ends its claim")
        };
        // A woken task may rent, and `rent` waits while a return is announced. So the waker is called after `end_return`.
        let _wake = if change.state.is_unreferenced() {
            slot.release(change.state)
        } else {
            WakeOnDrop::NONE
        };
        // The slot may be vacant, but it is still allocated: the claimant has borrowed its owner, or is the completer of the operation.
        H::end_return(slot.slot());
    }
}

/// Wakers that are woken when this is dropped, at the end of a function. If one panics, the other one is woken nevertheless.
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
