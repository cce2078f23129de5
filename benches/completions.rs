//! `cargo bench --bench completions`: measures the one-shot completions, the reusable sources and the streams, as criterion groups. The
//! bench `ratios` measures the same cases.
//!
//! Criterion measures one contender after the other. On a busy machine, use the bench `ratios` to compare the contenders.

mod contenders;

use contenders::{
    completion::{by_key, many_pending, other_thread, round_trip, two_threads},
    criterion_groups::{criterion, group},
    reusable_source, streams,
};

fn main() {
    let mut criterion = criterion();
    group(&mut criterion, "round trip", round_trip::round_trip());
    group(&mut criterion, "round trip, local", round_trip::local_round_trip());
    group(&mut criterion, "completed first", round_trip::completed_first());
    group(&mut criterion, "completed first, local", round_trip::local_completed_first());
    group(&mut criterion, "cancelled", round_trip::cancelled());
    group(&mut criterion, "cancelled, local", round_trip::local_cancelled());
    group(&mut criterion, "one thread and two", two_threads::cases());
    group(&mut criterion, "completed on another thread", other_thread::cases());
    group(&mut criterion, "by key", by_key::cases());
    group(&mut criterion, "while others are pending", many_pending::round_trips());
    group(&mut criterion, "replacing a pending operation", many_pending::replacing());
    group(&mut criterion, "reusable source", reusable_source::cases());
    group(&mut criterion, "stream, ready items", streams::cases::<false>());
    group(&mut criterion, "stream, pending items", streams::cases::<true>());
    criterion.final_summary();
}
