//! The end of a slab, while others use what is in it. That it is freed, once, and not too early, is
//! for the model to see: when the threads have ended, no slab may be left.

use loom::{future::block_on, thread};
use value_future::Pool;

use crate::common::{Value, assert_dropped, bounded_model, model, take, value};

fn bounded() -> Pool<Value> {
    Pool::<Value>::builder().max_slots(2).build()
}

fn last_handle_against_complete_and_take(pool: Pool<Value>) {
    let (completer, completion) = pool.rent();
    let (given, rest) = value(7);
    let other = thread::spawn(move || {
        completer.complete(given).unwrap();
        assert_eq!(*take(completion).unwrap(), 7);
    });
    drop(pool);
    other.join().unwrap();
    assert_dropped(&rest);
}

#[test]
fn last_handle_against_return() {
    model(|| last_handle_against_complete_and_take(Pool::new()));
}

#[test]
fn last_handle_against_return_to_a_bounded_pool() {
    model(|| last_handle_against_complete_and_take(bounded()));
}

/// A thread that has rented has a cache, and returns without a lock: nothing may follow that.
fn last_handle_against_the_short_return(pool: Pool<Value>) {
    let theirs = pool.clone();
    let other = thread::spawn(move || {
        let (completer, completion) = theirs.rent();
        drop(theirs);
        completer.complete(None).unwrap();
        assert_eq!(take(completion), None);
    });
    drop(pool);
    other.join().unwrap();
}

#[test]
fn last_handle_against_return_to_a_cache() {
    bounded_model(3, || last_handle_against_the_short_return(Pool::new()));
}

#[test]
fn last_handle_against_return_to_a_stripe() {
    bounded_model(3, || last_handle_against_the_short_return(bounded()));
}

#[test]
fn last_handle_against_complete() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (given, rest) = value(7);
        let other = thread::spawn(move || completer.complete(given).unwrap());
        drop(pool);
        assert_eq!(*block_on(completion).unwrap(), 7);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

#[test]
fn last_handle_against_drop_of_both_ends() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let producer = thread::spawn(move || drop(completer));
        let consumer = thread::spawn(move || drop(completion));
        drop(pool);
        producer.join().unwrap();
        consumer.join().unwrap();
    });
}

#[test]
fn two_handles_dropped_while_a_slot_is_out() {
    model(|| {
        let pool = Pool::<Value>::new();
        let ends = pool.rent();
        let theirs = pool.clone();
        let other = thread::spawn(move || drop(theirs));
        drop(pool);
        drop(ends);
        other.join().unwrap();
    });
}

/// The one who brings the key has a handle, and so may be the last.
#[test]
fn last_handle_with_whoever_brings_the_key() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (given, rest) = value(7);
        let theirs = pool.clone();
        let other = thread::spawn(move || theirs.complete_key(key, given).unwrap());
        drop(pool);
        assert_eq!(*block_on(completion).unwrap(), 7);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

/// Two slots come back at once, each on a thread of its own.
#[test]
fn last_handle_against_two_returns() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let (one, two) = (pool.rent(), pool.rent());
        let first = thread::spawn(move || drop(one));
        let second = thread::spawn(move || {
            two.0.complete(None).unwrap();
            assert_eq!(take(two.1), None);
        });
        drop(pool);
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// The cache of a thread that ends holds a slot, and the slab ends too.
#[test]
fn last_handle_against_the_end_of_a_thread() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let ends = pool.rent();
        let theirs = pool.clone();
        let other = thread::spawn(move || {
            drop(theirs.rent());
            drop(ends);
            drop(theirs);
        });
        drop(pool);
        other.join().unwrap();
    });
}

/// Three come back where there is room for two, so some go to the depot of a slab that ends.
#[test]
fn last_handle_against_a_full_cache() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let three = [pool.rent(), pool.rent(), pool.rent()];
        let other = thread::spawn(move || {
            for (completer, completion) in three {
                completer.complete(None).unwrap();
                assert_eq!(take(completion), None);
            }
        });
        drop(pool);
        other.join().unwrap();
    });
}
