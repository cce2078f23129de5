//! Pooled futures on two threads, and the end of their pool. A model fails if a slab is left.

use std::{future::pending, sync::Arc};

use loom::{future::block_on, thread};
use value_future::FuturePool;

use crate::common::bounded_model;

#[test]
fn dropped_on_another_thread_against_the_next() {
    bounded_model(3, || {
        let pool = Arc::new(FuturePool::new());
        let rest = Arc::new(());
        let theirs = Arc::clone(&rest);
        let future = pool.pooled(async move {
            pending::<()>().await;
            drop(theirs);
        });
        let other = thread::spawn(move || drop(future));
        assert_eq!(block_on(pool.pooled(async { 5 })), 5);
        other.join().unwrap();
        assert_eq!(Arc::strong_count(&rest), 1);
        assert_eq!(pool.stats().live, 0);
    });
}

#[test]
fn the_last_future_against_the_end_of_the_pool() {
    bounded_model(3, || {
        let pool = FuturePool::new();
        let future = pool.pooled(pending::<()>());
        let other = thread::spawn(move || drop(future));
        drop(pool);
        other.join().unwrap();
    });
}

#[test]
fn trim_against_a_future_that_is_dropped() {
    bounded_model(3, || {
        let pool = Arc::new(FuturePool::new());
        let future = pool.pooled(pending::<()>());
        let other = thread::spawn(move || drop(future));
        let early = pool.trim();
        other.join().unwrap();
        assert_eq!(early + pool.trim() + pool.stats().bytes, 64);
        assert_eq!(pool.stats().live, 0);
    });
}

/// Two threads make the slab of the same size.
#[test]
fn the_first_use_on_two_threads() {
    bounded_model(3, || {
        let pool = Arc::new(FuturePool::new());
        let theirs = Arc::clone(&pool);
        let other = thread::spawn(move || assert_eq!(block_on(theirs.pooled(async { 5 })), 5));
        assert_eq!(block_on(pool.pooled(async { 6 })), 6);
        other.join().unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

/// One slot for two: one of them is boxed, or they come one after the other.
#[test]
fn a_pool_of_one_for_two() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_slots_per_size(1).build());
        let theirs = Arc::clone(&pool);
        let other = thread::spawn(move || assert_eq!(block_on(theirs.pooled(async { 5 })), 5));
        assert_eq!(block_on(pool.pooled(async { 6 })), 6);
        other.join().unwrap();
        let stats = pool.stats();
        assert!(stats.live == 0 && stats.full <= 1 && stats.bytes == 64);
    });
}
