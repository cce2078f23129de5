//! The comparison of the pool with the oracle after each step.

use futures::future::FusedFuture;

use super::{
    driver::{Consumer, Driver},
    kind::Kind,
    observer::Side,
};

impl<K: Kind> Driver<K> {
    pub(super) fn compare(&mut self) {
        self.compare_drops();
        for (operation, consumer) in &self.consumers {
            let taken = match consumer {
                Consumer::Completion(completion) => completion.is_terminated(),
                Consumer::Future(future) => future.is_terminated(),
            };
            assert_eq!(taken, !self.oracle.operations[*operation].consumer);
        }
        for (operation, completer) in &self.completers {
            assert_eq!(K::is_closed(completer), self.oracle.is_closed(*operation));
        }
        for operation in 0..self.oracle.operations.len() {
            for side in [Side::Consumer, Side::Completer] {
                let expected = self.oracle.waiting(operation, side);
                for waker_id in 0..2 {
                    // The slot has a clone of the registered waker, and of no other waker.
                    let clones = usize::from(expected.with == Some(waker_id));
                    assert_eq!(
                        self.observer.woken(operation, side, waker_id),
                        (expected.woken[waker_id], clones),
                        "wakes and clones of waker {waker_id}, {side:?} of {operation}",
                    );
                }
            }
        }
        self.compare_stats();
    }

    pub(super) fn compare_drops(&self) {
        assert_eq!(self.observer.drops(), self.oracle.dropped, "drops of the values");
    }

    /// Compares the counters, if the driver still has a handle of the pool.
    fn compare_stats(&mut self) {
        let Some(pool) = self.pools.first() else { return };
        let (now, oracle) = (K::stats(pool), &self.oracle);
        let rented = oracle.operations.len() as u64;
        assert_eq!(now.rented, rented, "rented");
        assert_eq!(now.live, oracle.live(), "live");
        assert_eq!(now.returned, rented - oracle.live(), "returned");
        assert_eq!(now.retired, oracle.retired(), "retired");
        assert_eq!(now.cancelled, oracle.cancelled(), "cancelled");
        assert_eq!(now.refused_keys, oracle.refused, "keys refused");
        assert_eq!(now.high_water, oracle.slots() as u64, "high water");
        assert!(now.high_water <= now.capacity && self.before.capacity <= now.capacity);
        assert!(now.capacity <= self.max.map_or(u64::MAX, u64::from), "{now:?}");
        assert!(self.before.allocations <= now.allocations);
        self.before = now;
    }

    pub(super) fn reserve(&mut self, additional: u32) -> Option<()> {
        let pool = self.pools.first()?;
        K::reserve(pool, additional);
        let now = K::stats(pool);
        let vacant = now.capacity - now.live - now.retired;
        let bound = self.max.map_or(u64::MAX, |max| u64::from(max) - now.live - now.retired);
        assert!(
            vacant >= bound.min(additional.into()),
            "{vacant} slots are vacant, but {additional} slots were reserved"
        );
        Some(())
    }
}
