//! The contenders, the types of results and the shares that the bench measures, and the figures that it gets.

use std::{array, collections::BTreeMap, sync::Arc};

pub(crate) const CONTENDERS: [&str; 6] =
    ["async-trait", "BoxFuture", "Either", "ours boxed", "ours pooled", "ours #[ready]"];
pub(crate) const ASYNC_TRAIT: usize = 0;
pub(crate) const BOX_FUTURE: usize = 1;
pub(crate) const OURS: [usize; 3] = [3, 4, 5];

/// The types of results: the size in bytes, and the name.
pub(crate) const RESULTS: [(usize, &str); 3] = [(8, "u64"), (24, "String"), (256, "[u64; 32]")];

/// The shares of ready results, in percent.
pub(crate) const SHARES: [u32; 8] = [0, 30, 50, 80, 90, 95, 99, 100];

/// The number of keys. The result of a key is ready in each call, or in no call. No branch predictor can remember this many keys.
pub(crate) const LENGTH: usize = 120_000;

/// The number of keys in a block. In each block, the share of ready results is exactly the share for which [`ready_keys`] was called.
const BLOCK: usize = 1_000;

/// Returns for each key whether its result is ready. For the same share, all calls return equal slices.
pub(crate) fn ready_keys(share: u32) -> Arc<[bool]> {
    let mut random = fastrand::Rng::with_seed(u64::from(share));
    let mut keys = Vec::with_capacity(LENGTH);
    for _ in 0..LENGTH / BLOCK {
        let mut block: Vec<bool> = (0..BLOCK).map(|n| n < share as usize * BLOCK / 100).collect();
        random.shuffle(&mut block);
        keys.extend(block);
    }
    keys.into()
}

/// The cost of a call of one contender: the minimum and the median time in nanoseconds, the number of allocations, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

impl Cost {
    /// Merges the costs that several processes measured. The result has the least of their minima, and the median of their medians.
    fn merge(costs: &[Cost]) -> Cost {
        let sorted = |figure: fn(&Cost) -> f64| {
            let mut figures: Vec<_> = costs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures
        };
        let (min, median) = (sorted(|it| it.min)[0], sorted(|it| it.median)[costs.len() / 2]);
        Cost { min, median, ..costs[0] }
    }
}

/// The conditions under which calls are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Situation {
    pub(crate) allocator: &'static str,
    pub(crate) threads: usize,
    /// The index into [`RESULTS`].
    pub(crate) result: usize,
}

/// The growth of the resident memory, in bytes per call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Resident {
    /// The growth while all calls are pending.
    pub(crate) held: f64,
    /// The growth that remains after the futures of all calls were dropped.
    pub(crate) dropped: f64,
}

/// Percentiles of the times of single calls, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p99_99: f64,
}

/// The costs of all contenders at all shares, in the order of [`SHARES`] and [`CONTENDERS`].
pub(crate) type Costs = [[Cost; CONTENDERS.len()]; SHARES.len()];

/// All figures that the bench measures.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    costs: BTreeMap<Situation, Vec<Costs>>,
    /// The resident memory, by allocator and index into [`RESULTS`]. Each vector has the contenders in the order of [`CONTENDERS`], or is
    /// empty if the system does not report the resident memory.
    pub(crate) resident: BTreeMap<(&'static str, usize), Vec<Resident>>,
    /// The latencies, by allocator and number of threads. Each vector has the contenders in the order of [`CONTENDERS`], followed by a call
    /// that does nothing.
    pub(crate) latencies: BTreeMap<(&'static str, usize), Vec<Latency>>,
}

impl Figures {
    /// Adds the costs that one process measured.
    pub(crate) fn add_costs(&mut self, situation: Situation, costs: &Costs) {
        self.costs.entry(situation).or_default().push(*costs);
    }

    /// Returns the costs, merged from all processes.
    pub(crate) fn costs(&self) -> BTreeMap<Situation, Costs> {
        let merge = |processes: &Vec<Costs>| {
            array::from_fn(|share| {
                array::from_fn(|contender| {
                    let costs = processes.iter().map(|costs| costs[share][contender]);
                    Cost::merge(&costs.collect::<Vec<_>>())
                })
            })
        };
        self.costs.iter().map(|(situation, processes)| (*situation, merge(processes))).collect()
    }
}
