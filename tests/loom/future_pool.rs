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

/// A page of one slot takes 192 bytes, and one of the next size 256. The bound has room for one of them.
#[test]
fn two_sizes_that_grow_at_once_share_the_bound() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_bytes(256).build());
        let theirs = Arc::clone(&pool);
        let other = thread::spawn(move || {
            let future = theirs.pooled(pending::<()>());
            (theirs.stats().bytes, future)
        });
        let bytes = [1_u8; 100];
        let ours = pool.pooled(async move {
            pending::<()>().await;
            bytes.len()
        });
        assert!(pool.stats().bytes <= 128);
        let (their_bytes, theirs) = other.join().unwrap();
        assert!(their_bytes <= 128);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.full), (1, 1));
        drop((ours, theirs));
    });
}

/// There are two slots for two threads. Neither finds the pool full while the other grows it.
#[test]
fn a_bound_of_two_pages_is_never_full_for_two() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_bytes(2 * 192).build());
        let theirs = Arc::clone(&pool);
        let other = thread::spawn(move || {
            drop(theirs.pooled(pending::<()>()));
            theirs.pooled(pending::<()>())
        });
        drop(pool.pooled(pending::<()>()));
        let ours = pool.pooled(pending::<()>());
        let theirs = other.join().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.live, stats.full, stats.bytes), (2, 0, 128));
        drop((ours, theirs));
    });
}

/// The page of the small size is vacant, or about to be. Then it is freed for the large one.
#[test]
fn a_vacant_page_goes_to_another_size_while_its_slot_comes_back() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_bytes(256).build());
        let future = pool.pooled(pending::<()>());
        let other = thread::spawn(move || drop(future));
        let large = || {
            let bytes = [1_u8; 100];
            pool.try_pooled(async move {
                pending::<()>().await;
                bytes.len()
            })
        };
        let early = large();
        other.join().unwrap();
        let stats = pool.stats();
        assert!(stats.bytes <= 128);
        let late = if early.is_ok() { early } else { large() };
        assert!(late.is_ok());
        assert_eq!((pool.stats().live, pool.stats().bytes), (1, 128));
    });
}
