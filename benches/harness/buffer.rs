//! The tables and targets of async methods whose future contains a buffer, for several sizes of the future.

use super::{ON_TWO_THREADS, Row, Table, Targets, find};
use crate::contenders::buffer::{
    self, BOX_PIN, FULL, POOLED, TOO_LARGE, nested_calls, other_thread,
};

/// Calls a generic function for each size of the buffer. The second parameter is the capacity that a `StackFuture` needs. The futures have
/// 32, 256, 1,000 and 4,000 bytes.
macro_rules! for_each_size {
    ($table:ident($($argument:expr),*)) => {
        $table::<8, 64>($($argument),*);
        $table::<232, 320>($($argument),*);
        $table::<976, 1064>($($argument),*);
        $table::<3976, 4064>($($argument),*);
    };
}

pub(crate) const READY: &str = "ready at the first poll";
pub(crate) const PENDING: &str = "pending once";
pub(crate) const NESTED: &str = "five calls deep";
pub(crate) const OTHER_THREAD: &str = "dropped on another thread";
const LARGE: &str = "too large for a slot";

pub(crate) fn title(what: &str, size: usize) -> String {
    format!("buffer, {what}, {size} bytes")
}

/// Returns the sizes of the futures.
pub(crate) fn sizes() -> Vec<usize> {
    fn push<const BYTES: usize, const ROOM: usize>(sizes: &mut Vec<usize>) {
        sizes.push(buffer::size::<BYTES>());
    }
    let mut sizes = Vec::new();
    for_each_size!(push(&mut sizes));
    sizes
}

/// Returns the title of the table of futures that are too large for a slot.
pub(crate) fn title_of_large() -> String {
    title(LARGE, buffer::size::<5000>())
}

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    for_each_size!(tables_of(&mut tables));
    let large = buffer::too_large_cases::<5000>;
    tables.push(Table::new(title_of_large(), large, |rows, targets| {
        targets.at_most("buffer, boxed", find(rows, TOO_LARGE), find(rows, BOX_PIN), 1.05);
    }));
    tables
}

fn tables_of<const BYTES: usize, const ROOM: usize>(tables: &mut Vec<Table>) {
    let size = buffer::size::<BYTES>();
    let mut table = |what: &str, cases, add_targets| {
        tables.push(Table::new(title(what, size), cases, add_targets));
    };
    let add_targets = if size <= 300 {
        |rows: &[Row], targets: &mut Targets| add_targets(rows, targets, Some(1.3))
    } else if size <= 1_100 {
        |rows: &[Row], targets: &mut Targets| add_targets(rows, targets, Some(1.1))
    } else {
        |rows: &[Row], targets: &mut Targets| add_targets(rows, targets, None)
    };
    table(READY, buffer::cases::<BYTES, ROOM, false>, add_targets);
    table(PENDING, buffer::cases::<BYTES, ROOM, true>, add_targets);
    table(NESTED, nested_calls::cases::<BYTES>, add_targets);
    table(OTHER_THREAD, other_thread::cases::<BYTES>, add_targets_of_allocations);
    let other_thread = tables.pop().expect("the table was pushed above");
    tables.push(other_thread.with_operations(ON_TWO_THREADS));
}

fn add_targets(rows: &[Row], targets: &mut Targets, bound: Option<f64>) {
    add_targets_of_allocations(rows, targets);
    if let Some(bound) = bound {
        targets.faster("buffer", find(rows, POOLED), find(rows, BOX_PIN), bound);
    }
    if let Some(full) = rows.iter().find(|row| row.name == FULL) {
        targets.at_most("buffer, boxed", full, find(rows, BOX_PIN), 1.05);
    }
}

/// Requires that a warm pool allocates nothing.
fn add_targets_of_allocations(rows: &[Row], targets: &mut Targets) {
    for row in rows.iter().filter(|row| row.name.starts_with("ours") && row.name != FULL) {
        targets.allocates("buffer", row, 0.0);
    }
}
