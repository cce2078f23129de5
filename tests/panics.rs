//! A panic in a poll, a destructor or a closure terminates the future. If a poll or a closure has panicked, the next poll reports the
//! panic. Each value is dropped once.

mod common;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use common::{
    DropCounter, ManualSource, Yield, count, counter, panic_text, poll, values::PanicsOnDrop,
};
use futures::future::FusedFuture;
use value_future::{
    Source, ValueFuture, ValueSource,
    error::{ArmKind, Rule, StaleToken},
    source::Token,
};

fn assert_panicked<T: std::fmt::Debug>(mut future: ValueFuture<'_, T>, arm: ArmKind) {
    assert!(future.is_terminated());
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("polled after a panic"), "{text}");
    assert!(text.contains(&arm.to_string()), "{text}");
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("not refused") };
    assert_eq!((error.rule(), error.arm()), (Rule::PolledAfterPanic, Some(arm)));
}

#[test]
fn a_boxed_future_that_panics_is_dropped_once() {
    let dropped = counter();
    let held = DropCounter(&dropped);
    let mut future = ValueFuture::boxed(async {
        let _held = held;
        Yield::default().await;
        panic!("the future panics")
    });
    assert_eq!(poll(&mut future), Poll::<()>::Pending);
    assert_eq!(panic_text(|| poll(&mut future)), "the future panics");
    assert_eq!(count(&dropped), 1);
    assert_panicked(future, ArmKind::Boxed);
    assert_eq!(count(&dropped), 1);
}

#[test]
fn a_source_that_panics_is_cancelled_once_and_released() {
    let source = Arc::new(Source::new(ManualSource::<u32>::panicking_in_poll()));
    let mut future = ValueFuture::from_source(Arc::clone(&source), source.live());
    assert_eq!(panic_text(|| poll(&mut future)), "the source panics");
    assert_eq!(count(&source.cancelled), 1);
    assert_eq!(Arc::strong_count(&source), 1);
    assert_panicked(future, ArmKind::Source);
    assert_eq!((count(&source.polls), count(&source.cancelled)), (1, 1));
}

#[test]
fn a_panic_passes_through_a_checked_future_once() {
    let mut checked = ValueFuture::<u32>::boxed(async { panic!("the future panics") }).checked();
    assert_eq!(panic_text(|| poll(&mut checked)), "the future panics");
    let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("not refused") };
    assert_eq!(error.rule(), Rule::PolledAfterPanic);
}

#[test]
fn a_destructor_that_panics_at_completion_leaves_the_future_completed() {
    let dropped = counter();
    let mut future = ValueFuture::boxed({
        let (value, result) = (PanicsOnDrop, &dropped);
        let mut value = Some(value);
        poll_fn(move |_| {
            // The closure owns the value until the box is dropped.
            assert!(value.as_mut().is_some());
            Poll::Ready(DropCounter(result))
        })
    });
    assert_eq!(panic_text(|| poll(&mut future)), "the destructor panics");
    assert_eq!(count(&dropped), 1, "the panic dropped the result");
    assert!(future.is_terminated());
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("polled after completion"), "{text}");
}

#[test]
fn the_destructor_of_a_pending_future_panics_once() {
    let value = PanicsOnDrop;
    let mut future = ValueFuture::boxed(async move {
        let _value = value;
        std::future::pending::<()>().await;
    });
    assert_eq!(poll(&mut future), Poll::Pending);
    assert_eq!(panic_text(|| drop(future)), "the destructor panics");
}

#[test]
fn a_result_whose_destructor_panics_is_dropped_once() {
    assert_eq!(panic_text(|| drop(ValueFuture::ready(PanicsOnDrop))), "the destructor panics");
}

#[test]
fn a_source_whose_destructor_panics_leaves_the_future_completed() {
    struct PanicsWhenReleased(PanicsOnDrop);
    impl ValueSource for PanicsWhenReleased {
        type Output = u32;
        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            let _: &PanicsOnDrop = &self.0;
            Poll::Ready(Ok(7))
        }
        fn cancel(&self, _: Token) {
            unreachable!("the operation completes");
        }
    }
    let source = Arc::new(Source::new(PanicsWhenReleased(PanicsOnDrop)));
    let mut future = ValueFuture::from_source(source, Token::new(1));
    assert_eq!(panic_text(|| poll(&mut future)), "the destructor panics");
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("polled after completion"), "{text}");
}

#[test]
fn after_a_panic_in_the_destructor_of_a_source_the_future_reports_its_stale_token() {
    struct RefusesTokens(PanicsOnDrop);
    impl ValueSource for RefusesTokens {
        type Output = u32;
        fn poll(&self, token: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            Poll::Ready(Err(StaleToken::new(token.next(), token)))
        }
        fn cancel(&self, _: Token) {
            unreachable!("no operation is live");
        }
    }
    let source = Arc::new(Source::new(RefusesTokens(PanicsOnDrop)));
    let mut future = ValueFuture::from_source(source, Token::new(1));
    assert_eq!(panic_text(|| poll(&mut future)), "the destructor panics");
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("holds a stale token"), "{text}");
}

#[test]
fn a_closure_that_panics_terminates_the_combined_future() {
    let dropped = counter();
    let held = DropCounter(&dropped);
    let first = ValueFuture::boxed(async {
        Yield::default().await;
        7
    });
    let mut mapped = first.map(move |_: u32| -> u32 {
        let _held = held;
        panic!("the closure panics")
    });
    assert_eq!(poll(&mut mapped), Poll::Pending);
    assert_eq!(panic_text(|| poll(&mut mapped)), "the closure panics");
    assert_eq!(count(&dropped), 1);
    assert_panicked(mapped, ArmKind::Boxed);
}

/// The combinator passes the result on, and drops its closure. The destructor of the closure panics, so the result is dropped too.
#[test]
fn a_closure_whose_destructor_panics_drops_the_result() {
    let dropped = counter();
    let value = PanicsOnDrop;
    let error = ValueFuture::ready(Err::<(), _>(DropCounter(&dropped)));
    let text = panic_text(|| {
        error.and_then(move |()| {
            let _value = value;
            ValueFuture::ready(Ok(()))
        })
    });
    assert_eq!((text.as_str(), count(&dropped)), ("the destructor panics", 1));

    let held = PanicsOnDrop;
    let value = ValueFuture::ready(Ok::<_, ()>(DropCounter(&dropped)));
    let text = panic_text(|| {
        value.or_else(move |()| {
            let _held = held;
            ValueFuture::ready(Err(()))
        })
    });
    assert_eq!((text.as_str(), count(&dropped)), ("the destructor panics", 2));
}
