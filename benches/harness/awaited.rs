//! The tables and targets of futures that are pending once, and of the method of a driver. All these futures are awaited in a boxed async
//! block.

use super::{Row, Table, Targets, find};
use crate::contenders::{
    awaited::{
        self, BOX_PIN, BOX_STREAM, ONESHOT_BOXED, OURS_ERASED, POOLED, SHARED, SHARED_BOX,
        VALUE_NEXT,
    },
    driver,
    ready::Value,
};

macro_rules! for_each_value {
    ($table:ident($($argument:expr),*)) => {
        $table::<u64>($($argument),*);
        $table::<[u64; 1]>($($argument),*);
        $table::<std::io::Result<usize>>($($argument),*);
        $table::<String>($($argument),*);
        $table::<std::io::Result<Vec<u8>>>($($argument),*);
        $table::<[u64; 8]>($($argument),*);
        $table::<Result<[u64; 8], ()>>($($argument),*);
        $table::<[u64; 32]>($($argument),*);
        $table::<[u64; 128]>($($argument),*);
    };
}

pub(crate) const METHOD: &str = "methods";
pub(crate) const COMPLETION: &str = "completions";
pub(crate) const OTHERS: &str = "shared futures and streams";

pub(crate) fn title<V: Value>(what: &str) -> String {
    format!("awaited, {what}, {}", V::NAME)
}

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    for_each_value!(tables_of(&mut tables));
    driver_tables::<{ STATES[0] }>(&mut tables);
    driver_tables::<{ STATES[1] }>(&mut tables);
    driver_tables::<{ STATES[2] }>(&mut tables);
    driver_tables::<{ STATES[3] }>(&mut tables);
    driver_tables::<{ STATES[4] }>(&mut tables);
    driver_tables::<{ STATES[5] }>(&mut tables);
    tables
}

fn tables_of<V: Value>(tables: &mut Vec<Table>) {
    let mut table = |what: &str, cases, add_targets| {
        tables.push(Table::new(title::<V>(what), cases, add_targets));
    };
    table(METHOD, awaited::methods::<V>, add_targets_of_methods::<V>);
    table(COMPLETION, awaited::completions::<V>, add_targets_of_completions::<V>);
    table(OTHERS, awaited::others::<V>, add_targets_of_others);
}

/// Returns a factor, for results of type `V`. A contender of this crate has to be this many times as fast as its rival.
fn bound<V>() -> f64 {
    match size_of::<V>() {
        0..=24 => 1.4,
        25..=72 => 1.15,
        _ => 1.0,
    }
}

fn add_targets_of_methods<V>(rows: &[Row], targets: &mut Targets) {
    targets.faster("awaited", find(rows, POOLED), find(rows, BOX_PIN), bound::<V>());
    targets.allocates("awaited", find(rows, POOLED), 0.0);
}

fn add_targets_of_completions<V>(rows: &[Row], targets: &mut Targets) {
    targets.faster("awaited", find(rows, OURS_ERASED), find(rows, ONESHOT_BOXED), bound::<V>());
    for row in rows.iter().filter(|row| row.name.starts_with("ours")) {
        targets.allocates("awaited", row, 0.0);
    }
}

fn add_targets_of_others(rows: &[Row], targets: &mut Targets) {
    targets.faster("awaited", find(rows, SHARED), find(rows, SHARED_BOX), 1.0);
    targets.at_most("awaited", find(rows, VALUE_NEXT), find(rows, BOX_STREAM), 2.0);
    targets.allocates("awaited", find(rows, VALUE_NEXT), 0.0);
}

pub(crate) const READY: &str = "ready at the first poll";
pub(crate) const PENDING: &str = "pending once";

/// The sizes in bytes of the state that the future of the driver holds while it is pending.
pub(crate) const STATES: [usize; 6] = [16, 150, 600, 1_300, 3_500, 5_000];

pub(crate) fn driver_title(what: &str, bytes: usize) -> String {
    format!("driver, {what}, state of {bytes} bytes")
}

/// For a state of each of these sizes, how many times as fast as `Box::pin` a ready call of the driver has to be.
const BOUNDS: [f64; STATES.len()] = [1.1, 1.2, 1.4, 1.7, 2.6, 1.0];

fn driver_tables<const BYTES: usize>(tables: &mut Vec<Table>) {
    let ready = driver_title(READY, BYTES);
    let add_targets = add_targets_of_ready_driver::<BYTES>;
    tables.push(Table::new(ready, driver::cases::<BYTES, false>, add_targets));
    let pending = driver_title(PENDING, BYTES);
    tables.push(Table::new(pending, driver::cases::<BYTES, true>, add_targets_of_pending_driver));
}

fn add_targets_of_ready_driver<const BYTES: usize>(rows: &[Row], targets: &mut Targets) {
    let state = STATES.iter().position(|bytes| *bytes == BYTES).expect("a size of the list");
    add_targets_of_driver(rows, targets, BOUNDS[state]);
}

fn add_targets_of_pending_driver(rows: &[Row], targets: &mut Targets) {
    add_targets_of_driver(rows, targets, 1.0);
}

fn add_targets_of_driver(rows: &[Row], targets: &mut Targets, bound: f64) {
    targets.faster("driver", find(rows, driver::POOLED), find(rows, driver::BOX_PIN), bound);
}
