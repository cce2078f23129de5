//! A completion can be converted to a value future in any state. The value future has the arm `Arm::Source`. If the result of the
//! completion was already taken, the arm is `Arm::Taken`.

mod common;

use std::task::Poll;

use common::{
    DropCounter, count, counter, for_both_pools, panic_text, poll, poll_with, task::Task,
};
use futures::{executor::block_on, future::FusedFuture};
use value_future::{
    LocalValueFuture, Pool, ValueFuture,
    error::{ArmKind, Rule},
    future::Arm,
    operation::Abandoned,
    source::Token,
};

#[test]
fn a_value_future_of_a_completion_becomes_a_local_value_future() {
    let pool = Pool::new();
    let (completer, completion) = pool.rent();
    let mut local = LocalValueFuture::from(ValueFuture::from(completion));
    assert_eq!(poll(&mut local), Poll::Pending);
    completer.complete(Some(7)).unwrap();
    assert_eq!(poll(&mut local), Poll::Ready(Some(7)));
}

for_both_pools! {
    #[test]
    fn a_pending_completion_stays_registered_after_the_conversion() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let (before, after) = (Task::new(), Task::new());
        assert_eq!(poll_with(&mut completion, &before.waker()), Poll::Pending);
        let mut future = ValueFuture::from(completion);
        assert!(!future.is_ready() && !future.is_terminated());
        assert_eq!(before.wakers.get(), 1, "the slot keeps the waker");
        assert_eq!(poll_with(&mut future, &after.waker()), Poll::Pending);
        assert_eq!((before.wakers.get(), after.wakers.get()), (0, 1), "the slot keeps the latest waker");
        completer.complete(Some(7)).unwrap();
        assert_eq!((before.woken.get(), after.woken.get()), (0, 1));
        assert_eq!(poll(&mut future), Poll::Ready(Some(7)));
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn the_task_of_a_converted_completion_is_woken() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let task = Task::new();
        assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Pending);
        let future = ValueFuture::from(completion);
        completer.complete(Some(7)).unwrap();
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_eq!(block_on(future), Some(7));
    }

    #[test]
    fn a_completed_completion_becomes_a_ready_future() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        let future = ValueFuture::from(completion);
        assert!(future.is_ready() && matches!(future.into_arm(), Arm::Source { .. }));
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut ValueFuture::from(completion)), Poll::Ready(Some(7)));
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_dropped_completer_completes_the_future_with_the_result_of_abandoned() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(block_on(ValueFuture::from(completion)), None);
        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        let task = Task::new();
        assert_eq!(poll_with(&mut future, &task.waker()), Poll::Pending);
        drop(completer);
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_eq!(block_on(future), None);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn a_value_sent_by_key_arrives_while_the_completer_exists() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        pool.complete_key(completer.key_while_held(), Some(7)).unwrap();
        assert_eq!(block_on(ValueFuture::from(completion)), Some(7));
        assert_eq!(pool.stats().live, 1, "the completer holds the slot");
        assert_eq!(completer.complete(Some(8)).unwrap_err().into_value(), Some(8));
        assert_eq!(pool.stats().live, 0);
    }

    const POLLED_AGAIN: &str = "value future of `core::option::Option<i32>` polled after \
        completion: its result (source arm) was already returned, and a result is returned once";

    #[test]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
    fn a_taken_completion_becomes_a_taken_future() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        let mut future = ValueFuture::from(completion);
        assert!(future.is_terminated());
        assert_eq!(panic_text(|| poll(&mut future)), POLLED_AGAIN);
        assert!(matches!(future.into_arm(), Arm::Taken));
    }

    #[test]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
    fn a_poll_after_completion_panics_with_the_message_of_a_source() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        let mut future = ValueFuture::from(completion);
        assert_eq!(poll(&mut future), Poll::Ready(Some(7)));
        // The next operation of the slot is not affected.
        let (completer, mut next) = pool.rent();
        for _ in 0..2 {
            assert!(future.is_terminated());
            assert_eq!(panic_text(|| poll(&mut future)), POLLED_AGAIN);
        }
        drop(future);
        completer.complete(Some(8)).unwrap();
        assert_eq!(poll(&mut next), Poll::Ready(Some(8)));
    }

    #[test]
    fn a_checked_future_returns_the_error_as_a_value() {
        let pool = Pool::new();
        for value in [Some(7), None] {
            let (completer, completion) = pool.rent();
            let mut checked = ValueFuture::from(completion).checked();
            assert_eq!(poll(&mut checked), Poll::Pending);
            assert!(value.is_none_or(|_| completer.complete(value).is_ok()));
            assert_eq!(poll(&mut checked), Poll::Ready(Ok(value)));
            for _ in 0..2 {
                let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("no error") };
                assert_eq!(error.rule(), Rule::PolledAfterCompletion);
                assert_eq!(error.arm(), Some(ArmKind::Source));
                assert_eq!(error.stale_token(), None);
            }
        }
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are the token")]
    fn the_token_is_the_low_16_bits_of_the_generation() {
        let pool = PoolBuilder::<Option<u32>>::default().first_generation(0x0012_fffe).build();
        for generation in [0x0012_fffe_u32, 0x0012_ffff, 0x0013_0000, 0x0013_0001] {
            let (completer, completion) = pool.rent();
            let mut completion = completion;
            assert_eq!(completer.key_while_held().untyped().generation(), generation);
            // Two of the four completions have registered a waker before the conversion.
            if generation % 2 == 0 {
                assert!(poll(&mut completion).is_pending());
            }
            let Arm::Source { source, token, .. } = ValueFuture::from(completion).into_arm() else {
                panic!("not a source")
            };
            assert_eq!(token, Token::new(generation as u16));
            assert_eq!(source.token(), token);
            completer.complete(Some(generation)).unwrap();
            assert_eq!(block_on(ValueFuture::from(source)), Some(generation));
        }
        assert_eq!(pool.stats().high_water, 1);
    }

    #[test]
    fn a_dropped_future_closes_the_operation() {
        let dropped = counter();
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        let task = Task::new();
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        drop(future);
        assert_eq!((task.woken.get(), task.wakers.get()), (0, 0));
        assert!(completer.is_closed());
        drop(completer.complete(Some(DropCounter(&dropped))).unwrap_err());

        let (completer, completion) = pool.rent();
        completer.complete(Some(DropCounter(&dropped))).unwrap();
        drop(ValueFuture::from(completion));
        assert_eq!(count(&dropped), 2);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 1));
    }

    #[test]
    fn combinators_work_on_the_future_of_a_completion() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        let mut mapped = ValueFuture::from(completion).map(|value| value.unwrap_or_default() + 1);
        assert_eq!(poll(&mut mapped), Poll::Pending);
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut mapped), Poll::Ready(8));
    }

    #[test]
    fn a_result_may_borrow() {
        #[derive(Debug, PartialEq)]
        struct Line<'t>(&'t str);
        impl Abandoned for Line<'_> {
            fn abandoned() -> Self {
                Line("none")
            }
        }
        let text = String::from("a line");
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(Line(&text)).unwrap();
        assert_eq!(block_on(ValueFuture::from(completion)), Line(&text));
    }

    #[test]
    fn debug_shows_the_source_and_its_token() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        let text = format!("{future:?}");
        let source = std::any::type_name::<Pool<Option<u32>>>();
        assert!(text.ends_with(&format!("(Source {{ source: {source}, token: 1 }})")), "{text}");
        drop(completer);
        assert!(poll(&mut future).is_ready());
        assert!(format!("{future:?}").ends_with("(Taken(completed, source arm))"), "{future:?}");
    }
}
