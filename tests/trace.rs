//! With the feature `trace`, error messages name the line that created the future or began the operation.

mod common;

use std::{panic::Location, task::Poll};

use common::{later, panic_text, poll};
use futures::executor::block_on;
use value_future::{
    FuturePool, LocalPool, LocalReusableSource, LocalValueFuture, Pool, ReusableSource,
    ValueFuture, async_trait, pool::LiveOperation, stream::ValueNext,
};

/// Polls a future until it is ready, and then once more. Checks that the error of the additional poll names `line`.
#[track_caller]
fn assert_created_at<T>(line: u32, mut future: ValueFuture<'_, T>) {
    while poll(&mut future).is_pending() {}
    let text = panic_text(|| poll(&mut future));
    let origin = format!("; it was created at {}:{line}:", Location::caller().file());
    assert!(text.contains(&origin), "expected {origin}, found {text}");
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("no error") };
    assert_eq!(error.origin().map(Location::line), Some(line));
    assert!(error.to_string().contains(&origin));
}

static POOL: FuturePool = FuturePool::new();

#[test]
fn each_constructor_names_its_caller() {
    assert_created_at(line!(), ValueFuture::ready(1));
    assert_created_at(line!(), ValueFuture::const_ready(1));
    assert_created_at(line!(), ValueFuture::boxed(async { 1 }));
    assert_created_at(line!(), ValueFuture::pooled(async { 1 }));
    assert_created_at(line!(), ValueFuture::pooled(async { [0_u8; 5000] }));
    assert_created_at(line!(), ValueFuture::eager(async { 1 }));
    assert_created_at(line!(), ValueFuture::eager(later(1)));
    assert_created_at(line!(), POOL.pooled(async { 1 }));
    assert_created_at(line!(), POOL.try_pooled(async { 1 }).unwrap());
    assert_created_at(line!(), POOL.eager(async { 1 }));
}

#[test]
fn each_combinator_names_its_caller() {
    assert_created_at(line!(), ValueFuture::ready(1).map(|n| n + 1));
    assert_created_at(line!(), later(1).map(|n| n + 1));
    assert_created_at(line!(), later(1).then(|n| async move { n + 1 }));
    assert_created_at(line!(), later(Ok::<_, ()>(1)).map_ok(|n| n + 1));
    assert_created_at(line!(), later(Ok::<_, ()>(1)).and_then(|n| async move { Ok(n + 1) }));
    assert_created_at(line!(), later(Err::<u8, u8>(1)).or_else(|n| async move { Ok::<_, ()>(n) }));
}

#[test]
fn each_method_of_value_next_names_its_caller() {
    let items = || ValueNext::new(futures::stream::iter([1]));
    assert_created_at(line!(), items().next());
    assert_created_at(line!(), Box::pin(items()).as_mut().next_pinned());
    let (mut local, mut pinned) = (items(), Box::pin(items()));
    let mut futures = [local.next_local(), pinned.as_mut().next_local_pinned()];
    for future in &mut futures {
        assert!(poll(&mut *future).is_ready());
        let text = panic_text(|| poll(future));
        let origin = format!("; it was created at {}:{}:", file!(), line!() - 4);
        assert!(text.contains(&origin), "expected {origin}, found {text}");
    }
}

#[test]
fn a_completion_names_the_line_of_rent() {
    let pool = Pool::<Option<u32>>::new();
    let rented = line!() + 1;
    let (completer, mut completion) = pool.rent();
    completer.complete(Some(1)).unwrap();
    assert!(poll(&mut completion).is_ready());
    let text = panic_text(|| poll(&mut completion));
    let origin = format!("; it was created at {}:{rented}:", file!());
    assert!(text.contains(&origin), "expected {origin}, found {text}");

    let rented = line!() + 1;
    let (completer, completion) = pool.rent();
    completer.complete(Some(1)).unwrap();
    assert_created_at(rented, completion.into());

    let local = LocalPool::<Option<u32>>::new();
    let rented = line!() + 1;
    let (completer, completion) = local.try_rent().unwrap();
    drop(completer);
    let mut future = LocalValueFuture::from(completion);
    assert_eq!(poll(&mut future), Poll::Ready(None));
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("no error") };
    assert_eq!(error.origin().map(Location::line), Some(rented));
}

