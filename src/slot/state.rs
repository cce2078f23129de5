//! The state of a slot: one 64-bit word, and its transitions.
//!
//! ```text
//!  63            32 31 30            18 17           10 9     0
//! ┌────────────────┬──┬────────────────┬───────────────┬───────┐
//! │   generation   │ 0│ low bits of    │ registrations │ flags │
//! │                │  │ the epoch      │               │       │
//! └────────────────┴──┴────────────────┴───────────────┴───────┘
//! ```
//!
//! The generation and the low bits of the epoch are those of the operation's [number](super::number). The field *registrations* counts the
//! wakers that the consumer and the completer have stored in the slot for this operation. A role that takes a waker out of the slot first
//! copies the waker, and then exchanges the state. If the exchange succeeds, the number of registrations has not changed, so the waker was
//! not replaced meanwhile. From the 256th registration on, bit 31 is set, and the bits of the epoch also count registrations. An operation
//! can have about two million registrations.
//!
#![doc = include_str!("states.md")]
//!
//! The transition functions below are pure. They return the next state, or `None` if the transition is not allowed. The
//! [roles](super::roles) make each transition with one compare-and-exchange. An operation begins with a store instead of an exchange,
//! because no role refers to the slot at that time. The unit tests compare the transition functions with the tables above.

use super::{CompleteErrorKind, Number};

/// The state of a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(u64);

const PENDING: u64 = 1 << 0;
const CLAIMED: u64 = 1 << 1;
const VALUE: u64 = 1 << 2;
const ABANDONED: u64 = 1 << 3;
const WAITING: u64 = 1 << 4;
const LEFT: u64 = 1 << 5;
const HELD: u64 = 1 << 6;
const KEYED: u64 = 1 << 7;
const WATCHED: u64 = 1 << 8;
const ORPHANED: u64 = 1 << 9;

const REGISTRATION: u64 = 1 << 10;
const FLAGS: u64 = REGISTRATION - 1;
const GENERATION: u64 = 1 << 32;
/// The bits that count the first 255 registrations.
const SHORT_COUNT: u64 = (1 << 18) - REGISTRATION;
/// The flag that is set from the 256th registration on. If it is set, the bits of the epoch also count registrations. In a [`Number`], this
/// bit is never set.
const LONG_COUNT: u64 = 1 << 31;
/// The bits that count all registrations, including the flag [`LONG_COUNT`].
const REGISTRATIONS: u64 = GENERATION - REGISTRATION;
/// The bits that are the same in the number of an operation and in its state, as long as the operation has fewer than 256 registrations.
const NUMBER: u64 = u64::MAX << 18;

/// A row of the table of transitions.
struct Transition {
    /// The flags that must be set.
    with: u64,
    /// The flags that must not be set.
    without: u64,
    /// The flags that the transition sets.
    sets: u64,
    /// The flags that the transition clears.
    clears: u64,
}

/// The flags that say that a waker is in the slot. A transition that sets one of these flags counts one registration.
const REGISTERS: u64 = WAITING | WATCHED;

