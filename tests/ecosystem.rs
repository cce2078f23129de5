//! Tests of value futures of each kind in the combinators of `futures` and `tokio`: join, select, sets, streams, timeouts.

mod common;

use std::{pin::pin, time::Duration};

use common::Yield;
use futures::{
    StreamExt,
    executor::block_on,
    future::{FusedFuture, join_all, select_all},
    stream::{self, FuturesOrdered, FuturesUnordered},
};
use tokio::task::JoinSet;
use value_future::{Completer, FuturePool, Pool, ReusableSource, Shared, ValueFuture};

static POOL: FuturePool = FuturePool::new();

/// Returns one future of each kind. The results of the futures are consecutive numbers. Another thread completes the last future.
fn one_of_each_kind(first: u32) -> Vec<ValueFuture<'static, u32>> {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    std::thread::spawn(move || completer.complete(Some(first + 4)).unwrap());
    let later = async move |number| {
        Yield::default().await;
        number
    };
    vec![
        ValueFuture::ready(first),
        ValueFuture::boxed(later(first + 1)),
        ValueFuture::pooled(later(first + 2)),
        POOL.pooled(later(first + 3)),
        ValueFuture::from(completion).map(|number| number.expect("completed with a value")),
    ]
}

fn up_to(end: u32) -> Vec<u32> {
    (0..end).collect()
}

#[test]
fn join_accepts_each_kind() {
    assert_eq!(block_on(join_all(one_of_each_kind(10))), [10, 11, 12, 13, 14]);
    let (pooled, ready) = (ValueFuture::pooled(Yield::default()), ValueFuture::ready(5));
    assert_eq!(block_on(async { futures::join!(pooled, ready) }), ((), 5));
    let failed = ValueFuture::pooled(async { Err::<(), _>("no") });
    let never = ValueFuture::pooled(std::future::pending::<Result<(), _>>());
    assert_eq!(block_on(async { futures::try_join!(failed, never) }), Err("no"));
}

#[test]
fn select_skips_terminated_futures() {
    let mut sum = 0;
    block_on(async {
        let mut futures = one_of_each_kind(1).into_iter();
        let mut next = || futures.next().unwrap();
        let (mut ready, mut boxed, mut pooled) = (next(), next(), next());
        let (mut own, mut completion) = (next(), next());
        loop {
            // A future that returned its result is terminated, and is not polled again.
            futures::select! {
                number = ready => sum += number,
                number = boxed => sum += number,
                number = pooled => sum += number,
                number = own => sum += number,
                number = completion => sum += number,
                complete => break,
            }
        }
        let all = [&ready, &boxed, &pooled, &own, &completion];
        assert!(all.into_iter().all(FusedFuture::is_terminated));
    });
    assert_eq!(sum, 1 + 2 + 3 + 4 + 5);
}

#[test]
fn select_all_returns_the_first_result_and_the_other_futures() {
    let (first, index, others) = block_on(select_all(one_of_each_kind(20)));
    assert_eq!((first, index, others.len()), (20, 0, 4), "the ready future is the first");
    let mut others = block_on(join_all(others));
    others.sort_unstable();
    assert_eq!(others, [21, 22, 23, 24]);
}

#[test]
fn futures_unordered_and_futures_ordered_accept_each_kind() {
    let unordered: FuturesUnordered<_> = (0..10).flat_map(|n| one_of_each_kind(n * 5)).collect();
    let mut numbers: Vec<u32> = block_on(unordered.collect());
    numbers.sort_unstable();
    assert_eq!(numbers, up_to(50));
    let ordered: FuturesOrdered<_> = (0..10).flat_map(|n| one_of_each_kind(n * 5)).collect();
    assert_eq!(block_on(ordered.collect::<Vec<_>>()), up_to(50));
}

