//! Loom models of a completer and a completion on two threads.

use std::task::Poll;

use loom::{future::block_on, thread};
use value_future::{Completion, Pool, ValueFuture};

use crate::common::{Count, Value, assert_dropped, assert_idle, model, poll, value};

#[test]
fn complete_against_await() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let producer = thread::spawn(move || completer.complete(result).unwrap());
        assert_eq!(**block_on(completion).as_ref().unwrap(), 7);
        producer.join().unwrap();
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn complete_against_await_of_a_value_future() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let producer = thread::spawn(move || completer.complete(result).unwrap());
        assert_eq!(**block_on(ValueFuture::from(completion)).as_ref().unwrap(), 7);
        producer.join().unwrap();
        assert_dropped(&rest);
    });
}

/// The value is taken, dropped with the completion, or returned to the producer.
#[test]
fn complete_against_poll_and_drop() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let (result, rest) = value(7);
        let producer = thread::spawn(move || completer.complete(result).is_ok());
        let (count, waker) = Count::new();
        let taken = poll(&mut completion, &waker).is_ready();
        drop((completion, waker));
        let delivered = producer.join().unwrap();
        assert!(delivered || !taken);
        assert_eq!(pool.stats().cancelled, u64::from(!delivered));
        assert!(count.get() <= usize::from(delivered && !taken));
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was leaked");
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn complete_against_try_take() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let producer = thread::spawn(move || completer.complete(result).unwrap());
        let taken = completion.try_take();
        producer.join().unwrap();
        let taken = taken.or_else(Completion::try_take).unwrap();
        assert_eq!(*taken.unwrap(), 7);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The value is dropped once, and the slot is released once.
#[test]
fn complete_against_drop() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let producer = thread::spawn(move || completer.complete(result).is_ok());
        let consumer = thread::spawn(move || drop(completion));
        let delivered = producer.join().unwrap();
        consumer.join().unwrap();
        assert_eq!(pool.stats().cancelled, u64::from(!delivered));
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn drop_of_the_completer_against_await() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let producer = thread::spawn(move || drop(completer));
        assert_eq!(block_on(completion), None);
        producer.join().unwrap();
        assert_idle(&pool, 1);
    });
}

#[test]
fn drop_of_the_completer_against_poll_and_drop() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let producer = thread::spawn(move || drop(completer));
        let (count, waker) = Count::new();
        let polled = poll(&mut completion, &waker);
        drop((completion, waker));
        producer.join().unwrap();
        assert!(matches!(polled, Poll::Pending | Poll::Ready(None)));
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was leaked");
        assert_idle(&pool, 1);
    });
}
