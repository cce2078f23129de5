//! The producer's end for whoever presents the key of an operation.

use core::ptr::NonNull;

use super::{
    CompleteErrorKind,
    producer::{fulfil, refuse},
};
use crate::slot::{Home, IndexLayout, Number, Slot, State};

/// The key of an operation, as it is presented: its number, how the numbers of the slab are made, and the
/// first generation of its slots.
#[derive(Clone, Copy)]
pub(crate) struct Presented {
    pub(crate) number: Number,
    pub(crate) layout: IndexLayout,
    pub(crate) first_generation: u32,
}

/// Gives the operation with this key its value.
///
/// # Safety
///
/// The slot lives, and is the one that the key names.
#[inline]
pub(crate) unsafe fn complete<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Presented,
    value: T,
) -> Result<(), (CompleteErrorKind, T)> {
    // SAFETY: the caller's.
    match unsafe { claim(slot, key) } {
        // SAFETY: the operation was claimed here.
        Ok(claimed) => match unsafe { fulfil(slot, claimed, State::fulfil, value) } {
            Ok(_wake) => Ok(()),
            Err(value) => Err((CompleteErrorKind::Closed, value)),
        },
        Err(kind) => Err((kind, value)),
    }
}

/// Ends the operation with this key without a value.
///
/// # Safety
///
/// As [`complete`].
pub(crate) unsafe fn end<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Presented,
) -> Result<(), (CompleteErrorKind, ())> {
    // SAFETY: the caller's.
    match unsafe { claim(slot, key) } {
        // SAFETY: the operation was claimed here.
        Ok(claimed) => match unsafe { refuse(slot, claimed) } {
            Ok(_wake) => Ok(()),
            Err(()) => Err((CompleteErrorKind::Closed, ())),
        },
        Err(kind) => Err((kind, ())),
    }
}

/// Claims the operation with this key. The number is compared as a whole, and then in part once more by the
/// exchange; see [`Number`].
///
/// # Safety
///
/// As [`complete`].
#[inline(always)]
unsafe fn claim<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Presented,
) -> Result<State, CompleteErrorKind> {
    // SAFETY: the caller's.
    let there = unsafe { slot.as_ref() };
    let state = there.state();
    if there.number_now() == key.number {
        // A state that is computed from the key need not wait for the load.
        let keyed = State::keyed(key.number);
        let waiting = keyed.register().expect("nothing else happened");
        let usual = if state.is_only_keyed_and_awaited() { waiting } else { keyed };
        let claimed = usual.claim().expect("nothing else happened");
        // SAFETY: the caller's.
        if unsafe { Slot::exchange(slot, usual, claimed) }.is_ok() {
            return Ok(claimed);
        }
    }
    // SAFETY: the caller's.
    unsafe { claim_slowly(slot, key) }
}

/// [`claim`], from whatever the state is.
///
/// # Safety
///
/// As there.
#[cold]
#[inline(never)]
unsafe fn claim_slowly<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Presented,
) -> Result<State, CompleteErrorKind> {
    // SAFETY: the caller's.
    let there = unsafe { slot.as_ref() };
    loop {
        // The number is read after the state, and before an exchange from that state: if that succeeds,
        // both are those of one operation.
        let state = there.state();
        let number = there.number_now();
        let of_key = state.generation() == key.number.generation();
        if of_key && number == key.number {
            let Some(claimed) = state.claim() else { return Err(state.refusal()) };
            // SAFETY: the caller's.
            if unsafe { Slot::exchange(slot, state, claimed) }.is_ok() {
                return Ok(claimed);
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
                // It has ended since the state was read.
                continue;
            }
            return Err(state.refusal());
        }
        let past = (key.first_generation.into()..now).contains(&presented);
        return Err(if past { CompleteErrorKind::Stale } else { CompleteErrorKind::Unknown });
    }
}
