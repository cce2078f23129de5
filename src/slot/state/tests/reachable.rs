//! Searches all states that an operation can reach. A [`World`] is the model of such a state. An actor may make a transition if its role
//! has not ended, and if the code of the role makes the transition in such a state (see `may`).

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::OnceLock,
    vec::Vec,
};

use super::{
    super::*,
    tables::{self, Row},
    world::{Actor, World},
};

pub(super) const NUMBER_NOW: Number = Number::new(0, 7);

#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) row: Row,
    pub(super) actor: Actor,
    pub(super) to: World,
}

/// Returns `true` if the actor may make the transition of this row, provided that the flags allow the transition.
fn may(world: &World, row: &Row, actor: Actor) -> bool {
    let claims = world.claimant == Some(actor);
    match (row.by, actor) {
        ("consumer", Actor::Consumer) => world.consumer,
        // A completer releases the slot in two cases: it can no longer end the operation, for example because the operation has ended, or
        // it leaves the operation to the key.
        ("completer", Actor::Completer) if row.name == "release" => {
            let left_to_the_key = world.key_issued && !world.orphaned;
            world.completer && !claims && (left_to_the_key || world.state().abandon().is_none())
        }
        ("completer", Actor::Completer) => world.completer && !claims,
        // A producer may use a forged key before the key was issued. The state must refuse this key.
        ("key", Actor::Key) if row.name == "claim" => true,
        ("key", Actor::Completer) if row.name == "claim" => world.completer && !claims,
        ("key", Actor::Key | Actor::Completer) => claims,
        ("pool", Actor::Pool) => true,
        _ => false,
    }
}

/// The states that an operation can reach, each with the transitions that are possible in this state.
pub(super) type Worlds = BTreeMap<World, Vec<Step>>;

/// Returns the states that can be reached from a new operation. Except under Miri, also returns the states that can be reached from an
/// operation that has used nearly all registrations.
pub(super) fn reachable() -> &'static Worlds {
    static WORLDS: OnceLock<Worlds> = OnceLock::new();
    WORLDS.get_or_init(walk)
}

fn walk() -> Worlds {
    let functions = tables::functions();
    let rented = State::rented(NUMBER_NOW);
    let used_up = State::from_bits(rented.bits() + REGISTRATIONS - 2 * REGISTRATION);
    let mut queue = VecDeque::from([World::new(rented)]);
    // This is left out under Miri, because Miri is slow, and `State` has no unsafe code.
    if !cfg!(miri) {
        queue.push_back(World::new(used_up));
    }
    let mut worlds = BTreeMap::new();
    while let Some(world) = queue.pop_front() {
        if worlds.contains_key(&world) {
            continue;
        }
        let mut steps = Vec::new();
        for (row, function) in &functions {
            for actor in [Actor::Consumer, Actor::Completer, Actor::Key, Actor::Pool] {
                if !may(&world, row, actor) {
                    continue;
                }
                if let Some(next) = function(world.state()) {
                    steps.push(Step { row: *row, actor, to: world.after(row, actor, next) });
                }
            }
        }
        queue.extend(steps.iter().map(|step| step.to));
        worlds.insert(world, steps);
    }
    worlds
}

/// Returns the worlds from which a world that is `good` can be reached by steps that are `allowed`.
pub(super) fn can_reach(
    worlds: &Worlds,
    good: impl Fn(&World) -> bool,
    allowed: impl Fn(&Step) -> bool,
) -> BTreeSet<World> {
    let mut before = BTreeMap::<World, Vec<World>>::new();
    for (world, steps) in worlds {
        for step in steps.iter().filter(|step| allowed(step)) {
            before.entry(step.to).or_default().push(*world);
        }
    }
    let mut queue: Vec<World> = worlds.keys().filter(|world| good(world)).copied().collect();
    let mut reached = BTreeSet::new();
    while let Some(world) = queue.pop() {
        if reached.insert(world) {
            queue.extend(before.get(&world).into_iter().flatten());
        }
    }
    reached
}
