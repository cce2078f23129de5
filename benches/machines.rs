//! `cargo bench --bench machines`: the futures in slots, and the shared ones, of `ratios` as criterion groups. Criterion runs one
//! contender after the other, so for ratios on a busy machine use `ratios`.

mod contenders;

use contenders::{
    attribute,
    groups::{criterion, group},
    machine,
    ready::Value,
    sharing,
};
use criterion::Criterion;

fn groups<const BYTES: usize, const ROOM: usize>(criterion: &mut Criterion) {
    let size = machine::size::<BYTES>();
    group(criterion, &format!("ready/{size}"), machine::cases::<BYTES, ROOM, false>());
    group(criterion, &format!("pending once/{size}"), machine::cases::<BYTES, ROOM, true>());
    group(criterion, &format!("a chain of five/{size}"), machine::chain::cases::<BYTES>());
    group(
        criterion,
        &format!("dropped on another thread/{size}"),
        machine::crossing::cases::<BYTES>(),
    );
}

fn attribute_groups<V: Value>(criterion: &mut Criterion) {
    let name = V::NAME;
    group(criterion, &format!("attribute, ready in the body/{name}"), attribute::found::<V>());
    group(criterion, &format!("attribute, ready before it/{name}"), attribute::known::<V>());
    group(criterion, &format!("attribute, pending once/{name}"), attribute::waits::<V>());
    group(criterion, &format!("attribute, five levels/{name}"), attribute::descends::<V>());
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
    group(&mut criterion, "too large", machine::too_large_cases::<5000>());
    group(&mut criterion, "shared, ready", sharing::cases::<1, false>());
    group(&mut criterion, "shared, awaiters: 1", sharing::cases::<1, true>());
    group(&mut criterion, "shared, awaiters: 2", sharing::cases::<2, true>());
    group(&mut criterion, "shared, awaiters: 16", sharing::cases::<16, true>());
    group(&mut criterion, "shared, awaiters: 1000", sharing::cases::<1000, true>());
    criterion.final_summary();
}
