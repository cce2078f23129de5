//! The tables of the one-shot completions.

use super::{ON_TWO_THREADS, Row, Table, Targets, find};
use crate::contenders::completion::{
    boxed, crossing,
    floor::FLOOR,
    keyed,
    live::{self, LIVE, with},
    ours::{LOCAL, LOCAL_ERASED, OURS, OURS_ERASED},
    rivals::{ASYNC_ONESHOT, EVENT_POOL, FUTURES, MULTISHOT, ONESHOT, TOKIO},
    threads::{self, on_two},
    trip,
};

pub(crate) fn tables() -> Vec<Table> {
    let table =
        |title: &str, cases, judge| Table::new(format!("completion, {title}"), cases, judge);
    vec![
        table("round trip, shared", trip::round_trip, judge_round_trip),
        table("round trip, local", trip::local_round_trip, judge_local_round_trip),
        table("completed before the first poll, shared", trip::completed_first, judge_memory),
        table("completed before the first poll, local", trip::local_completed_first, judge_memory),
        table("cancelled, shared", trip::cancelled, judge_memory),
        table("cancelled, local", trip::local_cancelled, judge_memory),
        table("round trips per thread, one and two", threads::cases, judge_threads)
            .with_operations(ON_TWO_THREADS),
        table("rented here, completed on another thread", crossing::cases, judge_crossing)
            .with_operations(ON_TWO_THREADS),
        table("by key", keyed::cases, judge_keyed),
        table("round trip beside so many that wait", live::beside, judge_live),
        table("replacing a random one of those that wait", live::replacing, judge_memory),
    ]
}

/// Nothing of ours allocates once it is warm.
fn judge_memory(rows: &[Row], targets: &mut Targets) {
    for row in rows.iter().filter(|row| is_ours(row)) {
        targets.allocates("completion", row, 0.0);
    }
}

fn is_ours(row: &Row) -> bool {
    row.name.starts_with("ours")
}

fn fastest<'r>(rows: impl Iterator<Item = &'r Row>) -> &'r Row {
    rows.min_by(|a, b| a.min.total_cmp(&b.min)).expect("there are rivals")
}

fn judge_round_trip(rows: &[Row], targets: &mut Targets) {
    judge_memory(rows, targets);
    let row = |name| find(rows, name);
    let bounds = [(EVENT_POOL, 2.2), (ASYNC_ONESHOT, 2.0), (ONESHOT, 2.2), (TOKIO, 3.8)];
    for (rival, bound) in bounds.into_iter().chain([(FUTURES, 6.5)]) {
        targets.faster("round trip", row(OURS), row(rival), bound);
    }
    targets.faster("round trip", row(OURS_ERASED), row(EVENT_POOL), 1.6);
    targets.faster("round trip", row(OURS_ERASED), row(&boxed(EVENT_POOL)), 2.0);
}

fn judge_local_round_trip(rows: &[Row], targets: &mut Targets) {
    judge_memory(rows, targets);
    let rival = fastest(rows.iter().filter(|row| !is_ours(row)));
    targets.faster("round trip", find(rows, LOCAL), rival, 1.8);
    targets.faster("round trip", find(rows, LOCAL_ERASED), rival, 1.3);
}

fn judge_threads(rows: &[Row], targets: &mut Targets) {
    judge_memory(rows, targets);
    let one = |name| find(rows, name);
    let two = |name| find(rows, &on_two(name));
    // A multishot channel has one operation at a time, so it could not do what a pool is for.
    let rivals = rows.iter().filter(|row| {
        !is_ours(row) && !row.name.starts_with(MULTISHOT) && !row.name.starts_with(FLOOR)
    });
    let rival = fastest(rivals.filter(|row| row.name.ends_with(&on_two(""))));
    for (ours, bound) in [(OURS, 2.5), (OURS_ERASED, 1.7)] {
        targets.at_most("threads", two(ours), one(ours), 1.25);
        targets.faster("threads", two(ours), rival, bound);
    }
}

fn judge_crossing(rows: &[Row], targets: &mut Targets) {
    judge_memory(rows, targets);
    let rival = fastest(rows.iter().filter(|row| !is_ours(row) && row.name != MULTISHOT));
    targets.at_most("to another thread", find(rows, OURS), rival, 1.1);
}

fn judge_keyed(rows: &[Row], targets: &mut Targets) {
    judge_memory(rows, targets);
    for rival in rows.iter().filter(|row| !is_ours(row)) {
        targets.faster("by key", find(rows, OURS), rival, 2.0);
    }
}

fn judge_live(rows: &[Row], targets: &mut Targets) {
    judge_memory(rows, targets);
    let ours = |live| find(rows, &with(OURS, live));
    for live in &LIVE[1..] {
        targets.at_most("live", ours(*live), ours(LIVE[0]), 1.5);
    }
}
