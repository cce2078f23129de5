//! Measures contenders, which take turns in each round. So noise of the machine affects all contenders.

use std::time::Instant;

use super::{Progress, allocator::allocated};

/// One of the implementations that a program compares.
pub(crate) struct Contender<'c> {
    name: &'static str,
    /// Runs one round of calls, and returns the number of calls.
    run_round: Box<dyn FnMut() -> u64 + 'c>,
}

impl<'c> Contender<'c> {
    pub(crate) fn new(name: &'static str, run_round: impl FnMut() -> u64 + 'c) -> Self {
        Contender { name, run_round: Box::new(run_round) }
    }
}

/// The cost of one call of a contender. Allocations of other threads are not counted.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    /// Nanoseconds per call in the fastest round.
    pub(crate) min: f64,
    /// Nanoseconds per call in the median round.
    pub(crate) median: f64,
    /// Allocations per call in the median round.
    pub(crate) allocations: f64,
    /// Allocated bytes per call in the median round.
    pub(crate) bytes: f64,
}

impl Cost {
    pub(crate) const HEADER: [&'static str; 6] =
        ["", "ns, min", "ns, median", "relative min", "allocations", "bytes"];

    /// Returns the cells of [`cells`](Self::cells), followed by the cells in `more`.
    pub(crate) fn row(&self, base: &Cost, more: impl IntoIterator<Item = String>) -> Vec<String> {
        self.cells(base).into_iter().chain(more).collect()
    }

    /// Returns the cells of a row below [`HEADER`](Self::HEADER). `relative min` is the minimum of this contender, divided by the minimum
    /// of `base`.
    pub(crate) fn cells(&self, base: &Cost) -> Vec<String> {
        vec![
            self.name.into(),
            format!("{:.1}", self.min),
            format!("{:.1}", self.median),
            format!("{:.2}", self.min / base.min),
            format!("{:.3}", self.allocations),
            format!("{:.1}", self.bytes),
        ]
    }
}

/// Runs each contender once as a warm-up, and then once per round. Each round begins with the next contender.
pub(crate) fn measure(title: &str, rounds: u32, mut contenders: Vec<Contender<'_>>) -> Vec<Cost> {
    let mut progress = Progress::new(format!("{title}: rounds"), rounds.into());
    let mut results = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for turn in 0..contenders.len() {
            let index = (turn + round as usize) % contenders.len();
            let (before, start) = (allocated(), Instant::now());
            let calls = (contenders[index].run_round)() as f64;
            let (time, allocated) = (start.elapsed(), allocated() - before);
            let result = [time.as_nanos() as f64, allocated.count as f64, allocated.bytes as f64];
            if round > 0 {
                results[index].push(result.map(|total| total / calls));
            }
        }
        progress.update(round.into());
    }
    let cost = |(contender, mut rounds): (&Contender<'_>, Vec<[f64; 3]>)| {
        rounds.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [median, allocations, bytes] = rounds[rounds.len() / 2];
        Cost { name: contender.name, min: rounds[0][0], median, allocations, bytes }
    };
    contenders.iter().zip(results).map(cost).collect()
}
