//! Loom models of wakers. A consumer or a producer may poll with several wakers. Only the waker of its latest pending poll is woken, and
//! only once.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use loom::{future::block_on, thread};
use value_future::Pool;

use crate::common::{
    Count, Value, assert_dropped, assert_idle, bounded_model, model, poll, take, value,
};

/// If the second poll was pending, the second waker is woken.
#[test]
fn change_of_waker_against_complete() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let (result, rest) = value(7);
        let (first, waker) = Count::new();
        assert!(poll(&mut completion, &waker).is_pending());
        drop(waker);
        let producer = thread::spawn(move || completer.complete(result).unwrap());
        let (second, waker) = Count::new();
        let polled = poll(&mut completion, &waker);
        drop(waker);
        producer.join().unwrap();
        let taken = match polled {
            Poll::Ready(taken) => taken,
            Poll::Pending => {
                assert_eq!((first.get(), second.get()), (0, 1));
                completion.try_take().unwrap()
            }
        };
        assert_eq!(*taken.unwrap(), 7);
        assert!(first.get() + second.get() <= 1);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn change_of_waker_against_drop_of_the_completer() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let (first, waker) = Count::new();
        assert!(poll(&mut completion, &waker).is_pending());
        drop(waker);
        let producer = thread::spawn(move || drop(completer));
        assert_eq!(block_on(completion), None);
        producer.join().unwrap();
        assert!(first.get() <= 1);
        assert_eq!(Arc::strong_count(&first), 1);
        assert_idle(&pool, 1);
    });
}

/// Another thread uses the key while the consumer polls with another waker.
#[test]
fn change_of_waker_against_complete_key() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let key = completer.into_key();
        let (result, rest) = value(7);
        let (first, waker) = Count::new();
        assert!(poll(&mut completion, &waker).is_pending());
        drop(waker);
        let clone = pool.clone();
        let producer = thread::spawn(move || clone.complete_key(key, result).unwrap());
        assert_eq!(*block_on(completion).unwrap(), 7);
        producer.join().unwrap();
        assert_eq!(Arc::strong_count(&first), 1);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn poll_closed_against_drop_of_the_completion() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let consumer = thread::spawn(move || drop(completion));
        block_on(poll_fn(|cx| completer.poll_closed(cx)));
        assert!(completer.is_closed());
        consumer.join().unwrap();
        drop(completer);
        assert_idle(&pool, 1);
    });
}

#[test]
fn change_of_producer_waker_against_drop_of_the_completion() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let (first, waker) = Count::new();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let consumer = thread::spawn(move || drop(completion));
        let (second, waker) = Count::new();
        let polled = completer.poll_closed(&mut Context::from_waker(&waker));
        drop(waker);
        consumer.join().unwrap();
        if polled.is_pending() {
            assert_eq!((first.get(), second.get()), (0, 1));
        }
        assert!(
            completer.poll_closed(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
        );
        drop(completer);
        assert!(first.get() + second.get() <= 1);
        assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));
        assert_idle(&pool, 1);
    });
}

/// Either the completer drops its waker, or the consumer wakes this waker.
#[test]
fn complete_after_poll_closed_against_drop_of_the_completion() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let (count, waker) = Count::new();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let consumer = thread::spawn(move || drop(completion));
        let _ = completer.complete(result);
        consumer.join().unwrap();
        assert!(count.get() <= 1);
        assert_eq!(Arc::strong_count(&count), 1);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The completer observes that a key ended its operation, and the consumer is woken.
#[test]
fn poll_closed_against_complete_key() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (mut completer, mut completion) = pool.rent();
        let key = completer.key_while_held();
        let (result, rest) = value(7);
        let (count, waker) = Count::new();
        assert!(poll(&mut completion, &waker).is_pending());
        drop(waker);
        let clone = pool.clone();
        let producer = thread::spawn(move || clone.complete_key(key, result).unwrap());
        block_on(poll_fn(|cx| completer.poll_closed(cx)));
        drop(completer);
        producer.join().unwrap();
        assert_eq!((count.get(), Arc::strong_count(&count)), (1, 1));
        assert_eq!(*take(completion).unwrap(), 7);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}
