//! A slot and those who refer to it, with what the rules in `states.md` say of them kept beside the
//! state word, and by other means: from what was done, not from the flags.

use super::{super::*, tables::Row};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Actor {
    Consumer,
    Completer,
    /// Whoever presents a key.
    Key,
    /// Whoever drops the last handle.
    Pool,
}

/// To whom the cell of the value belongs.
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
    pub(super) key_given: bool,
    /// The pool has no handle any more, and so nobody presents a key.
    pub(super) orphaned: bool,
    pub(super) cell: Owner,
    pub(super) value_there: bool,
    /// The waker of the consumer, and that of the completer.
    pub(super) waker_there: bool,
    pub(super) watcher_there: bool,
    /// There was a result.
    pub(super) ended: bool,
    /// The consumer went before.
    pub(super) abandoned: bool,
    pub(super) returned: bool,
}

impl World {
    pub(super) fn new(rented: State) -> Self {
        World {
            bits: rented.bits(),
            consumer: true,
            completer: true,
            claimant: None,
            key_given: false,
            orphaned: false,
            cell: Owner::Completer,
            value_there: false,
            waker_there: false,
            watcher_there: false,
            ended: false,
            abandoned: false,
            returned: false,
        }
    }

    pub(super) fn state(&self) -> State {
        State::from_bits(self.bits)
    }

    /// Somebody refers to the slot; a key does not.
    pub(super) fn is_referenced(&self) -> bool {
        self.consumer || self.completer || self.claimant.is_some()
    }

    /// What the transition makes of the world, whose state becomes `next`.
    pub(super) fn after(mut self, row: &Row, actor: Actor, next: State) -> World {
        let before = self.state();
        // What is set is put there, whether there was something before or not.
        let sets = |flag| row.sets & flag != 0;
        let clears = |flag| before.has(flag) && !next.has(flag);

        if sets(WAITING) {
            assert_eq!(actor, Actor::Consumer, "only the consumer writes its waker");
            put(&mut self.waker_there);
        }
        // Who unregisters takes the waker out without another look.
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
        // Who finds that it is the last already need not make the transition.
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
                self.abandoned = true;
            }
            "take" => {
                self.consumer = false;
                take(&mut self.value_there);
                self.pass(Owner::Consumer, Owner::Nobody);
            }
            "take_abandoned" => self.consumer = false,
            "orphan" => {
                assert!(self.completer, "nobody would be left to end it");
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
                self.key_given = true;
                self.completer_lets_go_of_the_cell();
            }
            "release" => {
                self.completer = false;
                self.completer_lets_go_of_the_cell();
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
                assert!(self.abandoned, "whoever has claimed it delivers, if there is anybody");
                self.claimant = None;
                self.pass(Owner::Claimant, Owner::Nobody);
            }
            _ => panic!("what does `{name}` mean?"),
        }
    }

    /// The operation has its result, a value or none, from who had the cell.
    fn result(&mut self, from: Owner, value: bool) {
        assert!(!self.ended && !self.abandoned, "a result too many, or too late: {self:?}");
        self.ended = true;
        if value {
            put(&mut self.value_there);
        }
        self.pass(from, if value { Owner::Consumer } else { Owner::Nobody });
    }

    fn completer_lets_go_of_the_cell(&mut self) {
        if self.cell == Owner::Completer {
            self.cell = Owner::Nobody;
        }
    }

    fn pass(&mut self, from: Owner, to: Owner) {
        assert_eq!(self.cell, from, "not theirs to give: {self:?}");
        self.cell = to;
    }
}

fn put(there: &mut bool) {
    assert!(!*there, "what is there would be overwritten");
    *there = true;
}

fn take(there: &mut bool) {
    assert!(*there, "it has been taken before");
    *there = false;
}

/// So that the worlds are finitely many: two registrations stand for more, unless there are so many
/// that they are about to be used up.
fn few_registrations(state: State) -> State {
    let registrations = state.bits() & REGISTRATIONS;
    if (3 * REGISTRATION..REGISTRATIONS - 2 * REGISTRATION).contains(&registrations) {
        State::from_bits(state.bits() - registrations + 2 * REGISTRATION)
    } else {
        state
    }
}
