//! Tests of polls that break a rule, because the future has completed or has a stale token. For each `Arm` of a future, such a poll panics
//! with a message that names the rule, the arm and the type. A checked future returns a `PollError`. A stale token never affects the live
//! operation.

mod common;

use std::{rc::Rc, sync::Arc, task::Poll};

use common::{ManualSource, Yield, count, later, panic_text, poll};
use futures::{
    executor::block_on,
    future::FusedFuture,
    stream::{self, Repeat},
};
use value_future::{
    LocalReusableSource, LocalValueFuture, Pool, ReusableSource, Source, ValueFuture,
    error::{ArmKind, PollError, Rule, StaleToken},
    future::Arm,
    source::Token,
    stream::ValueNext,
};

type Answer = Option<u32>;

/// The objects that the futures of all arms refer to.
struct Fixture {
    source: Source<ManualSource<Answer>>,
    reusable: ReusableSource<Answer>,
    reader: ValueNext<Repeat<u32>>,
}

impl Fixture {
    fn new() -> Self {
        Fixture {
            source: Source::new(ManualSource::new()),
            reusable: ReusableSource::new(),
            reader: ValueNext::new(stream::repeat(7)),
        }
    }

    /// Returns futures of each kind. The result of each future is `Some(7)`. Each future comes with its arm, and with the name of the arm
    /// in messages.
    fn in_every_arm(&mut self) -> Vec<(ArmKind, &'static str, ValueFuture<'_, Answer>)> {
        use ArmKind::{Boxed, Ready, Source};

        let (source, reusable) = (&self.source, &self.reusable);
        source.complete(Some(7));
        let (completer, completion) = Pool::<Answer>::new().rent();
        completer.complete(Some(7)).unwrap();
        let by_key = reusable.begin().unwrap();
        reusable.complete_key(reusable.key().unwrap(), Some(7)).unwrap();
        let shared = ValueFuture::boxed(async { Some(7) }).share();
        vec![
            (Ready, "ready arm", ValueFuture::ready(Some(7))),
            (Ready, "ready arm", ValueFuture::eager(async { Some(7) })),
            (Boxed, "boxed arm", ValueFuture::boxed(async { Some(7) })),
            (Boxed, "boxed arm, pooled", ValueFuture::pooled(async { Some(7) })),
            (Boxed, "boxed arm, pooled", ValueFuture::pooled(shared)),
            (Boxed, "boxed arm, pooled", later(7).map(Some).map(|_| Some(7))),
            (Boxed, "boxed arm", self.reader.next()),
            (Source, "source arm", ValueFuture::from_source(source, source.live())),
            (Source, "source arm", completion.into()),
            (Source, "source arm", by_key),
        ]
    }
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn a_poll_after_completion_panics_with_the_same_message_in_every_arm() {
    let mut fixture = Fixture::new();
    for (_, arm, mut future) in fixture.in_every_arm() {
        assert!(!future.is_terminated());
        assert_eq!(block_on(&mut future), Some(7));
        for _ in 0..2 {
            assert!(future.is_terminated());
            let text = panic_text(|| poll(&mut future));
            let expected = format!(
                "value future of `core::option::Option<u32>` polled after completion: its result \
                 ({arm}) was already returned, and a result is returned once"
            );
            assert_eq!(text, expected);
        }
    }
    assert_eq!(count(&fixture.source.polls), 1);
    assert_eq!(count(&fixture.source.cancelled), 0);
    assert!(!fixture.reusable.is_busy());
}

#[test]
fn a_poll_of_a_local_future_after_completion_panics() {
    let source = Rc::new(Source::new(ManualSource::new()));
    source.complete(Some(7));
    let reusable = LocalReusableSource::new();
    let (completer, held) = reusable.begin_with_completer().unwrap();
    completer.complete(Some(7)).unwrap();
    let shared = LocalValueFuture::boxed(async { Some(7) }).share();
    let mut reader = ValueNext::new(stream::repeat(7));
    let futures = [
        LocalValueFuture::ready(Some(7)),
        LocalValueFuture::boxed(async { Some(7) }),
        LocalValueFuture::pooled(shared),
        LocalValueFuture::from_source(Rc::clone(&source), source.live()),
        reader.next_local(),
        held,
    ];
    for mut future in futures {
        assert_eq!(poll(&mut future), Poll::Ready(Some(7)));
        assert!(future.is_terminated());
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("polled after completion"), "{text}");
    }
    assert_eq!(Rc::strong_count(&source), 1);
}

#[test]
fn a_checked_future_returns_the_error_at_each_poll() {
    let mut fixture = Fixture::new();
    for (arm, _, future) in fixture.in_every_arm() {
        let mut checked = future.checked();
        assert!(!checked.is_terminated());
        assert_eq!(block_on(&mut checked), Ok(Some(7)));
        assert!(checked.is_terminated());
        for _ in 0..3 {
            let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("{arm:?}") };
            assert_eq!(error.rule(), Rule::PolledAfterCompletion);
            assert_eq!(error.arm(), Some(arm));
            assert_eq!(error.output(), "core::option::Option<u32>");
            assert_eq!(error.stale_token(), None);
        }
    }
}

