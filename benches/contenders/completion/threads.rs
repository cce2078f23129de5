//! Round trips on two threads at once, from the same pool where there is one, and the same on one
//! thread.

use std::cell::{LazyCell, RefCell};

use super::{
    super::{Case, helper::Helper},
    Boxed, Channels,
    floor::{Floor, FloorDyn},
    ours::{Ours, OursErased},
    rivals::{AsyncOneshot, Events, Futures, Multishot, Oneshot, Pooled, RawPooled, Tokio},
    shared,
    trip::{trip_case, trips},
};

/// What a contender is called that works on two threads.
pub(crate) fn on_two(name: &str) -> String {
    format!("{name}, 2 threads")
}

fn two<C: Channels + Clone + Send>(channels: C) -> Case {
    let (channels, ours) = (channels.clone(), RefCell::new(channels));
    // Made there, so that two that have nothing in common do not share a cache line either.
    let mut theirs = None;
    let work = move |operations| trips(theirs.get_or_insert_with(|| channels.clone()), operations);
    // Not before it is needed: an allocator may be quicker as long as there is one thread only.
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
