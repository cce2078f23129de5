//! Loom models of futures that wait for a slot of a bounded pool, while slots are released, the pool is closed, or futures are dropped.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Wake, Waker},
};

use loom::{future::block_on, thread};
use value_future::{
    Pool,
    pool::{RentError, RentWhenVacant},
};

use crate::common::{Count, Value, assert_idle, bounded, bounded_model, model, poll, value};

fn poll_future(future: &mut RentWhenVacant<Value>, waker: &Waker) -> bool {
    match Pin::new(future).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(result) => {
            drop(result.unwrap());
            true
        }
        Poll::Pending => false,
    }
}

/// If the future already waits, it gets the released slot. Otherwise the slot goes to the stripe, or to the depot if the future has locked
/// the stripe.
#[test]
fn rent_when_vacant_against_release() {
    model(|| {
        let pool = bounded(1);
        let (completer, completion) = pool.rent();
        drop(completer);
        let other = thread::spawn(move || drop(completion));
        drop(block_on(pool.rent_when_vacant()).unwrap());
        other.join().unwrap();
        assert_idle(&pool, 2);
    });
}

/// If the first future has locked the stripe, the released slot goes to the depot. The second future, which begins later, gets the slot.
#[test]
fn a_second_future_after_a_dropped_future_against_release() {
    bounded_model(3, || {
        let pool = bounded(1);
        let (completer, completion) = pool.rent();
        drop(completer);
        let other = thread::spawn(move || drop(completion));
        poll_future(&mut pool.rent_when_vacant(), Waker::noop());
        drop(block_on(pool.rent_when_vacant()).unwrap());
        other.join().unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

/// The completer and the completion are dropped on two threads.
#[test]
fn rent_when_vacant_against_drop_of_completer_and_completion() {
    bounded_model(3, || {
        let pool = bounded(1);
        let (completer, completion) = pool.rent();
        let producer = thread::spawn(move || drop(completer));
        let consumer = thread::spawn(move || drop(completion));
        drop(block_on(pool.rent_when_vacant()).unwrap());
        producer.join().unwrap();
        consumer.join().unwrap();
        assert_idle(&pool, 2);
    });
}

/// Two futures get the only slot, one after the other.
#[test]
fn two_futures_against_one_slot() {
    bounded_model(2, || {
        let pool = bounded(1);
        let handles = pool.rent();
        let other_future = pool.rent_when_vacant();
        let other = thread::spawn(move || drop(block_on(other_future).unwrap()));
        let own = pool.rent_when_vacant();
        drop(handles);
        drop(block_on(own).unwrap());
        other.join().unwrap();
        assert_idle(&pool, 3);
    });
}

/// Two slots are released at the same time, and each future gets one of them.
#[test]
fn two_futures_against_two_slots() {
    bounded_model(2, || {
        let pool = bounded(2);
        let (first, second) = (pool.rent(), pool.rent());
        let other_future = pool.rent_when_vacant();
        let other = thread::spawn(move || {
            drop(first);
            let handles = block_on(other_future).unwrap();
            drop(handles);
        });
        let own = pool.rent_when_vacant();
        drop(second);
        let handles = block_on(own).unwrap();
        other.join().unwrap();
        drop(handles);
        assert_idle(&pool, 4);
    });
}

/// The first future is dropped before or after it gets the slot. In both cases, the second future gets the slot.
#[test]
fn drop_of_the_first_future_against_release() {
    bounded_model(3, || {
        let pool = bounded(1);
        let handles = pool.rent();
        let (count, waker) = Count::new();
        let mut first = pool.rent_when_vacant();
        assert!(!poll_future(&mut first, &waker));
        drop(waker);
        let mut second = pool.rent_when_vacant();
        assert!(!poll_future(&mut second, Waker::noop()));
        let dropping = thread::spawn(move || drop(first));
        let returning = thread::spawn(move || drop(handles));
        drop(block_on(second).unwrap());
        dropping.join().unwrap();
        returning.join().unwrap();
        assert!(count.get() <= 1);
        assert_eq!(Arc::strong_count(&count), 1, "a waker was leaked");
        assert_idle(&pool, 2);
    });
}

/// After the drop and the release, the slot is vacant.
#[test]
fn drop_of_the_only_future_against_release() {
    model(|| {
        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, Waker::noop()));
        let dropping = thread::spawn(move || drop(future));
        drop(handles);
        dropping.join().unwrap();
        drop(pool.try_rent().unwrap());
        assert_idle(&pool, 2);
    });
}

/// The release wakes the waker of the latest poll.
#[test]
fn change_of_waker_against_release() {
    model(|| {
        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, Waker::noop()));
        let returning = thread::spawn(move || drop(handles));
        drop(block_on(future).unwrap());
        returning.join().unwrap();
        assert_idle(&pool, 2);
    });
}

#[test]
fn rent_when_vacant_against_close() {
    model(|| {
        let pool = bounded(1);
        let handles = pool.rent();
        let other_future = pool.rent_when_vacant();
        let other = thread::spawn(move || {
            assert_eq!(block_on(other_future).unwrap_err(), RentError::Closed);
        });
        pool.close();
        other.join().unwrap();
        drop(handles);
        assert_idle(&pool, 1);
    });
}

#[test]
fn rent_when_vacant_against_close_and_release() {
    bounded_model(2, || {
        let pool = bounded(1);
        let handles = pool.rent();
        let other_future = pool.rent_when_vacant();
        let other = thread::spawn(move || drop(block_on(other_future)));
        let returning = thread::spawn(move || drop(handles));
        pool.close();
        other.join().unwrap();
        returning.join().unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

/// The future has the last handle of the pool.
#[test]
fn drop_of_the_future_as_the_last_handle_against_release() {
    bounded_model(3, || {
        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, Waker::noop()));
        let returning = thread::spawn(move || drop(handles));
        drop(pool);
        drop(future);
        returning.join().unwrap();
    });
}

/// A waker that tries to rent a slot in `wake`.
struct TriesToRent(Weak<Pool<Value>>);

impl Wake for TriesToRent {
    fn wake(self: Arc<Self>) {
        if let Some(pool) = self.0.upgrade() {
            assert!(pool.try_rent().is_err(), "the future has the slot");
        }
    }
}

/// If the producer releases the slot, it gives the slot to the future, and wakes the future. The waker calls `try_rent`, which must not
/// wait for the end of the release.
#[test]
fn release_by_complete_key_against_rent_when_vacant() {
    bounded_model(3, || {
        let pool = Arc::new(bounded(1));
        let (completer, mut completion) = pool.rent();
        assert!(poll(&mut completion, Waker::noop()).is_pending());
        let key = completer.into_key();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(
            &mut future,
            &Waker::from(Arc::new(TriesToRent(Arc::downgrade(&pool))))
        ));
        let clone = Arc::clone(&pool);
        let producer_thread = thread::spawn(move || {
            let (result, _rest) = value(7);
            let _ = clone.complete_key(key, result);
        });
        drop(completion);
        producer_thread.join().unwrap();
        assert!(poll_future(&mut future, Waker::noop()));
        drop(future);
        assert_idle(&pool, 2);
    });
}
