//! Round trips on one thread, and on two threads at the same time. If the contender is a pool, both threads use the same pool.

use std::cell::{LazyCell, RefCell};

use super::{
    super::{Case, helper_thread::Helper},
    Boxed, Channels,
    floor::{Floor, FloorDyn},
    ours::{Ours, OursErased},
    rivals::{AsyncOneshot, Events, Futures, Multishot, Oneshot, Pooled, RawPooled, Tokio},
    round_trip::{trip_case, trips},
    shared,
};

/// Returns the name of a contender on two threads.
pub(crate) fn on_two(name: &str) -> String {
    format!("{name}, 2 threads")
}

fn two<C: Channels + Clone + Send>(channels: C) -> Case {
    let (channels, ours) = (channels.clone(), RefCell::new(channels));
    // The other thread creates its clone of the contender. So if the contender is no pool, the two clones do not share a CPU cache line.
    let mut theirs = None;
    let work = move |operations| trips(theirs.get_or_insert_with(|| channels.clone()), operations);
    // The other thread starts at the first run of this case, because some allocators are faster while a process has one thread.
    let helper = LazyCell::new(|| Helper::new(work));
    let run = move |operations| {
        helper.alongside(operations, || trips(&mut *ours.borrow_mut(), operations))
    };
    Case { threads: 2, ..Case::new(on_two(&C::name()).leak(), run) }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = shared!(trip_case);
    cases.append(&mut shared!(two));
    cases.push(two(Floor::new()));
    cases.push(two(FloorDyn::new()));
    cases
}
