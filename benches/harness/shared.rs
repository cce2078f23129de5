//! The tables and targets of shared futures.

use super::{Row, Table, Targets, find};
use crate::contenders::shared::{self, FUTURES, POOLED};

pub(crate) const READY: &str = "ready at the first poll";
pub(crate) const PENDING: &str = "pending once";

pub(crate) fn title(what: &str, awaiters: usize) -> String {
    format!("shared, {what}, awaiters: {awaiters}")
}

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    table::<1, false>(&mut tables, 2_000, add_targets_of_one);
    table::<1, true>(&mut tables, 2_000, add_targets_of_one);
    table::<2, true>(&mut tables, 2_000, add_targets_of_many);
    table::<16, true>(&mut tables, 200, add_targets_of_many);
    table::<1000, true>(&mut tables, 4, add_targets_of_many);
    tables
}

fn table<const AWAITERS: usize, const WAITS: bool>(
    tables: &mut Vec<Table>,
    operations: u32,
    add_targets: fn(&[Row], &mut Targets),
) {
    let title = title(if WAITS { PENDING } else { READY }, AWAITERS);
    tables.push(
        Table::new(title, shared::cases::<AWAITERS, WAITS>, add_targets)
            .with_operations(operations),
    );
}

fn add_targets_of_one(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    targets.faster("shared, once", find(rows, POOLED), find(rows, FUTURES), 2.0);
}

fn add_targets_of_many(rows: &[Row], targets: &mut Targets) {
    add_targets_of_allocations(rows, targets);
    targets.faster("shared, many", find(rows, POOLED), find(rows, FUTURES), 1.0);
}

fn add_targets_of_allocations(rows: &[Row], targets: &mut Targets) {
    targets.allocates("shared", find(rows, POOLED), 1.0);
}