macro_rules! transitions {
    ($($name:ident: $with:expr, $without:expr => $sets:expr, $clears:expr;)*) => {
        impl State {
            $(
                #[doc = concat!("Makes the transition `", stringify!($name), "`. Returns `None` if it is not allowed.")]
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
    register: PENDING, WAITING | LEFT => WAITING, 0;
    unregister: PENDING | WAITING, 0 => 0, WAITING;
    leave: PENDING, LEFT => LEFT, WAITING | WATCHED;
    take: VALUE, LEFT => LEFT, VALUE;
    take_abandoned: ABANDONED, LEFT => LEFT, ABANDONED;
    complete: PENDING | HELD, CLAIMED | KEYED | LEFT | WATCHED => VALUE, PENDING | HELD | WAITING;
    abandon: PENDING | HELD, CLAIMED | LEFT | WATCHED => ABANDONED, PENDING | HELD | WAITING;
    watch: PENDING | HELD, LEFT | WATCHED => WATCHED, 0;
    unwatch: PENDING | HELD | WATCHED, 0 => 0, WATCHED;
    issue_key: HELD, 0 => KEYED, 0;
    release: HELD, WATCHED => 0, HELD;
    claim: PENDING | KEYED, CLAIMED | LEFT => CLAIMED, 0;
    complete_claimed: PENDING | CLAIMED, LEFT => VALUE, PENDING | CLAIMED | WAITING | WATCHED;
    abandon_claimed: PENDING | CLAIMED, LEFT => ABANDONED, PENDING | CLAIMED | WAITING | WATCHED;
    unclaim: PENDING | CLAIMED | LEFT, 0 => 0, CLAIMED;
    orphan: PENDING | HELD, LEFT | ORPHANED => ORPHANED, 0;
}

impl State {
    /// Returns the state of a slot that was never rented. `first` is the number of the first operation of the slot.
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
                // This sets `LONG_COUNT`. A state with this flag never equals a state without the flag, whatever the bits of the epoch are.
                bits = (bits & !REGISTRATIONS | LONG_COUNT) + SHORT_COUNT + REGISTRATION;
            }
        }
        Some(State(bits & !transition.clears | transition.sets))
    }

    /// Returns the state in which an operation with a completer begins.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn rented(number: Number) -> State {
        State((number.bits() & NUMBER) | (PENDING | HELD))
    }

    #[inline(always)]
    pub(crate) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Returns `true` if the operation has no result yet.
    #[inline(always)]
    pub(crate) fn is_pending(self) -> bool {
        self.has(PENDING)
    }

    /// Returns `true` if the operation has no result yet, and its consumer has not left.
    #[inline(always)]
    pub(crate) fn is_open(self) -> bool {
        self.0 & (PENDING | LEFT) == PENDING
    }

    // `is_rented`, `is_only_keyed`, `is_awaited` and `is_only_keyed_and_awaited` are hints. A caller uses such a hint to choose the state
    // that its exchange expects. From the 256th registration on, a hint may be wrong, because the bits of the epoch then also count
    // registrations. In that case the exchange fails, and the caller takes the slow path.

    /// Returns `true` if the state is the one that [`rented`](State::rented) returns.
    #[inline(always)]
    pub(crate) fn is_rented(self) -> bool {
        self.lower() == PENDING | HELD
    }

    /// Returns `true` if the consumer waits with its first waker, and the state is otherwise the one that [`keyed`](State::keyed) returns.
    #[inline(always)]
    pub(crate) fn is_only_keyed_and_awaited(self) -> bool {
        self.lower() == PENDING | KEYED | WAITING | REGISTRATION
    }

    /// Makes the transitions [`issue_key`](State::issue_key) and [`release`](State::release) in one step. Returns `None` if one of them is
    /// not allowed. Also returns `None` if the operation is `ORPHANED`: an operation of a closed pool does not wait for a producer with a
    /// key.
    #[inline(always)]
    pub(crate) fn into_key(self) -> Option<State> {
        if self.has(ORPHANED) { None } else { self.issue_key()?.release() }
    }

    /// Makes the transitions [`complete_claimed`](State::complete_claimed) and [`release`](State::release) in one step, for a completer
    /// that has claimed the operation.
    #[inline(always)]
    pub(crate) fn complete_claimed_and_release(self) -> Option<State> {
        self.complete_claimed()?.release()
    }

    /// Returns the state in which an operation without a completer begins. An operation that began with a completer, and for which no waker
    /// was ever registered, has the same state after [`into_key`](State::into_key).
    #[must_use]
    #[inline(always)]
    pub(crate) const fn keyed(number: Number) -> State {
        State((number.bits() & NUMBER) | (PENDING | KEYED))
    }

    /// Returns `true` if the state is the one that [`keyed`](State::keyed) returns.
    #[inline(always)]
    pub(crate) fn is_only_keyed(self) -> bool {
        self.lower() == PENDING | KEYED
    }

    /// Returns `true` if a producer with the key can claim the operation.
    pub(crate) fn waits_for_key(self) -> bool {
        self.claim().is_some()
    }

    /// Returns `true` if the consumer waits with its first waker, and the state is otherwise the one that [`rented`](State::rented)
    /// returns.
    #[inline(always)]
    pub(crate) fn is_awaited(self) -> bool {
        self.lower() == PENDING | HELD | WAITING | REGISTRATION
    }

    /// Returns `true` if there is a value, no completer, and a consumer that has not left. Most operations reach this state.
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
    pub(crate) fn has_left(self) -> bool {
        self.has(LEFT)
    }

    /// Returns `true` if there is a claimant: the operation was claimed, and the claim has not ended yet.
    #[inline(always)]
    pub(crate) fn is_claimed(self) -> bool {
        self.has(CLAIMED)
    }

    /// Returns `true` if the consumer has left, and there is no completer. If the slot is still rented, another thread is inside a call
    /// that will return the slot.
    pub(crate) fn is_returning(self) -> bool {
        self.0 & (LEFT | HELD) == LEFT
    }

    #[inline(always)]
    pub(crate) fn is_watched(self) -> bool {
        self.has(WATCHED)
    }

    /// Returns `true` if no role refers to the slot. The role that has made the transition to this state returns the slot.
    #[inline(always)]
    pub(crate) fn is_unreferenced(self) -> bool {
        self.0 & (LEFT | HELD | CLAIMED) == LEFT
    }

    /// Returns `true` if the completer is the only role that refers to the slot.
    #[inline(always)]
    pub(crate) fn only_completer_is_left(self) -> bool {
        self.0 & (LEFT | HELD | CLAIMED) == LEFT | HELD
    }

    /// Returns the flags of this state that `other` does not have, as a state.
    #[inline(always)]
    pub(crate) fn without(self, other: State) -> State {
        State(self.0 & !other.0 & FLAGS)
    }

    /// Returns the flags, and the bits that count the first 255 registrations.
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
    /// Makes the transition [`claim`](State::claim). Returns `None` if there is a completer, or if the transition is not allowed.
    #[inline]
    pub(crate) fn claim_without_completer(self) -> Option<State> {
        if self.is_held() { None } else { self.claim() }
    }

    /// Returns the reason why a producer with the key of this operation cannot claim the operation.
    #[cold]
    pub(crate) fn refusal(self) -> CompleteErrorKind {
        if !self.has(KEYED) {
            CompleteErrorKind::Unknown
        } else if self.has(PENDING | LEFT) {
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
