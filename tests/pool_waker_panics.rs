//! Tests of wakers that panic in `clone`, `wake` or `drop`. The pool stays consistent, the slot is released, and each value is dropped
//! once.

mod common;

use std::{
    rc::Rc,
    task::{Context, Poll},
};

use common::{
    for_both_pools, panic_text, poll, poll_with,
    task::Task,
    values::{NeverAbandoned, VALUE, Value, dropped},
};
use futures::future::FusedFuture;
use value_future::error::Rule;

/// Checks that `action` panics with the message of a waker.
#[track_caller]
fn assert_waker_panics(action: impl FnOnce()) {
    assert_eq!(panic_text(action), "the waker panics");
}

for_both_pools! {
    type Finish = fn(&Pool<Option<Value>>, Completer<Option<Value>>);

    /// Checks that all slots are vacant and usable, and that no waker is left.
    #[track_caller]
    fn assert_idle(pool: &Pool<Option<Value>>, tasks: &[&Rc<Task>]) {
        for task in tasks {
            task.assert_idle();
        }
        let stats = pool.stats();
        assert_eq!((stats.live, stats.returned), (0, stats.rented));
        let high_water = stats.high_water;
        let (completer, mut completion) = pool.rent();
        completer.complete(VALUE).unwrap();
        assert!(poll(&mut completion).is_ready());
        assert_eq!(pool.stats().high_water, high_water, "the vacant slot is reused");
        dropped();
    }

    #[test]
    fn after_a_panic_in_abandoned_a_poll_reports_the_panic() {
        let pool = Pool::<NeverAbandoned>::new();
        let abandoned = || {
            let (completer, completion) = pool.rent();
            drop(completer);
            completion
        };
        let message = "polled after a panic: the function that creates the result of an abandoned operation panicked in an earlier poll";

        let mut completion = abandoned();
        assert_eq!(panic_text(|| poll(&mut completion)), "an operation was abandoned");
        assert!(completion.is_terminated() && !completion.is_completed());
        assert!(format!("{completion:?}").ends_with("Completion(\"panicked\")"), "{completion:?}");
        for _ in 0..2 {
            let text = panic_text(|| poll(&mut completion));
            assert!(text.contains(message), "{text}");
        }
        let completion = completion.try_take().unwrap_err();
        let mut future = ValueFuture::from(completion).checked();
        let Poll::Ready(Err(error)) = poll(&mut future) else { panic!("the operation has no result") };
        assert_eq!(error.rule(), Rule::PolledAfterPanic);

        let mut future = ValueFuture::from(abandoned());
        assert_eq!(panic_text(|| poll(&mut future)), "an operation was abandoned");
        assert!(panic_text(|| poll(&mut future)).contains("polled after a panic"));
        assert_eq!(panic_text(|| abandoned().try_take()), "an operation was abandoned");
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_waker_that_panics_in_clone_does_not_change_the_operation() {
        let pool = Pool::new();
        for registered in [false, true] {
            let (mut completer, mut completion) = pool.rent();
            let (task, before) = (Task::new(), Task::new());
            if registered {
                assert!(poll_with(&mut completion, &before.waker()).is_pending());
            }
            task.on_clone(|| panic!("the waker panics"));
            assert_waker_panics(|| drop(poll_with(&mut completion, &task.waker())));
            task.on_clone(|| panic!("the waker panics"));
            let waker = task.waker();
            assert_waker_panics(|| {
                let _ = completer.poll_closed(&mut Context::from_waker(&waker));
            });
            drop(waker);
            assert!(!completer.is_closed() && !completion.is_terminated());
            completer.complete(VALUE).unwrap();
            assert_eq!(before.woken.get(), usize::from(registered));
            assert!(poll(&mut completion).is_ready());
            assert_eq!(dropped(), 1);
            assert_idle(&pool, &[&task, &before]);
        }
    }

    #[test]
    fn a_waker_that_panics_in_clone_terminates_its_value_future() {
        let pool = Pool::<Option<Value>>::new();
        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        let task = Task::new();
        task.on_clone(|| panic!("the waker panics"));
        assert_waker_panics(|| drop(poll_with(&mut future, &task.waker())));
        assert!(completer.is_closed() && future.is_terminated());
        let text = panic_text(|| poll(&mut future));
        assert!(text.contains("polled after a panic") && text.contains("source arm"), "{text}");
        drop(completer.complete(VALUE).unwrap_err());
        assert_eq!(dropped(), 1);
        assert_idle(&pool, &[&task]);
    }

    /// Six functions end the operation in different ways. The operation has already ended when the waker panics.
    #[test]
    fn a_waker_that_panics_in_wake_does_not_change_the_result() {
        let pool = Pool::<Option<Value>>::new();
        let finish: [(Finish, bool); 6] = [
            (|_, completer| completer.complete(VALUE).unwrap(), true),
            (|_, completer| drop(completer), false),
            (|pool, completer| pool.complete_key(completer.into_key(), VALUE).unwrap(), true),
            (|pool, completer| pool.abandon_key(completer.into_key()).unwrap(), false),
            (|pool, completer| pool.complete_key(completer.key_while_held(), VALUE).unwrap(), true),
            (
                |_, completer| {
                    let _key = completer.key_while_held();
                    completer.complete(VALUE).unwrap();
                },
                true,
            ),
        ];
        for (finish, has_value) in finish {
            let (completer, mut completion) = pool.rent();
            let task = Task::new();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            task.on_wake(|| panic!("the waker panics"));
            assert_waker_panics(|| finish(&pool, completer));
            assert_eq!(task.woken.get(), 1);
            let Poll::Ready(result) = poll(&mut completion) else { panic!("the result was lost") };
            assert_eq!((result.is_some(), dropped()), (has_value, 0));
            drop(result);
            assert_idle(&pool, &[&task]);
        }
    }

    #[test]
    fn consumer_and_producer_are_woken_although_one_waker_panics() {
        let pool = Pool::<Option<Value>>::new();
        for panicking in [0, 1] {
            let (mut completer, mut completion) = pool.rent();
            let tasks = [Task::new(), Task::new()];
            assert!(poll_with(&mut completion, &tasks[0].waker()).is_pending());
            let producer_waker = tasks[1].waker();
            assert!(completer.poll_closed(&mut Context::from_waker(&producer_waker)).is_pending());
            drop(producer_waker);
            tasks[panicking].on_wake(|| panic!("the waker panics"));
            assert_waker_panics(|| pool.complete_key(completer.key_while_held(), VALUE).unwrap());
            assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [1, 1]);
            assert!(completer.is_closed());
            drop((completer, poll(&mut completion)));
            assert_eq!(dropped(), 1);
            assert_idle(&pool, &[&tasks[0], &tasks[1]]);
        }
    }

    #[test]
    fn a_panic_of_the_producer_waker_does_not_stop_the_drop_of_the_completion() {
        let pool = Pool::<Option<Value>>::new();
        let (mut completer, mut completion) = pool.rent();
        let (producer, consumer) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &consumer.waker()).is_pending());
        let waker = producer.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        producer.on_wake(|| panic!("the waker panics"));
        assert_waker_panics(|| drop(completion));
        assert!(completer.is_closed());
        drop(completer.complete(VALUE).unwrap_err());
        assert_idle(&pool, &[&producer, &consumer]);
    }

    #[test]
    fn a_consumer_waker_that_panics_in_drop_is_dropped_once() {
        let pool = Pool::<Option<Value>>::new();
        // The panicking waker is dropped in three ways: by a poll with another waker, by the drop of the completion, and by a poll of the
        // value future.
        let (completer, mut completion) = pool.rent();
        let (first, second) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &first.waker()).is_pending());
        first.on_drop(|| panic!("the waker panics"));
        assert_waker_panics(|| drop(poll_with(&mut completion, &second.waker())));
        second.on_drop(|| panic!("the waker panics"));
        assert_waker_panics(|| drop(completion));
        assert!(completer.is_closed());
        drop(completer);
        assert_idle(&pool, &[&first, &second]);

        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        assert!(poll_with(&mut future, &first.waker()).is_pending());
        first.on_drop(|| panic!("the waker panics"));
        assert_waker_panics(|| drop(poll_with(&mut future, &second.waker())));
        assert!(completer.is_closed() && future.is_terminated());
        drop(completer);
        assert_idle(&pool, &[&first, &second]);
    }

    #[test]
    fn a_producer_waker_that_panics_in_drop_is_dropped_once() {
        let pool = Pool::<Option<Value>>::new();
        let finish: [fn(Completer<Option<Value>>); 4] = [
            |completer| completer.complete(VALUE).unwrap(),
            drop,
            |completer| {
                let _key = completer.into_key();
            },
            |mut completer| {
                let _ =
                    completer.poll_closed(&mut Context::from_waker(std::task::Waker::noop()));
            },
        ];
        for finish in finish {
            let (mut completer, completion) = pool.rent();
            let task = Task::new();
            let waker = task.waker();
            assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            task.on_drop(|| panic!("the waker panics"));
            assert_waker_panics(|| finish(completer));
            drop(completion);
            assert_idle(&pool, &[&task]);
        }
    }
}
