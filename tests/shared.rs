//! A shared future returns a clone of one result to each handle. It does not matter which handle polls the future, whether other handles
//! are dropped, or whether wakers panic.

mod common;

use std::{
    cell::{Cell, RefCell},
    future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    task::{Poll, Waker},
};

use common::{
    DropCounter, ManualSource, Yield, count, counter, later, panic_text, poll, poll_with,
    task::Task, values::PanicsOnDrop,
};
use futures::{executor::block_on, future::FusedFuture};
use futures_test::task::{AwokenCount, new_count_waker};
use value_future::{
    LocalShared, LocalValueFuture, Shared, Source, ValueFuture, future::Arm, shared::WeakShared,
    source::Token,
};

type Numbers = Arc<Source<ManualSource<u32>>>;

fn operation() -> (Numbers, Shared<'static, u32>) {
    let source = Arc::new(Source::new(ManualSource::new()));
    let shared = ValueFuture::from_source(Arc::clone(&source), source.live()).share();
    (source, shared)
}

/// Clones a handle, polls the clone, and checks that it is pending. Returns the clone, and the counter of its waker.
fn waiting<T: Clone>(shared: &Shared<'static, T>) -> (Pin<Box<Shared<'static, T>>>, AwokenCount) {
    let (waker, woken) = new_count_waker();
    let mut awaiter = Box::pin(shared.clone());
    assert!(poll_with(&mut awaiter, &waker).is_pending());
    (awaiter, woken)
}

#[test]
fn each_handle_returns_a_clone() {
    let shared = later(String::from("one")).share();
    let other = shared.clone();
    assert_eq!(block_on(async { (other.await, shared.clone().await, shared.await) }), {
        let one = || String::from("one");
        (one(), one(), one())
    });
}

#[test]
fn an_inline_result_stays_inline() {
    let shared = ValueFuture::ready(String::from("here")).share();
    assert_eq!(shared.peek().map(String::as_str), Some("here"));
    assert!(shared.downgrade().is_none());
    let mut other = Box::pin(shared.clone());
    assert_eq!(poll(&mut other), Poll::Ready("here".into()));
    assert_eq!((other.peek(), shared.peek().map(String::as_str)), (None, Some("here")));
    assert!(!shared.ptr_eq(&shared.clone()));
}

#[test]
fn the_last_handle_returns_the_result_without_a_clone() {
    struct Counted<'c>(&'c Cell<usize>);
    impl Clone for Counted<'_> {
        fn clone(&self) -> Self {
            self.0.set(self.0.get() + 1);
            Counted(self.0)
        }
    }
    let clones = Cell::new(0);
    let make = || LocalValueFuture::boxed(async { Counted(&clones) }).share();
    let _ = block_on(make());
    assert_eq!(clones.get(), 0);
    let one = make();
    let other = one.clone();
    let _ = block_on(one);
    assert_eq!(clones.get(), 1);
    let _ = block_on(other);
    assert_eq!(clones.get(), 1);
}

#[test]
fn waiting_handles_are_woken_in_the_order_of_their_first_poll() {
    let (source, shared) = operation();
    let order = Arc::new(Mutex::new(Vec::new()));
    let awaiters: Vec<_> = (0..40)
        .map(|number| {
            struct Push(Arc<Mutex<Vec<usize>>>, usize);
            impl std::task::Wake for Push {
                fn wake(self: Arc<Self>) {
                    self.0.lock().unwrap().push(self.1);
                }
            }
            let mut awaiter = Box::pin(shared.clone());
            let waker = Waker::from(Arc::new(Push(Arc::clone(&order), number)));
            assert!(poll_with(&mut awaiter, &waker).is_pending());
            awaiter
        })
        .collect();
    source.complete(5);
    assert_eq!(*order.lock().unwrap(), (0..40).collect::<Vec<_>>());
    for mut awaiter in awaiters.into_iter().rev() {
        assert_eq!(poll(&mut awaiter), Poll::Ready(5));
    }
}

#[test]
fn the_future_is_polled_only_when_it_was_woken() {
    let (source, shared) = operation();
    let (mut first, first_woken) = waiting(&shared);
    let (_second, second_woken) = waiting(&shared);
    assert_eq!(count(&source.polls), 1);
    source.complete(5);
    assert_eq!((first_woken.get(), second_woken.get()), (1, 1));
    assert_eq!(poll(&mut first), Poll::Ready(5));
    // The second task is not woken again.
    assert_eq!((count(&source.polls), second_woken.get()), (2, 1));
    assert_eq!(block_on(shared), 5, "a handle polled after completion");
    assert_eq!(count(&source.polls), 2);
}

