//! What holds wherever an operation can get to. That values and wakers are put in where there is
//! none, are taken out once, and are not left behind, is asserted at each step of the way.

use std::vec::Vec;

use super::{
    super::*,
    actors::{NUMBER_NOW, can_reach, reachable},
    tables,
    world::{Actor, Owner, World},
};

/// So that a table that allows nothing does not pass.
#[test]
fn every_transition_is_made_somewhere() {
    let worlds = reachable();
    for row in tables::rows() {
        let made = worlds.values().flatten().any(|step| step.row == row);
        assert!(made, "never: {row:?}");
    }
    assert!(worlds.keys().any(|world| world.returned && world.abandoned));
    assert!(worlds.keys().any(|world| world.returned && world.ended));
}

#[test]
fn the_cell_belongs_to_whom_the_flags_say_and_to_one_at_most() {
    for world in reachable().keys().filter(|world| !world.returned) {
        let state = world.state();
        let mut owners = Vec::new();
        if state.has(PENDING) && !state.has(KEYED) && state.has(HELD) {
            owners.push(Owner::Completer);
        }
        if state.has(PENDING | CLAIMED) {
            owners.push(Owner::Claimant);
        }
        if state.has(VALUE) {
            owners.push(Owner::Consumer);
        }
        let expected = if world.cell == Owner::Nobody { &[][..] } else { &[world.cell] };
        assert_eq!(owners, expected, "{world:?}");
        assert_eq!(state.has_value(), world.value_there, "{world:?}");
    }
}

#[test]
fn nobody_gives_away_a_cell_that_is_not_theirs() {
    for (world, steps) in reachable() {
        for step in steps.iter().filter(|step| step.to.cell != world.cell) {
            let theirs = match world.cell {
                Owner::Nobody => step.row.name == "claim",
                Owner::Completer => step.actor == Actor::Completer,
                Owner::Claimant => world.claimant == Some(step.actor),
                Owner::Consumer => step.actor == Actor::Consumer,
            };
            assert!(theirs, "{step:?} from {world:?}");
        }
    }
}

#[test]
fn the_flags_say_who_is_there() {
    for world in reachable().keys().filter(|world| !world.returned) {
        let state = world.state();
        assert_eq!(state.has_left(), !world.consumer, "{world:?}");
        assert_eq!(state.is_held(), world.completer, "{world:?}");
        assert_eq!(state.has(CLAIMED), world.claimant.is_some(), "{world:?}");
        assert_eq!(state.has(KEYED), world.key_given, "{world:?}");
        assert_eq!(state.has(ORPHANED), world.orphaned, "{world:?}");
        assert_eq!(state.is_waiting(), world.waker_there, "{world:?}");
        assert_eq!(state.is_watched(), world.watcher_there, "{world:?}");
        assert_eq!(state.is_pending(), !world.ended, "{world:?}");
        assert_eq!(state.has(PENDING | LEFT), world.abandoned, "{world:?}");
    }
}

/// Once, because nobody does anything after it.
#[test]
fn the_last_one_returns_the_slot_on_every_path() {
    let worlds = reachable();
    let by_key = tables::functions().into_iter().filter(|(row, _)| row.by == "key");
    let by_key = by_key.collect::<Vec<_>>();
    for (world, steps) in worlds {
        assert_eq!(world.returned, steps.is_empty(), "{world:?}");
        assert_eq!(world.returned, !world.is_referenced(), "{world:?}");
        if world.returned {
            let left = by_key.iter().find(|(_, function)| function(world.state()).is_some());
            assert!(left.is_none(), "{left:?} from {world:?}");
        }
    }
    let ending = can_reach(worlds, |world| world.returned, |_| true);
    assert_eq!(ending.len(), worlds.len(), "there is a state without a way out");
}

/// By a completer, or by a key if one was given out.
#[test]
fn a_consumer_that_waits_can_be_served_without_its_help() {
    let worlds = reachable();
    let served = |world: &World| world.ended || !world.consumer;
    let ending = can_reach(worlds, served, |step| step.actor != Actor::Consumer);
    for world in worlds.keys() {
        assert!(ending.contains(world), "{world:?}");
    }
}

#[test]
fn who_waits_for_a_result_or_for_its_end_is_told_of_it() {
    for world in reachable().keys() {
        assert!(!(world.ended && world.waker_there), "a result, and nobody was woken: {world:?}");
        let over = world.ended || world.abandoned;
        assert!(!(over && world.watcher_there), "nobody waits, and nobody was told: {world:?}");
    }
}

#[test]
fn a_key_is_refused_for_what_has_become_of_its_operation() {
    for world in reachable().keys() {
        let state = world.state();
        let refusal = match state.claim() {
            Some(_) => None,
            None => Some(state.refusal()),
        };
        let expected = if !world.key_given {
            Some(CompleteErrorKind::Unknown)
        } else if world.abandoned {
            Some(CompleteErrorKind::Closed)
        } else if world.ended {
            Some(CompleteErrorKind::AlreadyCompleted)
        } else if world.claimant.is_some() {
            Some(CompleteErrorKind::BeingCompleted)
        } else {
            None
        };
        assert_eq!(refusal, expected, "{world:?}");
        assert_eq!(state.is_open(), !world.ended && !world.abandoned, "{world:?}");
    }
}

#[test]
fn the_short_ways_are_taken_from_the_states_that_they_are_for() {
    let rented = State::rented(NUMBER_NOW);
    let awaited = rented.register().expect("nothing happened yet");
    let keyed = State::keyed(NUMBER_NOW);
    assert!(rented.into_key() == Some(keyed));
    let keyed_and_awaited = keyed.register().expect("nothing happened yet");
    for world in reachable().keys().filter(|world| !world.returned) {
        let state = world.state();
        assert_eq!(state.is_rented(), state == rented, "{world:?}");
        assert_eq!(state.is_awaited(), state == awaited, "{world:?}");
        assert_eq!(state.is_only_keyed(), state == keyed, "{world:?}");
        assert_eq!(state.is_only_keyed_and_awaited(), state == keyed_and_awaited, "{world:?}");

        let alone = world.consumer && !world.completer && world.claimant.is_none();
        let completed = alone && world.value_there;
        assert_eq!(state.is_completed(), completed, "{world:?}");

        let own = world.completer && !world.consumer && world.claimant.is_none();
        assert_eq!(state.only_completer_is_left(), own, "{world:?}");
    }
}
