//! What really happens to values and wakers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Wake, Waker},
};

use super::script::Letter;

/// The output of the pools: `None` if there is no value.
pub(crate) type Reply = Option<Tracked>;

/// A value that is known again, and counts its drops.
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

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Who waits, for an operation and with one of two wakers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Side {
    Consumer,
    Completer,
}

#[derive(Default)]
pub(crate) struct Witness {
    drops: Vec<Arc<AtomicUsize>>,
    wakers: BTreeMap<(usize, Side, Letter), Arc<Count>>,
}

impl Witness {
    pub(crate) fn value(&mut self) -> Tracked {
        let drops = Arc::<AtomicUsize>::default();
        self.drops.push(Arc::clone(&drops));
        Tracked { id: self.drops.len() - 1, drops }
    }

    pub(crate) fn drops(&self) -> Vec<usize> {
        self.drops.iter().map(|drops| drops.load(Relaxed)).collect()
    }

    pub(crate) fn waker(&mut self, operation: usize, side: Side, letter: Letter) -> Waker {
        Arc::clone(self.wakers.entry((operation, side, letter)).or_default()).into()
    }

    /// How often it was woken, and how many copies of it there are.
    pub(crate) fn woken(&self, operation: usize, side: Side, letter: Letter) -> (usize, usize) {
        let count = self.wakers.get(&(operation, side, letter));
        count.map_or((0, 0), |count| (count.0.load(Relaxed), Arc::strong_count(count) - 1))
    }
}
