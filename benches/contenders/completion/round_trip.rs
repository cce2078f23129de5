//! One operation after the other, on one thread. There are three kinds of operations: the consumer is polled before the operation is
//! completed, the consumer is first polled after the operation was completed, or the consumer is dropped while it is pending.

use std::{cell::RefCell, pin::pin, task::Context};

use super::{
    super::Case,
    Boxed, Channels, expect_pending, expect_value,
    floor::{Floor, FloorDyn},
    hide_consumer, local,
    ours::{Local, LocalDyn, LocalErased, Ours, OursDyn, OursErased},
    pair,
    rivals::{
        AsyncOneshot, Events, Futures, LocalEvents, LocalPooled, Multishot, Oneshot, Pooled,
        RawLocalPooled, RawPooled, Tokio,
    },
    shared, with_context,
};

/// Polls the consumer, completes the operation, and polls the consumer again.
#[inline(always)]
pub(super) fn trip<C: Channels>(channels: &mut C, cx: &mut Context<'_>, value: u64) -> u64 {
    let (producer, consumer) = pair(channels);
    let mut consumer = pin!(consumer);
    hide_consumer::<C>(consumer.as_mut());
    expect_pending(consumer.as_mut(), cx);
    let returned = C::complete(producer, value);
    expect_value(consumer, cx) + returned.unwrap_or(0)
}

#[inline(always)]
fn trip_completed_first<C: Channels>(channels: &mut C, cx: &mut Context<'_>, value: u64) -> u64 {
    let (producer, consumer) = pair(channels);
    let mut consumer = pin!(consumer);
    hide_consumer::<C>(consumer.as_mut());
    let returned = C::complete(producer, value);
    expect_value(consumer, cx) + returned.unwrap_or(0)
}

#[inline(always)]
fn trip_cancelled<C: Channels>(channels: &mut C, cx: &mut Context<'_>, value: u64) -> u64 {
    let (producer, consumer) = pair(channels);
    {
        let mut consumer = pin!(consumer);
        hide_consumer::<C>(consumer.as_mut());
        expect_pending(consumer, cx);
    }
    C::complete(producer, value).unwrap_or(1)
}

/// Defines a function that repeats an operation a number of times.
macro_rules! repeated {
    ($repeated:ident, $operation:ident) => {
        pub(super) fn $repeated<C: Channels>(channels: &mut C, operations: u64) -> u64 {
            with_context(|cx| {
                (0..operations).fold(0, |consumed: u64, value| {
                    consumed.wrapping_add($operation(channels, cx, value))
                })
            })
        }
    };
}

repeated!(trips, trip);
repeated!(trips_completed_first, trip_completed_first);
repeated!(trips_cancelled, trip_cancelled);

fn case<C: Channels>(channels: C, trips: fn(&mut C, u64) -> u64) -> Case {
    let channels = RefCell::new(channels);
    Case::new(C::name().leak(), move |operations| trips(&mut channels.borrow_mut(), operations))
}

pub(super) fn trip_case<C: Channels>(channels: C) -> Case {
    case(channels, trips)
}

fn completed_first_case<C: Channels>(channels: C) -> Case {
    case(channels, trips_completed_first)
}

fn cancelled_case<C: Channels>(channels: C) -> Case {
    case(channels, trips_cancelled)
}

pub(crate) fn round_trip() -> Vec<Case> {
    let mut cases = shared!(trip_case);
    cases.push(trip_case(OursDyn::new()));
    cases.push(trip_case(Floor::new()));
    cases.push(trip_case(FloorDyn::new()));
    cases
}

pub(crate) fn local_round_trip() -> Vec<Case> {
    let mut cases = local!(trip_case);
    cases.push(trip_case(LocalDyn::new()));
    cases
}

pub(crate) fn completed_first() -> Vec<Case> {
    shared!(completed_first_case)
}

pub(crate) fn local_completed_first() -> Vec<Case> {
    local!(completed_first_case)
}

pub(crate) fn cancelled() -> Vec<Case> {
    shared!(cancelled_case)
}

pub(crate) fn local_cancelled() -> Vec<Case> {
    local!(cancelled_case)
}
