//! Measures cases as criterion groups.

use std::time::Duration;

use criterion::Criterion;

use super::Case;

/// Returns a `Criterion` with short measurements, because there are many cases, and each operation takes only nanoseconds.
pub(crate) fn criterion() -> Criterion {
    let criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    criterion.configure_from_args()
}

pub(crate) fn group(criterion: &mut Criterion, name: &str, cases: Vec<Case>) {
    let mut group = criterion.benchmark_group(name);
    for case in cases {
        group.bench_function(case.name, |bencher| {
            bencher.iter_custom(|operations| case.time(operations));
        });
    }
    group.finish();
}
