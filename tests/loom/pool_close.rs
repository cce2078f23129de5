//! Loom models of operations whose pool is closed or dropped, or whose keys are abandoned, while a producer completes them. In most models,
//! the producer has a key from `into_key`. No consumer waits forever for a producer whose key can no longer be used.

use loom::{future::block_on, thread};
use value_future::{Pool, operation::CompleteErrorKind};

use crate::common::{Count, Value, assert_dropped, bounded_model, model, poll, value};

/// The later of the two calls abandons the operation.
#[test]
fn drop_of_the_last_handle_against_into_key() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let other = thread::spawn(move || drop(pool));
        let _key = completer.into_key();
        assert_eq!(block_on(completion), None);
        other.join().unwrap();
    });
}

#[test]
fn drop_of_the_last_handle_against_complete() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let other = thread::spawn(move || drop(pool));
        completer.complete(result).unwrap();
        assert_eq!(**block_on(completion).as_ref().unwrap(), 7);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

/// The thread that drops the pool iterates over the slots while this thread releases the only rented slot.
#[test]
fn drop_of_the_last_handle_against_drop_of_the_completion() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let _key = completer.into_key();
        let (count, waker) = Count::new();
        assert!(poll(&mut completion, &waker).is_pending());
        drop(waker);
        let other = thread::spawn(move || drop(pool));
        drop(completion);
        other.join().unwrap();
        assert!(count.get() <= 1);
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was leaked");
    });
}

/// The later of the two drops abandons the operation.
#[test]
fn drop_of_two_handles() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let _key = completer.into_key();
        let clone = pool.clone();
        let other = thread::spawn(move || drop(clone));
        drop(pool);
        assert_eq!(block_on(completion), None);
        other.join().unwrap();
    });
}

#[test]
fn abandon_keys_against_complete_key() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (result, rest) = value(7);
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, result).map_err(|e| e.kind()));
        let abandoned = pool.abandon_keys();
        let taken = block_on(completion).map(|value| *value);
        match other.join().unwrap() {
            Ok(()) => assert_eq!((abandoned, taken), (0, Some(7))),
            Err(kind) => {
                assert_eq!((abandoned, taken), (1, None));
                assert!(matches!(
                    kind,
                    CompleteErrorKind::AlreadyCompleted | CompleteErrorKind::BeingCompleted
                ));
            }
        }
        assert_dropped(&rest);
    });
}

/// An operation that begins during `close` is abandoned too.
#[test]
fn close_against_rent_and_into_key() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let clone = pool.clone();
        let other = thread::spawn(move || {
            if let Ok((completer, completion)) = clone.try_rent() {
                let _key = completer.into_key();
                assert_eq!(block_on(completion), None);
            }
        });
        let abandoned = pool.close();
        assert!(pool.try_rent().is_err());
        other.join().unwrap();
        assert!(abandoned <= 1);
    });
}

/// The consumer is polled before `into_key`.
#[test]
fn close_against_rent_poll_and_into_key() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let clone = pool.clone();
        let other = thread::spawn(move || {
            if let Ok((completer, mut completion)) = clone.try_rent() {
                let (_count, waker) = Count::new();
                let _ = poll(&mut completion, &waker);
                let _key = completer.into_key();
                assert_eq!(block_on(completion), None);
            }
        });
        pool.close();
        other.join().unwrap();
    });
}
