//! `cargo bench --bench ready_path`: the contenders of `ratios` as criterion groups, one for each
//! result type and one for each size of a future that pends once. Criterion runs one contender
//! after the other, so for ratios on a busy machine use `ratios`.

mod contenders;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use contenders::{Case, pending, ready};
use criterion::Criterion;

fn group(criterion: &mut Criterion, name: &str, cases: Vec<Case>) {
    let mut group = criterion.benchmark_group(name);
    for case in cases {
        group.bench_function(case.name, |bencher| {
            bencher.iter_custom(|operations| {
                let start = Instant::now();
                black_box((case.run)(black_box(operations)));
                start.elapsed()
            });
        });
    }
    group.finish();
}

fn ready_group<V: ready::Value, const N: usize>(criterion: &mut Criterion) {
    group(criterion, &format!("ready/{}", V::NAME), ready::cases::<V, N>());
}

fn main() {
    // Some 120 cases of a few nanoseconds each: minutes rather than a quarter of an hour.
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    let mut criterion = criterion.configure_from_args();
    for_each_value!(ready_group, &mut criterion);
    group(&mut criterion, "pending/16", pending::cases::<16>());
    group(&mut criterion, "pending/240", pending::cases::<240>());
    group(&mut criterion, "pending/1000", pending::cases::<1000>());
    group(&mut criterion, "carrying/240", pending::carrying_cases::<240>());
    criterion.final_summary();
}
