//! Futures that wait for a slot of a bounded pool, against what returns slots, closes the pool, and drops futures.

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

use crate::common::{Count, Value, assert_idle, bounded_model, model, poll, value};

fn bounded(slots: u32) -> Pool<Value> {
    Pool::<Value>::builder().max_slots(slots).build()
}

fn poll_future(future: &mut RentWhenVacant<Value>, waker: &Waker) -> bool {
    match Pin::new(future).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(ends) => {
            drop(ends.unwrap());
            true
        }
        Poll::Pending => false,
    }
}

/// The slot goes into the stripe, or to the depot while the future has locked the stripe, or to the future.
#[test]
fn a_future_against_a_return() {
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

/// While the first future locks the stripe, the return goes to the depot. The second future comes meanwhile.
#[test]
fn a_future_after_one_that_was_dropped_against_a_return() {
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

/// The consumer was pending, so its return is counted as cancelled.
#[test]
fn a_future_against_two_ends_that_go() {
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

/// One slot, which each of two futures returns.
#[test]
fn two_futures_against_returns() {
    bounded_model(2, || {
        let pool = bounded(1);
        let ends = pool.rent();
        let theirs = pool.rent_when_vacant();
        let other = thread::spawn(move || drop(block_on(theirs).unwrap()));
        let ours = pool.rent_when_vacant();
        drop(ends);
        drop(block_on(ours).unwrap());
        other.join().unwrap();
        assert_idle(&pool, 3);
    });
}

/// Two slots are returned at a time, and each of two futures gets one.
#[test]
fn two_futures_against_two_returns() {
    bounded_model(2, || {
        let pool = bounded(2);
        let (first, second) = (pool.rent(), pool.rent());
        let theirs = pool.rent_when_vacant();
        let other = thread::spawn(move || {
            drop(first);
            let ends = block_on(theirs).unwrap();
            drop(ends);
        });
        let ours = pool.rent_when_vacant();
        drop(second);
        let ends = block_on(ours).unwrap();
        other.join().unwrap();
        drop(ends);
        assert_idle(&pool, 4);
    });
}

/// The first future is dropped: before it has the slot, when it has, or when it was woken. The second one gets it.
#[test]
fn a_future_that_is_dropped_against_a_return() {
    bounded_model(3, || {
        let pool = bounded(1);
        let ends = pool.rent();
        let (count, waker) = Count::new();
        let mut first = pool.rent_when_vacant();
        assert!(!poll_future(&mut first, &waker));
        drop(waker);
        let mut second = pool.rent_when_vacant();
        assert!(!poll_future(&mut second, Waker::noop()));
        let dropping = thread::spawn(move || drop(first));
        let returning = thread::spawn(move || drop(ends));
        drop(block_on(second).unwrap());
        dropping.join().unwrap();
        returning.join().unwrap();
        assert!(count.get() <= 1);
        assert_eq!(Arc::strong_count(&count), 1, "a waker was lost");
        assert_idle(&pool, 2);
    });
}

/// Afterwards the slot is vacant.
#[test]
fn the_only_future_is_dropped_against_a_return() {
    model(|| {
        let pool = bounded(1);
        let ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, Waker::noop()));
        let dropping = thread::spawn(move || drop(future));
        drop(ends);
        dropping.join().unwrap();
        drop(pool.try_rent().unwrap());
        assert_idle(&pool, 2);
    });
}

/// The waker of the last poll is woken.
#[test]
fn a_change_of_waker_against_a_return() {
    model(|| {
        let pool = bounded(1);
        let ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, Waker::noop()));
        let returning = thread::spawn(move || drop(ends));
        drop(block_on(future).unwrap());
        returning.join().unwrap();
        assert_idle(&pool, 2);
    });
}

#[test]
fn a_future_against_close() {
    model(|| {
        let pool = bounded(1);
        let ends = pool.rent();
        let theirs = pool.rent_when_vacant();
        let other =
            thread::spawn(move || assert_eq!(block_on(theirs).unwrap_err(), RentError::Closed));
        pool.close();
        other.join().unwrap();
        drop(ends);
        assert_idle(&pool, 1);
    });
}

#[test]
fn a_future_against_close_and_a_return() {
    bounded_model(2, || {
        let pool = bounded(1);
        let ends = pool.rent();
        let theirs = pool.rent_when_vacant();
        let other = thread::spawn(move || drop(block_on(theirs)));
        let returning = thread::spawn(move || drop(ends));
        pool.close();
        other.join().unwrap();
        returning.join().unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

/// The future has the last handle.
#[test]
fn a_future_that_goes_last_against_a_return() {
    bounded_model(3, || {
        let pool = bounded(1);
        let ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, Waker::noop()));
        let returning = thread::spawn(move || drop(ends));
        drop(pool);
        drop(future);
        returning.join().unwrap();
    });
}

/// A waker that looks for a slot when it is woken.
struct Looks(Weak<Pool<Value>>);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        if let Some(pool) = self.0.upgrade() {
            assert!(pool.try_rent().is_err(), "the future has the slot");
        }
    }
}

/// The claimant returns the slot, and the waker that it wakes does not wait for the end of that return.
#[test]
fn a_slot_that_is_left_to_a_claimant() {
    bounded_model(3, || {
        let pool = Arc::new(bounded(1));
        let (completer, mut completion) = pool.rent();
        assert!(poll(&mut completion, Waker::noop()).is_pending());
        let key = completer.into_key();
        let mut future = pool.rent_when_vacant();
        assert!(!poll_future(&mut future, &Waker::from(Arc::new(Looks(Arc::downgrade(&pool))))));
        let theirs = Arc::clone(&pool);
        let claimant = thread::spawn(move || {
            let (given, _rest) = value(7);
            let _ = theirs.complete_key(key, given);
        });
        drop(completion);
        claimant.join().unwrap();
        assert!(poll_future(&mut future, Waker::noop()));
        drop(future);
        assert_idle(&pool, 2);
    });
}
