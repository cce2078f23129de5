//! A completion becomes a `ValueFuture` in whatever state it is, and is one like any other then: a
//! source with a token, without an allocation of its own.

mod common;

use std::task::Poll;

use common::{Loud, count, drops, for_both_pools, panic_text, poll, poll_with, task::Task};
use futures::{executor::block_on, future::FusedFuture};
use value_future::{
    LocalValueFuture, Pool, ValueFuture,
    error::{ArmKind, Rule},
    future::Arm,
    operation::Abandoned,
    source::Token,
};

#[test]
fn a_future_for_many_threads_becomes_one_for_a_single_thread() {
    let pool = Pool::new();
    let (completer, completion) = pool.rent();
    let mut local = LocalValueFuture::from(ValueFuture::from(completion));
    assert_eq!(poll(&mut local), Poll::Pending);
    completer.complete(Some(7)).unwrap();
    assert_eq!(poll(&mut local), Poll::Ready(Some(7)));
}

for_both_pools! {
    #[test]
    fn a_pending_completion_waits_in_either_form() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let (before, after) = (Task::new(), Task::new());
        assert_eq!(poll_with(&mut completion, &before.waker()), Poll::Pending);
        let mut erased = Erased::from(completion);
        assert!(!erased.is_ready() && !erased.is_terminated());
        assert_eq!(before.wakers.get(), 1, "it waits as before");
        assert_eq!(poll_with(&mut erased, &after.waker()), Poll::Pending);
        assert_eq!((before.wakers.get(), after.wakers.get()), (0, 1), "the last waker counts");
        completer.complete(Some(7)).unwrap();
        assert_eq!((before.woken.get(), after.woken.get()), (0, 1));
        assert_eq!(poll(&mut erased), Poll::Ready(Some(7)));
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn a_completion_that_waited_is_woken_in_its_new_form() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let task = Task::new();
        assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Pending);
        let erased = Erased::from(completion);
        completer.complete(Some(7)).unwrap();
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_eq!(block_on(erased), Some(7));
    }

    #[test]
    fn a_completed_completion_gives_its_value() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        let erased = Erased::from(completion);
        assert!(erased.is_ready() && matches!(erased.into_arm(), Arm::Source { .. }));
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut Erased::from(completion)), Poll::Ready(Some(7)));
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_completion_whose_completer_has_gone_gives_what_the_type_says() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(block_on(Erased::from(completion)), None);
        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        let task = Task::new();
        assert_eq!(poll_with(&mut erased, &task.waker()), Poll::Pending);
        drop(completer);
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_eq!(block_on(erased), None);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn a_value_by_key_arrives_with_the_completer_kept() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        pool.complete_key(completer.key_while_held(), Some(7)).unwrap();
        assert_eq!(block_on(Erased::from(completion)), Some(7));
        assert_eq!(pool.stats().live, 1, "the completer has the slot still");
        assert_eq!(completer.complete(Some(8)).unwrap_err().into_value(), Some(8));
        assert_eq!(pool.stats().live, 0);
    }

    const POLLED_AGAIN: &str = "value future of `core::option::Option<i32>` polled after \
        completion: its result (source arm) has been given out, and a result is given out once";

    #[test]
    fn a_taken_completion_makes_a_taken_future() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        let mut erased = Erased::from(completion);
        assert!(erased.is_terminated());
        assert_eq!(panic_text(|| poll(&mut erased)), POLLED_AGAIN);
        assert!(matches!(erased.into_arm(), Arm::Taken));
    }

    #[test]
    fn a_second_poll_panics_with_the_text_of_any_source() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        let mut erased = Erased::from(completion);
        assert_eq!(poll(&mut erased), Poll::Ready(Some(7)));
        // What has the slot now is not disturbed by those who had it.
        let (completer, mut next) = pool.rent();
        for _ in 0..2 {
            assert!(erased.is_terminated());
            assert_eq!(panic_text(|| poll(&mut erased)), POLLED_AGAIN);
        }
        drop(erased);
        completer.complete(Some(8)).unwrap();
        assert_eq!(poll(&mut next), Poll::Ready(Some(8)));
    }

    #[test]
    fn a_checked_one_gives_that_as_a_value() {
        let pool = Pool::new();
        for value in [Some(7), None] {
            let (completer, completion) = pool.rent();
            let mut checked = Erased::from(completion).checked();
            assert_eq!(poll(&mut checked), Poll::Pending);
            assert!(value.is_none_or(|_| completer.complete(value).is_ok()));
            assert_eq!(poll(&mut checked), Poll::Ready(Ok(value)));
            for _ in 0..2 {
                let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("taken") };
                assert_eq!(error.rule(), Rule::PolledAfterCompletion);
                assert_eq!(error.arm(), Some(ArmKind::Source));
                assert_eq!(error.stale_token(), None);
            }
        }
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is asked for")]
    fn its_arm_is_a_source_with_the_low_bits_of_the_generation() {
        let pool = PoolBuilder::<Option<u32>>::default().first_generation(0x0012_fffe).build();
        for generation in [0x0012_fffe_u32, 0x0012_ffff, 0x0013_0000, 0x0013_0001] {
            let (completer, completion) = pool.rent();
            let mut completion = completion;
            assert_eq!(completer.key_while_held().untyped().generation(), generation);
            // Waiting makes no difference.
            if generation % 2 == 0 {
                assert!(poll(&mut completion).is_pending());
            }
            let Arm::Source { source, token, .. } = Erased::from(completion).into_arm() else {
                panic!("not a source")
            };
            assert_eq!(token, Token::new(generation as u16));
            assert_eq!(source.token(), token);
            completer.complete(Some(generation)).unwrap();
            assert_eq!(block_on(Erased::from(source)), Some(generation));
        }
        assert_eq!(pool.stats().high_water, 1);
    }

    #[test]
    fn an_erased_completion_that_is_dropped_leaves() {
        let dropped = drops();
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        let task = Task::new();
        assert!(poll_with(&mut erased, &task.waker()).is_pending());
        drop(erased);
        assert_eq!((task.woken.get(), task.wakers.get()), (0, 0));
        assert!(completer.is_closed());
        drop(completer.complete(Some(Loud(&dropped))).unwrap_err());

        let (completer, completion) = pool.rent();
        completer.complete(Some(Loud(&dropped))).unwrap();
        drop(Erased::from(completion));
        assert_eq!(count(&dropped), 2);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 1));
    }

    #[test]
    fn combinators_pass_the_value_on() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        let mut mapped = Erased::from(completion).map(|value| value.unwrap_or_default() + 1);
        assert_eq!(poll(&mut mapped), Poll::Pending);
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut mapped), Poll::Ready(8));
    }

    #[test]
    fn a_result_that_borrows_is_awaited_where_it_lives() {
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
        assert_eq!(block_on(Erased::from(completion)), Line(&text));
    }

    #[test]
    fn debug_shows_the_source_and_its_token() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        let text = format!("{erased:?}");
        let source = std::any::type_name::<Pool<Option<u32>>>();
        assert!(text.ends_with(&format!("(Source {{ source: {source}, token: 1 }})")), "{text}");
        drop(completer);
        assert!(poll(&mut erased).is_ready());
        assert!(format!("{erased:?}").ends_with("(Taken(completed, source arm))"), "{erased:?}");
    }
}
