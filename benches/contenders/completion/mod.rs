//! One-shot completions: a pair is made or rented, and its producer gives its consumer a value.
//!
//! The consumer is polled in its own type, which the compiler can inline, or *erased*, as an
//! object-safe method would return it: ours as a `ValueFuture`, the others in a box.

pub(crate) mod crossing;
pub(crate) mod floor;

pub(crate) mod keyed;
pub(crate) mod live;
pub(crate) mod ours;
pub(crate) mod rivals;
pub(crate) mod threads;
pub(crate) mod trip;

use std::{
    future::Future,
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
};

use super::opaque_waker;

/// Where a contender gets its pairs from.
pub(crate) trait Channels: Sized + 'static {
    type Producer: 'static;
    type Error;
    type Consumer<'a>: Future<Output = Result<u64, Self::Error>>;

    /// Whether the compiler must not see what the consumer is made of.
    const ERASED: bool = false;

    fn name() -> String;

    fn pair(&mut self) -> (Self::Producer, Self::Consumer<'_>);

    /// Gives the value to the consumer; returns it if the consumer is gone and the contender hands
    /// such values back.
    fn complete(producer: Self::Producer, value: u64) -> Option<u64>;
}

/// The consumers of another contender, boxed. Whether the trait object is `Send` makes no
/// difference to the code, so this serves those that are not as well.
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

/// What a contender is called when its consumers are boxed.
pub(crate) fn boxed(name: &str) -> String {
    format!("{name} boxed")
}

/// `$case(contender)` for all whose pairs may be sent to other threads.
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

/// `$case(contender)` for all whose pairs stay on one thread.
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

/// A pair whose producer has gone elsewhere, as far as the compiler can tell. Without that it knows
/// what comes of an operation on one thread, and leaves out even the allocation.
#[inline(always)]
fn pair<C: Channels>(channels: &mut C) -> (C::Producer, C::Consumer<'_>) {
    let (mut producer, consumer) = channels.pair();
    black_box(&mut producer);
    (producer, consumer)
}

/// The consumer is where it stays: from here on an erased one could be anything.
#[inline(always)]
fn settle<C: Channels>(mut consumer: Pin<&mut C::Consumer<'_>>) {
    if C::ERASED {
        black_box(consumer.as_mut());
    }
}

/// The operations of a round, with the context that an executor would pass down: it is in memory, and
/// making it is not a part of any operation.
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
    panic!("a value is there if and only if it was sent")
}
