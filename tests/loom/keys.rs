//! Loom models of keys that are used twice, late, or while their completers exist.

use loom::{future::block_on, thread};
use value_future::{Pool, operation::CompleteErrorKind};

use crate::common::{Value, assert_dropped, assert_idle, bounded_model, model, value};

/// One of the two calls succeeds, and the consumer gets the value of this call.
#[test]
fn complete_key_against_complete_key() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let ((one, one_rest), (two, two_rest)) = (value(1), value(2));
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, one));
        let own = pool.complete_key(key, two);
        let other = other.join().unwrap();
        assert_eq!(*completion.try_take().unwrap().unwrap(), if own.is_ok() { 2 } else { 1 });
        let (own, other) = (own.map_err(|e| e.kind()), other.map_err(|e| e.kind()));
        assert!(own.is_ok() != other.is_ok());
        let refused = own.and(other).unwrap_err();
        assert!(matches!(
            refused,
            CompleteErrorKind::AlreadyCompleted | CompleteErrorKind::BeingCompleted
        ));
        assert_eq!(pool.stats().refused_keys, 1);
        assert_dropped(&one_rest);
        assert_dropped(&two_rest);
        assert_idle(&pool, 1);
    });
}

/// The consumer may take the result and release the slot while the refused call is running.
#[test]
fn complete_key_twice_against_await() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let ((one, one_rest), (two, two_rest)) = (value(1), value(2));
        let [first, second] = [pool.clone(), pool.clone()];
        let first = thread::spawn(move || first.complete_key(key, one).is_ok());
        let second = thread::spawn(move || second.complete_key(key, two).is_ok());
        let taken = *block_on(completion).unwrap();
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert!(first != second);
        assert_eq!(taken, if first { 1 } else { 2 });
        assert_dropped(&one_rest);
        assert_dropped(&two_rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn complete_key_against_complete() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        let ((one, one_rest), (two, two_rest)) = (value(1), value(2));
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, one).is_ok());
        let own = completer.complete(two).is_ok();
        let other = other.join().unwrap();
        assert!(own != other);
        assert_eq!(*completion.try_take().unwrap().unwrap(), if own { 2 } else { 1 });
        assert_dropped(&one_rest);
        assert_dropped(&two_rest);
        assert_idle(&pool, 1);
    });
}

/// Either the key completes the operation, or the drop of the completer abandons the operation.
#[test]
fn complete_key_against_drop_of_the_completer() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        let (result, rest) = value(7);
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, result).is_ok());
        drop(completer);
        let taken = block_on(completion);
        assert_eq!(taken.is_some(), other.join().unwrap());
        drop(taken);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The value is returned with the error, or dropped with the completion.
#[test]
fn complete_key_against_drop_of_the_completion() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (result, rest) = value(7);
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, result).map_err(|e| e.kind()));
        drop(completion);
        let other = other.join().unwrap();
        assert!(matches!(other, Ok(()) | Err(CompleteErrorKind::Closed)), "{other:?}");
        assert_eq!(pool.stats().cancelled, u64::from(other.is_err()));
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The next operation gets the only slot, even if a producer is still inside `complete_key`.
#[test]
fn the_only_slot_is_vacant_after_drop_of_the_completion() {
    bounded_model(3, || {
        let pool = Pool::<Value>::builder().max_slots(1).build();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let clone = pool.clone();
        let other = thread::spawn(move || drop(clone.complete_key(key, value(7).0)));
        drop(completion);
        let next = pool.try_rent().expect("the only completion was dropped");
        drop(next);
        other.join().unwrap();
        assert_idle(&pool, 2);
    });
}

/// The slot is vacant when the result arrives, even if the completer issued its key.
#[test]
fn the_only_slot_is_vacant_after_the_result_of_a_completer_with_a_key() {
    model(|| {
        let pool = Pool::<Value>::builder().max_slots(1).build();
        let (completer, completion) = pool.rent();
        let _key = completer.key_while_held();
        let other = thread::spawn(move || completer.complete(value(7).0).is_ok());
        assert_eq!(*block_on(completion).unwrap(), 7);
        drop(pool.try_rent().expect("the only operation has returned its result"));
        assert!(other.join().unwrap());
        assert_idle(&pool, 2);
    });
}

/// If the error is `AlreadyCompleted`, the operation has a result. If the error is `BeingCompleted`, the operation will have a result.
#[test]
fn the_error_of_complete_key_tells_whether_there_is_a_result() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, value(1).0).is_ok());
        match pool.complete_key(key, value(2).0).map_err(|refused| refused.kind()) {
            Err(CompleteErrorKind::AlreadyCompleted) => {
                assert!(completion.is_completed());
                assert_eq!(*completion.try_take().unwrap().unwrap(), 1);
            }
            Err(CompleteErrorKind::BeingCompleted) => assert_eq!(*block_on(completion).unwrap(), 1),
            result => assert_eq!((result, *block_on(completion).unwrap()), (Ok(()), 2)),
        }
        other.join().unwrap();
    });
}

/// Three threads have a role in one operation. The thread that releases its role last also releases the slot.
#[test]
fn complete_key_against_drop_of_completer_and_completion() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        let (result, rest) = value(7);
        let clone = pool.clone();
        let other = thread::spawn(move || drop(clone.complete_key(key, result)));
        let consumer = thread::spawn(move || drop(completion));
        drop(completer);
        other.join().unwrap();
        consumer.join().unwrap();
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn complete_key_against_abandon_key() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (result, rest) = value(7);
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, result).is_ok());
        let own = pool.abandon_key(key).is_ok();
        let other = other.join().unwrap();
        assert!(own != other);
        assert_eq!(completion.try_take().unwrap().is_some(), other);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The slot is released and rented again while another thread uses the late key.
#[test]
fn a_late_key_against_the_next_operation_of_the_slot() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let old = completer.key_while_held();
        let (result, rest) = value(1);
        completer.complete(result).unwrap();
        let ((late, late_rest), (next, next_rest)) = (value(2), value(3));
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(old, late).map_err(|e| e.kind()));
        assert_eq!(*completion.try_take().unwrap().unwrap(), 1);
        let (completer, completion) = pool.rent();
        let new = completer.key_while_held();
        assert_eq!(
            (new.untyped().index(), new.untyped().generation()),
            (old.untyped().index(), old.untyped().generation() + 1)
        );
        pool.complete_key(completer.into_key(), next).unwrap();
        assert_eq!(*block_on(completion).unwrap(), 3);
        let refused = other.join().unwrap().unwrap_err();
        assert!(
            matches!(refused, CompleteErrorKind::Stale | CompleteErrorKind::AlreadyCompleted),
            "{refused:?}"
        );
        for rest in [&rest, &late_rest, &next_rest] {
            assert_dropped(rest);
        }
        assert_idle(&pool, 2);
    });
}

/// The key completes its own operation, or no operation.
#[test]
fn complete_key_against_drop_and_the_next_operation() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let old = completer.into_key();
        let ((late, late_rest), (next, next_rest)) = (value(2), value(3));
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(old, late).is_ok());
        drop(completion);
        let (completer, completion) = pool.rent();
        let _key = completer.key_while_held();
        completer.complete(next).unwrap();
        assert_eq!(*completion.try_take().unwrap().unwrap(), 3);
        other.join().unwrap();
        assert_dropped(&late_rest);
        assert_dropped(&next_rest);
        assert_idle(&pool, 2);
    });
}
