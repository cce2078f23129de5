//! The producer's end for whoever has the key of an operation.

use core::ptr::NonNull;

use super::{
    CompleteError, KeyError,
    producer::{fulfil, refuse},
};
use crate::{
    Key,
    slot::{Home, Slot, State},
};

/// Gives the operation with this key its value. The first use of the slot had the generation `first`.
///
/// # Safety
///
/// The slot lives, and is the one that the key names.
#[inline]
pub(crate) unsafe fn complete<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Key,
    first: u32,
    value: T,
) -> Result<(), CompleteError<T>> {
    // SAFETY: the caller's.
    match unsafe { claim(slot, key, first) } {
        // SAFETY: the operation was claimed here.
        Ok(claimed) => match unsafe { fulfil(slot, claimed, value) } {
            Ok(_wake) => Ok(()),
            Err(value) => Err(CompleteError { key, kind: KeyError::Abandoned, value }),
        },
        Err(kind) => Err(CompleteError { key, kind, value }),
    }
}

/// Ends the operation with this key without a value.
///
/// # Safety
///
/// As [`complete`].
pub(crate) unsafe fn end<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Key,
    first: u32,
) -> Result<(), CompleteError<()>> {
    // SAFETY: the caller's.
    match unsafe { claim(slot, key, first) } {
        // SAFETY: the operation was claimed here.
        Ok(claimed) => match unsafe { refuse(slot, claimed) } {
            Ok(_wake) => Ok(()),
            Err(()) => Err(CompleteError { key, kind: KeyError::Abandoned, value: () }),
        },
        Err(kind) => Err(CompleteError { key, kind, value: () }),
    }
}

/// # Safety
///
/// As [`complete`].
#[inline(always)]
unsafe fn claim<T, H: Home>(
    slot: NonNull<Slot<T, H>>,
    key: Key,
    first: u32,
) -> Result<State, KeyError> {
    // SAFETY: the caller's.
    let state = unsafe { slot.as_ref() }.state();
    // What is known beforehand need not wait for the load.
    let keyed = State::keyed(key.generation());
    let waiting = keyed.register().expect("nothing else happened");
    let usual = if state.is_only_keyed_and_awaited() { waiting } else { keyed };
    let claimed = usual.claim().expect("nothing else happened");
    // SAFETY: the caller's.
    if unsafe { Slot::exchange(slot, usual, claimed) }.is_ok() {
        return Ok(claimed);
    }
    // SAFETY: the caller's.
    unsafe { claim_slowly(slot, key, first) }
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
    key: Key,
    first: u32,
) -> Result<State, KeyError> {
    // SAFETY: the caller's.
    let state = unsafe { slot.as_ref() }.state();
    // The key is looked at each time that the state is: it may be that of the next use.
    let claim = |state: State| state.claim_by_key(key.generation());
    // SAFETY: the caller's.
    match unsafe { Slot::change(slot, state, claim) } {
        Ok(claim) => Ok(claim.state),
        Err(state) => Err(state.refusal(key.generation(), first)),
    }
}
