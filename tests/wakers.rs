//! A value future passes the waker of each poll to its source or its boxed future. A waker can drop its future in `wake`.

mod common;

use std::{
    sync::{Arc, Mutex, mpsc},
    task::{Poll, Wake, Waker},
    thread,
};

use common::{ManualSource, count, poll, poll_with};
use futures::executor::block_on;
use futures_test::task::new_count_waker;
use value_future::{Source, ValueFuture};

#[test]
fn a_source_gets_the_waker_of_the_latest_poll() {
    let source = Source::new(ManualSource::new());
    let mut future = ValueFuture::from_source(&source, source.live());
    let (first, first_woken) = new_count_waker();
    let (last, last_woken) = new_count_waker();
    assert_eq!(poll_with(&mut future, &first), Poll::Pending);
    assert_eq!(poll_with(&mut future, &last), Poll::Pending);
    source.complete(7);
    assert_eq!((first_woken.get(), last_woken.get()), (0, 1));
    assert_eq!(poll_with(&mut future, &last), Poll::Ready(7));
}

#[test]
fn a_boxed_future_gets_the_waker_of_the_latest_poll() {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let mut future = ValueFuture::boxed(receiver);
    let (first, first_woken) = new_count_waker();
    let (last, last_woken) = new_count_waker();
    assert!(poll_with(&mut future, &first).is_pending());
    assert!(poll_with(&mut future, &last).is_pending());
    sender.send(7).unwrap();
    assert_eq!((first_woken.get(), last_woken.get()), (0, 1));
    assert_eq!(poll_with(&mut future, &last), Poll::Ready(Ok(7)));
}

#[test]
fn no_waker_is_kept_after_the_result_or_the_drop() {
    let source = Source::new(ManualSource::<u32>::new());
    let (waker, woken) = new_count_waker();
    let mut completed = ValueFuture::from_source(&source, source.live());
    assert!(poll_with(&mut completed, &waker).is_pending());
    source.complete(7);
    assert_eq!(poll_with(&mut completed, &waker), Poll::Ready(7));
    let mut dropped = ValueFuture::from_source(&source, source.live());
    assert!(poll_with(&mut dropped, &waker).is_pending());
    drop(dropped);
    source.complete(8);
    assert_eq!(woken.get(), 1, "the task of the dropped future is not woken");
}

/// A waker that drops its future in `wake`.
struct DropsItsFuture(Mutex<Option<ValueFuture<'static, u32>>>);

impl Wake for DropsItsFuture {
    fn wake(self: Arc<Self>) {
        let future = self.0.lock().unwrap().take();
        drop(future);
    }
}

#[test]
fn a_waker_can_drop_its_future_in_wake() {
    let source = Arc::new(Source::new(ManualSource::new()));
    let future = ValueFuture::from_source(Arc::clone(&source), source.live());
    let task = Arc::new(DropsItsFuture(Mutex::new(Some(future))));
    let waker = Waker::from(Arc::clone(&task));
    let polled = poll_with(task.0.lock().unwrap().as_mut().unwrap(), &waker);
    assert_eq!(polled, Poll::Pending);
    source.complete(7);
    assert!(task.0.lock().unwrap().is_none());
    assert_eq!(count(&source.cancelled), 1);
    assert_eq!(Arc::strong_count(&source), 1);
}

#[test]
fn a_future_returns_the_value_of_the_thread_that_wakes_it() {
    let source = Arc::new(Source::new(ManualSource::new()));
    for round in 0..if cfg!(miri) { 4 } else { 200 } {
        let future = ValueFuture::from_source(Arc::clone(&source), source.live());
        let producer = thread::spawn({
            let source = Arc::clone(&source);
            move || source.complete(round)
        });
        assert_eq!(block_on(future), round);
        producer.join().unwrap();
    }
    assert_eq!(count(&source.cancelled), 0);
}

#[test]
fn a_future_can_be_polled_on_one_thread_and_dropped_on_another() {
    let source = Arc::new(Source::new(ManualSource::<u32>::new()));
    let (sender, receiver) = mpsc::channel::<ValueFuture<'static, u32>>();
    let dropper = thread::spawn(move || receiver.into_iter().for_each(drop));
    for _ in 0..if cfg!(miri) { 4 } else { 200 } {
        let mut future = ValueFuture::from_source(Arc::clone(&source), source.live());
        assert!(poll(&mut future).is_pending());
        source.advance();
        sender.send(future).unwrap();
        let mut boxed = ValueFuture::boxed(std::future::pending());
        assert!(poll(&mut boxed).is_pending());
        sender.send(boxed).unwrap();
    }
    drop(sender);
    dropper.join().unwrap();
    assert_eq!(Arc::strong_count(&source), 1);
}
