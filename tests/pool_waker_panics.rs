//! Wakers are foreign code: whatever panics in them, and wherever, the pool is in order, the slot
//! comes back, and everything is dropped once.

mod common;

use std::{
    cell::Cell,
    rc::Rc,
    task::{Context, Poll},
};

use common::{for_both_pools, panic_text, poll, poll_with, task::Task};
use futures::future::FusedFuture;
use value_future::{error::Rule, operation::Abandoned};

thread_local! {
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

/// Counts its drops.
#[derive(Debug)]
struct Value;

impl Drop for Value {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

/// The values that were dropped since this was asked last.
fn dropped() -> usize {
    DROPPED.take()
}

const QUIET: Option<Value> = Some(Value);
/// In this, a waker does what it was told to.
#[track_caller]
fn waker_panics(action: impl FnOnce()) {
    assert_eq!(panic_text(action), "the waker panics");
}

for_both_pools! {
    type End = fn(&Pool<Option<Value>>, Completer<Option<Value>>);

    /// The slots are back, and usable; and no waker is left.
    #[track_caller]
    fn in_order(pool: &Pool<Option<Value>>, tasks: &[&Rc<Task>]) {
        for task in tasks {
            assert!(task.is_done(), "it did not panic");
            assert_eq!((task.wakers.get(), Rc::strong_count(task)), (0, 1));
        }
        let stats = pool.stats();
        assert_eq!((stats.live, stats.returned), (0, stats.rented));
        let high_water = stats.high_water;
        let (completer, mut completion) = pool.rent();
        completer.complete(QUIET).unwrap();
        assert!(poll(&mut completion).is_ready());
        assert_eq!(pool.stats().high_water, high_water, "the slot is rented again");
        dropped();
    }

    /// An output that cannot stand in for a value that was not given.
    #[derive(Debug)]
    struct Strict;

    impl Abandoned for Strict {
        fn abandoned() -> Self {
            panic!("there has to be a value")
        }
    }

    #[test]
    fn after_a_panic_of_abandoned_a_completion_does_not_say_that_its_result_was_given_out() {
        let pool = Pool::<Strict>::new();
        let ended = || {
            let (completer, completion) = pool.rent();
            drop(completer);
            completion
        };
        let told = "polled after a panic: the function that makes the result of an abandoned operation panicked in an earlier poll";

        let mut completion = ended();
        assert_eq!(panic_text(|| poll(&mut completion)), "there has to be a value");
        assert!(completion.is_terminated() && !completion.is_completed());
        assert!(format!("{completion:?}").ends_with("Completion(\"panicked\")"), "{completion:?}");
        for _ in 0..2 {
            let text = panic_text(|| poll(&mut completion));
            assert!(text.contains(told), "{text}");
        }
        let completion = completion.try_take().unwrap_err();
        let mut erased = Erased::from(completion).checked();
        let Poll::Ready(Err(error)) = poll(&mut erased) else { panic!("there is no result") };
        assert_eq!(error.rule(), Rule::PolledAfterPanic);

        let mut erased = Erased::from(ended());
        assert_eq!(panic_text(|| poll(&mut erased)), "there has to be a value");
        assert!(panic_text(|| poll(&mut erased)).contains("polled after a panic"));
        assert_eq!(panic_text(|| ended().try_take()), "there has to be a value");
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_waker_that_panics_when_it_is_cloned_leaves_the_operation_as_it_was() {
        let pool = Pool::new();
        for waits in [false, true] {
            let (mut completer, mut completion) = pool.rent();
            let (task, before) = (Task::new(), Task::new());
            if waits {
                assert!(poll_with(&mut completion, &before.waker()).is_pending());
            }
            task.on_clone(|| panic!("the waker panics"));
            waker_panics(|| drop(poll_with(&mut completion, &task.waker())));
            task.on_clone(|| panic!("the waker panics"));
            let waker = task.waker();
            waker_panics(|| {
                let _ = completer.poll_closed(&mut Context::from_waker(&waker));
            });
            drop(waker);
            assert!(!completer.is_closed() && !completion.is_terminated());
            completer.complete(QUIET).unwrap();
            assert_eq!(before.woken.get(), usize::from(waits));
            assert!(poll(&mut completion).is_ready());
            assert_eq!(dropped(), 1);
            in_order(&pool, &[&task, &before]);
        }
    }

    #[test]
    fn an_erased_completion_whose_waker_panics_has_left() {
        let pool = Pool::<Option<Value>>::new();
        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        let task = Task::new();
        task.on_clone(|| panic!("the waker panics"));
        waker_panics(|| drop(poll_with(&mut erased, &task.waker())));
        assert!(completer.is_closed() && erased.is_terminated());
        let text = panic_text(|| poll(&mut erased));
        assert!(text.contains("polled after a panic") && text.contains("source arm"), "{text}");
        drop(completer.complete(QUIET).unwrap_err());
        assert_eq!(dropped(), 1);
        in_order(&pool, &[&task]);
    }

    /// However the operation ends: it has ended when the waker panics, and with a key both are woken.
    #[test]
    fn a_waker_that_panics_when_it_is_woken_is_too_late_to_disturb() {
        let pool = Pool::<Option<Value>>::new();
        let end: [(End, bool); 6] = [
            (|_, completer| completer.complete(QUIET).unwrap(), true),
            (|_, completer| drop(completer), false),
            (|pool, completer| pool.complete_key(completer.into_key(), QUIET).unwrap(), true),
            (|pool, completer| pool.abandon_key(completer.into_key()).unwrap(), false),
            (|pool, completer| pool.complete_key(completer.key_while_held(), QUIET).unwrap(), true),
            (
                |_, completer| {
                    let _key = completer.key_while_held();
                    completer.complete(QUIET).unwrap();
                },
                true,
            ),
        ];
        for (end, gives) in end {
            let (completer, mut completion) = pool.rent();
            let task = Task::new();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            task.on_wake(|| panic!("the waker panics"));
            waker_panics(|| end(&pool, completer));
            assert_eq!(task.woken.get(), 1);
            let Poll::Ready(result) = poll(&mut completion) else { panic!("lost") };
            assert_eq!((result.is_some(), dropped()), (gives, 0));
            drop(result);
            in_order(&pool, &[&task]);
        }
    }

    #[test]
    fn both_ends_are_woken_although_one_panics() {
        let pool = Pool::<Option<Value>>::new();
        for panicking in [0, 1] {
            let (mut completer, mut completion) = pool.rent();
            let tasks = [Task::new(), Task::new()];
            assert!(poll_with(&mut completion, &tasks[0].waker()).is_pending());
            let watcher = tasks[1].waker();
            assert!(completer.poll_closed(&mut Context::from_waker(&watcher)).is_pending());
            drop(watcher);
            tasks[panicking].on_wake(|| panic!("the waker panics"));
            waker_panics(|| pool.complete_key(completer.key_while_held(), QUIET).unwrap());
            assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [1, 1]);
            assert!(completer.is_closed());
            drop((completer, poll(&mut completion)));
            assert_eq!(dropped(), 1);
            in_order(&pool, &[&tasks[0], &tasks[1]]);
        }
    }

    #[test]
    fn the_watcher_that_panics_does_not_keep_the_consumer() {
        let pool = Pool::<Option<Value>>::new();
        let (mut completer, mut completion) = pool.rent();
        let (watching, waiting) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &waiting.waker()).is_pending());
        let waker = watching.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        watching.on_wake(|| panic!("the waker panics"));
        waker_panics(|| drop(completion));
        assert!(completer.is_closed());
        drop(completer.complete(QUIET).unwrap_err());
        in_order(&pool, &[&watching, &waiting]);
    }

    #[test]
    fn a_waker_that_panics_when_it_is_dropped_is_dropped_once() {
        let pool = Pool::<Option<Value>>::new();
        // By a change of the waker, by the consumer's going, and in the erased form.
        let (completer, mut completion) = pool.rent();
        let (first, second) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &first.waker()).is_pending());
        first.on_drop(|| panic!("the waker panics"));
        waker_panics(|| drop(poll_with(&mut completion, &second.waker())));
        second.on_drop(|| panic!("the waker panics"));
        waker_panics(|| drop(completion));
        assert!(completer.is_closed());
        drop(completer);
        in_order(&pool, &[&first, &second]);

        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        assert!(poll_with(&mut erased, &first.waker()).is_pending());
        first.on_drop(|| panic!("the waker panics"));
        waker_panics(|| drop(poll_with(&mut erased, &second.waker())));
        assert!(completer.is_closed() && erased.is_terminated());
        drop(completer);
        in_order(&pool, &[&first, &second]);
    }

    #[test]
    fn a_watcher_that_panics_when_it_is_dropped_is_dropped_once() {
        let pool = Pool::<Option<Value>>::new();
        let end: [fn(Completer<Option<Value>>); 4] = [
            |completer| completer.complete(QUIET).unwrap(),
            drop,
            |completer| {
                let _key = completer.into_key();
            },
            |mut completer| {
                let _ =
                    completer.poll_closed(&mut Context::from_waker(std::task::Waker::noop()));
            },
        ];
        for end in end {
            let (mut completer, completion) = pool.rent();
            let task = Task::new();
            let waker = task.waker();
            assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            task.on_drop(|| panic!("the waker panics"));
            waker_panics(|| end(completer));
            drop(completion);
            in_order(&pool, &[&task]);
        }
    }
}
