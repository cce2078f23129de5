//! A model of a slot and its roles. It records beside the state word what the rules in `states.md` say. It derives that from the
//! transitions, and not from the flags.

use super::{super::*, tables::Row};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Actor {
    Consumer,
    Completer,
    /// A producer that presents a key.
    Key,
    /// The thread that closes the pool.
    Pool,
}

/// The owner of the value cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Owner {
    Nobody,
    Completer,
    Claimant,
    Consumer,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts, each of which holds or not")]
pub(super) struct World {
    bits: u64,
    pub(super) consumer: bool,
    pub(super) completer: bool,
    pub(super) claimant: Option<Actor>,
    pub(super) key_issued: bool,
    /// The pool was closed, so no producer presents a key.
    pub(super) orphaned: bool,
    pub(super) cell: Owner,
    pub(super) value_there: bool,
    /// The cell of the waker of the consumer, or of the completer, contains one.
    pub(super) waker_there: bool,
    pub(super) watcher_there: bool,
    /// The operation has, or had, a result.
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
            cell: Owner::Completer,
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

    /// Returns `true` if a role refers to the slot. A key does not.
    pub(super) fn is_referenced(&self) -> bool {
        self.consumer || self.completer || self.claimant.is_some()
    }

    /// Returns the world after a transition to the state `next`.
    pub(super) fn after(mut self, row: &Row, actor: Actor, next: State) -> World {
        let before = self.state();
        // A transition that sets the flag stores a waker, even if the flag was set.
        let sets = |flag| row.sets & flag != 0;
        let clears = |flag| before.has(flag) && !next.has(flag);

        if sets(WAITING) {
            assert_eq!(actor, Actor::Consumer, "only the consumer writes its waker");
            put(&mut self.waker_there);
        }
        // `unregister` takes the waker out without a check.
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
        // The last role need not make the transition.
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
                self.result(self.cell, false);
            }
            "issue_key" => {
                self.key_issued = true;
                self.completer_releases_the_cell();
            }
            "release" => {
                self.completer = false;
                self.completer_releases_the_cell();
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

    /// Records the result, a value or none. `from` owned the cell.
    fn result(&mut self, from: Owner, value: bool) {
        assert!(!self.ended && !self.cancelled, "a result too many, or too late: {self:?}");
        self.ended = true;
        if value {
            put(&mut self.value_there);
        }
        self.pass(from, if value { Owner::Consumer } else { Owner::Nobody });
    }

    fn completer_releases_the_cell(&mut self) {
        if self.cell == Owner::Completer {
            self.cell = Owner::Nobody;
        }
    }

    fn pass(&mut self, from: Owner, to: Owner) {
        assert_eq!(self.cell, from, "the actor does not own the cell: {self:?}");
        self.cell = to;
    }
}

fn put(there: &mut bool) {
    assert!(!*there, "the cell is not empty");
    *there = true;
}

fn take(there: &mut bool) {
    assert!(*there, "the cell is empty");
    *there = false;
}

/// Reduces the number of registrations, so that there are finitely many worlds. Two registrations stand for more, unless nearly all are
/// used.
fn few_registrations(state: State) -> State {
    let registrations = state.bits() & REGISTRATIONS;
    if (3 * REGISTRATION..REGISTRATIONS - 2 * REGISTRATION).contains(&registrations) {
        State::from_bits(state.bits() - registrations + 2 * REGISTRATION)
    } else {
        state
    }
}