#[test]
fn a_new_handle_polls_the_future_if_the_woken_handle_does_not_poll_it() {
    let (source, shared) = operation();
    let (mut first, woken) = waiting(&shared);
    source.complete(5);
    assert_eq!(woken.get(), 1);
    let mut late = Box::pin(shared);
    assert_eq!(poll(&mut late), Poll::Ready(5));
    assert_eq!((woken.get(), poll(&mut first)), (1, Poll::Ready(5)));
}

#[test]
fn the_handle_that_polled_the_future_can_be_dropped() {
    let (source, shared) = operation();
    let (driver, _) = waiting(&shared);
    let (mut other, woken) = waiting(&shared);
    drop(driver);
    drop(shared);
    source.complete(5);
    assert_eq!((woken.get(), poll(&mut other)), (1, Poll::Ready(5)));
}

#[test]
fn the_first_handle_is_woken_after_a_second_handle_polls() {
    let (source, shared) = operation();
    let (waker, alone_woken) = new_count_waker();
    let mut alone = Box::pin(shared);
    assert!(poll_with(&mut alone, &waker).is_pending());
    let (second, second_woken) = waiting(&alone);
    source.complete(5);
    assert_eq!((alone_woken.get(), second_woken.get()), (1, 1));
    drop(second);
    assert_eq!(poll(&mut alone), Poll::Ready(5));
}

#[test]
fn the_only_remaining_handle_is_woken() {
    let (source, shared) = operation();
    let (other, other_woken) = waiting(&shared);
    drop(other);
    let mut alone = Box::pin(shared);
    let (waker, woken) = new_count_waker();
    // The source has the waker of the shared state, which wakes all handles in the queue. So these polls do not poll the source, but only
    // register the waker of `alone`.
    for _ in 0..2 {
        assert!(poll_with(&mut alone, &waker).is_pending());
    }
    source.complete(5);
    assert_eq!((woken.get(), other_woken.get()), (1, 0));
    assert_eq!(poll(&mut alone), Poll::Ready(5));
}

#[test]
fn a_future_that_is_woken_while_it_is_polled_is_polled_again() {
    let shared = later(5).share();
    let (mut first, woken) = waiting(&shared);
    assert_eq!(woken.get(), 1);
    assert_eq!(poll(&mut first), Poll::Ready(5));
    assert_eq!(block_on(shared), 5);
}

#[test]
fn a_dropped_handle_drops_its_waker() {
    let (source, shared) = operation();
    let task = Task::new();
    let waker = task.waker();
    let mut awaiters: Vec<_> = (0..3).map(|_| Box::pin(shared.clone())).collect();
    for awaiter in &mut awaiters {
        assert!(poll_with(awaiter, &waker).is_pending());
    }
    assert_eq!(task.wakers.get(), 4);
    drop(awaiters.remove(1));
    assert_eq!(task.wakers.get(), 3);
    drop(awaiters);
    assert_eq!(task.wakers.get(), 1);
    source.complete(5);
    assert_eq!((task.woken.get(), block_on(shared)), (0, 5));
}

