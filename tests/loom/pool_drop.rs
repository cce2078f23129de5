//! Loom models of the drop of the last handle of a pool, while other threads use the slots of the pool. A model fails if the slab is
//! leaked, freed twice or freed too early.

use loom::{future::block_on, thread};
use value_future::Pool;

use crate::common::{Value, assert_dropped, bounded, bounded_model, model, run, take, value};

fn drop_against_complete_and_take(pool: Pool<Value>) {
    let (completer, completion) = pool.rent();
    let (result, rest) = value(7);
    let other = thread::spawn(move || {
        completer.complete(result).unwrap();
        assert_eq!(*take(completion).unwrap(), 7);
    });
    drop(pool);
    other.join().unwrap();
    assert_dropped(&rest);
}

#[test]
fn drop_of_the_last_handle_against_release() {
    model(|| drop_against_complete_and_take(Pool::new()));
}

#[test]
fn drop_of_the_last_handle_against_release_in_a_bounded_pool() {
    model(|| drop_against_complete_and_take(bounded(2)));
}

/// Drops a pool while another thread releases a slot to its cache or to a stripe. A release to a cache takes no lock. So the slab may be
/// freed directly after such a release, and the thread must not use the slab any more.
fn drop_against_release_on_the_fast_path(pool: Pool<Value>) {
    let clone = pool.clone();
    let other = thread::spawn(move || {
        let handles = clone.rent();
        drop(clone);
        run(handles);
    });
    drop(pool);
    other.join().unwrap();
}

#[test]
fn drop_of_the_last_handle_against_release_to_a_cache() {
    bounded_model(3, || drop_against_release_on_the_fast_path(Pool::new()));
}

#[test]
fn drop_of_the_last_handle_against_release_to_a_stripe() {
    bounded_model(3, || drop_against_release_on_the_fast_path(bounded(2)));
}

#[test]
fn drop_of_the_last_handle_against_complete() {
    model(|| {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let (result, rest) = value(7);
        let other = thread::spawn(move || completer.complete(result).unwrap());
        drop(pool);
        assert_eq!(*block_on(completion).unwrap(), 7);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

#[test]
fn drop_of_the_last_handle_against_drop_of_completer_and_completion() {
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
fn drop_of_two_handles_while_a_slot_is_in_use() {
    model(|| {
        let pool = Pool::<Value>::new();
        let handles = pool.rent();
        let clone = pool.clone();
        let other = thread::spawn(move || drop(clone));
        drop(pool);
        drop(handles);
        other.join().unwrap();
    });
}

/// The thread that uses the key has a handle of the pool. This handle may be the last one.
#[test]
fn drop_of_a_handle_against_complete_key() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        let (result, rest) = value(7);
        let clone = pool.clone();
        let other = thread::spawn(move || clone.complete_key(key, result).unwrap());
        drop(pool);
        assert_eq!(*block_on(completion).unwrap(), 7);
        other.join().unwrap();
        assert_dropped(&rest);
    });
}

/// Two slots are released at the same time, on two threads.
#[test]
fn drop_of_the_last_handle_against_two_releases() {
    bounded_model(2, || {
        let pool = Pool::<Value>::new();
        let (one, two) = (pool.rent(), pool.rent());
        let first = thread::spawn(move || drop(one));
        let second = thread::spawn(move || {
            run(two);
        });
        drop(pool);
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// The thread that ends has a slot in its cache.
#[test]
fn drop_of_the_last_handle_against_the_end_of_a_thread() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let handles = pool.rent();
        let clone = pool.clone();
        let other = thread::spawn(move || {
            drop(clone.rent());
            drop(handles);
            drop(clone);
        });
        drop(pool);
        other.join().unwrap();
    });
}

/// A thread that rents nothing releases three slots to the stripe, which has space for two slots. So at least one slot goes to the depot.
#[test]
fn drop_of_the_last_handle_against_release_to_a_full_stripe() {
    bounded_model(3, || {
        let pool = Pool::<Value>::new();
        let three = [pool.rent(), pool.rent(), pool.rent()];
        let other = thread::spawn(move || {
            three.into_iter().for_each(run);
        });
        drop(pool);
        other.join().unwrap();
    });
}
