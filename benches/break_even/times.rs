//! Measures the time of a call, the number of its allocations, and their bytes.

use super::{
    data::{Cost, ready_keys},
    harness::{ON_TWO_THREADS, OPERATIONS, Row, Table},
    methods::cases,
};
use crate::contenders::ready::Value;

/// Measures all contenders at one share of ready results. In each round, the contenders take turns.
pub(crate) fn measure<V: Value>(threads: usize, share: u32, rounds: usize) -> Vec<Cost> {
    let ready = ready_keys(share);
    let cases = move || cases::<V>(&ready, threads as u64);
    let mut table = Table::with(format!("{share} % ready"), cases, |_, _| ())
        .with_operations(if threads == 1 { OPERATIONS } else { ON_TWO_THREADS });
    table.renew();
    table.run(rounds);
    let cost = |row: &Row| {
        let (min, median, allocations, bytes) = (row.min, row.median, row.allocations, row.bytes);
        Cost { min, median, allocations, bytes }
    };
    table.rows().iter().map(cost).collect()
}
