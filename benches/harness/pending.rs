//! The tables and targets of futures that are pending once, for several sizes of the future.

use super::{Row, Table, Targets, find};
use crate::contenders::pending::{self, BOX_FUTURE, BOXED, SOURCE};

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    tables_of::<16>(&mut tables);
    tables_of::<240>(&mut tables);
    tables_of::<1000>(&mut tables);
    tables
}

fn tables_of<const BYTES: usize>(tables: &mut Vec<Table>) {
    let title = format!("pending once, u64, an async block with a buffer of {BYTES} bytes");
    tables.push(Table::new(title, pending::cases::<BYTES>, add_targets));
    let title = format!("pending once, u64, a future with a field of {BYTES} bytes");
    tables.push(Table::new(title, pending::carrying_cases::<BYTES>, add_targets));
}

fn add_targets(rows: &[Row], targets: &mut Targets) {
    let row = |name| find(rows, name);
    targets.at_most("pending", row(BOXED), row(BOX_FUTURE), 1.05);
    targets.allocates("pending", row(BOXED), 1.0);
    targets.allocates("pending", row(SOURCE), 0.0);
}
