//! The tables of the attribute `async_trait`.

use super::{Row, Table, Targets, find};
use crate::contenders::{
    attribute::{self, ASYNC_TRAIT, ATTRIBUTE, BY_HAND},
    ready::Value,
};

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    tables_of::<u64>(&mut tables);
    tables_of::<std::io::Result<usize>>(&mut tables);
    tables_of::<Vec<u8>>(&mut tables);
    tables
}

fn tables_of<V: Value>(tables: &mut Vec<Table>) {
    let mut table = |what: &str, cases, judge| {
        tables.push(Table::new(format!("attribute, {what}, {}", V::NAME), cases, judge));
    };
    table("ready in the body", attribute::found::<V>, |rows, targets| judge(rows, targets, 1.4));
    table("ready before the body", attribute::known::<V>, |rows, targets| {
        judge(rows, targets, 3.0);
        targets.at_most("attribute", find(rows, ATTRIBUTE), find(rows, BY_HAND), 1.05);
    });
    table("pending once", attribute::waits::<V>, |rows, targets| judge(rows, targets, 1.25));
    table("five levels deep", attribute::descends::<V>, |rows, targets| judge(rows, targets, 1.3));
}

fn judge(rows: &[Row], targets: &mut Targets, bound: f64) {
    targets.faster("attribute", find(rows, ATTRIBUTE), find(rows, ASYNC_TRAIT), bound);
    targets.allocates("attribute", find(rows, ATTRIBUTE), 0.0);
}
