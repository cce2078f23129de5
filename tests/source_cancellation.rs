//! `cancel` is called exactly once if the consumer goes before the result does, and not at all
//! otherwise; and every reference to a source is given back exactly once.

mod common;

use std::{
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use common::{Script, count, drops, panic_text, poll};
use value_future::{
    LocalValueFuture, Source, ValueFuture, ValueSource, error::StaleToken, future::Arm,
    source::Token,
};

use crate::common::Loud;

/// Runs `scenario` with a future that refers to its source in each of the three ways, and says
/// how often the source was told to cancel.
fn in_every_way(scenario: fn(LocalValueFuture<'_, u32>, &Source<Script<u32>>)) -> [usize; 3] {
    let borrowed = Source::new(Script::new());
    scenario(LocalValueFuture::from_source(&borrowed, borrowed.live()), &borrowed);

    let shared = Arc::new(Source::new(Script::new()));
    let future = ValueFuture::from_source(Arc::clone(&shared), shared.live());
    assert_eq!(Arc::strong_count(&shared), 2);
    scenario(future.into(), &shared);
    assert_eq!(Arc::strong_count(&shared), 1);

    let local = Rc::new(Source::new(Script::new()));
    let future = LocalValueFuture::from_source(Rc::clone(&local), local.live());
    assert_eq!(Rc::strong_count(&local), 2);
    scenario(future, &local);
    assert_eq!(Rc::strong_count(&local), 1);

    [&borrowed, &*shared, &*local].map(|source| count(&source.cancelled))
}

#[test]
fn dropped_before_the_first_poll() {
    assert_eq!(in_every_way(|future, _| drop(future)), [1; 3]);
}

#[test]
fn dropped_while_pending() {
    let scenario = |mut future: LocalValueFuture<'_, u32>, _: &Source<Script<u32>>| {
        assert_eq!(poll(&mut future), Poll::Pending);
        assert_eq!(poll(&mut future), Poll::Pending);
        drop(future);
    };
    assert_eq!(in_every_way(scenario), [1; 3]);
}

#[test]
fn dropped_when_complete_but_not_polled_again() {
    let scenario = |mut future: LocalValueFuture<'_, u32>, source: &Source<Script<u32>>| {
        assert_eq!(poll(&mut future), Poll::Pending);
        source.complete(7);
        drop(future);
        assert!(!source.has_value(), "the source disposed of the result");
    };
    assert_eq!(in_every_way(scenario), [1; 3]);
}

#[test]
fn dropped_after_the_result() {
    let scenario = |mut future: LocalValueFuture<'_, u32>, source: &Source<Script<u32>>| {
        source.complete(7);
        assert_eq!(poll(&mut future), Poll::Ready(7));
        drop(future);
    };
    assert_eq!(in_every_way(scenario), [0; 3]);
}

#[test]
fn the_reference_is_given_back_with_the_result() {
    let source = Arc::new(Source::new(Script::new()));
    let mut future = ValueFuture::from_source(Arc::clone(&source), source.live());
    source.complete(7);
    assert_eq!(poll(&mut future), Poll::Ready(7));
    assert_eq!(Arc::strong_count(&source), 1, "the future lives, its reference does not");
    drop(future);
}

#[test]
fn an_arm_and_a_checked_future_abandon_as_the_future_does() {
    assert_eq!(in_every_way(|future, _| drop(future.into_arm())), [1; 3]);
    assert_eq!(in_every_way(|future, _| drop(future.checked())), [1; 3]);
    assert_eq!(in_every_way(|future, _| drop(future.into_boxed())), [1; 3]);
    assert_eq!(in_every_way(|future, _| drop(future.map(|n| n + 1))), [1; 3]);
    let through_arm = |future: LocalValueFuture<'_, u32>, source: &Source<Script<u32>>| {
        let arm = future.into_arm();
        assert!(matches!(arm, Arm::Source { token, .. } if token == source.live()));
        drop(LocalValueFuture::from(arm));
    };
    assert_eq!(in_every_way(through_arm), [1; 3]);
}

#[test]
fn a_forgotten_future_abandons_nothing() {
    let source = Source::new(Script::<u32>::new());
    std::mem::forget(ValueFuture::from_source(&source, source.live()));
    assert_eq!(count(&source.cancelled), 0);
}

#[test]
fn the_last_reference_may_be_the_future_s() {
    let dropped = drops();
    let source = Arc::new(Source::new(Script::new()));
    let token = source.live();
    source.complete(Loud(&dropped));
    let mut future = ValueFuture::from_source(source, token);
    let Poll::Ready(value) = poll(&mut future) else { panic!("complete") };
    assert_eq!(count(&dropped), 0, "the source is gone, the result is not");
    drop(value);
    assert_eq!(count(&dropped), 1);
}

#[test]
fn a_source_that_only_its_future_holds_is_abandoned_before_it_is_dropped() {
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
fn the_reference_is_given_back_even_if_abandon_panics() {
    let source = Arc::new(Source::new(Script::<u32>::that_panics_in_cancel()));
    let future = ValueFuture::from_source(Arc::clone(&source), source.live());
    let text = panic_text(|| drop(future));
    assert_eq!(text, "the source panics when it is told to cancel");
    assert_eq!(count(&source.cancelled), 1);
    assert_eq!(Arc::strong_count(&source), 1);
}
