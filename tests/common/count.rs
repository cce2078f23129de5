//! A waker that counts its wakes.
//!
//! It uses an atomic of the standard library, even under loom. So the counter adds no interleavings to a model.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Wake, Waker},
};

/// The counter of a waker. The waker and each of its clones hold one reference each to the counter.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Count {
    /// Creates a counter and its waker.
    pub(crate) fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (Arc::clone(&count), Waker::from(count))
    }

    /// Returns the number of wakes.
    pub(crate) fn get(&self) -> usize {
        self.0.load(Relaxed)
    }
}
