//! Short-lived threads do not make a pool grow: later threads reuse the slots of threads that ended.

mod common;

use std::thread;

use common::run_operation;
use value_future::Pool;

#[test]
fn short_lived_threads_do_not_make_a_pool_grow() {
    let pool = Pool::<Option<u32>>::new();
    let run_on_thread =
        || thread::scope(|scope| scope.spawn(|| run_operation(&pool)).join().unwrap());
    run_operation(&pool);
    (0..40).for_each(|_| run_on_thread());
    let before = pool.stats();
    (0..if cfg!(miri) { 20 } else { 10_000 }).for_each(|_| run_on_thread());
    let after = pool.stats();
    assert_eq!((after.capacity, after.allocations), (before.capacity, before.allocations));
    assert_eq!((after.live, after.high_water), (0, before.high_water));
    assert!(after.capacity <= 96, "{after:?}");
}

/// When a thread ends, its cache contains all slots of the pool.
#[test]
fn a_thread_rents_all_slots_of_an_earlier_thread() {
    let pool = Pool::<Option<u32>>::new();
    rent_all_on_a_thread(&pool);
    (0..10).for_each(|_| rent_all_on_a_thread(&pool));
    assert_eq!(pool.stats().capacity, 32);
}

#[test]
fn a_living_thread_rents_all_slots_of_a_thread_that_ended() {
    let pool = Pool::<Option<u32>>::new();
    rent_all_on_a_thread(&pool);
    let before = pool.stats();
    assert_eq!((before.live, before.capacity), (0, 32));
    let operations: Vec<_> = (0..32).map(|_| pool.rent()).collect();
    assert_eq!(
        pool.stats().allocations,
        before.allocations,
        "this thread rents all slots of the ended thread"
    );
    drop(operations);
}

/// Rents and releases the first 32 slots of a pool on another thread.
fn rent_all_on_a_thread(pool: &Pool<Option<u32>>) {
    let all = || drop((0..32).map(|_| pool.rent()).collect::<Vec<_>>());
    thread::scope(|scope| scope.spawn(all).join().unwrap());
}