#[test]
fn a_pending_checked_future_is_pending() {
    let mut checked = ValueFuture::boxed(async {
        Yield::default().await;
        7
    })
    .checked();
    assert_eq!(poll(&mut checked), Poll::Pending);
    assert!(!checked.is_terminated());
    assert_eq!(poll(&mut checked), Poll::Ready(Ok(7)));
}

/// Checks the error of a poll with a stale token, and returns it.
fn stale_error(error: Poll<Result<u32, PollError>>) -> PollError {
    let Poll::Ready(Err(error)) = error else { panic!("the poll was not refused: {error:?}") };
    assert_eq!(error.rule(), Rule::StaleToken);
    assert_eq!(error.arm(), Some(ArmKind::Source));
    error
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn a_token_that_is_stale_at_the_first_poll_is_refused() {
    let source = Source::new(ManualSource::new());
    source.complete(7);
    let forged = Token::new(0xfffe);
    let mut future = ValueFuture::from_source(&source, forged);
    let text = panic_text(|| poll(&mut future));
    assert_eq!(
        text,
        "value future of `u32` holds a stale token: its source (source arm) expected token 1 and \
         was polled with token 65534; a token is valid for one operation, and the live operation was not touched"
    );
    assert!(future.is_terminated());
    assert_eq!(panic_text(|| poll(&mut future)), text, "the next poll has the same message");

    let mut checked = ValueFuture::from_source(&source, forged).checked();
    for _ in 0..2 {
        let error = stale_error(poll(&mut checked));
        assert_eq!(error.stale_token(), Some(StaleToken::new(source.live(), forged)));
    }
    drop((future, checked));
    assert_eq!(count(&source.cancelled), 0, "a stale token cancels no operation");

    let mut live = ValueFuture::from_source(&source, source.live());
    assert_eq!(poll(&mut live), Poll::Ready(7), "the live operation is not affected");
}

#[test]
fn a_token_that_becomes_stale_while_pending_is_refused() {
    let source = Arc::new(Source::new(ManualSource::new()));
    let token = source.live();
    let pending = || ValueFuture::from_source(Arc::clone(&source), token);
    let (mut future, mut checked) = (pending(), pending().checked());
    assert_eq!(poll(&mut future), Poll::Pending);
    assert_eq!(poll(&mut checked), Poll::Pending);

    source.advance();
    source.complete(8);
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("expected token 2 and was polled with token 1"), "{text}");
    let error = stale_error(poll(&mut checked));
    assert_eq!(error.stale_token(), Some(StaleToken::new(token.next(), token)));
    assert_eq!(Arc::strong_count(&source), 1, "the references were released at once");

    drop((future, checked));
    assert_eq!(count(&source.cancelled), 0);
    let mut live = ValueFuture::from_source(&*source, source.live());
    assert_eq!(poll(&mut live), Poll::Ready(8));
}

#[test]
fn the_drop_of_an_unpolled_future_with_a_stale_token_does_not_affect_the_live_operation() {
    let source = Source::new(ManualSource::new());
    source.complete(7);
    drop(ValueFuture::from_source(&source, Token::new(99)));
    assert_eq!(count(&source.cancelled), 1, "`cancel` was called, and compared the token");
    assert!(source.has_value());
}

#[test]
fn a_checked_future_of_a_taken_future_returns_the_error_first() {
    let mut future = ValueFuture::ready(7);
    assert_eq!(poll(&mut future), Poll::Ready(7));
    let mut checked = future.checked();
    assert!(!checked.is_terminated(), "the checked future has not returned the error yet");
    let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("no error") };
    assert_eq!((error.rule(), error.arm()), (Rule::PolledAfterCompletion, Some(ArmKind::Ready)));
    assert!(checked.is_terminated());
}

#[test]
fn a_future_of_a_taken_arm_panics_with_the_name_of_the_arm() {
    let mut future = ValueFuture::<u32>::from(Arm::Taken);
    assert!(future.is_terminated());
    let text = panic_text(|| poll(&mut future));
    assert!(text.contains("created from `Arm::Taken`"), "{text}");
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("no error") };
    assert_eq!((error.rule(), error.arm()), (Rule::PolledAfterCompletion, None));
}

#[test]
fn a_combinator_reports_the_error_of_its_future() {
    let source = Source::new(ManualSource::<u32>::new());
    let stale = || ValueFuture::from_source(&source, Token::new(99));
    let mut mapped = stale().map(|n| n + 1).checked();
    let mut chained = stale().then(|n| ValueFuture::ready(n + 1)).checked();
    let mut second = ValueFuture::boxed(async { 1 }).then(|_| stale()).checked();
    for _ in 0..2 {
        for error in [poll(&mut mapped), poll(&mut chained), poll(&mut second)] {
            assert_eq!(stale_error(error).stale_token().unwrap().presented(), Token::new(99));
        }
    }
    let text = panic_text(|| poll(&mut stale().map(|n| n + 1)));
    assert!(text.contains("expected token 1 and was polled with token 99"), "{text}");
    assert_eq!(count(&source.cancelled), 0);
}

