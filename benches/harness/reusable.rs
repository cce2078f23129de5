//! The table of sources that are used again.

use super::{Row, Table, Targets, find};
use crate::contenders::reusable::{
    self, BY_KEY, HELD, LOCAL, LOCAL_BY_KEY, MULTISHOT_BOXED, NOTIFY_BOXED,
};

pub(crate) fn table() -> Table {
    Table::new("reusable source".into(), reusable::cases, judge)
}

fn judge(rows: &[Row], targets: &mut Targets) {
    for name in [HELD, BY_KEY, LOCAL, LOCAL_BY_KEY] {
        targets.allocates("reusable source", find(rows, name), 0.0);
    }
    for rival in [MULTISHOT_BOXED, NOTIFY_BOXED] {
        targets.faster("reusable source", find(rows, HELD), find(rows, rival), 1.0);
    }
}
