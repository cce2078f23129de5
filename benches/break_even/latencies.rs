//! Measures how long single calls take, as percentiles.

use std::{hint::black_box, sync::Barrier, thread};

use futures::executor::block_on;
use hdrhistogram::Histogram;

use super::{
    data::{LENGTH, Latency, ready_keys},
    methods::{Lookups, contenders, timed},
};

/// The share of ready results in percent. With this share, the percentiles show both ready and pending calls.
pub(crate) const SHARE: u32 = 90;

/// The name of the row for a call that does nothing. The row shows the cost of reading the clock.
pub(crate) const CLOCK: &str = "the clock alone";

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("the bounds are valid")
}

type Pass<'p> = dyn Fn(&mut Histogram<u64>) + Sync + 'p;

/// Runs a pass on each thread. All threads begin at the same time. Returns the percentiles of the calls of all threads together.
fn percentiles(threads: usize, pass: &Pass<'_>) -> Latency {
    let start = Barrier::new(threads);
    let on_a_thread = || {
        let mut histogram = histogram();
        start.wait();
        pass(&mut histogram);
        histogram
    };
    let all = thread::scope(|scope| {
        let handles: Vec<_> = (1..threads).map(|_| scope.spawn(on_a_thread)).collect();
        let mut all = on_a_thread();
        for handle in handles {
            all.add(handle.join().expect("a pass does not panic"))
                .expect("all histograms have the same bounds");
        }
        all
    });
    let at = |percentile| all.value_at_percentile(percentile) as f64;
    Latency { p50: at(50.0), p99: at(99.0), p99_99: at(99.99) }
}

/// Returns the latency of each contender, followed by the latency of a call that does nothing. In each pass, the contenders take turns.
/// Each figure is the median of all passes. The first pass is a warm-up, and is not used.
pub(crate) fn measure(threads: usize, passes: usize, calls: usize) -> Vec<Latency> {
    let lookups = &Lookups::<u64>::new(ready_keys(SHARE));
    let keys = 0..calls.min(LENGTH);
    let mut entries: Vec<Box<Pass<'_>>> = vec![];
    for contender in contenders::<u64>() {
        let keys = keys.clone();
        entries.push(Box::new(move |histogram| {
            black_box((contender.timed)(lookups, keys.clone(), histogram));
        }));
    }
    entries.push(Box::new(move |histogram| {
        let nothing = async |key| black_box(key) as u64;
        black_box(block_on(timed(keys.clone(), histogram, nothing)));
    }));
    let mut measured = vec![vec![]; entries.len()];
    for pass in 0..=passes {
        for (entry, measured) in entries.iter().zip(&mut measured) {
            let latency = percentiles(threads, entry);
            if pass > 0 {
                measured.push(latency);
            }
        }
    }
    measured.iter().map(|passes| median(passes)).collect()
}

fn median(passes: &[Latency]) -> Latency {
    let of = |figure: fn(&Latency) -> f64| {
        let mut figures: Vec<_> = passes.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Latency { p50: of(|it| it.p50), p99: of(|it| it.p99), p99_99: of(|it| it.p99_99) }
}
