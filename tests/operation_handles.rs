//! Tests of the less common methods of completers and completions, for example `close`, `take`, `try_take`, `into_raw` and `wait`.

mod common;

use std::{
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use common::{
    DropCounter, count, counter, for_both_pools, panic_text, poll, poll_with, task::Task,
};
use futures::executor::block_on;
use value_future::{
    Completer, LocalPool, LocalValueFuture, Pool, ReusableSource,
    operation::{CompleteError, CompleteErrorKind},
    pool::TakeError,
};

for_both_pools! {
    type Value = Option<u32>;

    #[test]
    fn close_returns_the_result_of_a_completed_operation() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(5)).unwrap();
        assert_eq!(completion.close(), Some(Some(5)));

        let (completer, completion) = pool.rent();
        assert_eq!(completion.close(), None);
        assert!(completer.is_closed());
        assert_eq!(completer.complete(Some(6)).unwrap_err().into_value(), Some(6));

        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(completion.close(), Some(None), "the operation was abandoned");

        let (completer, mut completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        assert_eq!(completion.close(), None, "the result was taken");

        let (mut completer, mut completion) = pool.rent();
        let (consumer, producer) = (Task::new(), Task::new());
        assert!(poll_with(&mut completion, &consumer.waker()).is_pending());
        let closed = &mut std::pin::pin!(completer.closed());
        assert!(poll_with(closed, &producer.waker()).is_pending());
        assert_eq!(completion.close(), None);
        assert_eq!((consumer.woken.get(), producer.woken.get()), (0, 1));
        assert_eq!((consumer.wakers.get(), poll(closed)), (0, Poll::Ready(())));
    }

    #[test]
    fn a_completion_reports_the_kind_of_its_result() {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let state = |completion: &Completion<Value>| {
            (completion.is_completed(), completion.has_value(), completion.is_abandoned())
        };
        assert_eq!(state(&completion), (false, false, false));
        completer.complete(Some(5)).unwrap();
        assert_eq!(state(&completion), (true, true, false));
        assert_eq!(poll(&mut completion), Poll::Ready(Some(5)));
        assert_eq!(state(&completion), (false, false, false), "the result was taken");
        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(state(&completion), (true, false, true));
    }

    #[test]
    fn take_distinguishes_pending_from_taken() {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        assert_eq!(completion.take(), Err(TakeError::Pending));
        completer.complete(Some(5)).unwrap();
        assert_eq!(completion.take(), Ok(Some(5)));
        assert_eq!(completion.take(), Err(TakeError::Taken));
        let (completer, mut completion) = pool.rent();
        drop(completer);
        assert_eq!((completion.is_abandoned(), completion.take()), (true, Ok(None)));
        let text = TakeError::Pending.to_string();
        assert_eq!(text, "there is no result yet: the operation is pending");
        assert_eq!(format!("{:?}", TakeError::Pending), format!("TakeError({text})"));
    }

    #[test]
    fn completer_and_completion_convert_to_pointers_and_back() {
        let drops = counter();
        let pool = PoolBuilder::<Option<DropCounter<'_>>>::default().build();
        let (completer, completion) = pool.rent();
        let (completer, completion) = (completer.into_raw(), completion.into_raw());
        assert_ne!(completer, std::ptr::null_mut());
        // SAFETY: the pointer comes from `into_raw`, and is used once.
        let completer = unsafe { Completer::<Option<DropCounter<'_>>>::from_raw(completer) };
        // SAFETY: this pointer comes from `into_raw` too, and is used once.
        let mut completion = unsafe { Completion::<Option<DropCounter<'_>>>::from_raw(completion) };
        assert!(poll(&mut completion).is_pending());
        assert!(completer.complete(Some(DropCounter(&drops))).is_ok());
        drop(completion);
        assert_eq!((count(&drops), pool.stats().live), (1, 0));
    }

    #[test]
    fn try_take_returns_a_result_without_a_poll() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(5)).unwrap();
        let future = ValueFuture::from(completion);
        assert!(future.is_ready());
        assert_eq!(future.try_take().unwrap(), Some(5));
        assert_eq!(pool.stats().live, 0);

        let (completer, completion) = pool.rent();
        let future = ValueFuture::from(completion);
        assert!(!future.is_ready());
        let future = future.try_take().unwrap_err();
        completer.complete(Some(6)).unwrap();
        assert_eq!(future.try_take().unwrap(), Some(6));

        let (completer, completion) = pool.rent();
        let future = completion.map(|value| value.map(|n| n + 1));
        completer.complete(Some(5)).unwrap();
        assert_eq!(block_on(future), Some(6));
        let (completer, completion) = pool.rent();
        completer.complete(Some(5)).unwrap();
        assert_eq!(completion.map(|value| value.unwrap() + 1).try_take().unwrap(), 6);
    }

    #[test]
    fn the_result_of_an_abandoned_operation_is_created_when_it_is_taken() {
        let pool = PoolBuilder::<u32>::default().build_with_abandoned(|| panic!("no result"));
        let (completer, completion) = pool.rent();
        drop(completer);
        let future = ValueFuture::from(completion);
        assert!(future.is_ready());
        assert_eq!(panic_text(|| block_on(future)), "no result");
        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(panic_text(|| completion.close()), "no result");
        assert_eq!(pool.stats().live, 0);
    }
}

