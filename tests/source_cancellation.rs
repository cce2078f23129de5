//! If a future is dropped before it has returned a result, its source gets one call of `cancel`. If the future has returned its result, the
//! source gets no call of `cancel`. Each reference to a source is released once.

mod common;

use std::{
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use common::{DropCounter, ManualSource, count, counter, panic_text, poll};
use value_future::{
    LocalValueFuture, Source, ValueFuture, ValueSource, error::StaleToken, future::Arm,
    source::Token,
};

/// Runs a scenario three times, with a future that refers to its source by `&`, by `Arc` and by `Rc`. Returns the number of calls of
/// `cancel` for each kind of reference.
fn for_each_reference(
    scenario: fn(LocalValueFuture<'_, u32>, &Source<ManualSource<u32>>),
) -> [usize; 3] {
    let borrowed = Source::new(ManualSource::new());
    scenario(LocalValueFuture::from_source(&borrowed, borrowed.live()), &borrowed);

    let shared = Arc::new(Source::new(ManualSource::new()));
    let future = ValueFuture::from_source(Arc::clone(&shared), shared.live());
    assert_eq!(Arc::strong_count(&shared), 2);
    scenario(future.into(), &shared);
    assert_eq!(Arc::strong_count(&shared), 1);

    let local = Rc::new(Source::new(ManualSource::new()));
    let future = LocalValueFuture::from_source(Rc::clone(&local), local.live());
    assert_eq!(Rc::strong_count(&local), 2);
    scenario(future, &local);
    assert_eq!(Rc::strong_count(&local), 1);

    [&borrowed, &*shared, &*local].map(|source| count(&source.cancelled))
}

#[test]
fn a_drop_before_the_first_poll_cancels_the_operation() {
    assert_eq!(for_each_reference(|future, _| drop(future)), [1; 3]);
}

#[test]
fn a_drop_of_a_pending_future_cancels_the_operation() {
    let scenario = |mut future: LocalValueFuture<'_, u32>, _: &Source<ManualSource<u32>>| {
        assert_eq!(poll(&mut future), Poll::Pending);
        assert_eq!(poll(&mut future), Poll::Pending);
        drop(future);
    };
    assert_eq!(for_each_reference(scenario), [1; 3]);
}

#[test]
fn a_drop_of_a_future_whose_result_was_not_taken_calls_cancel_and_drops_the_result() {
    let scenario = |mut future: LocalValueFuture<'_, u32>, source: &Source<ManualSource<u32>>| {
        assert_eq!(poll(&mut future), Poll::Pending);
        source.complete(7);
        drop(future);
        assert!(!source.has_value(), "the source dropped the result");
    };
    assert_eq!(for_each_reference(scenario), [1; 3]);
}

#[test]
fn a_drop_after_the_result_was_returned_does_not_call_cancel() {
    let scenario = |mut future: LocalValueFuture<'_, u32>, source: &Source<ManualSource<u32>>| {
        source.complete(7);
        assert_eq!(poll(&mut future), Poll::Ready(7));
        drop(future);
    };
    assert_eq!(for_each_reference(scenario), [0; 3]);
}

#[test]
fn the_reference_is_released_with_the_result() {
    let source = Arc::new(Source::new(ManualSource::new()));
    let mut future = ValueFuture::from_source(Arc::clone(&source), source.live());
    source.complete(7);
    assert_eq!(poll(&mut future), Poll::Ready(7));
    assert_eq!(Arc::strong_count(&source), 1, "the future released its reference");
    drop(future);
}

#[test]
fn an_arm_a_checked_future_and_a_combinator_cancel_when_dropped() {
    assert_eq!(for_each_reference(|future, _| drop(future.into_arm())), [1; 3]);
    assert_eq!(for_each_reference(|future, _| drop(future.checked())), [1; 3]);
    assert_eq!(for_each_reference(|future, _| drop(future.into_boxed())), [1; 3]);
    assert_eq!(for_each_reference(|future, _| drop(future.map(|n| n + 1))), [1; 3]);
    let through_arm = |future: LocalValueFuture<'_, u32>, source: &Source<ManualSource<u32>>| {
        let arm = future.into_arm();
        assert!(matches!(arm, Arm::Source { token, .. } if token == source.live()));
        drop(LocalValueFuture::from(arm));
    };
    assert_eq!(for_each_reference(through_arm), [1; 3]);
}

#[test]
fn a_forgotten_future_does_not_cancel_its_operation() {
    let source = Source::new(ManualSource::<u32>::new());
    std::mem::forget(ValueFuture::from_source(&source, source.live()));
    assert_eq!(count(&source.cancelled), 0);
}

#[test]
fn a_future_may_hold_the_last_reference_to_its_source() {
    let dropped = counter();
    let source = Arc::new(Source::new(ManualSource::new()));
    let token = source.live();
    source.complete(DropCounter(&dropped));
    let mut future = ValueFuture::from_source(source, token);
    let Poll::Ready(value) = poll(&mut future) else { panic!("the future is pending") };
    assert_eq!(count(&dropped), 0, "the source is dropped, but the result is not");
    drop(value);
    assert_eq!(count(&dropped), 1);
}

#[test]
fn a_source_is_cancelled_before_it_is_dropped() {
    struct Log(Arc<Mutex<Vec<&'static str>>>);
    impl ValueSource for Log {
        type Output = ();
        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<(), StaleToken>> {
            Poll::Pending
        }
        fn cancel(&self, _: Token) {
            self.0.lock().unwrap().push("cancelled");
        }
    }
    impl Drop for Log {
        fn drop(&mut self) {
            self.0.lock().unwrap().push("dropped");
        }
    }
    let log = Arc::new(Mutex::new(vec![]));
    let source = Arc::new(Source::new(Log(Arc::clone(&log))));
    let mut future = ValueFuture::from_source(source, Token::new(1));
    assert!(poll(&mut future).is_pending());
    drop(future);
    assert_eq!(*log.lock().unwrap(), ["cancelled", "dropped"]);
}

#[test]
fn the_reference_is_released_even_if_cancel_panics() {
    let source = Arc::new(Source::new(ManualSource::<u32>::panicking_in_cancel()));
    let future = ValueFuture::from_source(Arc::clone(&source), source.live());
    let text = panic_text(|| drop(future));
    assert_eq!(text, "the source panics in `cancel`");
    assert_eq!(count(&source.cancelled), 1);
    assert_eq!(Arc::strong_count(&source), 1);
}
