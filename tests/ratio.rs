//! Tests of the counters of a `Ratio`, and of its advice.

mod common;

use std::{
    future::{pending, ready},
    thread,
    time::Duration,
};

use common::{Yield, poll};
use futures::{FutureExt, executor::block_on};
use value_future::{
    Ratio, ValueFuture,
    ratio::{Advice, RatioStats},
};

fn stats(ready: u64, pending: u64) -> RatioStats {
    let mut stats = RatioStats::default();
    (stats.ready, stats.pending) = (ready, pending);
    stats
}

#[test]
fn each_outcome_is_counted_once() {
    let ratio = Ratio::new();
    assert_eq!(ratio.stats(), RatioStats::default());

    assert_eq!(block_on(ratio.measure(ready(1))), 1);
    assert_eq!(block_on(ratio.measure(ValueFuture::ready(2))), 2);
    block_on(ratio.measure(Yield::default()));
    drop(ratio.measure(ready(3)));
    let mut cancelled = Box::pin(ratio.measure(pending::<()>()));
    assert!(poll(&mut cancelled).is_pending());
    assert!(poll(&mut cancelled).is_pending());
    drop(cancelled);

    let mut expected = stats(2, 2);
    (expected.cancelled, expected.unpolled) = (1, 1);
    assert_eq!(ratio.stats(), expected);
    assert_eq!(expected.calls(), 5);
    assert_eq!((expected.ready_share(), expected.pending_share()), (0.5, 0.5));
    assert_eq!(expected.allocations_saved(), 2);
}

#[test]
fn a_fused_future_that_is_polled_again_is_counted_once() {
    let ratio = Ratio::new();
    let mut future = ratio.measure(ready(1).fuse());
    assert!(poll(&mut future).is_ready());
    assert!(poll(&mut future).is_pending());
    drop(future);
    assert_eq!(ratio.stats(), stats(1, 0));
}

#[test]
fn a_poll_that_panics_is_not_counted_as_ready() {
    let ratio = Ratio::new();
    let mut future = Box::pin(ratio.measure(async { panic!("on purpose") }));
    common::panic_text(|| poll(&mut future).is_ready());
    drop(future);
    let stats = ratio.stats();
    assert_eq!((stats.ready, stats.pending, stats.unpolled), (0, 0, 1));
}

#[test]
fn a_static_ratio_counts_the_calls_of_all_threads() {
    static GET: Ratio = Ratio::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for call in 0..100 {
                    block_on(GET.measure(async move {
                        if call % 4 == 0 {
                            Yield::default().await;
                        }
                    }));
                }
            });
        }
    });
    assert_eq!(GET.stats(), stats(300, 100));
}

#[test]
fn the_advice_depends_on_the_ready_share() {
    for (ready, pending, advice) in [
        (999, 0, Advice::TooFewCalls),
        (0, 1_000, Advice::KeepBoxes),
        (149, 851, Advice::KeepBoxes),
        (150, 850, Advice::Measurable),
        (749, 251, Advice::Measurable),
        (750, 250, Advice::ReturnReady),
        (1_000, 0, Advice::ReturnReady),
    ] {
        assert_eq!(stats(ready, pending).advice(), advice, "{ready} of {}", ready + pending);
    }
}

#[test]
fn the_sum_of_the_counters_saturates() {
    let all = stats(u64::MAX, u64::MAX);
    assert_eq!(all.calls(), u64::MAX);
    assert_eq!(all.advice(), Advice::ReturnReady);
}

#[test]
fn noticeable_pending_time_is_computed_from_the_counters() {
    assert_eq!(stats(1, 0).noticeable_pending_time(), None);
    assert_eq!(stats(0, 1).noticeable_pending_time(), Some(Duration::ZERO));
    assert_eq!(stats(90, 10).noticeable_pending_time(), Some(Duration::from_nanos(1_800)));
    assert_eq!(stats(u64::MAX, 1).noticeable_pending_time(), Some(Duration::from_nanos(u64::MAX)));
}

#[test]
fn display_is_one_line_for_a_log() {
    assert_eq!(
        stats(1, 0).to_string(),
        "1 call: 100.0 % ready, 0.0 % pending; measure longer: there are fewer than 1,000 calls"
    );
    let mut many = stats(9_000, 1_000);
    (many.cancelled, many.unpolled) = (3, 10);
    let line = many.to_string();
    let counts = "10010 calls: 90.0 % ready, 10.0 % pending, 3 cancelled, 10 not polled; return";
    assert!(line.starts_with(counts), "{line}");
    assert!(
        line.ends_with("if a pending call takes more than 2µs, the difference is not noticeable"),
        "{line}"
    );
    let line = stats(100, 900).to_string();
    assert!(line.contains("10.0 % ready") && !line.contains("takes more than"), "{line}");
}
