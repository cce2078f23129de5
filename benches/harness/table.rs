//! Contenders for one piece of work, measured side by side.

use std::hint::black_box;

use super::Targets;
use crate::contenders::{Case, allocations};

/// Short rounds: a minimum then has a chance to fall between two disturbances.
pub(crate) const OPERATIONS: u32 = 2_000;

/// What lies between the start of two threads is then nothing next to what they do.
pub(crate) const ON_TWO_THREADS: u32 = 10_000;

/// What one contender took and allocated per operation.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

/// Chunks of every size that a contender may ask for. While they are held, its own boxes come from
/// other addresses than in the round before, so that nobody is stuck with an unlucky one.
fn hold_chunks(of_each: usize) -> Vec<Vec<u8>> {
    let sizes = (16..=1_280).step_by(16);
    sizes.flat_map(|size| (0..of_each).map(move |_| Vec::with_capacity(size))).collect()
}

/// Does it so much further down the stack: where a large result comes to lie there may slow it down, and
/// otherwise a contender would have the same place in all rounds of a process.
fn deeper<R>(by: usize, action: impl FnOnce() -> R) -> R {
    let room = [0_u64; 2];
    black_box(&room);
    if by == 0 { action() } else { deeper(by - 1, action) }
}

/// The contenders for one piece of work, and every round they ran.
pub(crate) struct Table {
    pub(crate) title: String,
    operations: u32,
    contenders: Box<dyn Fn() -> Vec<Case>>,
    cases: Vec<Case>,
    times: Vec<Vec<f64>>,
    pub(crate) judge: fn(&[Row], &mut Targets),
}

impl Table {
    pub(crate) fn new(
        title: String,
        contenders: fn() -> Vec<Case>,
        judge: fn(&[Row], &mut Targets),
    ) -> Self {
        Table::with(title, contenders, judge)
    }

    /// For contenders that a closure makes.
    pub(crate) fn with(
        title: String,
        contenders: impl Fn() -> Vec<Case> + 'static,
        judge: fn(&[Row], &mut Targets),
    ) -> Self {
        let (contenders, cases, times) = (Box::new(contenders), Vec::new(), Vec::new());
        Table { title, operations: OPERATIONS, contenders, cases, times, judge }
    }

    /// For work that has to go on for longer than a round of `OPERATIONS`.
    pub(crate) fn with_operations(self, operations: u32) -> Self {
        Table { operations, ..self }
    }

    /// Makes the contenders anew, so that no pool is stuck with an unlucky address either, and runs
    /// each once without the clock: pools are then as large as they have to be.
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
            let _elsewhere = hold_chunks(round % 8);
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
    rows.iter().find(|row| row.name == name).expect("every contender has its row")
}

pub(crate) fn print_table(title: &str, rows: &[Row]) {
    let ours = rows.iter().find(|row| row.name.starts_with("ours")).expect("we take part").min;
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