#[test]
fn only_the_latest_waker_is_kept_and_each_waker_is_cloned_once() {
    let (source, shared) = operation();
    let (old, new) = (Task::new(), Task::new());
    let mut awaiter = Box::pin(shared.clone());
    for _ in 0..3 {
        assert!(poll_with(&mut awaiter, &old.waker()).is_pending());
    }
    assert_eq!((old.cloned.get(), old.wakers.get()), (1, 1));
    assert!(poll_with(&mut awaiter, &new.waker()).is_pending());
    assert_eq!((old.wakers.get(), new.wakers.get()), (0, 1));
    source.complete(5);
    assert_eq!((old.woken.get(), new.woken.get(), new.wakers.get()), (0, 1, 0));
    drop(shared);
    assert_eq!(block_on(awaiter), 5);
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn a_panic_reaches_every_handle() {
    let source = Arc::new(Source::new(ManualSource::<u32>::panicking_in_poll()));
    let future = async {
        Yield::default().await;
        ValueFuture::from_source(&*source, Token::new(1)).await
    };
    let source_panics = "the source panics";
    let shared = LocalValueFuture::boxed(future).share();
    let (waker, woken) = new_count_waker();
    let mut waiting = Box::pin(shared.clone());
    assert!(poll_with(&mut waiting, &waker).is_pending());
    let mut driver = Box::pin(shared.clone());
    assert_eq!(panic_text(|| poll(&mut driver)), source_panics);
    assert!(driver.is_terminated());
    let message = "value future of `u32` polled after a panic: its future or source (boxed arm) panicked in an earlier poll, and there will be no result";
    assert_eq!(panic_text(|| poll(&mut driver)), message);
    // `Yield` has woken the task of `waiting`. This wake took the waker of `waiting` out of the queue. `waiting` was not polled again, so
    // the panic finds no waker to wake.
    assert_eq!((woken.get(), waiting.is_terminated(), shared.peek()), (1, false, None));
    assert_eq!(panic_text(|| poll(&mut waiting)), message);
    assert!(waiting.is_terminated());
    assert_eq!(panic_text(|| block_on(shared)), message);
}

#[test]
fn a_panic_wakes_the_waiting_handles() {
    let (source, shared) = operation();
    let failing = ValueFuture::boxed(async move {
        assert_ne!(shared.await, 5, "no fives");
    })
    .share();
    let (mut driver, _) = waiting(&failing);
    let (mut other, woken) = waiting(&failing);
    source.complete(5);
    assert!(panic_text(|| poll(&mut driver)).contains("no fives"));
    assert_eq!(woken.get(), 1);
    // The woken task polls its handle, and the poll reports the panic.
    assert!(panic_text(|| poll(&mut other)).contains("polled after a panic"));
}

#[test]
fn a_panic_in_the_poll_of_the_only_handle_terminates_the_handle() {
    let source = Arc::new(Source::new(ManualSource::<u32>::panicking_in_poll()));
    let shared = ValueFuture::from_source(Arc::clone(&source), source.live()).share();
    let weak = shared.downgrade().unwrap();
    drop(weak);
    let mut alone = Box::pin(shared);
    assert_eq!(panic_text(|| poll(&mut alone)), "the source panics");
    assert!(alone.is_terminated());
    assert_eq!(Arc::strong_count(&source), 1);
    assert!(panic_text(|| poll(&mut alone)).contains("polled after a panic"));
}

#[test]
fn each_handle_reports_a_stale_token() {
    let (source, shared) = operation();
    source.advance();
    let other = shared.clone();
    for handle in [shared, other] {
        let text = panic_text(|| block_on(handle));
        assert!(text.contains("expected token 2 and was polled with token 1"), "{text}");
    }
}

#[test]
#[cfg_attr(feature = "trace", ignore = "the feature adds a line to the message")]
fn each_handle_returns_its_result_once() {
    let (source, shared) = operation();
    source.complete(5);
    let mut handle = Box::pin(shared.clone());
    assert_eq!(poll(&mut handle), Poll::Ready(5));
    assert!(handle.is_terminated() && !shared.is_terminated());
    let text = "value future of `u32` polled after completion: its result (source arm) was already returned, and a result is returned once";
    assert_eq!(panic_text(|| poll(&mut handle)), text);
    let copy = handle.as_ref().get_ref().clone();
    assert_eq!(panic_text(|| block_on(copy)), text);
    assert_eq!(block_on(shared), 5);
}

#[test]
fn a_waker_can_drop_its_handle_in_wake() {
    let shared = Rc::new(RefCell::new(None));
    let inner = Rc::new(Cell::new(None::<Waker>));
    let future = LocalValueFuture::boxed({
        let (inner, ready) = (Rc::clone(&inner), Cell::new(false));
        future::poll_fn(move |cx| {
            inner.set(Some(cx.waker().clone()));
            if ready.replace(true) { Poll::Ready(5) } else { Poll::Pending }
        })
    })
    .share();
    let (task, other_task) = (Task::new(), Task::new());
    let mut other = Box::pin(future.clone());
    *shared.borrow_mut() = Some(Box::pin(future));
    assert!(poll_with(shared.borrow_mut().as_mut().unwrap(), &task.waker()).is_pending());
    assert!(poll_with(&mut other, &other_task.waker()).is_pending());
    task.on_wake({
        let shared = Rc::clone(&shared);
        move || drop(shared.take())
    });
    inner.take().unwrap().wake();
    assert!(shared.borrow().is_none() && task.hooks_ran());
    assert_eq!((other_task.woken.get(), poll(&mut other)), (1, Poll::Ready(5)));
}

#[test]
fn a_waker_can_poll_another_handle_in_wake() {
    let (source, shared) = operation();
    let task = Task::new();
    let result = Rc::new(Cell::new(None));
    let mut awaiter = Box::pin(shared.clone());
    assert!(poll_with(&mut awaiter, &task.waker()).is_pending());
    let (mut last, last_woken) = waiting(&shared);
    task.on_wake({
        let result = Rc::clone(&result);
        move || result.set(Some(block_on(shared)))
    });
    source.complete(5);
    assert_eq!((result.get(), last_woken.get()), (Some(5), 1));
    assert_eq!((poll(&mut awaiter), poll(&mut last)), (Poll::Ready(5), Poll::Ready(5)));
}

#[test]
fn wakers_are_cloned_and_dropped_without_a_lock() {
    for replaced in [false, true] {
        let (source, shared) = operation();
        let (task, new) = (Task::new(), Task::new());
        let mut awaiter = Box::pin(shared.clone());
        let uses_shared = |shared: &Shared<'static, u32>| {
            let other = shared.clone();
            move || {
                let (other, _) = waiting(&other);
                drop(other);
            }
        };
        task.on_clone(uses_shared(&shared));
        assert!(poll_with(&mut awaiter, &task.waker()).is_pending());
        task.on_drop(uses_shared(&shared));
        if replaced {
            new.on_clone(uses_shared(&shared));
            assert!(poll_with(&mut awaiter, &new.waker()).is_pending());
        }
        drop(awaiter);
        assert!(task.hooks_ran() && new.hooks_ran());
        source.complete(5);
        assert_eq!(block_on(shared), 5);
    }
}

