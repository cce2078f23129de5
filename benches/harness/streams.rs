//! The tables and targets of streams.

use super::{Row, Table, Targets, find};
use crate::contenders::streams::{
    self, ASYNC_STREAM, BOX_STREAM, METHOD, VALUE_NEXT, VALUE_STREAM,
};

pub(crate) const READY: &str = "stream, ready items";
pub(crate) const PENDING: &str = "stream, pending items";

pub(crate) fn tables() -> [Table; 2] {
    [
        Table::new(READY.into(), streams::cases::<false>, add_targets),
        Table::new(PENDING.into(), streams::cases::<true>, add_targets),
    ]
}

fn add_targets(rows: &[Row], targets: &mut Targets) {
    for name in [METHOD, VALUE_STREAM, VALUE_NEXT] {
        targets.allocates("stream", find(rows, name), 0.0);
    }
    for rival in [BOX_STREAM, ASYNC_STREAM] {
        targets.faster("stream", find(rows, METHOD), find(rows, rival), 1.0);
        targets.at_most("stream", find(rows, VALUE_STREAM), find(rows, rival), 1.05);
    }
}