#[test]
fn an_operation_of_a_source_names_the_line_of_begin() {
    let source = ReusableSource::<Option<u32>>::new();
    let begun = line!() + 1;
    let future = source.begin().unwrap();
    source.complete_key(source.key().unwrap(), Some(1)).unwrap();
    assert_created_at(begun, future);

    let source = LocalReusableSource::<Option<u32>>::new();
    let begun = line!() + 1;
    let (completer, mut future) = source.begin_with_completer().unwrap();
    drop(completer);
    assert_eq!(poll(&mut future), Poll::Ready(None));
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("no error") };
    assert_eq!(error.origin().map(Location::line), Some(begun));
}

#[test]
fn a_shared_future_names_the_line_that_created_its_future() {
    let created = line!() + 1;
    let shared = later(1).map(|n| n + 1).share();
    let mut other = Box::pin(shared.clone());
    assert_eq!(block_on(shared), 2);
    assert_eq!(block_on(&mut other), 2);
    let text = panic_text(|| poll(&mut other));
    assert!(text.contains(&format!("; it was created at {}:{created}:", file!())), "{text}");
}

#[async_trait]
trait Store {
    async fn get(&self) -> u32;
}

struct Five;

#[async_trait]
impl Store for Five {
    async fn get(&self) -> u32 {
        5
    }
}

#[test]
fn a_method_of_async_trait_names_its_source_file() {
    let mut future = Five.get();
    assert_eq!(poll(&mut future), Poll::Ready(5));
    let Poll::Ready(Err(error)) = poll(&mut future.checked()) else { panic!("no error") };
    assert_eq!(error.origin().map(Location::file), Some(file!()));
}

/// Returns the sorted descriptions of live operations.
fn descriptions(operations: impl Iterator<Item = LiveOperation>) -> Vec<String> {
    let mut descriptions: Vec<_> = operations.map(|operation| operation.to_string()).collect();
    descriptions.sort();
    descriptions
}

#[test]
fn a_pool_names_the_line_of_each_live_operation() {
    let pool = Pool::<Option<u32>>::new();
    assert_eq!(pool.live_operations().count(), 0);
    let first = line!() + 1;
    let (completer, completion) = pool.rent();
    let (second_completer, second_completion) = pool.try_rent().unwrap();
    let (third_completer, third_completion) = block_on(pool.rent_when_vacant()).unwrap();
    let at = |line: u32, column: u32| format!("{}:{}:{column}", file!(), first + line);

    // The first operation has only a completer. The second operation has a completion and a key. The third operation has a result that was
    // not taken.
    drop(completion);
    let key = second_completer.into_key();
    third_completer.complete(Some(3)).unwrap();
    let expected = vec![
        format!("operation rented at {}: pending; it has a completer", at(0, 40)),
        format!("operation rented at {}: pending; it has a completion and a key", at(1, 54)),
        format!("operation rented at {}: completed; it has a completion", at(2, 61)),
    ];
    assert_eq!(descriptions(pool.live_operations()), expected);
    let lines = pool.live_operations().map(|operation| operation.origin().line());
    assert_eq!(lines.sum::<u32>(), 3 * first + 3);

    drop(completer);
    pool.complete_key(key, Some(2)).unwrap();
    assert_eq!(block_on(second_completion), Some(2));
    assert_eq!(descriptions(pool.live_operations()), expected[2..]);
    assert_eq!(block_on(third_completion), Some(3));
    assert_eq!(pool.live_operations().count(), 0);
}

#[test]
fn an_operation_of_rent_when_vacant_names_the_line_of_that_call() {
    let pool = LocalPool::<Option<u32>>::builder().max_slots(1).build();
    let (completer, completion) = pool.rent();
    let waiting = line!() + 1;
    let mut next = pool.rent_when_vacant();
    assert!(poll(&mut next).is_pending());
    drop((completer, completion));
    assert_eq!(pool.live_operations().count(), 0, "the next operation has not begun");
    let Poll::Ready(Ok(_ends)) = poll(&mut next) else { panic!("no slot was returned") };
    let lines: Vec<_> = pool.live_operations().map(|live| live.origin().line()).collect();
    assert_eq!(lines, [waiting]);
}
