//! The tables and targets of one-shot completions.

use super::{ON_TWO_THREADS, Row, Table, Targets, find};
use crate::contenders::completion::{
    boxed, by_key,
    floor::FLOOR,
    many_pending::{self, PENDING, with},
    other_thread,
    ours::{LOCAL, LOCAL_ERASED, OURS, OURS_ERASED},
    rivals::{ASYNC_ONESHOT, EVENT_POOL, FUTURES, MULTISHOT, ONESHOT, TOKIO},
    round_trip,
    two_threads::{self, on_two},
};

pub(crate) const ROUND_TRIP: &str = "completion, round trip";
pub(crate) const LOCAL_ROUND_TRIP: &str = "completion, round trip, local";
pub(crate) const COMPLETED_FIRST: &str = "completion, completed before the first poll";
pub(crate) const LOCAL_COMPLETED_FIRST: &str = "completion, completed before the first poll, local";
pub(crate) const CANCELLED: &str = "completion, cancelled";
pub(crate) const LOCAL_CANCELLED: &str = "completion, cancelled, local";
pub(crate) const TWO_THREADS: &str = "completion, round trip, one thread and two";
pub(crate) const OTHER_THREAD: &str = "completion, completed on another thread";
pub(crate) const BY_KEY: &str = "completion, by key";
pub(crate) const MANY_PENDING: &str = "completion, round trip while others are pending";
pub(crate) const REPLACED: &str = "completion, replacing a random pending operation";

pub(crate) fn tables() -> Vec<Table> {
    let table = |title: &str, cases, add_targets| Table::new(title.into(), cases, add_targets);
    vec![
        table(ROUND_TRIP, round_trip::round_trip, add_targets_of_round_trip),
        table(LOCAL_ROUND_TRIP, round_trip::local_round_trip, add_targets_of_local_round_trip),
        table(COMPLETED_FIRST, round_trip::completed_first, add_targets_of_allocations),
        table(LOCAL_COMPLETED_FIRST, round_trip::local_completed_first, add_targets_of_allocations),
        table(CANCELLED, round_trip::cancelled, add_targets_of_allocations),
        table(LOCAL_CANCELLED, round_trip::local_cancelled, add_targets_of_allocations),
        table(TWO_THREADS, two_threads::cases, add_targets_of_two_threads)
            .with_operations(ON_TWO_THREADS),
        table(OTHER_THREAD, other_thread::cases, add_targets_of_other_thread)
            .with_operations(ON_TWO_THREADS),
        table(BY_KEY, by_key::cases, add_targets_of_by_key),
        table(MANY_PENDING, many_pending::round_trips, add_targets_of_many_pending),
        table(REPLACED, many_pending::replacing, add_targets_of_allocations),
    ]
}

/// Requires that a warm pool allocates nothing.
fn add_targets_of_allocations(rows: &[Row], targets: &mut Targets) {
    for row in rows.iter().filter(|row| is_ours(row)) {
        targets.allocates("completion", row, 0.0);
    }
}

fn is_ours(row: &Row) -> bool {
    row.name.starts_with("ours")
}

fn fastest<'r>(rows: impl Iterator<Item = &'r Row>) -> &'r Row {
    rows.min_by(|a, b| a.min.total_cmp(&b.min)).expect("there is a rival")
}

fn add_targets_of_round_trip(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    let row = |name| find(rows, name);
    let bounds = [(EVENT_POOL, 2.2), (ASYNC_ONESHOT, 2.0), (ONESHOT, 2.2), (TOKIO, 3.8)];
    for (rival, bound) in bounds.into_iter().chain([(FUTURES, 6.5)]) {
        targets.faster("round trip", row(OURS), row(rival), bound);
    }
    targets.faster("round trip", row(OURS_ERASED), row(EVENT_POOL), 1.6);
    targets.faster("round trip", row(OURS_ERASED), row(&boxed(EVENT_POOL)), 2.0);
}

fn add_targets_of_local_round_trip(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    let rival = fastest(rows.iter().filter(|row| !is_ours(row)));
    targets.faster("round trip", find(rows, LOCAL), rival, 1.8);
    targets.faster("round trip", find(rows, LOCAL_ERASED), rival, 1.3);
}

fn add_targets_of_two_threads(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    let one = |name| find(rows, name);
    let two = |name| find(rows, &on_two(name));
    // A multishot channel serves only one operation at a time, so it is no rival of a pool.
    let rivals = rows.iter().filter(|row| {
        !is_ours(row) && !row.name.starts_with(MULTISHOT) && !row.name.starts_with(FLOOR)
    });
    let rival = fastest(rivals.filter(|row| row.name.ends_with(&on_two(""))));
    for (ours, bound) in [(OURS, 2.5), (OURS_ERASED, 1.7)] {
        targets.at_most("threads", two(ours), one(ours), 1.25);
        targets.faster("threads", two(ours), rival, bound);
    }
}

fn add_targets_of_other_thread(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    let rival = fastest(rows.iter().filter(|row| !is_ours(row) && row.name != MULTISHOT));
    targets.at_most("to another thread", find(rows, OURS), rival, 1.1);
}

fn add_targets_of_by_key(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    for rival in rows.iter().filter(|row| !is_ours(row)) {
        targets.faster("by key", find(rows, OURS), rival, 2.0);
    }
}

fn add_targets_of_many_pending(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    let ours = |pending| find(rows, &with(OURS, pending));
    for pending in &PENDING[1..] {
        targets.at_most("many pending", ours(*pending), ours(PENDING[0]), 1.5);
    }
}