#[test]
fn wait_blocks_until_the_operation_ends() {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    let (may_begin, wait) = mpsc::channel();
    let producer = thread::spawn(move || {
        wait.recv().unwrap();
        completer.complete(Some(5)).unwrap();
    });
    may_begin.send(()).unwrap();
    assert_eq!(completion.wait(), Some(5));
    producer.join().unwrap();

    let (completer, completion) = pool.rent();
    drop(completer);
    assert_eq!(completion.wait(), None);
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn wait_timeout_and_wait_deadline_return_the_completion_after_the_time() {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    let begin = Instant::now();
    let completion = completion.wait_timeout(Duration::from_millis(5)).unwrap_err();
    assert!(begin.elapsed() >= Duration::from_millis(5));
    let completion = completion.wait_deadline(begin).unwrap_err();
    let completion = completion.wait_timeout(Duration::ZERO).unwrap_err();
    // An unrelated unpark does not end the wait.
    thread::current().unpark();
    let completion = completion.wait_timeout(Duration::from_millis(1)).unwrap_err();
    let key = completer.into_key();
    let other = pool.clone();
    let producer = thread::spawn(move || other.complete_key(key, Some(5)).unwrap());
    assert_eq!(completion.wait_timeout(Duration::MAX).unwrap(), Some(5));
    producer.join().unwrap();
    assert_eq!(
        pool.complete_key(key, None).unwrap_err().kind(),
        CompleteErrorKind::AlreadyCompleted
    );

    let (completer, completion) = pool.rent();
    completer.complete(Some(6)).unwrap();
    assert_eq!(completion.wait_deadline(begin).unwrap(), Some(6), "the result was ready");
}

#[test]
fn the_producer_observes_the_drop_after_wait_timeout() {
    let pool = Pool::<Option<u32>>::new();
    let (mut completer, completion) = pool.rent();
    let consumer = thread::spawn(move || drop(completion.wait_timeout(Duration::from_millis(1))));
    block_on(completer.closed());
    assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
    consumer.join().unwrap();
}

#[test]
fn complete_fails_with_closed_after_the_completion_is_dropped() {
    fn assert_closed<T>(result: Result<(), CompleteError<T>>) {
        assert_eq!(result.unwrap_err().kind(), CompleteErrorKind::Closed);
    }
    for with_key in [false, true] {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        let _ = with_key.then(|| completer.key_while_held());
        drop(completion);
        assert_closed(completer.complete(Some(5)));

        let (completer, completion) = pool.rent();
        let _ = with_key.then(|| completer.key_while_held());
        assert_eq!(completion.close(), None);
        assert_closed(completer.complete(Some(5)));

        let local = LocalPool::<Option<u32>>::new();
        let (completer, completion) = local.rent();
        let _ = with_key.then(|| completer.key_while_held());
        drop(completion);
        assert_closed(completer.complete(Some(5)));

        let source = ReusableSource::<Option<u32>>::new();
        let (completer, future) = source.begin_with_completer().unwrap();
        let _ = with_key.then(|| completer.key_while_held());
        drop(future);
        assert_closed(completer.complete(Some(5)));
    }
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    pool.complete_key(completer.key_while_held(), Some(4)).unwrap();
    let error = completer.complete(Some(5)).unwrap_err();
    assert_eq!((error.kind(), error.value()), (CompleteErrorKind::AlreadyCompleted, &Some(5)));
    assert_eq!(block_on(completion), Some(4));
}

#[test]
fn a_completion_becomes_a_local_value_future() {
    let pool = Pool::<Option<Rc<u32>>>::new();
    let (completer, completion) = pool.rent();
    let future = LocalValueFuture::from(completion);
    completer.complete(Some(Rc::new(5))).unwrap();
    assert_eq!(block_on(future).as_deref(), Some(&5));
}

/// When this thread begins to wait, it drops the registered waker of another task. The destructor of that task parks the thread, and so
/// consumes the unpark token of the thread.
#[test]
fn wait_ends_although_a_destructor_parks_the_thread() {
    struct Task(Mutex<Option<Completer<Option<u32>>>>);
    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Task {
        fn drop(&mut self) {
            let completer = self.0.get_mut().unwrap().take().unwrap();
            completer.complete(Some(5)).unwrap();
            thread::park_timeout(Duration::from_millis(10));
        }
    }
    let (completer, mut completion) = Pool::new().rent();
    let task = Waker::from(Arc::new(Task(Mutex::new(Some(completer)))));
    assert!(poll_with(&mut completion, &task).is_pending());
    drop(task);
    let begin = Instant::now();
    let long = Duration::from_secs(60);
    assert_eq!(completion.wait_timeout(long).unwrap(), Some(5));
    assert!(begin.elapsed() < long, "the wake-up was lost");
}

/// `key_while_held` returns a key that is valid only while the completer exists.
#[test]
fn a_key_is_refused_after_its_completer_is_dropped() {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    let key = completer.key_while_held();
    drop(completer);
    let refused = pool.complete_key(key, Some(5)).unwrap_err();
    assert_eq!(refused.kind(), CompleteErrorKind::AlreadyCompleted);
    assert_eq!(block_on(completion), None);

    let (completer, completion) = pool.rent();
    pool.complete_key(completer.into_key(), Some(6)).unwrap();
    assert_eq!(block_on(completion), Some(6));
}
