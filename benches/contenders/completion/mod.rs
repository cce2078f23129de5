//! One-shot completions. A pair is created or rented, and the producer completes the consumer with a value.
//!
//! The consumer is polled as its own type, which the compiler can inline, or *erased*, as an object-safe method would return it:
//! as a `ValueFuture`, or in a box.

pub(crate) mod by_key;
pub(crate) mod floor;
pub(crate) mod many_pending;
pub(crate) mod other_thread;
pub(crate) mod ours;
pub(crate) mod rivals;
pub(crate) mod round_trip;
pub(crate) mod two_threads;

use std::{
    future::Future,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
};

use super::opaque_waker;

/// Creates the pairs of a contender.
pub(crate) trait Channels: Sized + 'static {
    type Producer: 'static;
    type Error;
    type Consumer<'a>: Future<Output = Result<u64, Self::Error>>;

    /// Whether the compiler must not know the type of the consumer.
    const ERASED: bool = false;

    fn name() -> String;

    fn pair(&mut self) -> (Self::Producer, Self::Consumer<'_>);

    /// Completes the consumer. If the consumer was dropped, returns the value, if the contender returns it.
    fn complete(producer: Self::Producer, value: u64) -> Option<u64>;
}

/// Another contender, with boxed consumers. The code does not depend on whether the trait object is `Send`, so local contenders use
/// this too.
#[derive(Clone)]
pub(crate) struct Boxed<C>(pub(crate) C);

impl<C: Channels> Channels for Boxed<C> {
    type Producer = C::Producer;
    type Error = C::Error;
    type Consumer<'a> = Pin<Box<dyn Future<Output = Result<u64, C::Error>> + 'a>>;

    const ERASED: bool = true;

    fn name() -> String {
        boxed(&C::name())
    }

    #[inline(always)]
    fn pair(&mut self) -> (C::Producer, Self::Consumer<'_>) {
        let (producer, consumer) = self.0.pair();
        (producer, Box::pin(consumer))
    }

    #[inline(always)]
    fn complete(producer: C::Producer, value: u64) -> Option<u64> {
        C::complete(producer, value)
    }
}

/// Returns the name of a contender whose consumers are boxed.
pub(crate) fn boxed(name: &str) -> String {
    format!("{name} boxed")
}

/// Calls `$case` with each contender whose pairs can be sent to other threads.
macro_rules! shared {
    ($case:ident) => {
        shared!($case, Futures, Tokio, Oneshot, AsyncOneshot, Multishot::new(), Events,
            Pooled::new(), RawPooled::new())
    };
    ($case:ident, $($rival:expr),*) => {
        vec![
            $($case($rival), $case(Boxed($rival)),)*
            $case(Ours::new()), $case(OursErased::new()),
        ]
    };
}

/// Calls `$case` with each contender whose pairs stay on one thread.
macro_rules! local {
    ($case:ident) => {
        local!($case, LocalEvents, LocalPooled::new(), RawLocalPooled::new())
    };
    ($case:ident, $($rival:expr),*) => {
        vec![
            $($case($rival), $case(Boxed($rival)),)*
            $case(Local::new()), $case(LocalErased::new()),
        ]
    };
}

use local;
use shared;

/// Returns a pair whose producer the compiler does not know. Otherwise it knows the result of an operation on one thread, and
/// removes even the allocation.
#[inline(always)]
fn pair<C: Channels>(channels: &mut C) -> (C::Producer, C::Consumer<'_>) {
    let (mut producer, consumer) = channels.pair();
    black_box(&mut producer);
    (producer, consumer)
}

/// Hides the type of an erased consumer from the compiler. The consumer does not move any more.
#[inline(always)]
fn settle<C: Channels>(mut consumer: Pin<&mut C::Consumer<'_>>) {
    if C::ERASED {
        black_box(consumer.as_mut());
    }
}

/// Runs the operations of a round with a context in memory, as an executor passes it. Creating the context is not a part of an
/// operation.
#[inline(always)]
fn with_context(operations: impl FnOnce(&mut Context<'_>) -> u64) -> u64 {
    let waker = opaque_waker();
    operations(black_box(&mut Context::from_waker(&waker)))
}

#[inline(always)]
fn expect_pending<F: Future>(consumer: Pin<&mut F>, cx: &mut Context<'_>) {
    if consumer.poll(cx).is_ready() {
        wrong();
    }
}

#[inline(always)]
fn expect_value<E>(
    consumer: Pin<&mut impl Future<Output = Result<u64, E>>>,
    cx: &mut Context<'_>,
) -> u64 {
    match consumer.poll(cx) {
        Poll::Ready(Ok(value)) => black_box(value),
        _ => wrong(),
    }
}

#[cold]
fn wrong() -> ! {
    panic!("the consumer is ready if and only if a value was sent")
}
