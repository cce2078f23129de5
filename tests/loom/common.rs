//! What the models of pools have in common.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

use value_future::{Completion, Pool};

/// Loom does not see a value: it is counted here, so that one which is lost or taken twice is noticed.
pub(crate) type Value = Option<Arc<u32>>;

/// A value, and what remains to tell what has become of it.
pub(crate) fn value(number: u32) -> (Value, Arc<u32>) {
    let value = Arc::new(number);
    (Some(Arc::clone(&value)), value)
}

/// Nobody has the value any more.
#[track_caller]
pub(crate) fn assert_dropped(value: &Arc<u32>) {
    assert_eq!(Arc::strong_count(value), 1, "a value was lost");
}

/// Every interleaving.
pub(crate) fn model(f: impl Fn() + Sync + Send + 'static) {
    check(None, f);
}

/// Every interleaving in which threads are interrupted so many times, or as often as
/// `LOOM_MAX_PREEMPTIONS` says. For models that would take minutes otherwise.
pub(crate) fn bounded_model(preemptions: usize, f: impl Fn() + Sync + Send + 'static) {
    check(Some(preemptions), f);
}

fn check(preemptions: Option<usize>, f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    builder.max_branches = 10_000;
    builder.check(f);
}

/// All that was rented came back.
#[track_caller]
pub(crate) fn assert_idle<T>(pool: &Pool<T>, rented: u64) {
    let stats = pool.stats();
    assert_eq!((stats.rented, stats.returned, stats.live), (rented, rented, 0));
}

/// A waker that counts. Loom does not see the count: it changes nothing for the threads.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Count {
    pub(crate) fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}

/// The result, by the short road of a poll that finds it there.
#[track_caller]
pub(crate) fn take(mut completion: Completion<Value>) -> Value {
    match poll(&mut completion, Waker::noop()) {
        Poll::Ready(taken) => taken,
        Poll::Pending => panic!("there is no result yet"),
    }
}

pub(crate) fn poll(completion: &mut Completion<Value>, waker: &Waker) -> Poll<Value> {
    Pin::new(completion).poll(&mut Context::from_waker(waker))
}
