//! Tests of wakers that use the pool in `clone`, `wake` or `drop`. The pool holds no lock during these calls, and each operation stays
//! consistent.

mod common;

use std::{
    cell::RefCell,
    rc::Rc,
    task::{Context, Poll},
};

use common::{for_both_pools, poll, poll_with, task::Task};
use futures::future::FusedFuture;

/// A value that an action takes later. It can be taken once.
type TakenOnce<T> = Rc<RefCell<Option<T>>>;

fn taken_once<T>(value: T) -> TakenOnce<T> {
    Rc::new(RefCell::new(Some(value)))
}

fn take<T>(value: &TakenOnce<T>) -> T {
    let value = value.borrow_mut().take();
    value.expect("the value is taken once")
}

for_both_pools! {
    type Value = Option<u32>;
    type SetHook = fn(&Rc<Task>, Box<dyn FnOnce()>);
    type Finish = fn(&Pool<Value>, Completer<Value>);

    /// Returns an action that runs other operations of the same pool.
    fn uses_pool(pool: &Pool<Value>) -> impl FnOnce() + 'static {
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
    fn assert_idle(pool: &Pool<Value>, task: &Rc<Task>) {
        task.assert_idle();
        let stats = pool.stats();
        assert_eq!((stats.live, stats.returned), (0, stats.rented));
        assert!(stats.high_water <= 2);
    }

    #[test]
    fn a_waker_can_use_the_pool_in_clone_wake_and_drop() {
        let pool = Pool::<Value>::new();
        let task = Task::new();
        let (completer, mut completion) = pool.rent();
        task.on_clone(uses_pool(&pool));
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        task.on_drop(uses_pool(&pool));
        let other = Task::new();
        assert!(poll_with(&mut completion, &other.waker()).is_pending());
        assert!(task.hooks_ran());
        other.on_wake(uses_pool(&pool));
        completer.complete(Some(7)).unwrap();
        assert!(other.hooks_ran());
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        assert_idle(&pool, &task);
        assert_idle(&pool, &other);

        let (_completer, mut completion) = pool.rent();
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        task.on_drop(uses_pool(&pool));
        drop(completion);
        assert!(task.hooks_ran());
    }

    #[test]
    fn a_waker_can_poll_or_drop_its_completion_in_wake() {
        let pool = Pool::<Value>::new();
        let finish: [(Finish, Value); 4] = [
            (|_, completer| completer.complete(Some(7)).unwrap(), Some(7)),
            (|_, completer| drop(completer), None),
            (|pool, completer| pool.complete_key(completer.into_key(), Some(7)).unwrap(), Some(7)),
            (|pool, completer| pool.abandon_key(completer.into_key()).unwrap(), None),
        ];
        for (finish, value) in finish {
            for (polls, converts) in [(true, false), (true, true), (false, false), (false, true)] {
                let (completer, mut completion) = pool.rent();
                let task = Task::new();
                assert!(poll_with(&mut completion, &task.waker()).is_pending());
                let (completion, uses_pool) = (taken_once(completion), uses_pool(&pool));
                let woken = Rc::clone(&completion);
                task.on_wake(move || {
                    let mut completion = take(&woken);
                    if polls && converts {
                        assert_eq!(poll(&mut ValueFuture::from(completion)), Poll::Ready(value));
                    } else if polls {
                        assert_eq!(poll(&mut completion), Poll::Ready(value));
                    } else if converts {
                        drop(ValueFuture::from(completion));
                    } else {
                        drop(completion);
                    }
                    uses_pool();
                });
                finish(&pool, completer);
                assert!(completion.borrow().is_none());
                assert_idle(&pool, &task);
            }
        }
    }

    /// The operation ends during the poll. The same poll returns the result, and the slot keeps no waker.
    #[test]
    fn a_waker_can_end_the_operation_in_clone() {
        let pool = Pool::<Value>::new();
        for (value, registered) in [(Some(7), false), (Some(7), true), (None, false), (None, true)] {
            let (completer, mut completion) = pool.rent();
            let (task, before) = (Task::new(), Task::new());
            if registered {
                assert!(poll_with(&mut completion, &before.waker()).is_pending());
            }
            task.on_clone(move || match value {
                Some(_) => completer.complete(value).unwrap(),
                None => drop(completer),
            });
            assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Ready(value));
            assert_eq!((before.woken.get(), task.woken.get()), (usize::from(registered), 0));
            assert_idle(&pool, &task);
            assert_idle(&pool, &before);
        }
    }

    #[test]
    fn a_waker_that_a_poll_replaces_can_end_the_operation_in_drop() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        let (first, second) = (Task::new(), Task::new());
        assert!(poll_with(&mut future, &first.waker()).is_pending());
        first.on_drop(move || completer.complete(Some(7)).unwrap());
        assert_eq!(poll_with(&mut future, &second.waker()), Poll::Pending);
        assert_eq!((first.woken.get(), second.woken.get()), (0, 1));
        assert!(!future.is_terminated());
        assert_eq!(poll(&mut future), Poll::Ready(Some(7)));
        assert_idle(&pool, &first);
        assert_idle(&pool, &second);
    }

    #[test]
    fn a_waker_can_use_the_completer_when_the_completion_is_dropped() {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let task = Task::new();
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        task.on_drop(move || assert_eq!(completer.complete(Some(7)).unwrap_err().into_value(), Some(7)));
        drop(completion);
        assert_idle(&pool, &task);
    }

    #[test]
    fn a_producer_waker_can_drop_its_completer_in_wake() {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let task = Task::new();
        let waker = task.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        let (completer, uses_pool) = (taken_once(completer), uses_pool(&pool));
        task.on_wake(move || {
            drop(take(&completer));
            uses_pool();
        });
        drop(completion);
        assert_idle(&pool, &task);
        assert_eq!(pool.stats().cancelled, 1);
    }

    #[test]
    fn a_producer_waker_can_drop_the_completion_in_clone_and_drop() {
        let pool = Pool::<Value>::new();
        let (mut completer, completion) = pool.rent();
        let task = Task::new();
        task.on_clone(move || drop(completion));
        let waker = task.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_ready());
        drop((waker, completer));
        assert_idle(&pool, &task);

        let (mut completer, completion) = pool.rent();
        let waker = task.waker();
        assert!(completer.poll_closed(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        task.on_drop(move || drop(completion));
        drop(completer);
        assert_idle(&pool, &task);
    }

    #[test]
    fn a_waker_can_drop_the_last_handle_of_the_pool() {
        let set_hook: [SetHook; 3] = [
            |task, action| task.on_clone(action),
            |task, action| task.on_wake(action),
            |task, action| task.on_drop(action),
        ];
        for set_hook in set_hook {
            let pool = Pool::<Value>::new();
            let (completer, mut completion) = pool.rent();
            let task = Task::new();
            set_hook(&task, Box::new(move || drop(pool)));
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            assert!(poll(&mut completion).is_pending());
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            completer.complete(Some(7)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
            assert!(task.hooks_ran());
        }
    }
}
