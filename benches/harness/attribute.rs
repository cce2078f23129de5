//! The tables and targets of the attribute `async_trait`.

use super::{Row, Table, Targets, find};
use crate::contenders::{
    attribute::{self, ASYNC_TRAIT, ATTRIBUTE, BY_HAND},
    ready::Value,
};

/// Part of a title, for a method whose body finds the result. The future is ready at the first poll.
pub(crate) const IN_THE_BODY: &str = "ready in the body";
/// Part of a title, for a method whose result is known before the body runs. With the attribute of this crate, `#[ready]` returns the
/// result.
pub(crate) const BEFORE_THE_BODY: &str = "ready before the body";
pub(crate) const PENDING: &str = "pending once";
pub(crate) const NESTED: &str = "five calls deep";

pub(crate) fn title<V: Value>(what: &str) -> String {
    format!("attribute, {what}, {}", V::NAME)
}

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    tables_of::<u64>(&mut tables);
    tables_of::<std::io::Result<usize>>(&mut tables);
    tables_of::<Vec<u8>>(&mut tables);
    tables
}

fn tables_of<V: Value>(tables: &mut Vec<Table>) {
    let mut table = |what: &str, cases, add_targets| {
        tables.push(Table::new(title::<V>(what), cases, add_targets));
    };
    table(IN_THE_BODY, attribute::found::<V>, |rows, targets| add_targets(rows, targets, 1.4));
    table(BEFORE_THE_BODY, attribute::known::<V>, |rows, targets| {
        add_targets(rows, targets, 3.0);
        targets.at_most("attribute", find(rows, ATTRIBUTE), find(rows, BY_HAND), 1.05);
    });
    table(PENDING, attribute::pending::<V>, |rows, targets| add_targets(rows, targets, 1.25));
    table(NESTED, attribute::nested::<V>, |rows, targets| add_targets(rows, targets, 1.3));
}

fn add_targets(rows: &[Row], targets: &mut Targets, bound: f64) {
    targets.faster("attribute", find(rows, ATTRIBUTE), find(rows, ASYNC_TRAIT), bound);
    targets.allocates("attribute", find(rows, ATTRIBUTE), 0.0);
}
