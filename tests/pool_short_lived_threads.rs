//! Threads that come and go leave a pool as it was.
//!
//! What a thread leaves in a pool goes to the threads that come later.

mod common;

use std::{task::Poll, thread};

use common::poll;
use value_future::Pool;

/// One operation from the beginning to the end.
fn cycle(pool: &Pool<Option<u32>>) {
    let (completer, mut completion) = pool.rent();
    completer.complete(Some(7)).unwrap();
    assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
}

#[test]
fn threads_that_come_and_go_need_no_more_slots_than_those_that_live_at_a_time() {
    let pool = Pool::<Option<u32>>::new();
    let one = || thread::scope(|scope| scope.spawn(|| cycle(&pool)).join().unwrap());
    cycle(&pool);
    (0..40).for_each(|_| one());
    let before = pool.stats();
    (0..if cfg!(miri) { 20 } else { 10_000 }).for_each(|_| one());
    let after = pool.stats();
    assert_eq!((after.capacity, after.allocations), (before.capacity, before.allocations));
    assert_eq!((after.live, after.high_water), (0, before.high_water));
    assert!(after.capacity <= 96, "{after:?}");
}

/// All slots were in the cache of a thread that has ended.
#[test]
fn a_thread_finds_all_that_the_last_one_left() {
    let pool = Pool::<Option<u32>>::new();
    rent_all_on_a_thread(&pool);
    (0..10).for_each(|_| rent_all_on_a_thread(&pool));
    assert_eq!(pool.stats().capacity, 32);
}

#[test]
fn all_that_a_thread_had_goes_to_those_that_are_left() {
    let pool = Pool::<Option<u32>>::new();
    rent_all_on_a_thread(&pool);
    let before = pool.stats();
    assert_eq!((before.live, before.capacity), (0, 32));
    let ends: Vec<_> = (0..32).map(|_| pool.rent()).collect();
    assert_eq!(pool.stats().allocations, before.allocations, "all that it had are rented here");
    drop(ends);
}

/// The 32 slots that a pool begins with.
fn rent_all_on_a_thread(pool: &Pool<Option<u32>>) {
    let all = || drop((0..32).map(|_| pool.rent()).collect::<Vec<_>>());
    thread::scope(|scope| scope.spawn(all).join().unwrap());
}
