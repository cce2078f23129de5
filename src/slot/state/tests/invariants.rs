//! Tests invariants of all reachable states. In addition, each step of the search (`World::after`) asserts that values and wakers are
//! stored in empty fields, are taken out once, and are not lost.

use std::vec::Vec;

use super::{
    super::*,
    reachable::{NUMBER_NOW, can_reach, reachable},
    tables,
    world::{Actor, Owner, World},
};

/// Without this test, a table that allows no transition would pass the other tests.
#[test]
fn every_transition_is_possible_in_a_reachable_state() {
    let worlds = reachable();
    for row in tables::rows() {
        let made = worlds.values().flatten().any(|step| step.row == row);
        assert!(made, "this transition is never made: {row:?}");
    }
    assert!(worlds.keys().any(|world| world.returned && world.cancelled));
    assert!(worlds.keys().any(|world| world.returned && world.ended));
}

#[test]
fn the_flags_say_who_owns_the_value_field_and_there_is_at_most_one_owner() {
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
        let expected =
            if world.value_owner == Owner::Nobody { &[][..] } else { &[world.value_owner] };
        assert_eq!(owners, expected, "{world:?}");
        assert_eq!(state.has_value(), world.value_there, "{world:?}");
    }
}

#[test]
fn only_the_owner_of_the_value_field_passes_it_to_another_role() {
    for (world, steps) in reachable() {
        for step in steps.iter().filter(|step| step.to.value_owner != world.value_owner) {
            let theirs = match world.value_owner {
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
fn the_flags_say_which_roles_exist() {
    for world in reachable().keys().filter(|world| !world.returned) {
        let state = world.state();
        assert_eq!(state.has_left(), !world.consumer, "{world:?}");
        assert_eq!(state.is_held(), world.completer, "{world:?}");
        assert_eq!(state.has(CLAIMED), world.claimant.is_some(), "{world:?}");
        assert_eq!(state.has(KEYED), world.key_issued, "{world:?}");
        assert_eq!(state.has(ORPHANED), world.orphaned, "{world:?}");
        assert_eq!(state.is_waiting(), world.waker_there, "{world:?}");
        assert_eq!(state.is_watched(), world.watcher_there, "{world:?}");
        assert_eq!(state.is_pending(), !world.ended, "{world:?}");
        assert_eq!(state.has(PENDING | LEFT), world.cancelled, "{world:?}");
    }
}

/// The slot is returned only once, because no transition is possible after the return.
#[test]
fn the_last_role_returns_the_slot_on_every_path() {
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
    assert_eq!(ending.len(), worlds.len(), "from some state, the slot is never returned");
}

/// A completer, or a producer with an issued key, can always end the operation.
#[test]
fn a_pending_operation_can_end_without_its_consumer() {
    let worlds = reachable();
    let served = |world: &World| world.ended || !world.consumer;
    let ending = can_reach(worlds, served, |step| step.actor != Actor::Consumer);
    for world in worlds.keys() {
        assert!(ending.contains(world), "{world:?}");
    }
}

#[test]
fn a_waiting_consumer_or_completer_is_always_woken() {
    for world in reachable().keys() {
        assert!(
            !(world.ended && world.waker_there),
            "there is a result, but the consumer was not woken: {world:?}"
        );
        let over = world.ended || world.cancelled;
        assert!(
            !(over && world.watcher_there),
            "the operation is over, but the completer was not woken: {world:?}"
        );
    }
}

#[test]
fn the_refusal_of_a_key_names_the_state_of_its_operation() {
    for world in reachable().keys() {
        let state = world.state();
        let refusal = match state.claim() {
            Some(_) => None,
            None => Some(state.refusal()),
        };
        let expected = if !world.key_issued {
            Some(CompleteErrorKind::Unknown)
        } else if world.cancelled {
            Some(CompleteErrorKind::Closed)
        } else if world.ended {
            Some(CompleteErrorKind::AlreadyCompleted)
        } else if world.claimant.is_some() {
            Some(CompleteErrorKind::BeingCompleted)
        } else {
            None
        };
        assert_eq!(refusal, expected, "{world:?}");
        assert_eq!(state.is_open(), !world.ended && !world.cancelled, "{world:?}");
    }
}

#[test]
fn each_predicate_of_a_fast_path_holds_only_in_the_intended_states() {
    let rented = State::rented(NUMBER_NOW);
    let awaited = rented.register().expect("the operation has just begun");
    let keyed = State::keyed(NUMBER_NOW);
    assert!(rented.into_key() == Some(keyed));
    let keyed_and_awaited = keyed.register().expect("the operation has just begun");
    for world in reachable().keys().filter(|world| !world.returned) {
        let state = world.state();
        assert_eq!(state.is_rented(), state == rented, "{world:?}");
        assert_eq!(state.is_awaited(), state == awaited, "{world:?}");
        assert_eq!(state.is_only_keyed(), state == keyed, "{world:?}");
        assert_eq!(state.is_only_keyed_and_awaited(), state == keyed_and_awaited, "{world:?}");

        let is_unclaimed = world.claimant.is_none();
        let completed = world.consumer && !world.completer && is_unclaimed && world.value_there;
        assert_eq!(state.is_completed(), completed, "{world:?}");

        let only_completer = world.completer && !world.consumer && is_unclaimed;
        assert_eq!(state.only_completer_is_left(), only_completer, "{world:?}");
    }
}
