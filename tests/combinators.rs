//! Tests of `map`, `map_ok`, `map_err`, `then`, `and_then` and `or_else`. A combinator of a ready future is ready, unless its closure
//! returns a pending future. A combinator of a pending future is pending, and later returns the same result as for a ready future.

mod common;

use std::{rc::Rc, task::Poll};

use common::{DropCounter, count, counter, later, panic_text, poll};
use futures::executor::block_on;
use value_future::{LocalValueFuture, ValueFuture};

type Answer<'a> = ValueFuture<'a, Result<u32, String>>;

/// Returns the result of a future, and checks that it is pending exactly `pending` times.
fn result<T>(mut future: ValueFuture<'_, T>, pending: usize) -> T {
    for _ in 0..pending {
        assert!(poll(&mut future).is_pending());
    }
    match poll(&mut future) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("pending more than {pending} times"),
    }
}

#[test]
fn combinators_of_a_ready_future_are_ready() {
    let ready = |result: Result<u32, String>| -> Answer<'_> { ValueFuture::ready(result) };
    assert_eq!(ValueFuture::ready(2).map(|n| n * 3).try_take().unwrap(), 6);
    assert_eq!(ready(Ok(2)).map_ok(|n| n * 3).try_take().unwrap(), Ok(6));
    assert_eq!(ready(Err("no".into())).map_ok(|n| n * 3).try_take().unwrap(), Err("no".into()));
    assert_eq!(ready(Err("no".into())).map_err(|e| e.len()).try_take().unwrap(), Err(2));
    assert_eq!(ready(Ok(2)).map_err(|e| e.len()).try_take().unwrap(), Ok(2));
    assert_eq!(ready(Ok(2)).and_then(|n| ValueFuture::ready(Ok(n + 1))).try_take().unwrap(), Ok(3));
    let not_called = |_| -> Answer<'_> { unreachable!("there is no `Ok`") };
    assert_eq!(ready(Err("no".into())).and_then(not_called).try_take().unwrap(), Err("no".into()));
}

#[test]
fn combinators_of_a_pending_future_have_the_same_result_later() {
    let pending = |result: Result<u32, String>| -> Answer<'_> { later(result) };
    assert_eq!(result(later(2).map(|n| n * 3), 1), 6);
    assert_eq!(result(pending(Ok(2)).map_ok(|n| n * 3), 1), Ok(6));
    assert_eq!(result(pending(Err("no".into())).map_err(|e| e.len()), 1), Err(2));
    assert_eq!(result(pending(Ok(2)).and_then(|n| ValueFuture::ready(Ok(n + 1))), 1), Ok(3));
    assert_eq!(result(pending(Ok(2)).and_then(|n| later(Ok(n + 1))), 2), Ok(3));
    assert_eq!(
        result(pending(Ok(2)).and_then(|_| later(Err::<u8, _>("no".into()))), 2),
        Err("no".into())
    );
    let not_called = |_| -> Answer<'_> { unreachable!("there is no `Ok`") };
    assert_eq!(result(pending(Err("no".into())).and_then(not_called), 1), Err("no".into()));
}

#[test]
fn then_and_or_else_work_for_ready_and_pending_futures() {
    let answer = |result: Result<u32, String>| -> Answer<'_> { ValueFuture::ready(result) };
    let repair = |error: String| -> Answer<'_> { later(Ok(u32::try_from(error.len()).unwrap())) };
    assert_eq!(answer(Ok(2)).or_else(repair).try_take().unwrap(), Ok(2));
    assert_eq!(result(answer(Err("no".into())).or_else(repair), 1), Ok(2));
    assert_eq!(result(later(Err("no".into())).or_else(repair), 2), Ok(2));
    assert_eq!(result(later(Ok(3)).or_else(repair), 1), Ok(3));
    assert_eq!(ValueFuture::ready(2).then(|n| ValueFuture::ready(n + 1)).try_take().unwrap(), 3);
    assert_eq!(result(later(2).then(|n| later(n + 1)), 2), 3);
}

#[test]
fn a_closure_is_called_as_soon_as_the_result_is_ready() {
    let called = std::sync::atomic::AtomicUsize::new(0);
    let call = |n: u32| {
        called.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        n
    };
    drop(ValueFuture::ready(1).map(call));
    assert_eq!(count(&called), 1, "`map` calls the closure at once");
    let mut pending = later(1).map(call);
    assert!(poll(&mut pending).is_pending());
    drop(pending);
    assert_eq!(count(&called), 1);
}

#[test]
fn a_pending_combinator_is_pooled_and_can_move_to_another_thread() {
    let mut combined = later(1).map(|n| n + 1).then(|n| later(n * 2));
    assert!(format!("{combined:?}").ends_with(", pooled))"), "{combined:?}");
    assert!(poll(&mut combined).is_pending());
    assert_eq!(std::thread::spawn(move || result(combined, 1)).join().unwrap(), 4);
    let local = LocalValueFuture::from(later(1)).map(Rc::new);
    assert!(format!("{local:?}").ends_with(", pooled))"), "{local:?}");
    assert_eq!(block_on(local), Rc::new(1));
}

