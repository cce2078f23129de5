//! The life of a slot: one 64-bit word, and every change that it can undergo.
//!
//! ```text
//!  63            32 31              18 17           10 9     0
//! ┌────────────────┬──────────────────┬───────────────┬───────┐
//! │   generation   │ 0, low bits of   │ registrations │ flags │
//! │                │ the epoch        │               │       │
//! └────────────────┴──────────────────┴───────────────┴───────┘
//! ```
//!
//! The generation and the epoch are those of the operation's [number](super::number). The registrations
//! count the wakers that either end put into the slot in this operation: a producer that reads a waker
//! and then changes the word from what it was before knows that the waker was not replaced meanwhile.
//! From the 256th on, bit 31 is set, and the count also takes the bits of the epoch. It ends at two million.
//!
#![doc = include_str!("states.md")]
//!
//! The functions below are pure: they say what the word becomes, or that the change is not allowed
//! now. Whoever calls them makes the change with one compare-and-exchange; only the beginning of the
//! next use is a plain store, because nobody refers to the slot then. The unit tests read the tables above.

use super::{CompleteErrorKind, Number};

/// What the state word of a slot says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(u64);

const PENDING: u64 = 1 << 0;
const CLAIMED: u64 = 1 << 1;
const VALUE: u64 = 1 << 2;
const NOTHING: u64 = 1 << 3;
const WAITING: u64 = 1 << 4;
const GONE: u64 = 1 << 5;
const HELD: u64 = 1 << 6;
const KEYED: u64 = 1 << 7;
const WATCHED: u64 = 1 << 8;
const ORPHANED: u64 = 1 << 9;

const REGISTRATION: u64 = 1 << 10;
const FLAGS: u64 = REGISTRATION - 1;
const GENERATION: u64 = 1 << 32;
/// The bits that count the first 255 registrations.
const SHORT_COUNT: u64 = (1 << 18) - REGISTRATION;
/// Set from the 256th registration on: then the count also takes the bits of the epoch. No number has this bit.
const LONG_COUNT: u64 = 1 << 31;
/// The bits that count all registrations, with the flag.
const REGISTRATIONS: u64 = GENERATION - REGISTRATION;
/// The bits that a state with fewer than 256 registrations shares with the number of its operation.
const NUMBER: u64 = u64::MAX << 18;

/// One row of the table.
struct Transition {
    /// Flags that have to be set, and flags that must not be.
    with: u64,
    without: u64,
    sets: u64,
    clears: u64,
}

/// A transition counts a registration if it sets one of these.
const REGISTERS: u64 = WAITING | WATCHED;

macro_rules! transitions {
    ($($name:ident: $with:expr, $without:expr => $sets:expr, $clears:expr;)*) => {
        impl State {
            $(
                #[doc = concat!("The transition `", stringify!($name), "`, if it is allowed.")]
                #[must_use]
                #[inline(always)]
                pub(crate) fn $name(self) -> Option<State> {
                    const TRANSITION: Transition =
                        Transition { with: $with, without: $without, sets: $sets, clears: $clears };
                    self.apply(&TRANSITION)
                }
            )*
        }

        #[cfg(test)]
        const TRANSITIONS: &[(&str, Transition, fn(State) -> Option<State>)] = &[$((
            stringify!($name),
            Transition { with: $with, without: $without, sets: $sets, clears: $clears },
            State::$name,
        )),*];
    };
}

transitions! {
    register: PENDING, WAITING | GONE => WAITING, 0;
    unregister: PENDING | WAITING, 0 => 0, WAITING;
    leave: PENDING, GONE => GONE, WAITING | WATCHED;
    take: VALUE, GONE => GONE, VALUE;
    take_nothing: NOTHING, GONE => GONE, NOTHING;
    complete: PENDING | HELD, CLAIMED | KEYED | GONE | WATCHED => VALUE, PENDING | HELD | WAITING;
    give_up: PENDING | HELD, CLAIMED | GONE | WATCHED => NOTHING, PENDING | HELD | WAITING;
    watch: PENDING | HELD, GONE | WATCHED => WATCHED, 0;
    unwatch: PENDING | HELD | WATCHED, 0 => 0, WATCHED;
    issue_key: HELD, 0 => KEYED, 0;
    release: HELD, WATCHED => 0, HELD;
    claim: PENDING | KEYED, CLAIMED | GONE => CLAIMED, 0;
    fulfil: PENDING | CLAIMED, GONE => VALUE, PENDING | CLAIMED | WAITING | WATCHED;
    refuse: PENDING | CLAIMED, GONE => NOTHING, PENDING | CLAIMED | WAITING | WATCHED;
    withdraw: PENDING | CLAIMED | GONE, 0 => 0, CLAIMED;
    orphan: PENDING | HELD, GONE | ORPHANED => ORPHANED, 0;
}

impl State {
    /// Of a slot that was never rented, and whose first operation will have this number.
    pub(crate) const fn before(first: Number) -> State {
        State((first.bits() - GENERATION) & NUMBER)
    }

