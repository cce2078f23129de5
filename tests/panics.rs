//! A panic in what a future holds leaves the future taken, and says so at the next poll; nothing
//! is dropped twice, and nothing leaks.

mod common;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use common::{Loud, Script, Yield, count, drops, panic_text, poll};
use futures::future::FusedFuture;
use value_future::{
    Source, ValueFuture, ValueSource,
    error::{ArmKind, Rule, StaleToken},
    source::Token,
};

fn says_it_panicked<T: std::fmt::Debug>(mut future: ValueFuture<'_, T>, arm: ArmKind) {
    assert!(future.is_terminated());
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("polled after a panic"), "{text}");
    assert!(text.contains(&arm.to_string()), "{text}");
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("not refused") };
    assert_eq!((error.rule(), error.arm()), (Rule::PolledAfterPanic, Some(arm)));
}

#[test]
fn a_boxed_future_that_panics_is_dropped_once_and_at_once() {
    let dropped = drops();
    let held = Loud(&dropped);
    let mut future = ValueFuture::boxed(async {
        let _held = held;
        Yield::default().await;
        panic!("the future panics")
    });
    assert_eq!(poll(&mut future), Poll::<()>::Pending);
    assert_eq!(panic_text(|| poll(&mut future)), "the future panics");
    assert_eq!(count(&dropped), 1);
    says_it_panicked(future, ArmKind::Boxed);
    assert_eq!(count(&dropped), 1);
}

#[test]
fn a_source_that_panics_is_abandoned_once_and_its_reference_given_back() {
    let source = Arc::new(Source::new(Script::<u32>::that_panics_in_poll()));
    let mut future = ValueFuture::from_source(Arc::clone(&source), source.live());
    assert_eq!(panic_text(|| poll(&mut future)), "the source panics");
    assert_eq!(count(&source.cancelled), 1);
    assert_eq!(Arc::strong_count(&source), 1);
    says_it_panicked(future, ArmKind::Source);
    assert_eq!((count(&source.polls), count(&source.cancelled)), (1, 1));
}

#[test]
fn a_panic_passes_through_a_checked_future_once() {
    let mut checked = ValueFuture::<u32>::boxed(async { panic!("the future panics") }).checked();
    assert_eq!(panic_text(|| poll(&mut checked)), "the future panics");
    let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("not refused") };
    assert_eq!(error.rule(), Rule::PolledAfterPanic);
}

/// Panics when it is dropped.
struct Trap;

impl Drop for Trap {
    fn drop(&mut self) {
        panic!("the destructor panics");
    }
}

#[test]
fn a_destructor_that_panics_at_completion_leaves_the_future_completed() {
    let dropped = drops();
    let mut future = ValueFuture::boxed({
        let (trap, result) = (Trap, &dropped);
        let mut trap = Some(trap);
        poll_fn(move |_| {
            // Kept until the box is dropped.
            assert!(trap.as_mut().is_some());
            Poll::Ready(Loud(result))
        })
    });
    assert_eq!(panic_text(|| poll(&mut future)), "the destructor panics");
    assert_eq!(count(&dropped), 1, "the result went with the panic");
    assert!(future.is_terminated());
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("polled after completion"), "{text}");
}

#[test]
fn a_destructor_that_panics_while_pending_panics_once() {
    let trap = Trap;
    let mut future = ValueFuture::boxed(async move {
        let _trap = trap;
        std::future::pending::<()>().await;
    });
    assert_eq!(poll(&mut future), Poll::Pending);
    assert_eq!(panic_text(|| drop(future)), "the destructor panics");
}

#[test]
fn a_result_whose_destructor_panics_is_dropped_once() {
    assert_eq!(panic_text(|| drop(ValueFuture::ready(Trap))), "the destructor panics");
}

#[test]
fn a_source_whose_destructor_panics_is_dropped_with_the_result_given_out() {
    struct Falling(Trap);
    impl ValueSource for Falling {
        type Output = u32;
        fn poll(&self, _: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            let _: &Trap = &self.0;
            Poll::Ready(Ok(7))
        }
        fn cancel(&self, _: Token) {
            unreachable!("it completes");
        }
    }
    let source = Arc::new(Source::new(Falling(Trap)));
    let mut future = ValueFuture::from_source(source, Token::new(1));
    assert_eq!(panic_text(|| poll(&mut future)), "the destructor panics");
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("polled after completion"), "{text}");
}

#[test]
fn a_stale_source_whose_destructor_panics_leaves_the_future_stale() {
    struct Refusing(Trap);
    impl ValueSource for Refusing {
        type Output = u32;
        fn poll(&self, token: Token, _: &mut Context<'_>) -> Poll<Result<u32, StaleToken>> {
            Poll::Ready(Err(StaleToken::new(token.next(), token)))
        }
        fn cancel(&self, _: Token) {
            unreachable!("there is nothing to cancel");
        }
    }
    let source = Arc::new(Source::new(Refusing(Trap)));
    let mut future = ValueFuture::from_source(source, Token::new(1));
    assert_eq!(panic_text(|| poll(&mut future)), "the destructor panics");
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("holds a stale token"), "{text}");
}

#[test]
fn a_closure_that_panics_leaves_the_combined_future_taken() {
    let dropped = drops();
    let held = Loud(&dropped);
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
    says_it_panicked(mapped, ArmKind::Boxed);
}

/// What is passed on goes with the panic, too.
#[test]
fn a_closure_that_is_not_called_and_panics_when_it_is_dropped_takes_the_result_with_it() {
    let dropped = drops();
    let trap = Trap;
    let error = ValueFuture::ready(Err::<(), _>(Loud(&dropped)));
    let text = panic_text(|| {
        error.and_then(move |()| {
            let _trap = trap;
            ValueFuture::ready(Ok(()))
        })
    });
    assert_eq!((text.as_str(), count(&dropped)), ("the destructor panics", 1));

    let trap = Trap;
    let value = ValueFuture::ready(Ok::<_, ()>(Loud(&dropped)));
    let text = panic_text(|| {
        value.or_else(move |()| {
            let _trap = trap;
            ValueFuture::ready(Err(()))
        })
    });
    assert_eq!((text.as_str(), count(&dropped)), ("the destructor panics", 2));
}
