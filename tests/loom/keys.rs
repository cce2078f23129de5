//! Keys: they come twice, late, and against completers that kept them.

use loom::{future::block_on, thread};
use value_future::{Pool, operation::CompleteErrorKind};

use crate::common::{Value, assert_dropped, assert_idle, bounded_model, model, value};

/// One of the two is accepted, and that one's value arrives.
#[test]
fn the_same_key_twice() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let ((one, one_rest), (two, two_rest)) = (value(1), value(2));
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, one));
        let ours = pool.complete_key(key, two);
        let other = other.join().unwrap();
        assert_eq!(*completion.try_take().unwrap().unwrap(), if ours.is_ok() { 2 } else { 1 });
        let (ours, other) = (ours.map_err(|e| e.kind()), other.map_err(|e| e.kind()));
        assert!(ours.is_ok() != other.is_ok());
        let refused = ours.and(other).unwrap_err();
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

/// And while the consumer takes the result, so that the slot is given back under the loser's hands.
#[test]
fn the_same_key_twice_against_await() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let ((one, one_rest), (two, two_rest)) = (value(1), value(2));
        let theirs = [pool.clone(), pool.clone()];
        let [first, second] = theirs;
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
fn a_key_against_the_completer_that_kept_it() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        let ((one, one_rest), (two, two_rest)) = (value(1), value(2));
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, one).is_ok());
        let ours = completer.complete(two).is_ok();
        let other = other.join().unwrap();
        assert!(ours != other);
        assert_eq!(*completion.try_take().unwrap().unwrap(), if ours { 2 } else { 1 });
        assert_dropped(&one_rest);
        assert_dropped(&two_rest);
        assert_idle(&pool, 1);
    });
}

/// The claim of one and the drop of the other end the operation once.
#[test]
fn a_key_against_drop_of_the_completer() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        let (given, rest) = value(7);
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, given).is_ok());
        drop(completer);
        let taken = block_on(completion);
        assert_eq!(taken.is_some(), other.join().unwrap());
        drop(taken);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The value comes back with the refusal, or is dropped with the completion.
#[test]
fn a_key_against_drop_of_the_completion() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (given, rest) = value(7);
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, given).map_err(|e| e.kind()));
        drop(completion);
        let other = other.join().unwrap();
        assert!(matches!(other, Ok(()) | Err(CompleteErrorKind::Closed)), "{other:?}");
        assert_eq!(pool.stats().cancelled, u64::from(other.is_err()));
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The slot of a pool of one is there for the next operation, although a producer may be inside its call.
#[test]
fn a_pool_of_one_after_drop_of_the_completion() {
    bounded_model(3, || {
        let pool = Pool::<Value>::builder().max_slots(1).build();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let theirs = pool.clone();
        let other = thread::spawn(move || drop(theirs.complete_key(key, value(7).0)));
        drop(completion);
        let next = pool.try_rent().expect("the one completion was dropped");
        drop(next);
        other.join().unwrap();
        assert_idle(&pool, 2);
    });
}

/// The result and the slot come together from a completer, also if its key was given out.
#[test]
fn a_pool_of_one_after_the_result_of_a_completer_with_a_key() {
    model(|| {
        let pool = Pool::<Value>::builder().max_slots(1).build();
        let (completer, completion) = pool.rent();
        let _key = completer.key_while_held();
        let other = thread::spawn(move || completer.complete(value(7).0).is_ok());
        assert_eq!(*block_on(completion).unwrap(), 7);
        drop(pool.try_rent().expect("the one operation has given its result"));
        assert!(other.join().unwrap());
        assert_idle(&pool, 2);
    });
}

/// What the loser is told is so when it looks: there is a result, or there will be.
#[test]
fn what_the_refused_one_is_told_holds() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, value(1).0).is_ok());
        match pool.complete_key(key, value(2).0).map_err(|refused| refused.kind()) {
            Err(CompleteErrorKind::AlreadyCompleted) => {
                assert!(completion.is_completed());
                assert_eq!(*completion.try_take().unwrap().unwrap(), 1);
            }
            Err(CompleteErrorKind::BeingCompleted) => assert_eq!(*block_on(completion).unwrap(), 1),
            told => assert_eq!((told, *block_on(completion).unwrap()), (Ok(()), 2)),
        }
        other.join().unwrap();
    });
}

/// Three that let go of a slot: one of them gives it back.
#[test]
fn a_key_against_drop_of_both_ends() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        let (given, rest) = value(7);
        let theirs = pool.clone();
        let other = thread::spawn(move || drop(theirs.complete_key(key, given)));
        let consumer = thread::spawn(move || drop(completion));
        drop(completer);
        other.join().unwrap();
        consumer.join().unwrap();
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

#[test]
fn complete_by_key_against_abandon_by_key() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (given, rest) = value(7);
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, given).is_ok());
        let ours = pool.abandon_key(key).is_ok();
        let other = other.join().unwrap();
        assert!(ours != other);
        assert_eq!(completion.try_take().unwrap().is_some(), other);
        assert_dropped(&rest);
        assert_idle(&pool, 1);
    });
}

/// The slot is returned and rented again while the old key is on its way.
#[test]
fn a_late_key_against_the_next_use_of_the_slot() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let old = completer.key_while_held();
        let (given, rest) = value(1);
        completer.complete(given).unwrap();
        let ((late, late_rest), (next, next_rest)) = (value(2), value(3));
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(old, late).map_err(|e| e.kind()));
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

/// The key is in time for its own operation, or for none.
#[test]
fn a_key_against_the_end_and_the_next_use() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let old = completer.into_key();
        let ((late, late_rest), (next, next_rest)) = (value(2), value(3));
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(old, late).is_ok());
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