#[test]
fn combinators_of_a_taken_future_are_taken() {
    let mut future = ValueFuture::ready(7);
    assert_eq!(poll(&mut future), Poll::Ready(7));
    let mapped = future.map(|n| n + 1);
    assert!(mapped.is_terminated());
    let mut chained = mapped.then(|n: u32| ValueFuture::ready(n + 1));
    assert!(chained.is_terminated());
    let text = panic_text(|| poll(&mut chained));
    assert!(text.contains("its result (ready arm) was already returned"), "{text}");
}

#[test]
fn debug_shows_why_a_future_is_taken() {
    let source = Source::new(ManualSource::<u32>::new());
    let mut stale = ValueFuture::from_source(&source, Token::new(9));
    panic_text(|| poll(&mut stale));
    let mut panicked = ValueFuture::<u32>::boxed(async { panic!("once") });
    panic_text(|| poll(&mut panicked));
    let taken = ValueFuture::<u32>::from(Arm::Taken);
    assert_eq!(
        [stale, panicked, taken].map(|future| format!("{future:?}")),
        [
            "ValueFuture(Taken(stale token: the source expected token 1 and was polled with token \
             9))",
            "ValueFuture(Taken(panicked, boxed arm))",
            "ValueFuture(Taken)",
        ]
    );
    assert!(format!("{source:?}").starts_with("Source(ManualSource {"), "{source:?}");
    let error = ValueFuture::<u32>::from(Arm::Taken).checked();
    let Poll::Ready(Err(error)) = poll(&mut { error }) else { panic!("no error") };
    assert_eq!(format!("{error:?}"), format!("PollError({error})"));
}

#[test]
fn debug_does_not_poll_the_future() {
    let source = Source::new(ManualSource::<u32>::new());
    source.complete(7);
    let mut future = ValueFuture::from_source(&source, source.live());
    let text = format!("{future:?}");
    assert!(text.starts_with("ValueFuture(Source { source: "), "{text}");
    assert!(text.contains("ManualSource<u32>") && text.ends_with("token: 1 })"), "{text}");
    assert_eq!(count(&source.polls), 0);
    assert_eq!(poll(&mut future), Poll::Ready(7));
    assert_eq!(format!("{future:?}"), "ValueFuture(Taken(completed, source arm))");

    let mut ready = LocalValueFuture::ready(7);
    assert_eq!(format!("{ready:?}"), "LocalValueFuture(Ready(7))");
    assert_eq!(poll(&mut ready), Poll::Ready(7));

    let mut boxed = ValueFuture::boxed(async { 7 });
    let text = format!("{boxed:?}");
    assert!(text.starts_with("ValueFuture(Boxed(poll_errors::debug_does_not_poll"), "{text}");
    assert_eq!(poll(&mut boxed), Poll::Ready(7));
    assert_eq!(format!("{:?}", boxed.into_arm()), "Taken");
}

/// Small results are copied in pieces (`src/pieces`). Another code path returns the large results of this test.
#[test]
fn a_poll_after_completion_with_a_large_result_panics() {
    type Large = Option<[u64; 64]>;

    let large = Some([7; 64]);
    let source = Source::new(ManualSource::<Large>::new());
    source.complete(large);
    let (completer, completion) = Pool::<Large>::new().rent();
    completer.complete(large).unwrap();
    let yields_once = || async move {
        Yield::default().await;
        large
    };
    let futures: [ValueFuture<'_, Large>; 7] = [
        ValueFuture::ready(large),
        ValueFuture::eager(async move { large }),
        ValueFuture::eager(yields_once()),
        ValueFuture::pooled(yields_once()),
        ValueFuture::boxed(yields_once()),
        ValueFuture::from_source(&source, source.live()),
        completion.into(),
    ];
    for mut future in futures {
        assert_eq!(block_on(&mut future), large);
        assert!(future.is_terminated());
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("polled after completion"), "{text}");
        assert!(poll(&mut future.checked()).map(Result::unwrap_err).is_ready());
    }
}

#[test]
fn polls_of_futures_of_large_results_report_why_there_is_no_result() {
    type Large = [u64; 64];

    let mut panics = ValueFuture::<Large>::pooled(async { panic!("no result") });
    assert_eq!(panic_text(|| poll(&mut panics)), "no result");
    let text = panic_text(|| poll(&mut panics));
    assert!(text.contains("polled after a panic"), "{text}");

    let source = Source::new(ManualSource::<Large>::new());
    let mut stale = ValueFuture::from_source(&source, Token::new(source.live().get() + 1));
    let text = panic_text(|| poll(&mut stale));
    assert!(text.contains("holds a stale token"), "{text}");

    let mut pending = ValueFuture::<Large>::pooled(std::future::pending());
    assert!(poll(&mut pending).is_pending() && poll(&mut pending).is_pending());
}
