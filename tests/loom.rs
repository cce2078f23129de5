//! Loom models of concurrent operations: `RUSTFLAGS="--cfg loom" cargo test --release --test loom`. In each interleaving, the
//! outcome is consistent, and no thread waits forever.
//!
//! This file has the models of a source that another thread completes. The modules have the models of pools, reusable sources and shared
//! futures. A model also fails if a slab or a waker is leaked, if memory is used after it was freed, or if two threads have a data race. In
//! a model `a_against_b`, one thread does `a` while another thread does `b`.

#![cfg(loom)]

#[path = "loom/common.rs"]
mod common;
#[path = "loom/complete.rs"]
mod complete;
#[path = "common/count.rs"]
mod count;
#[path = "loom/future_pool.rs"]
mod future_pool;
#[path = "loom/keys.rs"]
mod keys;
#[path = "loom/pool_close.rs"]
mod pool_close;
#[path = "loom/pool_drop.rs"]
mod pool_drop;
#[path = "loom/rent_when_vacant.rs"]
mod rent_when_vacant;
#[path = "loom/reusable_source.rs"]
mod reusable_source;
#[path = "loom/shared.rs"]
mod shared;
#[path = "loom/slot_reuse.rs"]
mod slot_reuse;
#[path = "loom/wakers.rs"]
mod wakers;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use loom::{
    future::block_on,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};
use value_future::{Source, ValueFuture, ValueSource, error::StaleToken, source::Token};

/// A source with one operation, whose token is 1.
struct Slot {
    state: Mutex<(Option<Box<u32>>, Option<Waker>)>,
    cancelled: AtomicUsize,
}

const TOKEN: Token = Token::new(1);

impl Slot {
    fn new() -> Arc<Source<Slot>> {
        let state = Mutex::new((None, None));
        Arc::new(Source::new(Slot { state, cancelled: AtomicUsize::new(0) }))
    }

    fn complete(&self, value: u32) {
        let mut state = self.state.lock().unwrap();
        state.0 = Some(Box::new(value));
        let waker = state.1.take();
        drop(state);
        waker.map(Waker::wake).unwrap_or_default();
    }
}

impl ValueSource for Slot {
    type Output = Box<u32>;

    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<Box<u32>, StaleToken>> {
        token.check(TOKEN)?;
        let waker = cx.waker().clone();
        let mut state = self.state.lock().unwrap();
        let Some(value) = state.0.take() else {
            let old = state.1.replace(waker);
            drop(state);
            drop(old);
            return Poll::Pending;
        };
        Poll::Ready(Ok(value))
    }

    fn cancel(&self, _: Token) {
        self.cancelled.fetch_add(1, Relaxed);
        let old = std::mem::take(&mut *self.state.lock().unwrap());
        drop(old);
    }
}

/// Returns the source, the future of its operation, and the thread that completes the operation.
fn operation() -> (Arc<Source<Slot>>, ValueFuture<'static, Box<u32>>, thread::JoinHandle<()>) {
    let source = Slot::new();
    let future = ValueFuture::from_source(Arc::clone(&source), TOKEN);
    let producer = Arc::clone(&source);
    (source, future, thread::spawn(move || producer.complete(7)))
}

#[test]
fn complete_against_await() {
    loom::model(|| {
        let (source, future, producer) = operation();
        assert_eq!(*block_on(future), 7);
        producer.join().unwrap();
        assert_eq!(source.cancelled.load(Relaxed), 0);
        assert_eq!(Arc::strong_count(&source), 1);
    });
}

#[test]
fn complete_against_poll_and_drop() {
    loom::model(|| {
        let (source, mut future, producer) = operation();
        let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
        let taken = match polled {
            Poll::Ready(value) => usize::from(*value == 7),
            Poll::Pending => 0,
        };
        drop(future);
        producer.join().unwrap();
        assert_eq!(taken + source.cancelled.load(Relaxed), 1);
        assert_eq!(Arc::strong_count(&source), 1);
    });
}

#[test]
fn complete_against_drop_on_a_third_thread() {
    loom::model(|| {
        let (source, future, producer) = operation();
        let dropper = thread::spawn(move || drop(future));
        producer.join().unwrap();
        dropper.join().unwrap();
        assert_eq!(source.cancelled.load(Relaxed), 1);
        assert_eq!(Arc::strong_count(&source), 1);
    });
}

#[test]
fn complete_against_a_change_of_waker() {
    loom::model(|| {
        let (_source, mut future, producer) = operation();
        let first = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
        let value = match first {
            Poll::Ready(value) => value,
            // `block_on` polls with its own waker, which replaces the waker of the first poll.
            Poll::Pending => block_on(future),
        };
        assert_eq!(*value, 7);
        producer.join().unwrap();
    });
}
