//! The steps in which a driver uses pools, completers and completions.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use value_future::{operation::CompleteErrorKind, pool::RentError};

use super::{
    driver::{Consumer, Driver, id},
    kind::Kind,
    observer::{Reply, Side, Tracked},
    script::WakerId,
};
use crate::common::panic_text;

impl<K: Kind> Driver<K> {
    pub(super) fn rent(&mut self) -> Option<()> {
        let pool = self.pools.first()?;
        if self.oracle.is_full() {
            let text = panic_text(|| drop(K::rent(pool)));
            assert!(text.contains("the pool is full"), "{text}");
        } else {
            let handles = K::rent(pool);
            self.rented(handles);
        }
        Some(())
    }

    pub(super) fn try_rent(&mut self) -> Option<()> {
        match K::try_rent(self.pools.last()?) {
            Err(full) => {
                assert!(self.oracle.is_full(), "a slot is vacant, but {full}");
                assert!(
                    matches!(full, RentError::Full { max_slots, .. } if Some(max_slots) == self.max)
                );
            }
            Ok(handles) => {
                assert!(!self.oracle.is_full(), "the pool is full, but an operation begins");
                self.rented(handles);
            }
        }
        Some(())
    }

    fn rented(&mut self, (completer, completion): (K::Completer, K::Completion)) {
        let slot = self.find_rented_slot();
        let operation = self.oracle.rent(slot);
        self.completers.insert(operation, completer);
        self.consumers.insert(operation, Consumer::Completion(completion));
        // The pool uses a vacant slot. It creates a slot only if no slot is vacant.
        let before = self.before;
        if before.capacity > before.live + before.retired {
            let now = K::stats(&self.pools[0]);
            assert_eq!((now.capacity, now.allocations), (before.capacity, before.allocations));
        }
    }

    /// Finds the slot that was rented: the key of its previous operation has become stale. If no key is stale, the slot is new.
    fn find_rented_slot(&mut self) -> usize {
        let vacant = self.oracle.vacant();
        let mut rented = vacant.iter().copied().filter(|slot| {
            let last = self.oracle.current_key(*slot);
            let refused =
                K::abandon_key(&self.pools[0], last).expect_err("the last operation has ended");
            refused.kind() == CompleteErrorKind::Stale
        });
        let (slot, second) = (rented.next(), rented.next());
        assert_eq!(second, None, "one operation in two slots");
        assert_eq!(slot.is_none(), vacant.is_empty(), "a slot is created only if none is vacant");
        self.oracle.refused += vacant.len() as u64;
        slot.unwrap_or(self.oracle.slots())
    }

    pub(super) fn poll(&mut self, operation: usize, waker_id: WakerId) {
        if !self.oracle.operations[operation].consumer {
            return;
        }
        let waker = self.observer.waker(operation, Side::Consumer, waker_id);
        let cx = &mut Context::from_waker(&waker);
        let polled = match self.consumers.get_mut(&operation) {
            Some(Consumer::Completion(completion)) => Pin::new(completion).poll(cx),
            Some(Consumer::Future(future)) => Pin::new(future).poll(cx),
            None => return,
        };
        match (polled, self.oracle.poll(operation, waker_id)) {
            (Poll::Ready(reply), Poll::Ready(expected)) => self.took(&reply, expected),
            (Poll::Pending, Poll::Pending) => {}
            (polled, expected) => panic!("{polled:?}, not {expected:?}"),
        }
    }

    /// Checks a result, and records the drop of its value.
    fn took(&mut self, reply: &Reply, expected: Option<usize>) {
        assert_eq!(id(reply), expected);
        self.compare_drops();
        self.oracle.drop_value(expected);
    }

    pub(super) fn try_take(&mut self, operation: usize) {
        let Some(consumer) = self.consumers.remove(&operation) else { return };
        let taken = match consumer {
            Consumer::Completion(completion) => {
                K::try_take(completion).map_err(Consumer::Completion)
            }
            Consumer::Future(future) => K::try_take_future(future).map_err(Consumer::Future),
        };
        match (taken, self.oracle.take(operation)) {
            (Ok(reply), Poll::Ready(expected)) => self.took(&reply, expected),
            (Err(consumer), Poll::Pending) => _ = self.consumers.insert(operation, consumer),
            (taken, expected) => panic!("{:?}, not {expected:?}", taken.map_err(drop)),
        }
    }

    pub(super) fn convert(&mut self, operation: usize) {
        let consumer = match self.consumers.remove(&operation) {
            Some(Consumer::Completion(completion)) => Consumer::Future(completion.into()),
            Some(future) => future,
            None => return,
        };
        self.consumers.insert(operation, consumer);
    }

    pub(super) fn complete(&mut self, operation: usize) {
        let Some(completer) = self.completers.remove(&operation) else { return };
        let value = self.new_value();
        let expected = Some(value.id);
        let returned = K::complete(completer, Some(value)).err();
        assert_eq!(returned.is_none(), self.oracle.complete(operation, expected));
        self.compare_drops();
        if let Some(value) = returned {
            self.returned(&value, expected);
        }
    }

    pub(super) fn new_value(&mut self) -> Tracked {
        self.oracle.dropped.push(0);
        self.observer.value()
    }

    /// Checks a value that a refused call returned.
    pub(super) fn returned(&mut self, value: &Reply, expected: Option<usize>) {
        assert_eq!(id(value), expected, "another value was returned");
        self.oracle.drop_value(expected);
    }
}
