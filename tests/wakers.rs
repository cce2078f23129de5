//! What a future holds is polled with the waker of the current poll, so the last waker wins; and a
//! waker may do in `wake` whatever it likes with the future.

mod common;

use std::{
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
};

use common::{Script, count, poll};
use futures::executor::block_on;
use futures_test::task::new_count_waker;
use value_future::{Source, ValueFuture};

fn poll_with<T>(future: &mut ValueFuture<'_, T>, waker: &Waker) -> Poll<T> {
    Future::poll(Pin::new(future), &mut Context::from_waker(waker))
}

#[test]
fn a_source_gets_the_waker_of_the_last_poll() {
    let source = Source::new(Script::new());
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
fn a_boxed_future_gets_the_waker_of_the_last_poll() {
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
fn no_waker_is_kept_once_the_future_is_gone() {
    let source = Source::new(Script::<u32>::new());
    let (waker, woken) = new_count_waker();
    let mut completed = ValueFuture::from_source(&source, source.live());
    assert!(poll_with(&mut completed, &waker).is_pending());
    source.complete(7);
    assert_eq!(poll_with(&mut completed, &waker), Poll::Ready(7));
    let mut dropped = ValueFuture::from_source(&source, source.live());
    assert!(poll_with(&mut dropped, &waker).is_pending());
    drop(dropped);
    source.complete(8);
    assert_eq!(woken.get(), 1, "the task that has gone is not woken");
}

/// Drops the future that it would wake.
struct DropsItsFuture(Mutex<Option<ValueFuture<'static, u32>>>);

impl Wake for DropsItsFuture {
    fn wake(self: Arc<Self>) {
        let future = self.0.lock().unwrap().take();
        drop(future);
    }
}

#[test]
fn a_waker_may_drop_its_future() {
    let source = Arc::new(Source::new(Script::new()));
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
fn a_future_that_is_woken_from_another_thread_gives_that_thread_s_value() {
    let source = Arc::new(Source::new(Script::new()));
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
fn a_future_may_be_polled_here_and_dropped_there() {
    let source = Arc::new(Source::new(Script::<u32>::new()));
    let (sender, receiver) = mpsc::channel::<ValueFuture<'static, u32>>();
    let dropper = thread::spawn(move || receiver.into_iter().for_each(drop));
    for _ in 0..if cfg!(miri) { 4 } else { 200 } {
        let mut future = ValueFuture::from_source(Arc::clone(&source), source.live());
        assert!(poll(&mut future).is_pending());
        source.move_on();
        sender.send(future).unwrap();
        let mut boxed = ValueFuture::boxed(std::future::pending());
        assert!(poll(&mut boxed).is_pending());
        sender.send(boxed).unwrap();
    }
    drop(sender);
    dropper.join().unwrap();
    assert_eq!(Arc::strong_count(&source), 1);
}
