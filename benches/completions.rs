//! `cargo bench --bench completions`: the one-shot completions of `ratios` as criterion groups.
//! Criterion runs one contender after the other, so for ratios on a busy machine use `ratios`.

mod contenders;

use contenders::{
    completion::{crossing, keyed, live, threads, trip},
    groups::{criterion, group},
    reusable, streams,
};

fn main() {
    let mut criterion = criterion();
    group(&mut criterion, "round trip", trip::round_trip());
    group(&mut criterion, "round trip, local", trip::local_round_trip());
    group(&mut criterion, "completed first", trip::completed_first());
    group(&mut criterion, "completed first, local", trip::local_completed_first());
    group(&mut criterion, "cancelled", trip::cancelled());
    group(&mut criterion, "cancelled, local", trip::local_cancelled());
    group(&mut criterion, "threads", threads::cases());
    group(&mut criterion, "crossing", crossing::cases());
    group(&mut criterion, "by key", keyed::cases());
    group(&mut criterion, "live", live::beside());
    group(&mut criterion, "live, replacing", live::replacing());
    group(&mut criterion, "reusable source", reusable::cases());
    group(&mut criterion, "stream, at hand", streams::cases::<false>());
    group(&mut criterion, "stream, later", streams::cases::<true>());
    criterion.final_summary();
}
