//! A model of a slot and its roles. In addition to the state word, it records which roles exist, which role owns the value field, and
//! whether the fields contain a value or a waker. It derives these facts from the transitions that were made, and not from the flags.

use super::{super::*, tables::Row};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Actor {
    Consumer,
    Completer,
    /// A producer that uses a key.
    Key,
    /// The actor of the transition `orphan`: the thread that closes the pool. (A consumer that starts to wait after the pool was closed
    /// makes the same transition.)
    Pool,
}

/// The owner of the value field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    Nobody,
    Completer,
    Claimant,
    Consumer,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each of these facts holds or does not hold")]
pub(super) struct World {
    bits: u64,
    pub(super) consumer: bool,
    pub(super) completer: bool,
    pub(super) claimant: Option<Actor>,
    pub(super) key_issued: bool,
    /// The pool was closed while the operation had a completer. From then on, the completer cannot leave the operation to its key.
    pub(super) orphaned: bool,
    /// The role that owns the value field.
    pub(super) value_owner: Owner,
    /// The value field contains a value.
    pub(super) value_there: bool,
    /// The consumer's waker is in the slot.
    pub(super) waker_there: bool,
    /// The completer's waker is in the slot.
    pub(super) watcher_there: bool,
    /// The operation has a result, or the consumer has already taken the result.
    pub(super) ended: bool,
    /// The consumer left before there was a result.
    pub(super) cancelled: bool,
    pub(super) returned: bool,
}

impl World {
    pub(super) fn new(rented: State) -> Self {
        World {
            bits: rented.bits(),
            consumer: true,
            completer: true,
            claimant: None,
            key_issued: false,
            orphaned: false,
            value_owner: Owner::Completer,
            value_there: false,
            waker_there: false,
            watcher_there: false,
            ended: false,
            cancelled: false,
            returned: false,
        }
    }

    pub(super) fn state(&self) -> State {
        State::from_bits(self.bits)
    }

    /// Returns `true` if a role refers to the slot. A key does not refer to the slot.
    pub(super) fn is_referenced(&self) -> bool {
        self.consumer || self.completer || self.claimant.is_some()
    }

    /// Returns the world after a transition to the state `next`.
    pub(super) fn after(mut self, row: &Row, actor: Actor, next: State) -> World {
        let before = self.state();
        // `sets` reads the row, and not the change of the flag. So if a row set a flag that is already set, `put` would panic.
        let sets = |flag| row.sets & flag != 0;
        let clears = |flag| before.has(flag) && !next.has(flag);

        if sets(WAITING) {
            assert_eq!(actor, Actor::Consumer, "only the consumer writes its waker");
            put(&mut self.waker_there);
        }
        // `unregister` always takes a waker out. If no waker is in the slot, `take` panics.
        if clears(WAITING) || row.name == "unregister" {
            take(&mut self.waker_there);
        }
        if sets(WATCHED) {
            assert_eq!(actor, Actor::Completer, "only the completer writes its waker");
            put(&mut self.watcher_there);
        }
        if clears(WATCHED) || row.name == "unwatch" {
            take(&mut self.watcher_there);
        }
        self.done(row.name, actor);

        assert_eq!(next.is_unreferenced(), !self.is_referenced(), "{row:?} {self:?}");
        if next.is_unreferenced() {
            assert!(!self.value_there, "a value is lost: {row:?} {self:?}");
            assert!(!self.waker_there && !self.watcher_there, "a waker is lost: {row:?} {self:?}");
            assert!(!self.returned);
            self.returned = true;
        }
        // If `last` is `true`, the last role returns the slot without a transition, by rule 3 of `slot/states.md`. Then the state does not
        // change.
        let last = match row.name {
            "take" | "take_abandoned" => !before.is_held(),
            "release" => before.only_completer_is_left(),
            _ => false,
        };
        assert!(!last || self.returned, "{row:?} {self:?}");
        self.bits = few_registrations(if last { before } else { next }).bits();
        self
    }

    fn done(&mut self, name: &str, actor: Actor) {
        match name {
            "register" | "unregister" | "watch" | "unwatch" => {}
            "leave" => {
                self.consumer = false;
                self.cancelled = true;
            }
            "take" => {
                self.consumer = false;
                take(&mut self.value_there);
                self.pass(Owner::Consumer, Owner::Nobody);
            }
            "take_abandoned" => self.consumer = false,
            "orphan" => {
                assert!(self.completer, "no role could end the operation");
                self.orphaned = true;
            }
            "complete" => {
                self.completer = false;
                self.result(Owner::Completer, true);
            }
            "abandon" => {
                self.completer = false;
                self.result(self.value_owner, false);
            }
            "issue_key" => {
                self.key_issued = true;
                self.completer_releases_the_value_field();
            }
            "release" => {
                self.completer = false;
                self.completer_releases_the_value_field();
            }
            "claim" => {
                assert_eq!(self.claimant.replace(actor), None, "claimed twice");
                self.pass(Owner::Nobody, Owner::Claimant);
            }
            "complete_claimed" | "abandon_claimed" => {
                self.claimant = None;
                self.result(Owner::Claimant, name == "complete_claimed");
            }
            "unclaim" => {
                assert!(
                    self.cancelled,
                    "a claimant completes the operation if there is a consumer"
                );
                self.claimant = None;
                self.pass(Owner::Claimant, Owner::Nobody);
            }
            _ => panic!("what does `{name}` mean?"),
        }
    }

    /// Records the end of the operation, with or without a value. `from` is the previous owner of the value field.
    fn result(&mut self, from: Owner, value: bool) {
        assert!(!self.ended && !self.cancelled, "no result is possible: {self:?}");
        self.ended = true;
        if value {
            put(&mut self.value_there);
        }
        self.pass(from, if value { Owner::Consumer } else { Owner::Nobody });
    }

    fn completer_releases_the_value_field(&mut self) {
        if self.value_owner == Owner::Completer {
            self.value_owner = Owner::Nobody;
        }
    }

    fn pass(&mut self, from: Owner, to: Owner) {
        assert_eq!(self.value_owner, from, "the actor does not own the value field: {self:?}");
        self.value_owner = to;
    }
}

fn put(there: &mut bool) {
    assert!(!*there, "the field is not empty");
    *there = true;
}

fn take(there: &mut bool) {
    assert!(*there, "the field is empty");
    *there = false;
}

/// Reduces the number of registrations, so that the search finds few worlds. A state with more than two registrations becomes the state
/// with two, unless the operation has nearly used all registrations.
fn few_registrations(state: State) -> State {
    let registrations = state.bits() & REGISTRATIONS;
    if (3 * REGISTRATION..REGISTRATIONS - 2 * REGISTRATION).contains(&registrations) {
        State::from_bits(state.bits() - registrations + 2 * REGISTRATION)
    } else {
        state
    }
}
