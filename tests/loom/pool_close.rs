//! What was left to its key, and the end of the pool: no consumer waits for a key that cannot come.

use loom::{future::block_on, thread};
use value_future::{Pool, operation::CompleteErrorKind};

use crate::common::{Count, Value, assert_dropped, bounded_model, model, poll, value};

/// Whichever comes last ends the wait.
#[test]
fn the_last_handle_against_a_completer_that_is_turned_into_its_key() {
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
fn the_last_handle_against_a_completer_that_completes() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (given, rest) = value(7);
        let other = thread::spawn(move || drop(pool));
        completer.complete(given).unwrap();
        assert_eq!(**block_on(completion).as_ref().unwrap(), 7);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

/// The slab is gone through while its last slot comes back.
#[test]
fn the_last_handle_against_a_consumer_that_leaves() {
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
        assert_eq!(std::sync::Arc::strong_count(&count), 1, "a waker was lost");
    });
}

/// One of two handles is the last, and sees to it.
#[test]
fn two_handles_that_go_at_a_time() {
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
fn all_keys_against_one() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (given, rest) = value(7);
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, given).map_err(|e| e.kind()));
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

/// A renter that has not seen that the pool is closed waits for a key that nobody has.
#[test]
fn close_against_an_operation_that_begins_and_is_left_to_its_key() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            if let Ok((completer, completion)) = theirs.try_rent() {
                let _key = completer.into_key();
                assert_eq!(block_on(completion), None);
            }
        });
        let ended = pool.close();
        assert!(pool.try_rent().is_err());
        other.join().unwrap();
        assert!(ended <= 1);
    });
}

/// The consumer waits before its completer is left to the key.
#[test]
fn close_against_a_consumer_that_waits_first() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            if let Ok((completer, mut completion)) = theirs.try_rent() {
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
