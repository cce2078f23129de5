//! Helpers for the loom models.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use value_future::{Completer, Completion, Pool};

pub(crate) use crate::count::Count;

/// The output of an operation. Loom does not track values, but the reference count shows whether a value was leaked or taken twice.
pub(crate) type Value = Option<Arc<u32>>;

/// Returns a value, and a second reference to the value. If the value still exists, the reference count is 2.
pub(crate) fn value(number: u32) -> (Value, Arc<u32>) {
    let value = Arc::new(number);
    (Some(Arc::clone(&value)), value)
}

/// Checks that the value was dropped.
#[track_caller]
pub(crate) fn assert_dropped(value: &Arc<u32>) {
    assert_eq!(Arc::strong_count(value), 1, "a value was leaked");
}

/// Runs a model in each interleaving of its threads. If `LOOM_MAX_PREEMPTIONS` is set, it bounds the preemptions.
pub(crate) fn model(f: impl Fn() + Sync + Send + 'static) {
    check(None, f);
}

/// Runs a model in each interleaving with at most this number of preemptions. `LOOM_MAX_PREEMPTIONS` overrides the number. Without a bound,
/// these models would take minutes.
pub(crate) fn bounded_model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    check(Some(preemptions), f);
}

fn check(preemptions: Option<usize>, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.max_branches = 10_000;
    builder.check(f);
}

/// Returns a bounded pool.
pub(crate) fn bounded(slots: u32) -> Pool<Value> {
    Pool::<Value>::builder().max_slots(slots).build()
}

/// Completes an operation with `None`, and takes this result.
pub(crate) fn run((completer, completion): (Completer<Value>, Completion<Value>)) {
    completer.complete(None).unwrap();
    assert_eq!(take(completion), None);
}

/// Checks that the pool has begun `rented` operations, and that each of their slots was returned.
#[track_caller]
pub(crate) fn assert_idle<T>(pool: &Pool<T>, rented: u64) {
    let stats = pool.stats();
    assert_eq!((stats.rented, stats.returned, stats.live), (rented, rented, 0));
}

/// Takes the result with one poll. The operation must be completed.
#[track_caller]
pub(crate) fn take(mut completion: Completion<Value>) -> Value {
    match poll(&mut completion, Waker::noop()) {
        Poll::Ready(taken) => taken,
        Poll::Pending => panic!("the operation is pending"),
    }
}

pub(crate) fn poll(completion: &mut Completion<Value>, waker: &Waker) -> Poll<Value> {
    Pin::new(completion).poll(&mut Context::from_waker(waker))
}
