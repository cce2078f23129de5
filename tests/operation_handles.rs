//! What the two ends of an operation offer besides completing and awaiting.

mod common;

use std::{
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use common::{Loud, count, drops, for_both_pools, panic_text, poll, poll_with, task::Task};
use futures::executor::block_on;
use value_future::{
    Completer, LocalPool, LocalValueFuture, Pool, ReusableSource,
    operation::{CompleteError, CompleteErrorKind},
    pool::TakeError,
};

for_both_pools! {
    type Value = Option<u32>;

    #[test]
    fn close_takes_what_the_producer_was_told_is_delivered() {
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
        assert_eq!(completion.close(), Some(None), "it was abandoned");

        let (completer, mut completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        assert_eq!(completion.close(), None, "it was taken");

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
    fn a_completion_tells_what_kind_of_result_there_is() {
        let pool = Pool::<Value>::new();
        let (completer, mut completion) = pool.rent();
        let told = |completion: &Completion<Value>| {
            (completion.is_completed(), completion.has_value(), completion.is_abandoned())
        };
        assert_eq!(told(&completion), (false, false, false));
        completer.complete(Some(5)).unwrap();
        assert_eq!(told(&completion), (true, true, false));
        assert_eq!(poll(&mut completion), Poll::Ready(Some(5)));
        assert_eq!(told(&completion), (false, false, false), "it was taken");
        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(told(&completion), (true, false, true));
    }

    #[test]
    fn take_tells_nothing_yet_from_nothing_any_more() {
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
    fn ends_go_through_foreign_code_as_pointers() {
        let drops = drops();
        let pool = PoolBuilder::<Option<Loud<'_>>>::default().build();
        let (completer, completion) = pool.rent();
        let (one, other) = (completer.into_raw(), completion.into_raw());
        assert_ne!(one, std::ptr::null_mut());
        // SAFETY: it comes from `into_raw`, once.
        let completer = unsafe { Completer::<Option<Loud<'_>>>::from_raw(one) };
        // SAFETY: as above.
        let mut completion = unsafe { Completion::<Option<Loud<'_>>>::from_raw(other) };
        assert!(poll(&mut completion).is_pending());
        assert!(completer.complete(Some(Loud(&drops))).is_ok());
        drop(completion);
        assert_eq!((count(&drops), pool.stats().live), (1, 0));
    }

    #[test]
    fn a_result_that_is_there_is_taken_without_a_poll() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        completer.complete(Some(5)).unwrap();
        let future = Erased::from(completion);
        assert!(future.is_ready());
        assert_eq!(future.try_take().unwrap(), Some(5));
        assert_eq!(pool.stats().live, 0);

        let (completer, completion) = pool.rent();
        let future = Erased::from(completion);
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
    fn abandoned_results_are_made_when_they_are_asked_for() {
        let pool = PoolBuilder::<u32>::default().build_with_abandoned(|| panic!("no result"));
        let (completer, completion) = pool.rent();
        drop(completer);
        let erased = Erased::from(completion);
        assert!(erased.is_ready());
        assert_eq!(panic_text(|| block_on(erased)), "no result");
        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(panic_text(|| completion.close()), "no result");
        assert_eq!(pool.stats().live, 0);
    }
}

#[test]
fn a_thread_waits_for_a_result() {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    let (begun, wait) = mpsc::channel();
    let producer = thread::spawn(move || {
        wait.recv().unwrap();
        completer.complete(Some(5)).unwrap();
    });
    begun.send(()).unwrap();
    assert_eq!(completion.wait(), Some(5));
    producer.join().unwrap();

    let (completer, completion) = pool.rent();
    drop(completer);
    assert_eq!(completion.wait(), None);
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn a_thread_waits_for_a_while() {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    let begin = Instant::now();
    let completion = completion.wait_timeout(Duration::from_millis(5)).unwrap_err();
    assert!(begin.elapsed() >= Duration::from_millis(5));
    let completion = completion.wait_deadline(begin).unwrap_err();
    let completion = completion.wait_timeout(Duration::ZERO).unwrap_err();
    // A wake-up that is for something else ends nothing.
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
    assert_eq!(completion.wait_deadline(begin).unwrap(), Some(6), "it was there");
}

#[test]
fn what_is_waited_for_may_be_cancelled_meanwhile() {
    let pool = Pool::<Option<u32>>::new();
    let (mut completer, completion) = pool.rent();
    let consumer = thread::spawn(move || drop(completion.wait_timeout(Duration::from_millis(1))));
    block_on(completer.closed());
    assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
    consumer.join().unwrap();
}

#[test]
fn the_error_of_complete_says_that_the_consumer_has_gone() {
    fn closed<T>(result: Result<(), CompleteError<T>>) {
        assert_eq!(result.unwrap_err().kind(), CompleteErrorKind::Closed);
    }
    for with_key in [false, true] {
        let pool = Pool::<Option<u32>>::new();
        let (completer, completion) = pool.rent();
        let _ = with_key.then(|| completer.key_while_held());
        drop(completion);
        closed(completer.complete(Some(5)));

        let (completer, completion) = pool.rent();
        let _ = with_key.then(|| completer.key_while_held());
        assert_eq!(completion.close(), None);
        closed(completer.complete(Some(5)));

        let local = LocalPool::<Option<u32>>::new();
        let (completer, completion) = local.rent();
        let _ = with_key.then(|| completer.key_while_held());
        drop(completion);
        closed(completer.complete(Some(5)));

        let source = ReusableSource::<Option<u32>>::new();
        let (completer, future) = source.begin_held().unwrap();
        let _ = with_key.then(|| completer.key_while_held());
        drop(future);
        closed(completer.complete(Some(5)));
    }
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    pool.complete_key(completer.key_while_held(), Some(4)).unwrap();
    let error = completer.complete(Some(5)).unwrap_err();
    assert_eq!((error.kind(), error.value()), (CompleteErrorKind::AlreadyCompleted, &Some(5)));
    assert_eq!(block_on(completion), Some(4));
}

#[test]
fn a_completion_of_any_thread_becomes_a_future_of_one_thread() {
    let pool = Pool::<Option<Rc<u32>>>::new();
    let (completer, completion) = pool.rent();
    let future = LocalValueFuture::from(completion);
    completer.complete(Some(Rc::new(5))).unwrap();
    assert_eq!(block_on(future).as_deref(), Some(&5));
}

/// The waker of another task is dropped when this thread waits. Its destructor parks, and takes the token of the wake-up.
#[test]
fn a_destructor_that_parks_does_not_take_the_wake_up() {
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
    let begun = Instant::now();
    let long = Duration::from_secs(60);
    assert_eq!(completion.wait_timeout(long).unwrap(), Some(5));
    assert!(begun.elapsed() < long, "the wake-up was lost");
}

/// The name says it: the key of a completer that was dropped completes nothing.
#[test]
fn a_key_is_refused_when_its_completer_was_dropped() {
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
