//! Runs contenders in turn, round by round, so that noise of the machine affects all of them.

use std::time::Instant;

use super::{Progress, allocator::allocated};

/// A function that is measured, and its name.
pub(crate) struct Contender<'c> {
    name: &'static str,
    /// Makes the calls of one round, and returns their number.
    run: Box<dyn FnMut() -> u64 + 'c>,
}

impl<'c> Contender<'c> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() -> u64 + 'c) -> Self {
        Contender { name, run: Box::new(run) }
    }
}

/// The cost of one call of a contender. Only the allocations of the measuring thread count.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    /// The nanoseconds in the fastest round.
    pub(crate) min: f64,
    /// The nanoseconds in the median round. The allocations are those of the same round.
    pub(crate) median: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

impl Cost {
    pub(crate) const HEADER: [&'static str; 6] =
        ["", "ns, min", "ns, median", "relative min", "allocations", "bytes"];

    /// Returns the cells of [`HEADER`](Self::HEADER). `relative min` is the minimum divided by that of `base`.
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

/// Runs each contender once to warm up, and once in each round. Each round begins with another contender.
pub(crate) fn contest(title: &str, rounds: u32, mut contenders: Vec<Contender<'_>>) -> Vec<Cost> {
    let mut progress = Progress::new(format!("{title}: rounds"), rounds.into());
    let mut measured = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for turn in 0..contenders.len() {
            let index = (turn + round as usize) % contenders.len();
            let (before, begun) = (allocated(), Instant::now());
            let calls = (contenders[index].run)() as f64;
            let (time, allocated) = (begun.elapsed(), allocated() - before);
            let figures = [time.as_nanos() as f64, allocated.count as f64, allocated.bytes as f64];
            if round > 0 {
                measured[index].push(figures.map(|figure| figure / calls));
            }
        }
        progress.at(round.into());
    }
    let cost = |(contender, mut rounds): (&Contender<'_>, Vec<[f64; 3]>)| {
        rounds.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let [median, allocations, bytes] = rounds[rounds.len() / 2];
        Cost { name: contender.name, min: rounds[0][0], median, allocations, bytes }
    };
    contenders.iter().zip(measured).map(cost).collect()
}