#[test]
fn buffered_streams_accept_each_kind() {
    let futures = || stream::iter((0..10).flat_map(|n| one_of_each_kind(n * 5)));
    let numbers: Vec<u32> = block_on(futures().buffered(7).collect());
    assert_eq!(numbers, up_to(50));
    let sum = block_on(futures().buffer_unordered(7).fold(0, async |sum, n| sum + n));
    assert_eq!(sum, (0..50).sum::<u32>());
    let doubled = stream::iter(0..20).then(|n| ValueFuture::pooled(async move { 2 * n }));
    assert_eq!(block_on(doubled.collect::<Vec<u32>>()), (0..40).step_by(2).collect::<Vec<_>>());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

#[test]
fn a_join_set_runs_each_kind() {
    let mut numbers = runtime().block_on(async {
        let mut set = JoinSet::new();
        for future in (0..20).flat_map(|n| one_of_each_kind(n * 5)) {
            set.spawn(future);
        }
        set.join_all().await
    });
    numbers.sort_unstable();
    assert_eq!(numbers, up_to(100));
}

#[test]
fn a_timeout_drops_a_late_future() {
    type Handles = (Completer<Option<u32>>, ValueFuture<'static, Option<u32>>);
    let pool = Pool::<Option<u32>>::new();
    let begin = || -> Handles {
        let (completer, completion) = pool.rent();
        (completer, completion.into())
    };
    runtime().block_on(async {
        let limit = Duration::from_millis(1);
        let (completer, completion) = begin();
        assert!(tokio::time::timeout(limit, completion).await.is_err());
        assert!(completer.is_closed());
        let late = POOL.pooled(std::future::pending::<()>());
        assert!(tokio::time::timeout(limit, late).await.is_err());

        let (mut completer, completion) = begin();
        let limited = tokio::time::timeout(limit, completion);
        let ((), late) = tokio::join!(completer.closed(), limited);
        assert!(late.is_err());
    });
    assert_eq!(pool.stats().live, 0);
}

/// Returns a shared future that another thread completes.
fn shared(number: u32) -> Shared<'static, u32> {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    std::thread::spawn(move || completer.complete(Some(number)).unwrap());
    ValueFuture::from(completion).map(|number| number.expect("completed with a value")).share()
}

#[test]
fn join_accepts_handles_of_a_shared_future() {
    let five = shared(5);
    let (one, other) = (five.clone(), five.clone());
    assert_eq!(block_on(async { futures::join!(one, other, ValueFuture::ready(6)) }), (5, 5, 6));
    assert_eq!(block_on(join_all((0..10).map(|_| five.clone()))), [5; 10]);
    let inline = ValueFuture::ready(7).share();
    assert_eq!(block_on(join_all([five, inline.clone(), inline])), [5, 7, 7]);
}

#[test]
fn select_accepts_pinned_handles_of_a_shared_future() {
    let five = shared(5);
    let mut sum = 0;
    block_on(async {
        let (mut one, mut other) = (pin!(five.clone()), pin!(five.clone()));
        loop {
            futures::select! {
                number = one => sum += number,
                number = other => sum += number,
                complete => break,
            }
        }
        assert!(one.is_terminated() && other.is_terminated() && !five.is_terminated());
    });
    assert_eq!((sum, five.peek()), (10, Some(&5)));
}

#[test]
fn sets_and_buffered_streams_accept_handles_of_a_shared_future() {
    let (five, six) = (shared(5), shared(6));
    let handles = || (0..20).map(|n| if n % 2 == 0 { five.clone() } else { six.clone() });
    let sum = |numbers: Vec<u32>| numbers.into_iter().sum::<u32>();
    assert_eq!(sum(block_on(handles().collect::<FuturesUnordered<_>>().collect())), 110);
    let ordered: Vec<u32> = block_on(handles().collect::<FuturesOrdered<_>>().collect());
    assert_eq!(ordered[..3], [5, 6, 5]);
    assert_eq!(sum(block_on(stream::iter(handles()).buffered(7).collect())), 110);
    assert_eq!(sum(block_on(stream::iter(handles()).buffer_unordered(7).collect())), 110);
}

#[test]
fn a_join_set_runs_handles_of_a_shared_future() {
    let five = shared(5);
    let numbers = runtime().block_on(async {
        let mut set = JoinSet::new();
        for _ in 0..20 {
            set.spawn(five.clone());
        }
        set.join_all().await
    });
    assert_eq!(numbers, [5; 20]);
}

#[test]
fn a_timeout_drops_one_handle_and_the_others_get_the_result() {
    let (completer, completion) = Pool::<Option<u32>>::new().rent();
    let shared = ValueFuture::from(completion).share();
    runtime().block_on(async {
        let late = tokio::time::timeout(Duration::from_millis(1), shared.clone()).await;
        assert!(late.is_err());
        let consumer = tokio::spawn(shared.clone());
        completer.complete(Some(5)).unwrap();
        assert_eq!(consumer.await.unwrap(), Some(5));
    });
    assert_eq!(shared.peek(), Some(&Some(5)));
}

/// One source is used for all operations, one operation at a time.
#[test]
fn a_reusable_source_works_with_spawn_timeout_and_select() {
    static SOURCE: ReusableSource<Option<u32>> = ReusableSource::new();
    runtime().block_on(async {
        for number in 0..20 {
            let answer = tokio::spawn(SOURCE.begin().unwrap());
            let key = SOURCE.key().unwrap();
            let producer =
                tokio::spawn(async move { SOURCE.complete_key(key, Some(number)).unwrap() });
            let (answer, completed) = tokio::join!(answer, producer);
            completed.unwrap();
            assert_eq!(answer.unwrap(), Some(number));
        }
        let limit = Duration::from_millis(1);
        assert!(tokio::time::timeout(limit, SOURCE.begin().unwrap()).await.is_err());
        assert!(!SOURCE.is_busy());
        let mut answer = SOURCE.begin().unwrap();
        let mut other = ValueFuture::ready(6);
        let key = SOURCE.key().unwrap();
        SOURCE.complete_key(key, Some(5)).unwrap();
        let mut sum = 0;
        loop {
            futures::select! {
                number = answer => sum += number.unwrap(),
                number = other => sum += number,
                complete => break,
            }
        }
        assert_eq!(sum, 11);
    });
}