    pub(crate) const fn from_bits(bits: u64) -> State {
        State(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    #[inline(always)]
    fn apply(self, transition: &Transition) -> Option<State> {
        if self.0 & (transition.with | transition.without) != transition.with {
            return None;
        }
        let mut bits = self.0;
        if transition.sets & REGISTERS != 0 {
            if bits & SHORT_COUNT != SHORT_COUNT || bits & LONG_COUNT != 0 {
                if bits & REGISTRATIONS == REGISTRATIONS {
                    return None;
                }
                bits += REGISTRATION;
            } else {
                // A state with the flag never equals one without it, whatever the epoch.
                bits = (bits & !REGISTRATIONS | LONG_COUNT) + SHORT_COUNT + REGISTRATION;
            }
        }
        Some(State(bits & !transition.clears | transition.sets))
    }

    /// The state in which the operation with this number begins.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn rented(number: Number) -> State {
        State((number.bits() & NUMBER) | (PENDING | HELD))
    }

    #[inline(always)]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// No result yet.
    #[inline(always)]
    pub(crate) fn is_pending(self) -> bool {
        self.has(PENDING)
    }

    /// There is no result yet, and the consumer waits for one, or will.
    #[inline(always)]
    pub(crate) fn is_open(self) -> bool {
        self.0 & (PENDING | GONE) == PENDING
    }

    // `is_rented`, `is_only_keyed`, `is_awaited` and `is_only_keyed_and_awaited` are hints. They select the state
    // from which the caller tries its exchange. From the 256th registration on they may be wrong, because the
    // count then also takes the bits of the epoch. The exchange then fails, and the caller takes the slow path.

    /// As [`rented`](State::rented) made it.
    #[inline(always)]
    pub(crate) fn is_rented(self) -> bool {
        self.lower() == PENDING | HELD
    }

    /// [`is_only_keyed`](State::is_only_keyed), but that the consumer waits, with the first waker that
    /// it came with.
    #[inline(always)]
    pub(crate) fn is_only_keyed_and_awaited(self) -> bool {
        self.lower() == PENDING | KEYED | WAITING | REGISTRATION
    }

    /// [`issue_key`](State::issue_key) and [`release`](State::release) in one, if there is somebody to
    /// present the key.
    #[inline(always)]
    pub(crate) fn into_key(self) -> Option<State> {
        if self.has(ORPHANED) { None } else { self.issue_key()?.release() }
    }

    /// [`fulfil`](State::fulfil) and [`release`](State::release) in one, for a completer that has claimed.
    #[inline(always)]
    pub(crate) fn fulfil_and_release(self) -> Option<State> {
        self.fulfil()?.release()
    }

    /// The operation when its completer has just been [turned into a key](State::into_key).
    #[must_use]
    #[inline(always)]
    pub(crate) const fn keyed(number: Number) -> State {
        State((number.bits() & NUMBER) | (PENDING | KEYED))
    }

    /// As [`keyed`](State::keyed) made it.
    #[inline(always)]
    pub(crate) fn is_only_keyed(self) -> bool {
        self.lower() == PENDING | KEYED
    }

    /// A key may claim the operation.
    pub(crate) fn waits_for_key(self) -> bool {
        self.claim().is_some()
    }

    /// The consumer waits, with the first waker that it came with, and nothing else has happened.
    #[inline(always)]
    pub(crate) fn is_awaited(self) -> bool {
        self.lower() == PENDING | HELD | WAITING | REGISTRATION
    }

    /// The usual end: there is a value, and no completer any more.
    #[inline(always)]
    pub(crate) fn is_completed(self) -> bool {
        self.0 & (FLAGS & !(KEYED | ORPHANED)) == VALUE
    }

    #[inline(always)]
    pub(crate) fn is_held(self) -> bool {
        self.has(HELD)
    }

    #[inline(always)]
    pub(crate) fn has_value(self) -> bool {
        self.has(VALUE)
    }

    #[inline(always)]
    pub(crate) fn is_waiting(self) -> bool {
        self.has(WAITING)
    }

    #[inline(always)]
    pub(crate) fn is_gone(self) -> bool {
        self.has(GONE)
    }

    /// A producer has claimed the operation, and has not completed it yet.
    #[inline(always)]
    pub(crate) fn is_claimed(self) -> bool {
        self.has(CLAIMED)
    }

    /// The consumer has gone, and there is no completer. If the slot is out still, then only for as long as
    /// another thread is inside a call.
    pub(crate) fn is_returning(self) -> bool {
        self.0 & (GONE | HELD) == GONE
    }

    #[inline(always)]
    pub(crate) fn is_watched(self) -> bool {
        self.has(WATCHED)
    }

    /// Nobody refers to the slot any more: who made it so returns it.
    #[inline(always)]
    pub(crate) fn is_unreferenced(self) -> bool {
        self.0 & (GONE | HELD | CLAIMED) == GONE
    }

    /// The consumer has gone, and nobody but the completer refers to the slot.
    #[inline(always)]
    pub(crate) fn is_the_completers_own(self) -> bool {
        self.0 & (GONE | HELD | CLAIMED) == GONE | HELD
    }

    /// The flags that are not in `other`.
    #[inline(always)]
    pub(crate) fn without(self, other: State) -> State {
        State(self.0 & !other.0 & FLAGS)
    }

    /// All but the number.
    #[inline(always)]
    fn lower(self) -> u64 {
        self.0 & !NUMBER
    }

    #[inline(always)]
    fn has(self, flags: u64) -> bool {
        self.0 & flags == flags
    }
}

impl State {
    /// [`claim`](State::claim), if the operation was left to its key.
    #[inline]
    pub(crate) fn claim_left(self) -> Option<State> {
        if self.is_held() { None } else { self.claim() }
    }

    /// Why the key of this operation may not claim it, if it may not.
    #[cold]
    pub(crate) fn refusal(self) -> CompleteErrorKind {
        if !self.has(KEYED) {
            CompleteErrorKind::Unknown
        } else if self.has(PENDING | GONE) {
            CompleteErrorKind::Closed
        } else if self.has(PENDING) {
            CompleteErrorKind::BeingCompleted
        } else {
            CompleteErrorKind::AlreadyCompleted
        }
    }
}

#[cfg(test)]
mod tests;
