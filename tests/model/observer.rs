//! Observes the drops of values and the wakes of wakers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Waker,
};

use super::script::WakerId;
use crate::common::count::Count;

/// The output of the pools. It is `None` if the operation was abandoned.
pub(crate) type Reply = Option<Tracked>;

/// A value with an id. It counts its drops.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) id: usize,
    drops: Arc<AtomicUsize>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Relaxed);
    }
}

/// The two sides of an operation. Each side can wait for the other side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Side {
    Consumer,
    Completer,
}

#[derive(Default)]
pub(crate) struct Observer {
    drops: Vec<Arc<AtomicUsize>>,
    wakers: BTreeMap<(usize, Side, WakerId), Arc<Count>>,
}

impl Observer {
    pub(crate) fn value(&mut self) -> Tracked {
        let drops = Arc::<AtomicUsize>::default();
        self.drops.push(Arc::clone(&drops));
        Tracked { id: self.drops.len() - 1, drops }
    }

    pub(crate) fn drops(&self) -> Vec<usize> {
        self.drops.iter().map(|drops| drops.load(Relaxed)).collect()
    }

    pub(crate) fn waker(&mut self, operation: usize, side: Side, waker_id: WakerId) -> Waker {
        Arc::clone(self.wakers.entry((operation, side, waker_id)).or_default()).into()
    }

    /// Returns the number of wakes of a waker, and the number of its clones.
    pub(crate) fn woken(&self, operation: usize, side: Side, waker_id: WakerId) -> (usize, usize) {
        let count = self.wakers.get(&(operation, side, waker_id));
        count.map_or((0, 0), |count| (count.get(), Arc::strong_count(count) - 1))
    }
}
