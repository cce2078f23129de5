//! Loom models of pooled futures on two threads, and of the drop of their pool. A model fails if a slab is leaked.

use std::{future::pending, sync::Arc};

use loom::{future::block_on, thread};
use value_future::FuturePool;

use crate::common::bounded_model;

#[test]
fn drop_on_another_thread_against_the_next_future() {
    bounded_model(3, || {
        let pool = Arc::new(FuturePool::new());
        let rest = Arc::new(());
        let guard = Arc::clone(&rest);
        let future = pool.pooled(async move {
            pending::<()>().await;
            drop(guard);
        });
        let other = thread::spawn(move || drop(future));
        assert_eq!(block_on(pool.pooled(async { 5 })), 5);
        other.join().unwrap();
        assert_eq!(Arc::strong_count(&rest), 1);
        assert_eq!(pool.stats().live, 0);
    });
}

#[test]
fn drop_of_the_last_future_against_drop_of_the_pool() {
    bounded_model(3, || {
        let pool = FuturePool::new();
        let future = pool.pooled(pending::<()>());
        let other = thread::spawn(move || drop(future));
        drop(pool);
        other.join().unwrap();
    });
}

#[test]
fn trim_against_drop_of_a_future() {
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

/// Two threads use a size class for the first time, and both try to create its slab.
#[test]
fn first_use_of_a_size_class_on_two_threads() {
    bounded_model(3, || {
        let pool = Arc::new(FuturePool::new());
        let clone = Arc::clone(&pool);
        let other = thread::spawn(move || assert_eq!(block_on(clone.pooled(async { 5 })), 5));
        assert_eq!(block_on(pool.pooled(async { 6 })), 6);
        other.join().unwrap();
        assert_eq!(pool.stats().live, 0);
    });
}

/// One of the two futures is boxed, or one future uses the slot after the other future has released it.
#[test]
fn two_futures_in_a_pool_of_one_slot() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_slots_per_size(1).build());
        let clone = Arc::clone(&pool);
        let other = thread::spawn(move || assert_eq!(block_on(clone.pooled(async { 5 })), 5));
        assert_eq!(block_on(pool.pooled(async { 6 })), 6);
        other.join().unwrap();
        let stats = pool.stats();
        assert!(stats.live == 0 && stats.full <= 1 && stats.bytes == 64);
    });
}

/// With a header of 128 bytes, a page of one slot takes 192 bytes, and a page of one slot of the next size class takes 256 bytes. The bound
/// allows only one of these pages. (`stats().bytes` does not count the headers.)
#[test]
fn two_size_classes_that_grow_at_the_same_time_share_the_bound() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_bytes(256).build());
        let clone = Arc::clone(&pool);
        let other = thread::spawn(move || {
            let future = clone.pooled(pending::<()>());
            (clone.stats().bytes, future)
        });
        let bytes = [1_u8; 100];
        let own_future = pool.pooled(async move {
            pending::<()>().await;
            bytes.len()
        });
        assert!(pool.stats().bytes <= 128);
        let (their_bytes, other_future) = other.join().unwrap();
        assert!(their_bytes <= 128);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.full), (1, 1));
        drop((own_future, other_future));
    });
}

/// Two threads share two slots, and each thread uses one slot at a time. So neither thread finds the pool full, even while the other thread
/// grows the pool.
#[test]
fn two_threads_never_find_a_pool_of_two_pages_full() {
    bounded_model(2, || {
        let pool = Arc::new(FuturePool::builder().max_bytes(2 * 192).build());
        let clone = Arc::clone(&pool);
        let other = thread::spawn(move || {
            drop(clone.pooled(pending::<()>()));
            clone.pooled(pending::<()>())
        });
        drop(pool.pooled(pending::<()>()));
        let own_future = pool.pooled(pending::<()>());
        let other_future = other.join().unwrap();
        let stats = pool.stats();
        assert_eq!((stats.live, stats.full, stats.bytes), (2, 0, 128));
        drop((own_future, other_future));
    });
}

/// Another thread drops the only small future. After this drop, the pool frees the page of the small size class, and gives a slot to the
/// large future.
#[test]
fn a_page_is_freed_for_another_size_class_while_its_slot_is_released() {
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
