//! A completer learns that nobody waits any more: when it asks, and by a waker if it has left one.

mod common;

use std::task::{Context, Poll, Waker};

use common::{for_both_pools, poll, poll_with, task::Task};

for_both_pools! {
    type Ends = (Completer<Option<u32>>, Completion<Option<u32>>);
    type End = fn(Ends) -> Poll<Option<u32>>;

    fn watch(completer: &mut Completer<Option<u32>>, waker: &Waker) -> Poll<()> {
        completer.poll_closed(&mut Context::from_waker(waker))
    }

    #[test]
    fn who_is_told_at_once_clones_no_waker() {
        let pool = Pool::<Option<u32>>::new();
        let task = Task::new();
        let (mut completer, completion) = pool.rent();
        drop(completion);
        let waker = task.waker();
        assert_eq!(watch(&mut completer, &waker), Poll::Ready(()));
        drop(waker);
        let (mut completer, completion) = pool.rent();
        pool.complete_key(completer.key_while_held(), Some(7)).unwrap();
        let waker = task.waker();
        assert_eq!(watch(&mut completer, &waker), Poll::Ready(()));
        drop(waker);
        assert_eq!((task.cloned.get(), task.wakers.get()), (0, 0));
        drop(completion);
    }

    #[test]
    fn is_abandoned_once_the_consumer_has_gone() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, mut completion) = pool.rent();
        assert!(!completer.is_closed());
        assert_eq!(poll(&mut completion), Poll::Pending);
        assert!(!completer.is_closed());
        drop(completion);
        assert!(completer.is_closed());
        drop(completer);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 1));
    }

    #[test]
    fn is_abandoned_once_somebody_with_the_key_was_faster() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, _completion) = pool.rent();
        let key = completer.key_while_held();
        assert!(!completer.is_closed());
        pool.complete_key(key, Some(7)).unwrap();
        assert!(completer.is_closed());
        let (completer, _completion) = pool.rent();
        pool.abandon_key(completer.key_while_held()).unwrap();
        assert!(completer.is_closed());
    }

    #[test]
    fn abandoned_is_the_future_of_it_and_may_be_made_again() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        let task = Task::new();
        for _ in 0..2 {
            let abandoned = &mut std::pin::pin!(completer.closed());
            assert!(poll_with(abandoned, &task.waker()).is_pending());
        }
        drop(completion);
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert!(poll(&mut std::pin::pin!(completer.closed())).is_ready());
    }

    #[test]
    fn a_watching_completer_is_woken_once_when_the_consumer_goes() {
        let pool = Pool::<Option<u32>>::new();
        let leave: [fn(Completion<Option<u32>>); 3] = [
            drop,
            |mut completion| {
                assert!(poll(&mut completion).is_pending());
                drop(completion);
            },
            |completion| drop(Erased::from(completion)),
        ];
        for leave in leave {
            let (mut completer, completion) = pool.rent();
            let task = Task::new();
            assert_eq!(watch(&mut completer, &task.waker()), Poll::Pending);
            assert_eq!((task.woken.get(), task.wakers.get()), (0, 1));
            leave(completion);
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            assert_eq!(watch(&mut completer, &task.waker()), Poll::Ready(()));
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0), "no waker is kept any more");
            assert_eq!(completer.complete(Some(7)).unwrap_err().into_value(), Some(7));
        }
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 3));
    }

    #[test]
    fn a_watching_completer_is_woken_once_when_its_key_is_used() {
        let pool = Pool::<Option<u32>>::new();
        for value in [Some(7), None] {
            let (mut completer, mut completion) = pool.rent();
            let (task, waiting) = (Task::new(), Task::new());
            let key = completer.key_while_held();
            assert_eq!(watch(&mut completer, &task.waker()), Poll::Pending);
            assert_eq!(poll_with(&mut completion, &waiting.waker()), Poll::Pending);
            match value {
                Some(_) => pool.complete_key(key, value).unwrap(),
                None => pool.abandon_key(key).unwrap(),
            }
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            assert_eq!((waiting.woken.get(), waiting.wakers.get()), (1, 0));
            assert_eq!(watch(&mut completer, &task.waker()), Poll::Ready(()));
            assert_eq!(poll(&mut completion), Poll::Ready(value));
        }
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_completer_without_a_key_is_not_woken_by_its_own_result() {
        let pool = Pool::<Option<u32>>::new();
        let end: [End; 3] = [
            |(completer, mut completion)| {
                completer.complete(Some(7)).unwrap();
                poll(&mut completion)
            },
            |(completer, mut completion)| {
                drop(completer);
                poll(&mut completion)
            },
            |(completer, mut completion)| {
                let _key = completer.into_key();
                poll(&mut completion)
            },
        ];
        let results = [Poll::Ready(Some(7)), Poll::Ready(None), Poll::Pending];
        for (end, result) in end.into_iter().zip(results) {
            let (mut completer, completion) = pool.rent();
            let task = Task::new();
            assert_eq!(watch(&mut completer, &task.waker()), Poll::Pending);
            assert_eq!(end((completer, completion)), result);
            assert_eq!((task.woken.get(), task.wakers.get()), (0, 0), "dropped, not woken");
        }
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn the_last_waker_of_a_completer_is_woken_and_the_others_are_dropped() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        let tasks = [Task::new(), Task::new(), Task::new()];
        for task in &tasks {
            assert_eq!(watch(&mut completer, &task.waker()), Poll::Pending);
        }
        assert_eq!([0, 1, 2].map(|n| tasks[n].wakers.get()), [0, 0, 1]);
        drop(completion);
        assert_eq!([0, 1, 2].map(|n| tasks[n].woken.get()), [0, 0, 1]);
    }

    #[test]
    fn the_wakers_of_the_two_ends_are_not_mixed_up() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, mut completion) = pool.rent();
        let (watching, waiting) = (Task::new(), Task::new());
        assert_eq!(poll_with(&mut completion, &waiting.waker()), Poll::Pending);
        assert_eq!(watch(&mut completer, &watching.waker()), Poll::Pending);
        completer.complete(Some(7)).unwrap();
        assert_eq!((waiting.woken.get(), watching.woken.get()), (1, 0));

        let (mut completer, mut completion) = pool.rent();
        assert_eq!(watch(&mut completer, &watching.waker()), Poll::Pending);
        assert_eq!(poll_with(&mut completion, &waiting.waker()), Poll::Pending);
        drop(completion);
        assert_eq!((waiting.woken.get(), watching.woken.get()), (1, 1));
        assert_eq!((waiting.wakers.get(), watching.wakers.get()), (0, 0));
    }

    #[test]
    fn a_completer_that_watches_late_is_told_at_once() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        drop(completion);
        let task = Task::new();
        assert_eq!(watch(&mut completer, &task.waker()), Poll::Ready(()));
        assert_eq!((task.woken.get(), task.wakers.get()), (0, 0));
    }

    /// A slot counts the wakers of an operation, and there is an end to that: then an end that
    /// changes its waker once more is told to poll again, and nothing is lost.
    #[test]
    #[cfg_attr(miri, ignore = "millions of polls")]
    fn millions_of_wakers_are_too_many_to_wait_with_but_not_to_get_the_result() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, mut completion) = pool.rent();
        let tasks = [Task::new(), Task::new()];
        let wakers = [tasks[0].waker(), tasks[1].waker()];
        for n in 0..1 << 21 {
            assert_eq!(poll_with(&mut completion, &wakers[n % 2]), Poll::Pending);
        }
        let woken = || tasks[0].woken.get() + tasks[1].woken.get();
        assert_eq!(woken(), 1, "by the poll that came when they were used up");
        assert_eq!(poll_with(&mut completion, &wakers[0]), Poll::Pending);
        assert_eq!(watch(&mut completer, &wakers[1]), Poll::Pending);
        assert_eq!(woken(), 3);
        assert_eq!((tasks[0].wakers.get(), tasks[1].wakers.get()), (1, 1), "none is kept");
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        let (completer, mut completion) = pool.rent();
        assert_eq!(poll_with(&mut completion, &wakers[0]), Poll::Pending);
        completer.complete(Some(8)).unwrap();
        assert_eq!(woken(), 4, "the next operation waits as usual");
    }
}
