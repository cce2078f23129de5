//! Loom models of handles of a shared future on several threads. A model fails if a handle waits forever, or if the future, its memory or a
//! list node is used after it was freed.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use loom::{future::block_on, thread};
use value_future::{Shared, Source, ValueFuture};

use crate::{
    Slot, TOKEN,
    common::{Count, assert_dropped, bounded_model, value},
};

type Number = Box<u32>;

fn operation() -> (Arc<Source<Slot>>, Shared<'static, Number>) {
    let source = Slot::new();
    (Arc::clone(&source), ValueFuture::from_source(source, TOKEN).share())
}

fn poll(handle: &mut Pin<Box<Shared<'static, Number>>>, waker: &Waker) -> Poll<Number> {
    handle.as_mut().poll(&mut Context::from_waker(waker))
}

#[test]
fn await_by_two_handles_against_complete() {
    bounded_model(2, || {
        let (source, shared) = operation();
        let other = shared.clone();
        let waiting = thread::spawn(move || assert_eq!(*block_on(other), 7));
        let completing = thread::spawn(move || source.complete(7));
        assert_eq!(*block_on(shared), 7);
        waiting.join().unwrap();
        completing.join().unwrap();
    });
}

/// The handle that polled the future is dropped while the future is woken.
#[test]
fn drop_of_a_handle_against_await_and_complete() {
    bounded_model(3, || {
        let (source, shared) = operation();
        let mut dropped = Box::pin(shared.clone());
        assert!(poll(&mut dropped, &Count::new().1).is_pending());
        let completing = thread::spawn(move || source.complete(7));
        let dropping = thread::spawn(move || drop(dropped));
        assert_eq!(*block_on(shared), 7);
        dropping.join().unwrap();
        completing.join().unwrap();
    });
}

/// The last handle is dropped while another thread wakes the future. The wake must not use memory that was freed.
#[test]
fn drop_of_all_handles_against_complete() {
    bounded_model(3, || {
        let (source, shared) = operation();
        let mut other = Box::pin(shared.clone());
        let (count, waker) = Count::new();
        assert!(poll(&mut other, &waker).is_pending());
        let completing = thread::spawn(move || source.complete(7));
        drop(shared);
        drop(other);
        completing.join().unwrap();
        assert!(count.get() <= 1);
    });
}

/// When the first handle was polled, it was the only handle. So the future has the waker of the task that polled this handle.
#[test]
fn a_new_handle_against_complete() {
    bounded_model(2, || {
        let (source, shared) = operation();
        let mut alone = Box::pin(shared);
        assert!(poll(&mut alone, &Count::new().1).is_pending());
        let joined = Shared::clone(&alone);
        let waiting = thread::spawn(move || assert_eq!(*block_on(joined), 7));
        let completing = thread::spawn(move || source.complete(7));
        assert_eq!(*block_on(alone), 7);
        waiting.join().unwrap();
        completing.join().unwrap();
    });
}

/// There were two handles when the future was polled, so the future has the waker of the shared state. The handle that polled the future is
/// dropped while the other handle waits.
#[test]
fn drop_of_the_second_handle_against_await_and_complete() {
    bounded_model(3, || {
        let (source, shared) = operation();
        let mut other = Box::pin(shared.clone());
        assert!(poll(&mut other, &Count::new().1).is_pending());
        let dropping = thread::spawn(move || drop(other));
        let completing = thread::spawn(move || source.complete(7));
        assert_eq!(*block_on(shared), 7);
        dropping.join().unwrap();
        completing.join().unwrap();
    });
}

#[test]
fn two_handles_take_the_result() {
    bounded_model(3, || {
        let (result, rest) = value(7);
        let shared = ValueFuture::boxed(async { result }).share();
        let other = shared.clone();
        let taking = thread::spawn(move || assert_eq!(*block_on(other).unwrap(), 7));
        assert_eq!(*block_on(shared).unwrap(), 7);
        taking.join().unwrap();
        assert_dropped(&rest);
    });
}

/// The upgrade fails, or the new handle returns the result.
#[test]
fn upgrade_against_the_last_handle() {
    bounded_model(3, || {
        let (result, rest) = value(7);
        let shared = ValueFuture::boxed(async { result }).share();
        let weak = shared.downgrade().unwrap();
        let upgrading = thread::spawn(move || {
            let Some(shared) = weak.upgrade() else { return false };
            drop(weak);
            block_on(shared).is_some_and(|value: Arc<u32>| *value == 7)
        });
        assert_eq!(*block_on(shared).unwrap(), 7);
        let _ = upgrading.join().unwrap();
        assert_dropped(&rest);
    });
}
