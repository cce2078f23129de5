//! A completer observes that its operation is closed: with `is_closed`, `poll_closed` and `closed().await`.

mod common;

use std::task::{Context, Poll, Waker};

use common::{for_both_pools, poll, poll_with, task::Task};

for_both_pools! {
    type Handles = (Completer<Option<u32>>, Completion<Option<u32>>);
    type Finish = fn(Handles) -> Poll<Option<u32>>;

    fn poll_closed(completer: &mut Completer<Option<u32>>, waker: &Waker) -> Poll<()> {
        completer.poll_closed(&mut Context::from_waker(waker))
    }

    #[test]
    fn poll_closed_of_a_closed_operation_clones_no_waker() {
        let pool = Pool::<Option<u32>>::new();
        let task = Task::new();
        let (mut completer, completion) = pool.rent();
        drop(completion);
        let waker = task.waker();
        assert_eq!(poll_closed(&mut completer, &waker), Poll::Ready(()));
        drop(waker);
        let (mut completer, completion) = pool.rent();
        pool.complete_key(completer.key_while_held(), Some(7)).unwrap();
        let waker = task.waker();
        assert_eq!(poll_closed(&mut completer, &waker), Poll::Ready(()));
        drop(waker);
        assert_eq!((task.cloned.get(), task.wakers.get()), (0, 0));
        drop(completion);
    }

    #[test]
    fn is_closed_is_true_after_the_completion_is_dropped() {
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
    fn is_closed_is_true_after_a_key_ended_the_operation() {
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
    fn closed_can_be_awaited_again() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        let task = Task::new();
        for _ in 0..2 {
            let closed = &mut std::pin::pin!(completer.closed());
            assert!(poll_with(closed, &task.waker()).is_pending());
        }
        drop(completion);
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert!(poll(&mut std::pin::pin!(completer.closed())).is_ready());
    }

    #[test]
    fn the_task_of_poll_closed_is_woken_once_when_the_completion_is_dropped() {
        let pool = Pool::<Option<u32>>::new();
        let drop_completion: [fn(Completion<Option<u32>>); 3] = [
            drop,
            |mut completion| {
                assert!(poll(&mut completion).is_pending());
                drop(completion);
            },
            |completion| drop(ValueFuture::from(completion)),
        ];
        for drop_completion in drop_completion {
            let (mut completer, completion) = pool.rent();
            let task = Task::new();
            assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Pending);
            assert_eq!((task.woken.get(), task.wakers.get()), (0, 1));
            drop_completion(completion);
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Ready(()));
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0), "the slot keeps no waker");
            assert_eq!(completer.complete(Some(7)).unwrap_err().into_value(), Some(7));
        }
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 3));
    }

    #[test]
    fn the_task_of_poll_closed_is_woken_once_when_the_key_is_used() {
        let pool = Pool::<Option<u32>>::new();
        for value in [Some(7), None] {
            let (mut completer, mut completion) = pool.rent();
            let (task, consumer) = (Task::new(), Task::new());
            let key = completer.key_while_held();
            assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Pending);
            assert_eq!(poll_with(&mut completion, &consumer.waker()), Poll::Pending);
            match value {
                Some(_) => pool.complete_key(key, value).unwrap(),
                None => pool.abandon_key(key).unwrap(),
            }
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            assert_eq!((consumer.woken.get(), consumer.wakers.get()), (1, 0));
            assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Ready(()));
            assert_eq!(poll(&mut completion), Poll::Ready(value));
        }
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn the_task_of_poll_closed_is_not_woken_by_the_completer_itself() {
        let pool = Pool::<Option<u32>>::new();
        let finish: [Finish; 3] = [
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
        for (finish, result) in finish.into_iter().zip(results) {
            let (mut completer, completion) = pool.rent();
            let task = Task::new();
            assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Pending);
            assert_eq!(finish((completer, completion)), result);
            assert_eq!((task.woken.get(), task.wakers.get()), (0, 0), "the waker is dropped and not woken");
        }
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn only_the_latest_waker_of_poll_closed_is_woken() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        let tasks = [Task::new(), Task::new(), Task::new()];
        for task in &tasks {
            assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Pending);
        }
        assert_eq!([0, 1, 2].map(|n| tasks[n].wakers.get()), [0, 0, 1]);
        drop(completion);
        assert_eq!([0, 1, 2].map(|n| tasks[n].woken.get()), [0, 0, 1]);
    }

    #[test]
    fn completer_and_completion_have_separate_wakers() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, mut completion) = pool.rent();
        let (producer, consumer) = (Task::new(), Task::new());
        assert_eq!(poll_with(&mut completion, &consumer.waker()), Poll::Pending);
        assert_eq!(poll_closed(&mut completer, &producer.waker()), Poll::Pending);
        completer.complete(Some(7)).unwrap();
        assert_eq!((consumer.woken.get(), producer.woken.get()), (1, 0));

        let (mut completer, mut completion) = pool.rent();
        assert_eq!(poll_closed(&mut completer, &producer.waker()), Poll::Pending);
        assert_eq!(poll_with(&mut completion, &consumer.waker()), Poll::Pending);
        drop(completion);
        assert_eq!((consumer.woken.get(), producer.woken.get()), (1, 1));
        assert_eq!((consumer.wakers.get(), producer.wakers.get()), (0, 0));
    }

    #[test]
    fn poll_closed_is_ready_at_once_if_the_operation_is_closed() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, completion) = pool.rent();
        drop(completion);
        let task = Task::new();
        assert_eq!(poll_closed(&mut completer, &task.waker()), Poll::Ready(()));
        assert_eq!((task.woken.get(), task.wakers.get()), (0, 0));
    }

    /// A slot counts the wakers of an operation with a limited number of bits. After the limit, a poll with a new waker wakes that waker at
    /// once. So the task polls again, and no result is lost.
    #[test]
    #[cfg_attr(miri, ignore = "millions of polls")]
    fn after_millions_of_wakers_a_poll_wakes_at_once_and_the_result_arrives() {
        let pool = Pool::<Option<u32>>::new();
        let (mut completer, mut completion) = pool.rent();
        let tasks = [Task::new(), Task::new()];
        let wakers = [tasks[0].waker(), tasks[1].waker()];
        for n in 0..1 << 21 {
            assert_eq!(poll_with(&mut completion, &wakers[n % 2]), Poll::Pending);
        }
        let woken = || tasks[0].woken.get() + tasks[1].woken.get();
        assert_eq!(woken(), 1, "the poll at the limit wakes its waker");
        assert_eq!(poll_with(&mut completion, &wakers[0]), Poll::Pending);
        assert_eq!(poll_closed(&mut completer, &wakers[1]), Poll::Pending);
        assert_eq!(woken(), 3);
        assert_eq!((tasks[0].wakers.get(), tasks[1].wakers.get()), (1, 1), "the slot keeps no waker");
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        let (completer, mut completion) = pool.rent();
        assert_eq!(poll_with(&mut completion, &wakers[0]), Poll::Pending);
        completer.complete(Some(8)).unwrap();
        assert_eq!(woken(), 4, "the next operation has a new count");
    }
}
