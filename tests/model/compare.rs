//! What a driver compares after each step: everything that can be seen.

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
            let spent = match consumer {
                Consumer::Completion(completion) => completion.is_terminated(),
                Consumer::Future(future) => future.is_terminated(),
            };
            assert_eq!(spent, !self.oracle.operations[*operation].consumer);
        }
        for (operation, completer) in &self.completers {
            assert_eq!(K::is_closed(completer), self.oracle.is_closed(*operation));
        }
        for operation in 0..self.oracle.operations.len() {
            for side in [Side::Consumer, Side::Completer] {
                let expected = self.oracle.waiting(operation, side);
                for letter in 0..2 {
                    // The slot has a copy of the waker that waits, and of no other.
                    let copies = usize::from(expected.with == Some(letter));
                    assert_eq!(
                        self.witness.woken(operation, side, letter),
                        (expected.woken[letter], copies),
                        "times woken and copies of waker {letter}, {side:?} of {operation}",
                    );
                }
            }
        }
        self.compare_stats();
    }

    pub(super) fn compare_drops(&self) {
        assert_eq!(self.witness.drops(), self.oracle.dropped, "drops of the values");
    }

    /// Without a handle nobody can ask.
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
        let room = now.capacity - now.live - now.retired;
        let bound = self.max.map_or(u64::MAX, |max| u64::from(max) - now.live - now.retired);
        assert!(room >= bound.min(additional.into()), "room for {room} of {additional}");
        Some(())
    }
}
