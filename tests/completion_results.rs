//! The result of an operation of a pool: the value of its completer, or `Abandoned::abandoned()` if the completer is dropped.
//! If the completion was dropped, `complete` returns the value.

mod common;

use std::{error::Error, io, task::Poll};

use common::{
    DropCounter, count, counter, for_both_pools, panic_text, poll, poll_with, task::Task,
};
use futures::{executor::block_on, future::FusedFuture};
use value_future::{Dropped, operation::Abandoned};

#[derive(Debug, PartialEq)]
enum Reply {
    Rows(u64),
    ConnectionLost,
}

impl Abandoned for Reply {
    fn abandoned() -> Self {
        Reply::ConnectionLost
    }
}

#[test]
fn the_error_dropped_has_a_message_and_an_io_error_kind() {
    let text = "the operation was ended without a value: its completer was dropped, its key was abandoned, or its pool was closed";
    assert_eq!(Dropped.to_string(), text);
    let error = io::Error::from(Dropped);
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<Dropped>));
}

for_both_pools! {
    #[test]
    fn complete_then_poll_returns_the_value() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        assert_eq!(completer.complete(Some(7)), Ok(()));
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn is_completed_is_true_while_a_result_can_be_taken() {
        let pool = Pool::<Option<u32>>::new();
        let (completer, mut completion) = pool.rent();
        assert!(!completion.is_completed());
        assert!(poll(&mut completion).is_pending() && !completion.is_completed());
        completer.complete(Some(7)).unwrap();
        assert!(completion.is_completed());
        assert!(poll(&mut completion).is_ready() && !completion.is_completed());
        let (completer, completion) = pool.rent();
        drop(completer);
        assert!(completion.is_completed());
    }

    #[test]
    fn build_with_abandoned_sets_the_result_of_abandoned_operations() {
        let pool = PoolBuilder::<u64>::default().build_with_abandoned(|| u64::MAX);
        let (completer, mut completion) = pool.rent();
        drop(completer);
        assert_eq!(poll(&mut completion), Poll::Ready(u64::MAX));

        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        assert!(poll(&mut future).is_pending());
        pool.abandon_key(completer.into_key()).unwrap();
        assert_eq!(poll(&mut future), Poll::Ready(u64::MAX));

        let (completer, completion) = pool.rent();
        completer.complete(5).unwrap();
        let (detached, last) = pool.rent();
        let _key = detached.into_key();
        drop(pool);
        assert_eq!((block_on(completion), block_on(last)), (5, u64::MAX));
    }

    #[test]
    fn poll_then_complete_wakes_once() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let task = Task::new();
        assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Pending);
        assert_eq!((task.woken.get(), task.wakers.get()), (0, 1), "the slot keeps one waker");
        assert_eq!(completer.complete(Some(7)), Ok(()));
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Ready(Some(7)));
        assert_eq!((task.woken.get(), task.cloned.get()), (1, 1));
    }

    #[test]
    fn a_poll_with_the_same_waker_clones_nothing() {
        let pool = Pool::<Option<u32>>::new();
        let (_completer, mut completion) = pool.rent();
        let task = Task::new();
        let waker = task.waker();
        for _ in 0..3 {
            assert_eq!(poll_with(&mut completion, &waker), Poll::Pending);
        }
        assert_eq!((task.cloned.get(), task.wakers.get(), task.woken.get()), (1, 2, 0));
    }

    #[test]
    fn only_the_latest_waker_is_woken() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let tasks = [Task::new(), Task::new(), Task::new()];
        for task in &tasks {
            assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Pending);
        }
        assert_eq!([0, 1, 2].map(|n| tasks[n].wakers.get()), [0, 0, 1]);
        completer.complete(Some(7)).unwrap();
        assert_eq!([0, 1, 2].map(|n| tasks[n].woken.get()), [0, 0, 1]);
        assert_eq!(tasks[2].wakers.get(), 0);
        assert_eq!(block_on(completion), Some(7));
    }

    #[test]
    fn a_dropped_completer_wakes_the_task_once_and_abandons_the_operation() {
        fn result<T: Abandoned>() -> T {
            let pool = Pool::<T>::new();
            let (completer, mut completion) = pool.rent();
            let task = Task::new();
            assert!(poll_with(&mut completion, &task.waker()).is_pending());
            drop(completer);
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            let result = block_on(completion);
            assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
            result
        }
        assert_eq!(result::<Option<u32>>(), None);
        assert_eq!(result::<Result<u32, Dropped>>(), Err(Dropped));
        assert_eq!(result::<io::Result<u32>>().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(result::<Reply>(), Reply::ConnectionLost);
    }

    #[test]
    fn a_completer_dropped_before_the_first_poll_abandons_the_operation() {
        let pool = Pool::<Reply>::new();
        let (completer, mut completion) = pool.rent();
        drop(completer);
        assert_eq!(poll(&mut completion), Poll::Ready(Reply::ConnectionLost));
        let (completer, completion) = pool.rent();
        completer.complete(Reply::Rows(3)).unwrap();
        assert_eq!(block_on(completion), Reply::Rows(3), "the next operation is not affected");
    }

    #[test]
    fn complete_after_drop_of_the_completion_returns_the_value() {
        let dropped = counter();
        let pool = Pool::new();
        for polled in [false, true] {
            let (completer, mut completion) = pool.rent();
            let task = Task::new();
            if polled {
                assert!(poll_with(&mut completion, &task.waker()).is_pending());
            }
            drop(completion);
            assert_eq!((task.wakers.get(), task.woken.get()), (0, 0), "the waker is dropped and not woken");
            let value = completer.complete(Some(DropCounter(&dropped))).unwrap_err();
            assert_eq!(count(&dropped), 0);
            assert!(value.value().is_some());
            drop(value);
            assert_eq!(count(&dropped), 1);
            dropped.store(0, std::sync::atomic::Ordering::Relaxed);
        }
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 2));
    }

    #[test]
    fn a_value_that_is_not_taken_is_dropped_with_the_completion() {
        let dropped = counter();
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(DropCounter(&dropped))).unwrap();
        assert_eq!(count(&dropped), 0);
        drop(completion);
        assert_eq!(count(&dropped), 1);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0), "a completed operation is not cancelled");
    }

    #[test]
    fn try_take_returns_the_result_or_the_completion() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        let mut completion = completion.try_take().unwrap_err();
        let task = Task::new();
        assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Pending);
        let completion = completion.try_take().unwrap_err();
        assert_eq!((task.wakers.get(), task.woken.get()), (1, 0), "the slot keeps the waker");
        completer.complete(Some(7)).unwrap();
        assert_eq!(task.woken.get(), 1);
        assert_eq!(completion.try_take().unwrap(), Some(7));

        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(completion.try_take().unwrap(), None);

        let (completer, mut completion) = pool.rent();
        completer.complete(Some(8)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(8)));
        let taken = completion.try_take().unwrap_err();
        assert!(taken.is_terminated(), "its result was taken");
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
    fn a_poll_after_completion_panics_with_a_message() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        assert!(!completion.is_terminated());
        assert_eq!(poll(&mut completion), Poll::Pending);
        completer.complete(Some(7)).unwrap();
        assert!(!completion.is_terminated(), "the result is not taken");
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        // The next operation of the slot is not affected.
        let (completer, mut next) = pool.rent();
        for _ in 0..2 {
            assert!(completion.is_terminated());
            assert_eq!(
                panic_text(|| poll(&mut completion)),
                "completion of `core::option::Option<i32>` polled after completion: its result was already returned, and a result is returned once"
            );
        }
        drop(completion);
        completer.complete(Some(8)).unwrap();
        assert_eq!(poll(&mut next), Poll::Ready(Some(8)));
    }

    #[test]
    fn concurrent_operations_get_their_own_values() {
        let pool = Pool::new();
        let (mut completers, completions): (Vec<_>, Vec<_>) = (0..100).map(|_| pool.rent()).unzip();
        assert_eq!(pool.stats().live, 100);
        for (n, completer) in completers.drain(..).enumerate().rev() {
            completer.complete(Some(n)).unwrap();
        }
        for (n, completion) in completions.into_iter().enumerate() {
            assert_eq!(block_on(completion), Some(n));
        }
        let stats = pool.stats();
        assert_eq!(
            (stats.live, stats.rented, stats.returned, stats.high_water),
            (0, 100, 100, 100)
        );
    }

    #[test]
    fn a_zero_sized_value_and_a_large_value_arrive() {
        let units = Pool::<Option<()>>::new();
        let (completer, completion) = units.rent();
        completer.complete(Some(())).unwrap();
        assert_eq!(block_on(completion), Some(()));

        let large = Pool::<Option<[u64; 100]>>::default();
        let (completer, completion) = large.rent();
        completer.complete(Some(std::array::from_fn(|n| n as u64))).unwrap();
        assert_eq!(block_on(completion).unwrap()[99], 99);
    }
}