#[test]
fn a_closure_that_panics_is_dropped() {
    let dropped = counter();
    let held = DropCounter(&dropped);
    let mut mapped = later(1).map(move |_| -> u32 {
        let _held = held;
        panic!("in the closure")
    });
    assert!(poll(&mut mapped).is_pending());
    assert_eq!(panic_text(|| poll(&mut mapped)), "in the closure");
    assert_eq!(count(&dropped), 1);
    let text = panic_text(|| poll(&mut mapped));
    assert!(text.contains("its future or source (boxed arm, pooled) panicked"), "{text}");
}

#[test]
fn closures_and_results_may_borrow() {
    let suffix = String::from("!");
    let shout = |word: &str| format!("{word}{suffix}");
    assert_eq!(block_on(ValueFuture::ready("ready").map(shout)), "ready!");
    assert_eq!(block_on(later("later").map(shout).map(|word| word.len())), 6);
}

#[test]
fn local_combinators_accept_values_that_are_not_send() {
    let shared = Rc::new(5);
    let other = Rc::clone(&shared);
    let future = LocalValueFuture::boxed(async move { Ok::<_, Rc<str>>(other) })
        .map_ok(move |value| *value + *shared)
        .and_then(|sum| LocalValueFuture::boxed(async move { Ok(Rc::new(sum)) }))
        .map_err(|text| text.len());
    assert_eq!(block_on(future), Ok(Rc::new(10)));
}

#[test]
fn a_closure_that_is_never_called_is_dropped_with_the_future() {
    let dropped = counter();
    let held = DropCounter(&dropped);
    let mut future = later(1).map(move |n| {
        let _held = &held;
        n
    });
    assert!(poll(&mut future).is_pending());
    drop(future);
    assert_eq!(count(&dropped), 1);
}

async fn add(n: u32, more: &u32) -> u32 {
    common::Yield::default().await;
    n + more
}

#[test]
fn the_second_future_may_be_of_any_type() {
    let more = 3;
    assert_eq!(result(ValueFuture::ready(2).then(|n| add(n, &more)), 1), 5);
    assert_eq!(result(later(2).then(|n| add(n, &more)), 2), 5);
    assert_eq!(result(later(2).then(std::future::ready), 1), 2);
    let answer = |result: Result<u32, String>| -> Answer<'_> { later(result) };
    let half = |n: u32| async move { if n % 2 == 0 { Ok(n / 2) } else { Err("odd".to_owned()) } };
    assert_eq!(result(answer(Ok(4)).and_then(half), 1), Ok(2));
    assert_eq!(result(answer(Ok(3)).and_then(half), 1), Err("odd".to_owned()));
    let length = |error: String| async move { Ok::<_, ()>(u32::try_from(error.len()).unwrap()) };
    assert_eq!(result(answer(Err("odd".into())).or_else(length), 1), Ok(3));
    let boxed = ValueFuture::ready(1).then(|n| Box::pin(async move { n + 1 }));
    assert_eq!(block_on(boxed), 2);
}

#[test]
fn then_returns_a_value_future_unchanged() {
    let text = String::from("borrowed");
    let length = |text: &'_ str| ValueFuture::ready(text.len());
    assert_eq!(ValueFuture::ready(&*text).then(length).try_take().unwrap(), 8);
    // The second future may have another lifetime, or a result that borrows. The second future may be a `ValueFuture` although the first
    // future is a `LocalValueFuture`.
    let longer: ValueFuture<'static, u32> = ValueFuture::ready(5);
    let shorter: ValueFuture<'_, (u32, &str)> =
        ValueFuture::ready(&*text).then(|text| longer.map(move |n| (n, text)));
    assert_eq!(shorter.try_take().unwrap(), (5, "borrowed"));
    let local = LocalValueFuture::ready(1).then(|n| ValueFuture::ready(n + 1));
    assert_eq!(local.try_take().unwrap(), 2);
    let local = LocalValueFuture::ready(1).then(|n| LocalValueFuture::ready(Rc::new(n)));
    assert_eq!(*local.try_take().unwrap(), 1);
    // `then` does not wrap the second future, so the error is that of the second future itself.
    let mut taken = ValueFuture::ready(3);
    assert!(poll(&mut taken).is_ready());
    let mut checked = later(1).then(|_| taken).checked();
    assert!(poll(&mut checked).is_pending());
    let Poll::Ready(Err(error)) = poll(&mut checked) else { panic!("no error") };
    assert_eq!(error.rule(), value_future::error::Rule::PolledAfterCompletion);
}
