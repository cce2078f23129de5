//! Value futures, whatever is in them, in what the ecosystem combines futures with.

use std::time::Duration;

use futures::{
    StreamExt,
    executor::block_on,
    future::{FusedFuture, join_all, select_all},
    stream::{self, FuturesOrdered, FuturesUnordered},
};
use tokio::task::JoinSet;
use value_future::{Completer, FuturePool, Pool, ValueFuture};

static POOL: FuturePool = FuturePool::new();

/// Gives way once.
async fn give_way() {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// One of each kind, with its number for a result; the last one is completed by another thread.
fn of_each_kind(first: u32) -> Vec<ValueFuture<'static, u32>> {
    let pool = Pool::<Option<u32>>::new();
    let (completer, completion) = pool.rent();
    std::thread::spawn(move || completer.complete(Some(first + 4)).unwrap());
    let later = async move |number| {
        give_way().await;
        number
    };
    vec![
        ValueFuture::ready(first),
        ValueFuture::boxed(later(first + 1)),
        ValueFuture::pooled(later(first + 2)),
        POOL.future(later(first + 3)),
        ValueFuture::from(completion).map(|number| number.expect("it is completed")),
    ]
}

fn up_to(end: u32) -> Vec<u32> {
    (0..end).collect()
}

#[test]
fn join_takes_each_kind() {
    assert_eq!(block_on(join_all(of_each_kind(10))), [10, 11, 12, 13, 14]);
    let (pooled, ready) = (ValueFuture::pooled(give_way()), ValueFuture::ready(5));
    assert_eq!(block_on(async { futures::join!(pooled, ready) }), ((), 5));
    let failed = ValueFuture::pooled(async { Err::<(), _>("no") });
    let never = ValueFuture::pooled(std::future::pending::<Result<(), _>>());
    assert_eq!(block_on(async { futures::try_join!(failed, never) }), Err("no"));
}

#[test]
fn select_looks_at_what_is_left_only() {
    let mut sum = 0;
    block_on(async {
        let mut futures = of_each_kind(1).into_iter();
        let mut next = || futures.next().unwrap();
        let (mut ready, mut boxed, mut pooled) = (next(), next(), next());
        let (mut own, mut completion) = (next(), next());
        loop {
            // A future that has given its result is terminated, and is not polled again.
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
fn select_all_gives_the_first_and_the_others() {
    let (first, index, others) = block_on(select_all(of_each_kind(20)));
    assert_eq!((first, index, others.len()), (20, 0, 4), "the inline result");
    let mut others = block_on(join_all(others));
    others.sort_unstable();
    assert_eq!(others, [21, 22, 23, 24]);
}

#[test]
fn futures_unordered_and_ordered_take_each_kind() {
    let unordered: FuturesUnordered<_> = (0..10).flat_map(|n| of_each_kind(n * 5)).collect();
    let mut numbers: Vec<u32> = block_on(unordered.collect());
    numbers.sort_unstable();
    assert_eq!(numbers, up_to(50));
    let ordered: FuturesOrdered<_> = (0..10).flat_map(|n| of_each_kind(n * 5)).collect();
    assert_eq!(block_on(ordered.collect::<Vec<_>>()), up_to(50));
}

#[test]
fn streams_are_buffered_with_each_kind() {
    let futures = || stream::iter((0..10).flat_map(|n| of_each_kind(n * 5)));
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
fn a_join_set_runs_each_kind_on_its_threads() {
    let mut numbers = runtime().block_on(async {
        let mut set = JoinSet::new();
        for future in (0..20).flat_map(|n| of_each_kind(n * 5)) {
            set.spawn(future);
        }
        set.join_all().await
    });
    numbers.sort_unstable();
    assert_eq!(numbers, up_to(100));
}

#[test]
fn a_timeout_drops_what_is_late() {
    type Ends = (Completer<Option<u32>>, ValueFuture<'static, Option<u32>>);
    let pool = Pool::<Option<u32>>::new();
    let ends = || -> Ends {
        let (completer, completion) = pool.rent();
        (completer, completion.into())
    };
    runtime().block_on(async {
        let limit = Duration::from_millis(1);
        let (completer, completion) = ends();
        assert!(tokio::time::timeout(limit, completion).await.is_err());
        assert!(completer.is_abandoned());
        let late = POOL.future(std::future::pending::<()>());
        assert!(tokio::time::timeout(limit, late).await.is_err());

        let (mut completer, completion) = ends();
        let waits = tokio::time::timeout(limit, completion);
        let ((), late) = tokio::join!(completer.abandoned(), waits);
        assert!(late.is_err());
    });
    assert_eq!(pool.stats().live, 0);
}
