//! Scenarios with tasks that wait for each other.

use std::thread;

use futures::{
    StreamExt,
    channel::mpsc::unbounded,
    future::{Aborted, abortable, join_all, pending},
};
use value_future::{Key, Pool, ValueFuture};

use crate::runtime::{Tasks, reporting};

/// Spawns a future, and waits until it is pending. Returns the task of the future.
async fn spawn_pending<R: Tasks, T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send + 'static {
    let (pending, mut is_pending) = unbounded();
    let task = R::spawn(reporting(future, pending));
    is_pending.next().await.unwrap();
    task
}

pub(crate) fn completed_by_another_task<R: Tasks>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        for number in 0..20 {
            let (completer, completion) = pool.rent();
            let answer = R::spawn(ValueFuture::from(completion));
            R::spawn(async move { completer.complete(Some(number)).unwrap() }).await;
            assert_eq!(answer.await, Some(number));
        }
    });
}

pub(crate) fn shared_by_three_tasks<R: Tasks>() {
    R::run(async {
        let (completer, completion) = Pool::<Option<u32>>::new().rent();
        let shared = ValueFuture::from(completion).share();
        let mut tasks = Vec::new();
        for _ in 0..3 {
            tasks.push(spawn_pending::<R, _>(shared.clone()).await);
        }
        drop(shared);
        thread::spawn(move || completer.complete(Some(5)).unwrap());
        assert_eq!(join_all(tasks).await, [Some(5); 3]);
    });
}

pub(crate) fn cancelled_with_its_task<R: Tasks>() {
    R::run(async {
        let (mut completer, completion) = Pool::<Option<u32>>::new().rent();
        let (answer, cancel) = abortable(ValueFuture::from(completion));
        let consumer = spawn_pending::<R, _>(answer).await;
        let producer = spawn_pending::<R, _>(async move {
            completer.closed().await;
            completer.complete(Some(5)).unwrap_err().into_value()
        })
        .await;
        cancel.abort();
        assert_eq!(consumer.await, Err(Aborted));
        assert_eq!(producer.await, Some(5));
    });
}

pub(crate) fn producer_dropped_with_its_task<R: Tasks>() {
    R::run(async {
        let (completer, completion) = Pool::<Option<u32>>::new().rent();
        let (produce, cancel) = abortable(async move {
            let _completer = completer;
            pending::<()>().await;
        });
        let producer = spawn_pending::<R, _>(produce).await;
        let consumer = spawn_pending::<R, _>(completion).await;
        cancel.abort();
        assert_eq!(producer.await, Err(Aborted));
        assert_eq!(consumer.await, None);
    });
}

pub(crate) fn completed_by_keys_of_many_tasks<R: Tasks>() {
    R::run(async {
        let pool = Pool::<Option<u32>>::new();
        let (mut ids, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..20 {
            let (completer, completion) = pool.rent();
            ids.push((completer.into_key().to_u64(), number));
            tasks.push(spawn_pending::<R, _>(completion).await);
        }
        // Every second operation is abandoned, so its task gets `None`.
        thread::spawn(move || {
            for (id, number) in ids.into_iter().rev() {
                match number % 2 {
                    0 => pool.complete_key(Key::from_u64(id), Some(number)).unwrap(),
                    _ => pool.abandon_key(Key::from_u64(id)).unwrap(),
                }
            }
        });
        let expected = (0..20).map(|number| (number % 2 == 0).then_some(number));
        assert_eq!(join_all(tasks).await, expected.collect::<Vec<_>>());
    });
}
