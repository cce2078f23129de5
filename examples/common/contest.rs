//! Runs contenders round by round in turn, so that a noisy machine is noisy for all of them.

use std::time::Instant;

use super::{Progress, allocator::allocated};

/// Something that is measured.
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

/// What a contender takes for each call. Only this thread's allocations count.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    /// The nanoseconds in the fastest round.
    pub(crate) min: f64,
    /// The nanoseconds in the round in the middle.
    pub(crate) median: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

impl Cost {
    pub(crate) const HEADER: [&'static str; 6] =
        ["", "ns, min", "ns, median", "× min", "allocations", "bytes"];

    /// Returns the cells of [`HEADER`](Self::HEADER). The fourth compares the minimum with that of a `base`.
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

/// Runs each contender once without measuring, then in each round. Each round begins with another contender.
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
