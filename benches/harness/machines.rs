//! The tables of pooled state machines.

use super::{ON_TWO_THREADS, Row, Table, Targets, find};
use crate::contenders::machine::{self, BOX_PIN, FULL, POOLED};

/// So many bytes in the buffer of the future make one of 32, 256, 1,000 and 4,000.
macro_rules! for_each_size {
    ($table:ident($($argument:expr),*)) => {
        $table::<8, 64>($($argument),*);
        $table::<232, 320>($($argument),*);
        $table::<976, 1064>($($argument),*);
        $table::<3976, 4064>($($argument),*);
    };
}

pub(crate) fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    for_each_size!(tables_of(&mut tables));
    let title = format!("machine, too large for a slot, {} bytes", machine::size::<5000>());
    tables.push(Table::new(title, machine::too_large_cases::<5000>, judge_fallback));
    tables
}

fn tables_of<const BYTES: usize, const ROOM: usize>(tables: &mut Vec<Table>) {
    let size = machine::size::<BYTES>();
    let mut table = |what: &str, cases, judge| {
        tables.push(Table::new(format!("machine, {what}, {size} bytes"), cases, judge));
    };
    let judge = if size <= 300 {
        |rows: &[Row], targets: &mut Targets| judge(rows, targets, Some(1.3))
    } else if size <= 1_100 {
        |rows: &[Row], targets: &mut Targets| judge(rows, targets, Some(1.1))
    } else {
        |rows: &[Row], targets: &mut Targets| judge(rows, targets, None)
    };
    table("ready", machine::cases::<BYTES, ROOM, false>, judge);
    table("pending once", machine::cases::<BYTES, ROOM, true>, judge);
    table("a chain of five", machine::chain::cases::<BYTES>, judge);
    table("dropped on another thread", machine::crossing::cases::<BYTES>, judge_memory);
    let crossing = tables.pop().expect("it was just made");
    tables.push(crossing.with_operations(ON_TWO_THREADS));
}

fn judge(rows: &[Row], targets: &mut Targets, bound: Option<f64>) {
    judge_memory(rows, targets);
    if let Some(bound) = bound {
        targets.faster("machine", find(rows, POOLED), find(rows, BOX_PIN), bound);
    }
    if rows.iter().any(|row| row.name == FULL) {
        judge_fallback(rows, targets);
    }
}

fn judge_fallback(rows: &[Row], targets: &mut Targets) {
    targets.at_most("machine, boxed", find(rows, FULL), find(rows, BOX_PIN), 1.05);
}

/// Nothing of ours allocates once it is warm.
fn judge_memory(rows: &[Row], targets: &mut Targets) {
    for row in rows.iter().filter(|row| row.name.starts_with("ours") && row.name != FULL) {
        targets.allocates("machine", row, 0.0);
    }
}
