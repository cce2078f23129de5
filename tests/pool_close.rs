//! An operation that was left to its key ends by the key, by `abandon_keys`, or with the last handle of
//! its pool: after that nobody could present a key, and its consumer would wait for ever.

mod common;

use std::task::{Context, Poll, Waker};

use common::{for_both_pools, panic_text, poll, poll_with, task::Task};
use value_future::{operation::CompleteErrorKind, pool::RentError};

for_both_pools! {
    type Value = Option<u32>;

    fn watch(completer: &mut Completer<Value>) -> bool {
        completer.poll_closed(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn all_that_was_left_to_keys_ends_and_nothing_else() {
        let pool = Pool::<Value>::new();
        assert_eq!(pool.abandon_keys(), 0);
        let task = Task::new();
        let mut left = [(); 40].map(|()| {
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
        for (key, completion) in &mut left {
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
    fn a_closed_pool_begins_nothing_and_leaves_nothing_to_keys() {
        let pool = Pool::<Value>::new();
        let clone = pool.clone();
        let task = Task::new();
        let mut left = [(); 40].map(|()| {
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
        assert!(left.iter_mut().all(|completion| poll(completion) == Poll::Ready(None)));
        assert_eq!((pool.close(), pool.is_closed(), clone.is_closed()), (0, true, true));
        assert_eq!(pool.try_rent().unwrap_err(), RentError::Closed);
        let text = panic_text(|| pool.rent());
        assert_eq!(text, "the pool is closed: `close` was called, and no operation can begin; `try_rent` returns that as an error, and `rent_when_vacant` waits");

        held.complete(Some(2)).unwrap();
        assert_eq!(poll(&mut waiting), Poll::Ready(Some(2)));
        let key = late.into_key();
        assert_eq!(poll(&mut other), Poll::Ready(None));
        assert!(pool.complete_key(key, Some(3)).is_err());
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn a_waker_that_panics_does_not_keep_a_pool_from_closing() {
        let pool = Pool::<Value>::new();
        let mut left = [(); 3].map(|()| {
            let (completer, completion) = pool.rent();
            let _key = completer.into_key();
            completion
        });
        let task = Task::new();
        task.on_wake(|| panic!("a waker panics"));
        assert!(poll_with(&mut left[0], &task.waker()).is_pending());
        assert_eq!(panic_text(|| pool.close()), "a waker panics");
        assert!(left.iter_mut().all(|completion| poll(completion) == Poll::Ready(None)));
    }

    #[test]
    fn the_last_handle_ends_what_was_left_to_keys() {
        let pool = Pool::<Value>::new();
        let task = Task::new();
        let mut left = [(); 40].map(|()| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            completion
        });
        let (held, mut waiting) = pool.rent();
        let _key = held.key_while_held();
        let clone = pool.clone();
        drop(pool);
        assert_eq!(task.woken.get(), 0, "there is a handle");
        drop(clone);
        assert_eq!((task.woken.get(), task.wakers.get()), (40, 0));
        for completion in &mut left {
            assert_eq!(poll(completion), Poll::Ready(None));
        }
        assert!(poll(&mut waiting).is_pending(), "its completer is there");
        held.complete(Some(2)).unwrap();
        assert_eq!(poll(&mut waiting), Poll::Ready(Some(2)));
    }

    #[test]
    fn a_completer_without_a_pool_that_is_turned_into_its_key_ends_the_wait() {
        type Before = fn(&mut Completer<Value>, &mut Completion<Value>) -> usize;
        let before: [Before; 5] = [
            |_, _| 0,
            |_, completion| usize::from(poll(completion).is_ready()),
            |completer, _| usize::from(watch(completer)),
            |completer, _| {
                let _key = completer.key_while_held();
                0
            },
            |completer, completion| {
                usize::from(watch(completer)) + usize::from(poll(completion).is_ready())
            },
        ];
        for before in before {
            for pool_goes_first in [false, true] {
                let pool = Pool::<Value>::new();
                let (mut completer, mut completion) = pool.rent();
                let mut pool = Some(pool);
                pool.take_if(|_| pool_goes_first);
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
    fn without_a_pool_everything_else_goes_on() {
        let ends = || {
            let pool = Pool::<Value>::new();
            let (completer, completion) = pool.rent();
            drop(pool);
            (completer, completion)
        };
        let (completer, completion) = ends();
        completer.complete(Some(1)).unwrap();
        assert_eq!(completion.try_take().unwrap(), Some(1));

        let (completer, mut completion) = ends();
        let (first, second) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &first.waker()).is_pending());
        assert!(poll_with(&mut completion, &second.waker()).is_pending());
        completer.complete(Some(2)).unwrap();
        assert_eq!((first.woken.get(), second.woken.get()), (0, 1));
        let mut erased = Erased::from(completion);
        assert_eq!(poll(&mut erased), Poll::Ready(Some(2)));

        let (mut completer, completion) = ends();
        assert!(!watch(&mut completer));
        drop(completion);
        assert!(watch(&mut completer));
        let _key = completer.into_key();
    }

    #[test]
    fn a_waker_that_panics_at_the_end_of_a_pool_keeps_nobody_waiting() {
        let pool = Pool::<Value>::new();
        let (bad, good) = (Task::new(), Task::new());
        let mut left = [&good, &bad, &good, &good].map(|task| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            completion
        });
        bad.on_wake(|| panic!("the waker panics"));
        assert_eq!(panic_text(|| drop(pool)), "the waker panics");
        assert_eq!(good.woken.get(), 3);
        for completion in &mut left {
            assert_eq!(poll(completion), Poll::Ready(None));
        }
    }

    #[test]
    fn a_waker_may_end_the_operations_that_are_next() {
        let pool = Pool::<Value>::new();
        let task = Task::new();
        let left = [(); 3].map(|()| {
            let (completer, mut completion) = pool.rent();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            let _key = completer.into_key();
            Some(completion)
        });
        let left = std::rc::Rc::new(std::cell::RefCell::new(left));
        let others = left.clone();
        task.on_wake(move || drop(std::mem::take(&mut *others.borrow_mut())));
        drop(pool);
        assert_eq!(task.wakers.get(), 0);
        assert!(left.borrow().iter().all(Option::is_none));
    }
}
