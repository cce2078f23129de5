//! One-shot completions. A pair of a producer and a consumer is created or rented. The producer sends a value to the consumer.
//!
//! Some contenders poll the consumer as its concrete type, so the compiler can inline the poll. Other contenders first *erase* the type of
//! the consumer, as an object-safe method has to: they convert the consumer into a `ValueFuture` or a `LocalValueFuture`, or box it.

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

/// A contender, which creates pairs of a producer and a consumer.
pub(crate) trait Channels: Sized + 'static {
    type Producer: 'static;
    type Error;
    type Consumer<'a>: Future<Output = Result<u64, Self::Error>>;

    /// `true` if the type of the consumer is hidden from the compiler.
    const ERASED: bool = false;

    fn name() -> String;

    fn pair(&mut self) -> (Self::Producer, Self::Consumer<'_>);

    /// Sends the value to the consumer. Some contenders return the value if the consumer was dropped.
    fn complete(producer: Self::Producer, value: u64) -> Option<u64>;
}

/// The contender `C` with boxed consumers. The generated code does not depend on whether the trait object is `Send`. So this type also serves
/// for contenders that stay on one thread.
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

/// Returns the name of a contender with boxed consumers.
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

/// Creates a pair, and hides its producer from the compiler. If an operation stays on one thread, the compiler could otherwise compute its
/// result at compile time, and even remove the allocation.
#[inline(always)]
fn pair<C: Channels>(channels: &mut C) -> (C::Producer, C::Consumer<'_>) {
    let (mut producer, consumer) = channels.pair();
    black_box(&mut producer);
    (producer, consumer)
}

/// Hides the type of an erased consumer from the compiler. The consumer is pinned, and does not move after this call.
#[inline(always)]
fn hide_consumer<C: Channels>(mut consumer: Pin<&mut C::Consumer<'_>>) {
    if C::ERASED {
        black_box(consumer.as_mut());
    }
}

/// Runs the operations of a round. The operations get a reference to a context in memory, as they do from an executor. The context is
/// created once for all operations.
#[inline(always)]
fn with_context(operations: impl FnOnce(&mut Context<'_>) -> u64) -> u64 {
    let waker = opaque_waker();
    operations(black_box(&mut Context::from_waker(&waker)))
}

#[inline(always)]
fn expect_pending<F: Future>(consumer: Pin<&mut F>, cx: &mut Context<'_>) {
    if consumer.poll(cx).is_ready() {
        panic_wrong_result();
    }
}

#[inline(always)]
fn expect_value<E>(
    consumer: Pin<&mut impl Future<Output = Result<u64, E>>>,
    cx: &mut Context<'_>,
) -> u64 {
    match consumer.poll(cx) {
        Poll::Ready(Ok(value)) => black_box(value),
        _ => panic_wrong_result(),
    }
}

#[cold]
fn panic_wrong_result() -> ! {
    panic!("the consumer is ready if and only if a value was sent")
}
