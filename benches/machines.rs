//! `cargo bench --bench machines`: measures the attribute, the shared futures, and the methods whose future contains a buffer, as criterion
//! groups. The bench `ratios` measures the same cases.
//!
//! Criterion measures one contender after the other. On a busy machine, use the bench `ratios` to compare the contenders.

mod contenders;

use contenders::{
    attribute,
    buffer::{self, nested_calls, other_thread},
    criterion_groups::{criterion, group},
    ready::Value,
    shared,
};
use criterion::Criterion;

fn groups<const BYTES: usize, const ROOM: usize>(criterion: &mut Criterion) {
    let size = buffer::size::<BYTES>();
    group(criterion, &format!("ready/{size}"), buffer::cases::<BYTES, ROOM, false>());
    group(criterion, &format!("pending once/{size}"), buffer::cases::<BYTES, ROOM, true>());
    group(criterion, &format!("five calls deep/{size}"), nested_calls::cases::<BYTES>());
    let name = format!("dropped on another thread/{size}");
    group(criterion, &name, other_thread::cases::<BYTES>());
}

fn attribute_groups<V: Value>(criterion: &mut Criterion) {
    let name = V::NAME;
    group(criterion, &format!("attribute, ready in the body/{name}"), attribute::found::<V>());
    group(criterion, &format!("attribute, ready before the body/{name}"), attribute::known::<V>());
    group(criterion, &format!("attribute, pending once/{name}"), attribute::pending::<V>());
    group(criterion, &format!("attribute, five calls deep/{name}"), attribute::nested::<V>());
}

fn main() {
    let mut criterion = criterion();
    groups::<8, 64>(&mut criterion);
    groups::<232, 320>(&mut criterion);
    groups::<976, 1064>(&mut criterion);
    groups::<3976, 4064>(&mut criterion);
    attribute_groups::<u64>(&mut criterion);
    attribute_groups::<std::io::Result<usize>>(&mut criterion);
    attribute_groups::<Vec<u8>>(&mut criterion);
    group(&mut criterion, "too large for a slot", buffer::too_large_cases::<5000>());
    group(&mut criterion, "shared, ready", shared::cases::<1, false>());
    group(&mut criterion, "shared, awaiters: 1", shared::cases::<1, true>());
    group(&mut criterion, "shared, awaiters: 2", shared::cases::<2, true>());
    group(&mut criterion, "shared, awaiters: 16", shared::cases::<16, true>());
    group(&mut criterion, "shared, awaiters: 1000", shared::cases::<1000, true>());
    criterion.final_summary();
}
