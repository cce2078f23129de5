//! The tables and targets of results that are ready when the method is called.

use super::{Row, Table, Targets, find};
use crate::{
    contenders::ready::{
        self, ASYNC_TRAIT, AWAIT, BOX_FUTURE, EITHER, FLOOR, MACRO, OBVIOUS, STACK_FUTURE, Value,
    },
    for_each_value,
};

pub(crate) fn title<V: Value>() -> String {
    format!("ready, {} ({} bytes)", V::NAME, size_of::<V>())
}

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    for_each_value!(table, &mut tables);
    tables
}

fn table<V: Value, const N: usize>(tables: &mut Vec<Table>) {
    tables.push(Table::new(title::<V>(), ready::cases::<V, N>, add_targets::<V>));
}

fn add_targets<V: Value>(rows: &[Row], targets: &mut Targets) {
    let row = |name| find(rows, name);
    let forms = [AWAIT, MACRO].map(row);
    for ours in forms {
        targets.allocates(V::NAME, ours, 0.0);
    }
    let [by_await, _] = forms;
    targets.at_most(V::NAME, by_await, row(BOX_FUTURE), 1.08);
    let bound = match V::NAME {
        "()" | "bool" | "u32" | "u64" => Some(4.0),
        "f64" => Some(3.0),
        _ => None,
    };
    if let Some(bound) = bound {
        targets.at_most(V::NAME, by_await, row(FLOOR), 2.0);
        for rival in [ASYNC_TRAIT, BOX_FUTURE, EITHER, STACK_FUTURE, OBVIOUS] {
            targets.faster(V::NAME, by_await, row(rival), bound);
        }
    }
    match V::NAME {
        "io::Result<Arc<[u8]>>" => targets.at_most(V::NAME, by_await, row(FLOOR), 1.0),
        // Methods often return these types.
        "io::Result<usize>"
        | "Option<u64>"
        | "Result<u64, u64>"
        | "Vec<u8>"
        | "String"
        | "Option<String>"
        | "io::Result<Vec<u8>>"
        | "[u64; 8]" => {
            targets.at_most(V::NAME, by_await, row(FLOOR), 2.6);
            targets.faster(V::NAME, by_await, row(BOX_FUTURE), 2.7);
            for rival in [EITHER, OBVIOUS] {
                targets.faster(V::NAME, by_await, row(rival), 2.4);
            }
        }
        _ => {}
    }
}