#[test]
fn all_handles_are_woken_although_a_waker_panics() {
    let (source, shared) = operation();
    let task = Task::new();
    let (before, before_woken) = waiting(&shared);
    let mut panicking = Box::pin(shared.clone());
    assert!(poll_with(&mut panicking, &task.waker()).is_pending());
    let after: Vec<_> = (0..40).map(|_| waiting(&shared)).collect();
    task.on_wake(|| panic!("a waker panics"));
    assert_eq!(panic_text(|| source.complete(5)), "a waker panics");
    assert_eq!(before_woken.get(), 1);
    assert!(after.iter().all(|(_, woken)| woken.get() == 1));
    drop((before, after));
    assert_eq!((poll(&mut panicking), block_on(shared)), (Poll::Ready(5), 5));
}

#[test]
fn a_waker_that_panics_does_not_lose_the_result() {
    let task = Task::new();
    let second = Rc::new(RefCell::new(None::<Pin<Box<LocalShared<'_, u32>>>>));
    let shared = LocalValueFuture::boxed({
        let (second, task) = (Rc::clone(&second), Rc::clone(&task));
        future::poll_fn(move |_| {
            // Another handle is polled while the future is polled.
            let mut second = second.borrow_mut();
            assert!(poll_with(second.as_mut().unwrap(), &task.waker()).is_pending());
            Poll::Ready(5)
        })
    })
    .share();
    *second.borrow_mut() = Some(Box::pin(shared.clone()));
    task.on_wake(|| panic!("a waker panics"));
    let mut driver = Box::pin(shared);
    assert_eq!(panic_text(|| poll(&mut driver)), "a waker panics");
    assert!(!driver.is_terminated());
    assert_eq!(poll(&mut driver), Poll::Ready(5));
    assert_eq!(poll(second.take().as_mut().unwrap()), Poll::Ready(5));
}

#[test]
fn a_waker_that_panics_in_clone_does_not_change_the_future() {
    for alone in [true, false] {
        let ready = Rc::new(Cell::new(false));
        let shared = LocalValueFuture::boxed({
            let ready = Rc::clone(&ready);
            future::poll_fn(move |_| if ready.get() { Poll::Ready(5) } else { Poll::Pending })
        })
        .share();
        let other = (!alone).then(|| shared.clone());
        let task = Task::new();
        let mut awaiter = Box::pin(shared);
        task.on_clone(|| panic!("no clone"));
        assert_eq!(panic_text(|| poll_with(&mut awaiter, &task.waker())), "no clone");
        assert!(!awaiter.is_terminated());
        ready.set(true);
        assert_eq!(poll(&mut awaiter), Poll::Ready(5));
        assert_eq!(other.map(block_on), (!alone).then_some(5));
    }
}

#[test]
fn a_waker_that_panics_in_drop_does_not_block_other_handles() {
    let ready = Rc::new(Cell::new(false));
    let shared = LocalValueFuture::boxed({
        let ready = Rc::clone(&ready);
        future::poll_fn(move |_| if ready.get() { Poll::Ready(5) } else { Poll::Pending })
    })
    .share();
    let (task, mut alone) = (Task::new(), Box::pin(shared));
    assert!(poll_with(&mut alone, &task.waker()).is_pending());
    // The future does not have the waker of the shared state. It has the waker of the first poll, which wakes only one task. So the next
    // poll of a handle also polls the future.
    let (mut other, _third) = (Box::pin((*alone).clone()), (*alone).clone());
    task.on_drop(|| panic!("a destructor panics"));
    assert_eq!(panic_text(|| poll(&mut alone)), "a destructor panics");
    ready.set(true);
    assert_eq!((poll(&mut other), poll(&mut alone)), (Poll::Ready(5), Poll::Ready(5)));
}

#[test]
fn a_handle_is_released_although_its_waker_panics_in_drop() {
    let dropped = counter();
    let guard = DropCounter(&dropped);
    let shared = ValueFuture::boxed(async {
        let _guard = &guard;
        future::pending::<u32>().await
    })
    .share();
    let weak = shared.downgrade().unwrap();
    let (task, mut awaiter) = (Task::new(), Box::pin(shared));
    assert!(poll_with(&mut awaiter, &task.waker()).is_pending());
    task.on_drop(|| panic!("a destructor panics"));
    assert_eq!(panic_text(|| drop(awaiter)), "a destructor panics");
    assert!(weak.upgrade().is_none(), "the handle was released");
}

#[test]
fn after_a_panic_in_the_clone_of_the_result_the_next_poll_clones_again() {
    struct Once(Rc<Cell<bool>>);
    impl Clone for Once {
        fn clone(&self) -> Self {
            assert!(self.0.replace(true), "no clone");
            Once(Rc::clone(&self.0))
        }
    }
    let value = Once(Rc::default());
    let shared = LocalValueFuture::boxed(async { value }).share();
    let mut other = Box::pin(shared.clone());
    assert_eq!(panic_text(|| poll(&mut other)), "no clone");
    assert!(!other.is_terminated());
    assert!(poll(&mut other).is_ready());
    drop(block_on(shared));
}

#[test]
fn a_future_whose_destructor_panics_is_dropped_once() {
    let dropped = counter();
    let panics = (PanicsOnDrop, DropCounter(&dropped));
    let shared = ValueFuture::boxed(async {
        let _panics = panics;
        future::pending::<u32>().await
    })
    .share();
    let weak = shared.downgrade().unwrap();
    assert_eq!(panic_text(|| drop(shared)), "the destructor panics");
    assert_eq!((count(&dropped), weak.upgrade().is_none()), (1, true));
}

#[test]
fn a_weak_handle_does_not_keep_the_future_alive() {
    let dropped = counter();
    let guard = DropCounter(&dropped);
    let shared = ValueFuture::boxed(async move {
        future::pending::<()>().await;
        drop(guard);
    })
    .share();
    let weak: WeakShared<'_, ()> = shared.downgrade().unwrap();
    let upgraded = weak.upgrade().unwrap();
    assert!(upgraded.ptr_eq(&shared) && weak.ptr_eq(&weak.clone()));
    drop(shared);
    assert_eq!((count(&dropped), weak.is_alive()), (0, true));
    drop(upgraded);
    assert_eq!((count(&dropped), weak.is_alive()), (1, false));
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_waker_can_outlive_the_borrows_of_the_future() {
    let dropped = counter();
    let kept = Mutex::new(None);
    {
        let guard = [DropCounter(&dropped)];
        let future = future::poll_fn(|cx| {
            *kept.lock().unwrap() = Some(cx.waker().clone());
            assert_eq!(guard.len(), 1);
            Poll::<u32>::Pending
        });
        let shared = ValueFuture::boxed(future).share();
        // There are two handles, so the future gets the waker of the shared state.
        let mut awaiter = Box::pin(shared.clone());
        assert!(poll(&mut awaiter).is_pending());
    }
    assert_eq!(count(&dropped), 1);
    let waker = kept.into_inner().unwrap().unwrap();
    waker.wake_by_ref();
    let another = waker.clone();
    drop(waker);
    another.wake();
}

#[test]
fn the_future_and_the_result_are_dropped_once() {
    let (futures, values) = (AtomicUsize::new(0), Rc::new(()));
    let make = || {
        let (guard, value) = (DropCounter(&futures), Rc::clone(&values));
        LocalValueFuture::boxed(async move {
            let _guard = guard;
            Yield::default().await;
            value
        })
        .share()
    };
    drop(make().clone());
    assert_eq!(count(&futures), 1);
    let shared = make();
    let other = shared.clone();
    assert_eq!(Rc::strong_count(&block_on(other)), 3);
    assert_eq!((count(&futures), Rc::strong_count(&values)), (2, 2));
    drop(shared);
    assert_eq!(Rc::strong_count(&values), 1);
}

#[test]
fn a_shared_future_can_borrow_and_is_covariant() {
    fn shorter<'a>(shared: Shared<'static, &'static str>) -> Shared<'a, &'a str> {
        shared
    }
    let text = String::from("borrowed");
    let shared = ValueFuture::boxed(async { text.as_str() }).share();
    let long = later("long").share();
    assert_eq!(
        block_on(async { (shared.await, shorter(long.clone()).await) }),
        ("borrowed", "long")
    );
    assert_eq!(block_on(long), "long");
}

#[test]
fn debug_does_not_poll_the_future() {
    let (source, shared) = operation();
    assert_eq!(format!("{shared:?}"), "Shared(Pending)");
    assert_eq!(format!("{:?}", shared.downgrade().unwrap()), "WeakShared { .. }");
    source.complete(5);
    assert_eq!((format!("{shared:?}"), count(&source.polls)), ("Shared(Pending)".into(), 0));
    let mut other = Box::pin(shared.clone());
    assert!(poll(&mut other).is_ready());
    assert_eq!(format!("{shared:?} {other:?}"), "Shared(5) Shared(Taken)");
    assert_eq!(format!("{:?}", LocalValueFuture::ready(5).share()), "LocalShared(5)");
}

#[test]
fn a_shared_taken_future_panics_when_it_is_polled() {
    let shared = ValueFuture::<u32>::from(Arm::Taken).share();
    assert!(shared.is_terminated());
    assert!(panic_text(|| block_on(shared)).contains("created from `Arm::Taken`"));
}

#[test]
fn a_shared_future_becomes_a_value_future() {
    let (source, shared) = operation();
    let future = ValueFuture::boxed(shared.clone());
    source.complete(5);
    assert_eq!((block_on(future), block_on(shared)), (5, 5));
}

#[test]
fn threads_await_one_future() {
    let (source, shared) = operation();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let shared = shared.clone();
                scope.spawn(|| block_on(shared))
            })
            .collect();
        source.complete(5);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 5);
        }
    });
    assert_eq!(block_on(shared), 5);
}

