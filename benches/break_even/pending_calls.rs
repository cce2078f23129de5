//! Measures the resident memory of calls that are pending at the same time.

use std::{
    future::Future,
    ops::Range,
    pin::Pin,
    task::{Context, Waker},
};

use super::{data::Resident, harness::memory::resident};

/// Creates a pending future for each key, and then drops all futures. Returns by how much the resident memory has grown before and after
/// the drop, or `None` if the system does not report it.
pub(crate) fn hold<F: Future + Unpin>(
    keys: Range<usize>,
    call: impl Fn(usize) -> F,
) -> Option<Resident> {
    let calls = keys.len();
    let before = resident()?;
    let per_call = |now: usize| now.saturating_sub(before) as f64 / calls as f64;
    let mut futures = Vec::with_capacity(calls);
    for key in keys {
        let mut future = call(key);
        let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "no key has a ready result");
        futures.push(future);
    }
    let held = per_call(resident()?);
    drop(futures);
    Some(Resident { held, dropped: per_call(resident()?) })
}
