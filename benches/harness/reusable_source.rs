//! The table and targets of objects that serve one operation after the other.

use super::{Row, Table, Targets, find};
use crate::contenders::reusable_source::{
    self, BY_KEY, LOCAL, LOCAL_BY_KEY, MULTISHOT_BOXED, NOTIFY_BOXED, WITH_COMPLETER,
};

pub(crate) const TITLE: &str = "reusable source";

pub(crate) fn table() -> Table {
    Table::new(TITLE.into(), reusable_source::cases, add_targets)
}

fn add_targets(rows: &[Row], targets: &mut Targets) {
    for name in [WITH_COMPLETER, BY_KEY, LOCAL, LOCAL_BY_KEY] {
        targets.allocates("reusable source", find(rows, name), 0.0);
    }
    for rival in [MULTISHOT_BOXED, NOTIFY_BOXED] {
        targets.faster("reusable source", find(rows, WITH_COMPLETER), find(rows, rival), 1.0);
    }
}
