//! A waker may do with the pool whatever it likes, where it is cloned, woken or dropped: nothing is
//! locked then, and no operation is in between.

mod common;

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Poll},
};

use common::{for_both_pools, poll, poll_with, task::Task};
use futures::future::FusedFuture;

/// Something that an action takes out, later and once.
type Later<T> = Rc<RefCell<Option<T>>>;

fn later<T>(value: T) -> Later<T> {
    Rc::new(RefCell::new(Some(value)))
}

fn now<T>(value: &Later<T>) -> T {
    let value = value.borrow_mut().take();
    value.expect("it is taken once")
}

for_both_pools! {
    type Value = Option<u32>;
    type When = fn(&Rc<Task>, Box<dyn FnOnce()>);
    type End = fn(&Pool<Value>, Completer<Value>);

    /// Other operations of the same pool, from the beginning to the end.
    fn uses(pool: &Pool<Value>) -> impl FnOnce() + 'static {
        let pool = pool.clone();
        move || {
            let (completer, mut completion) = pool.rent();
            assert!(poll(&mut completion).is_pending());
            pool.complete_key(completer.into_key(), Some(1)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(1)));
            drop(pool.rent());
        }
    }

    #[track_caller]
    fn in_order(pool: &Pool<Value>, task: &Rc<Task>) {
        assert!(task.is_done(), "it was not called");
        assert_eq!((task.wakers.get(), Rc::strong_count(task)), (0, 1));
        let stats = pool.stats();
        assert_eq!((stats.live, stats.returned), (0, stats.rented));
        assert!(stats.high_water <= 2);
    }

    #[test]
    fn a_waker_may_use_the_pool_whenever_it_is_called() {
        let pool = Pool::<Value>::new();
        let task = Task::new();
        let (completer, mut completion) = pool.rent();
        task.on_clone(uses(&pool));
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        task.on_drop(uses(&pool));
        let other = Task::new();
        assert!(poll_with(&mut completion, &other.waker()).is_pending());
        assert!(task.is_done());
        other.on_wake(uses(&pool));
        completer.complete(Some(7)).unwrap();
        assert!(other.is_done());
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        in_order(&pool, &task);
        in_order(&pool, &other);

        let (_completer, mut completion) = pool.rent();
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        task.on_drop(uses(&pool));
        drop(completion);
        assert!(task.is_done());
    }

    #[test]
    fn a_waker_may_poll_and_drop_its_completion_when_it_is_woken() {
        let pool = Pool::<Value>::new();
        let end: [(End, Value); 4] = [
            (|_, completer| completer.complete(Some(7)).unwrap(), Some(7)),
            (|_, completer| drop(completer), None),
            (|pool, completer| pool.complete_key(completer.into_key(), Some(7)).unwrap(), Some(7)),
            (|pool, completer| pool.abandon_key(completer.into_key()).unwrap(), None),
        ];
        for (end, value) in end {
            for (polls, erased) in [(true, false), (true, true), (false, false), (false, true)] {
                let (completer, mut completion) = pool.rent();
                let task = Task::new();
                assert!(poll_with(&mut completion, &task.waker()).is_pending());
                let (completion, uses) = (later(completion), uses(&pool));
                let woken = Rc::clone(&completion);
                task.on_wake(move || {
                    let mut completion = now(&woken);
                    if polls && erased {
                        assert_eq!(poll(&mut Erased::from(completion)), Poll::Ready(value));
                    } else if polls {
                        assert_eq!(poll(&mut completion), Poll::Ready(value));
                    } else if erased {
                        drop(Erased::from(completion));
                    } else {
                        drop(completion);
                    }
                    uses();
                });
                end(&pool, completer);
                assert!(completion.borrow().is_none());
                in_order(&pool, &task);
            }
        }
    }

    /// The result comes in the middle of the poll: it is given out by the same poll, and no waker
    /// is kept for it.
    #[test]
    fn a_waker_may_end_the_operation_when_it_is_cloned() {
        let pool = Pool::<Value>::new();
        for (value, waits) in [(Some(7), false), (Some(7), true), (None, false), (None, true)] {
            let (completer, mut completion) = pool.rent();
            let (task, before) = (Task::new(), Task::new());
            if waits {
                assert!(poll_with(&mut completion, &before.waker()).is_pending());
            }
            task.on_clone(move || match value {
                Some(_) => completer.complete(value).unwrap(),
                None => drop(completer),
            });
            assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Ready(value));
            assert_eq!((before.woken.get(), task.woken.get()), (usize::from(waits), 0));
            in_order(&pool, &task);
            in_order(&pool, &before);
        }
    }

    #[test]
    fn a_waker_may_end_the_operation_when_it_is_dropped_for_another() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        let (first, second) = (Task::new(), Task::new());
        assert!(poll_with(&mut erased, &first.waker()).is_pending());
        first.on_drop(move || completer.complete(Some(7)).unwrap());
        assert_eq!(poll_with(&mut erased, &second.waker()), Poll::Pending);
        assert_eq!((first.woken.get(), second.woken.get()), (0, 1));
        assert!(!erased.is_terminated());
        assert_eq!(poll(&mut erased), Poll::Ready(Some(7)));
        in_order(&pool, &first);
        in_order(&pool, &second);
    }

    #[test]
    fn a_waker_may_drop_the_completer_when_the_consumer_leaves() {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let task = Task::new();
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        task.on_drop(move || assert_eq!(completer.complete(Some(7)).unwrap_err().into_value(), Some(7)));
        drop(completion);
        in_order(&pool, &task);
    }

    #[test]
    fn a_watcher_may_drop_its_completer_when_it_is_woken() {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let task = Task::new();
        let waker = task.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let (completer, uses) = (later(completer), uses(&pool));
        task.on_wake(move || {
            drop(now(&completer));
            uses();
        });
        drop(completion);
        in_order(&pool, &task);
        assert_eq!(pool.stats().cancelled, 1);
    }

    #[test]
    fn a_watcher_may_drop_the_consumer_when_it_is_cloned_or_dropped() {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let task = Task::new();
        task.on_clone(move || drop(completion));
        let waker = task.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_ready());
        drop((waker, completer));
        in_order(&pool, &task);

        let (mut completer, completion) = pool.rent();
        let waker = task.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        task.on_drop(move || drop(completion));
        drop(completer);
        in_order(&pool, &task);
    }

    #[test]
    fn a_waker_may_drop_the_last_handle_of_the_pool() {
        let when: [When; 3] = [
            |task, action| task.on_clone(action),
            |task, action| task.on_wake(action),
            |task, action| task.on_drop(action),
        ];
        for when in when {
            let pool = Pool::<Value>::new();
            let (completer, mut completion) = pool.rent();
            let task = Task::new();
            when(&task, Box::new(move || drop(pool)));
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            assert!(poll(&mut completion).is_pending());
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            completer.complete(Some(7)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
            assert!(task.is_done());
        }
    }
}
