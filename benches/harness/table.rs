//! Measures contenders that do the same work. In each round, the contenders take turns.

use std::hint::black_box;

use super::{Row, Targets};
use crate::contenders::{Case, allocations};

/// The number of operations in a round. A round is so short that some rounds run undisturbed. So the minimum is the time of an undisturbed
/// round.
pub(crate) const OPERATIONS: u32 = 2_000;

/// The number of operations in a round on two threads. The threads start at slightly different times, but a round is so long that this
/// difference is negligible.
pub(crate) const ON_TWO_THREADS: u32 = 10_000;

/// Allocates chunks of the small sizes that contenders allocate: `of_each` chunks of each size. While the chunks are allocated, a contender
/// gets other addresses than in the round before. So an address that makes the contender slow does not affect all rounds.
fn hold_chunks(of_each: usize) -> Vec<Vec<u8>> {
    let sizes = (16..=1_280).step_by(16);
    sizes.flat_map(|size| (0..of_each).map(move |_| Vec::with_capacity(size))).collect()
}

/// Calls `action` below `levels` more stack frames. The address of a large result on the stack may make a contender slow. With other
/// `levels` in each round, such an address does not affect all rounds.
fn deeper<R>(levels: usize, action: impl FnOnce() -> R) -> R {
    let room = [0_u64; 2];
    black_box(&room);
    if levels == 0 { action() } else { deeper(levels - 1, action) }
}

/// The contenders for one kind of work, and the times of all rounds.
pub(crate) struct Table {
    pub(crate) title: String,
    operations: u32,
    contenders: Box<dyn Fn() -> Vec<Case>>,
    cases: Vec<Case>,
    times: Vec<Vec<f64>>,
    pub(crate) add_targets: fn(&[Row], &mut Targets),
}

impl Table {
    pub(crate) fn new(
        title: String,
        contenders: fn() -> Vec<Case>,
        add_targets: fn(&[Row], &mut Targets),
    ) -> Self {
        Table::with(title, contenders, add_targets)
    }

    /// Creates a table. The closure `contenders` creates the contenders.
    pub(crate) fn with(
        title: String,
        contenders: impl Fn() -> Vec<Case> + 'static,
        add_targets: fn(&[Row], &mut Targets),
    ) -> Self {
        let (contenders, cases, times) = (Box::new(contenders), Vec::new(), Vec::new());
        Table { title, operations: OPERATIONS, contenders, cases, times, add_targets }
    }

    /// Changes the number of operations in a round.
    pub(crate) fn with_operations(self, operations: u32) -> Self {
        Table { operations, ..self }
    }

    /// Replaces the contenders by new ones, so that no pool has the same addresses in all passes. Then runs each contender once, so that
    /// the pools are warm.
    pub(crate) fn renew(&mut self) {
        self.cases.clear();
        self.cases = (self.contenders)();
        self.times.resize_with(self.cases.len(), Vec::new);
        for case in &self.cases {
            case.time(self.operations.into());
        }
    }

    pub(crate) fn run(&mut self, rounds: usize) {
        for round in 0..rounds {
            let _held = hold_chunks(round % 8);
            for (case, times) in self.cases.iter().zip(&mut self.times) {
                let time = deeper(round % 7, || case.time(self.operations.into()));
                times.push(time.as_secs_f64() * 1e9 / f64::from(self.operations));
            }
        }
    }

    pub(crate) fn rows(&mut self) -> Vec<Row> {
        let row = |(case, times): (&Case, &mut Vec<f64>)| {
            times.sort_by(f64::total_cmp);
            let (allocations, bytes) = allocations(case);
            let (min, median) = (times[0], times[times.len() / 2]);
            Row { name: case.name, min, median, allocations, bytes }
        };
        self.cases.iter().zip(&mut self.times).map(row).collect()
    }
}

pub(crate) fn find<'r>(rows: &'r [Row], name: &str) -> &'r Row {
    rows.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no row `{name}`"))
}

pub(crate) fn print_table(title: &str, rows: &[Row]) {
    let ours = rows
        .iter()
        .find(|row| row.name.starts_with("ours"))
        .expect("a contender of this crate")
        .min;
    println!("\n{title}");
    println!(
        "  {:<32} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "contender", "min ns", "med ns", "min/ours", "allocs", "bytes"
    );
    for row in rows {
        println!(
            "  {:<32} {:>8.2} {:>8.2} {:>8.2}x {:>8.2} {:>8.1}",
            row.name,
            row.min,
            row.median,
            row.min / ours,
            row.allocations,
            row.bytes
        );
    }
}
