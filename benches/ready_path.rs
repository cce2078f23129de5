//! `cargo bench --bench ready_path`: measures lookups as criterion groups. There is a group for each type of a ready result, a group for
//! each size of a future that is pending once, and a group for a future that is written by hand and has a field. The bench `ratios`
//! measures the same cases.
//!
//! Criterion measures one contender after the other. On a busy machine, use the bench `ratios` to compare the contenders.

mod contenders;

use contenders::{
    criterion_groups::{criterion, group},
    pending, ready,
};
use criterion::Criterion;

fn ready_group<V: ready::Value, const N: usize>(criterion: &mut Criterion) {
    group(criterion, &format!("ready/{}", V::NAME), ready::cases::<V, N>());
}

fn main() {
    let mut criterion = criterion();
    for_each_value!(ready_group, &mut criterion);
    group(&mut criterion, "pending/16", pending::cases::<16>());
    group(&mut criterion, "pending/240", pending::cases::<240>());
    group(&mut criterion, "pending/1000", pending::cases::<1000>());
    group(&mut criterion, "pending, a field/240", pending::carrying_cases::<240>());
    criterion.final_summary();
}
