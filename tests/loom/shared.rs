//! Handles of a shared future on several threads. A model fails if one of them waits for ever, or if what
//! is shared, its memory, or a handle's place in the list is used after it has gone.

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
fn two_wait_for_a_third() {
    bounded_model(2, || {
        let (source, shared) = operation();
        let other = shared.clone();
        let waits = thread::spawn(move || assert_eq!(*block_on(other), 7));
        let completes = thread::spawn(move || source.complete(7));
        assert_eq!(*block_on(shared), 7);
        waits.join().unwrap();
        completes.join().unwrap();
    });
}

/// The one that has polled the future goes, while the future is woken.
#[test]
fn one_goes_while_the_other_waits() {
    bounded_model(3, || {
        let (source, shared) = operation();
        let mut goes = Box::pin(shared.clone());
        assert!(poll(&mut goes, &Count::new().1).is_pending());
        let completes = thread::spawn(move || source.complete(7));
        let leaves = thread::spawn(move || drop(goes));
        assert_eq!(*block_on(shared), 7);
        leaves.join().unwrap();
        completes.join().unwrap();
    });
}

/// What is dropped meanwhile is the future, and perhaps the memory.
#[test]
fn all_go_while_the_future_is_woken() {
    bounded_model(3, || {
        let (source, shared) = operation();
        let mut other = Box::pin(shared.clone());
        let (count, waker) = Count::new();
        assert!(poll(&mut other, &waker).is_pending());
        let completes = thread::spawn(move || source.complete(7));
        drop(shared);
        drop(other);
        completes.join().unwrap();
        assert!(count.get() <= 1);
    });
}

/// It was alone, and so polled the future with a waker of its own.
#[test]
fn one_that_was_alone_is_joined() {
    bounded_model(2, || {
        let (source, shared) = operation();
        let mut alone = Box::pin(shared);
        assert!(poll(&mut alone, &Count::new().1).is_pending());
        let joins = Shared::clone(&alone);
        let waits = thread::spawn(move || assert_eq!(*block_on(joins), 7));
        let completes = thread::spawn(move || source.complete(7));
        assert_eq!(*block_on(alone), 7);
        waits.join().unwrap();
        completes.join().unwrap();
    });
}

/// The waker that wakes all is still out when one is alone again, and goes meanwhile.
#[test]
fn one_is_alone_again() {
    bounded_model(3, || {
        let (source, shared) = operation();
        let mut other = Box::pin(shared.clone());
        assert!(poll(&mut other, &Count::new().1).is_pending());
        let leaves = thread::spawn(move || drop(other));
        let completes = thread::spawn(move || source.complete(7));
        assert_eq!(*block_on(shared), 7);
        leaves.join().unwrap();
        completes.join().unwrap();
    });
}

#[test]
fn two_take_the_result_and_the_last_has_it() {
    bounded_model(3, || {
        let (given, rest) = value(7);
        let shared = ValueFuture::boxed(async { given }).share();
        let other = shared.clone();
        let takes = thread::spawn(move || assert_eq!(*block_on(other).unwrap(), 7));
        assert_eq!(*block_on(shared).unwrap(), 7);
        takes.join().unwrap();
        assert_dropped(&rest);
    });
}

/// Either it is too late, or the weak handle has made a handle that gives the result.
#[test]
fn a_weak_handle_against_the_last() {
    bounded_model(3, || {
        let (given, rest) = value(7);
        let shared = ValueFuture::boxed(async { given }).share();
        let weak = shared.downgrade().unwrap();
        let upgrades = thread::spawn(move || {
            let Some(shared) = weak.upgrade() else { return false };
            drop(weak);
            block_on(shared).is_some_and(|value: Arc<u32>| *value == 7)
        });
        assert_eq!(*block_on(shared).unwrap(), 7);
        let _ = upgrades.join().unwrap();
        assert_dropped(&rest);
    });
}
