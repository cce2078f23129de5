//! An operation is called *detached* after its completer has become a key (`into_key`). Only the key can complete a detached operation.
//! `abandon_keys`, `close` and the drop of the last handle of the pool abandon detached operations. So no consumer waits forever for a
//! producer whose key can no longer be used.

mod common;

use std::task::{Context, Poll, Waker};

use common::{for_both_pools, panic_text, poll, poll_with, task::Task};
use value_future::{operation::CompleteErrorKind, pool::RentError};

for_both_pools! {
    type Value = Option<u32>;

    fn poll_closed(completer: &mut Completer<Value>) -> bool {
        completer.poll_closed(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn abandon_keys_abandons_all_detached_operations_and_no_other_operation() {
        let pool = Pool::<Value>::new();
        assert_eq!(pool.abandon_keys(), 0);
        let task = Task::new();
        let mut detached = [(); 40].map(|()| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            (completer.into_key(), completion)
        });
        let (held, mut waiting) = pool.rent();
        let held_key = held.key_while_held();
        let (unkeyed, mut other) = pool.rent();
        assert!(poll(&mut waiting).is_pending() && poll(&mut other).is_pending());

        assert_eq!(pool.abandon_keys(), 40);
        assert_eq!((task.woken.get(), task.wakers.get()), (40, 0));
        for (key, completion) in &mut detached {
            assert_eq!(pool.complete_key(*key, Some(1)).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
            assert_eq!(poll(completion), Poll::Ready(None));
        }
        assert_eq!(pool.abandon_keys(), 0);
        pool.complete_key(held_key, Some(2)).unwrap();
        assert_eq!(poll(&mut waiting), Poll::Ready(Some(2)));
        unkeyed.complete(Some(3)).unwrap();
        assert_eq!(poll(&mut other), Poll::Ready(Some(3)));
        drop(held);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn a_closed_pool_refuses_new_operations_and_abandons_detached_operations() {
        let pool = Pool::<Value>::new();
        let clone = pool.clone();
        let task = Task::new();
        let mut detached = [(); 40].map(|()| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            completion
        });
        let (held, mut waiting) = pool.rent();
        let (late, mut other) = pool.rent();
        assert!(poll(&mut waiting).is_pending() && !pool.is_closed());

        assert_eq!(clone.close(), 40);
        assert_eq!((task.woken.get(), task.wakers.get()), (40, 0));
        assert!(detached.iter_mut().all(|completion| poll(completion) == Poll::Ready(None)));
        assert_eq!((pool.close(), pool.is_closed(), clone.is_closed()), (0, true, true));
        assert_eq!(pool.try_rent().unwrap_err(), RentError::Closed);
        let text = panic_text(|| pool.rent());
        assert_eq!(text, "the pool is closed: `close` was called, and no operation can begin; `try_rent` and `rent_when_vacant` return that as an error");

        held.complete(Some(2)).unwrap();
        assert_eq!(poll(&mut waiting), Poll::Ready(Some(2)));
        let key = late.into_key();
        assert_eq!(poll(&mut other), Poll::Ready(None));
        assert!(pool.complete_key(key, Some(3)).is_err());
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn close_abandons_all_operations_although_a_waker_panics() {
        let pool = Pool::<Value>::new();
        let mut detached = [(); 3].map(|()| {
            let (completer, completion) = pool.rent();
            let _key = completer.into_key();
            completion
        });
        let task = Task::new();
        task.on_wake(|| panic!("a waker panics"));
        assert!(poll_with(&mut detached[0], &task.waker()).is_pending());
        assert_eq!(panic_text(|| pool.close()), "a waker panics");
        assert!(detached.iter_mut().all(|completion| poll(completion) == Poll::Ready(None)));
    }

    #[test]
    fn the_drop_of_the_last_handle_abandons_detached_operations() {
        let pool = Pool::<Value>::new();
        let task = Task::new();
        let mut detached = [(); 40].map(|()| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            completion
        });
        let (held, mut waiting) = pool.rent();
        let _key = held.key_while_held();
        let clone = pool.clone();
        drop(pool);
        assert_eq!(task.woken.get(), 0, "another handle exists");
        drop(clone);
        assert_eq!((task.woken.get(), task.wakers.get()), (40, 0));
        for completion in &mut detached {
            assert_eq!(poll(completion), Poll::Ready(None));
        }
        assert!(poll(&mut waiting).is_pending(), "the completer still exists");
        held.complete(Some(2)).unwrap();
        assert_eq!(poll(&mut waiting), Poll::Ready(Some(2)));
    }

    #[test]
    fn into_key_after_the_drop_of_the_pool_abandons_the_operation() {
        type Before = fn(&mut Completer<Value>, &mut Completion<Value>) -> usize;
        let before: [Before; 5] = [
            |_, _| 0,
            |_, completion| usize::from(poll(completion).is_ready()),
            |completer, _| usize::from(poll_closed(completer)),
            |completer, _| {
                let _key = completer.key_while_held();
                0
            },
            |completer, completion| {
                usize::from(poll_closed(completer)) + usize::from(poll(completion).is_ready())
            },
        ];
        for before in before {
            for pool_dropped_first in [false, true] {
                let pool = Pool::<Value>::new();
                let (mut completer, mut completion) = pool.rent();
                let mut pool = Some(pool);
                pool.take_if(|_| pool_dropped_first);
                assert_eq!(before(&mut completer, &mut completion), 0);
                drop(pool);
                let task = Task::new();
                assert!(poll_with(&mut completion, &task.waker()).is_pending());
                let _key = completer.into_key();
                assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
                assert_eq!(poll(&mut completion), Poll::Ready(None));
            }
        }
    }

    #[test]
    fn operations_with_a_completer_continue_after_the_drop_of_the_pool() {
        let begin = || {
            let pool = Pool::<Value>::new();
            let (completer, completion) = pool.rent();
            drop(pool);
            (completer, completion)
        };
        let (completer, completion) = begin();
        completer.complete(Some(1)).unwrap();
        assert_eq!(completion.try_take().unwrap(), Some(1));

        let (completer, mut completion) = begin();
        let (first, second) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &first.waker()).is_pending());
        assert!(poll_with(&mut completion, &second.waker()).is_pending());
        completer.complete(Some(2)).unwrap();
        assert_eq!((first.woken.get(), second.woken.get()), (0, 1));
        let mut future = ValueFuture::from(completion);
        assert_eq!(poll(&mut future), Poll::Ready(Some(2)));

        let (mut completer, completion) = begin();
        assert!(!poll_closed(&mut completer));
        drop(completion);
        assert!(poll_closed(&mut completer));
        let _key = completer.into_key();
    }

    #[test]
    fn the_drop_of_the_last_handle_abandons_all_operations_although_a_waker_panics() {
        let pool = Pool::<Value>::new();
        let (bad, good) = (Task::new(), Task::new());
        let mut detached = [&good, &bad, &good, &good].map(|task| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            completion
        });
        bad.on_wake(|| panic!("the waker panics"));
        assert_eq!(panic_text(|| drop(pool)), "the waker panics");
        assert_eq!(good.woken.get(), 3);
        for completion in &mut detached {
            assert_eq!(poll(completion), Poll::Ready(None));
        }
    }

    #[test]
    fn a_waker_can_drop_the_completions_that_are_abandoned_next() {
        let pool = Pool::<Value>::new();
        let task = Task::new();
        let completions = [(); 3].map(|()| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            Some(completion)
        });
        let completions = std::rc::Rc::new(std::cell::RefCell::new(completions));
        let others = completions.clone();
        task.on_wake(move || drop(std::mem::take(&mut *others.borrow_mut())));
        drop(pool);
        assert_eq!(task.wakers.get(), 0);
        assert!(completions.borrow().iter().all(Option::is_none));
    }
}