#[test]
fn a_panic_reaches_every_thread() {
    let (source, number) = operation();
    let shared = ValueFuture::boxed(async { assert_ne!(number.await, 5, "no fives") }).share();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let shared = shared.clone();
                scope.spawn(|| panic_text(|| block_on(shared)))
            })
            .collect();
        source.complete(5);
        let texts = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(texts.filter(|text| text.contains("no fives")).count(), 1);
    });
}

#[test]
fn debug_says_that_the_future_has_panicked() {
    let shared = ValueFuture::<u32>::boxed(async { panic!("on purpose") }).share();
    let other = shared.clone();
    let weak = shared.downgrade().unwrap();
    let mut polled = Box::pin(shared);
    assert_eq!(panic_text(|| poll(&mut polled)), "on purpose");
    assert_eq!(format!("{polled:?} {other:?}"), "Shared(Panicked) Shared(Panicked)");
    assert_eq!(format!("{:?}", weak.upgrade().unwrap()), "Shared(Panicked)");
    assert_eq!((polled.peek(), other.peek()), (None, None));
    let mut other = Box::pin(other);
    assert!(panic_text(|| poll(&mut other)).contains("polled after a panic"));
    assert_eq!(format!("{other:?}"), "Shared(Panicked)");

    let mut alone = Box::pin(ValueFuture::<u32>::boxed(async { panic!("on purpose") }).share());
    assert_eq!(panic_text(|| poll(&mut alone)), "on purpose");
    assert_eq!(format!("{alone:?}"), "Shared(Panicked)");
}
