//! Scenarios with several tasks on one thread. The tasks wait for each other.

use std::rc::Rc;

use futures::future::join_all;
use smol::future::yield_now;
use value_future::{LocalPool, LocalValueFuture};

use crate::runtime::LocalTasks;

pub(crate) fn local_completed_by_another_task<R: LocalTasks>() {
    R::run_local(|| async {
        let pool = LocalPool::<Option<Rc<u32>>>::new();
        for number in 0..20 {
            let (completer, completion) = pool.rent();
            let answer = R::spawn_local(LocalValueFuture::from(completion));
            let producer = R::spawn_local(async move {
                yield_now().await;
                completer.complete(Some(Rc::new(number))).unwrap();
            });
            assert_eq!(answer.await.as_deref(), Some(&number));
            producer.await;
        }
        assert_eq!(pool.stats().live, 0);
    });
}

pub(crate) fn local_shared_by_three_tasks<R: LocalTasks>() {
    R::run_local(|| async {
        let (completer, completion) = LocalPool::<Option<Rc<u32>>>::new().rent();
        let shared = LocalValueFuture::from(completion).share();
        let tasks = [(); 3].map(|()| R::spawn_local(shared.clone()));
        drop(shared);
        let complete = R::spawn_local(async {
            yield_now().await;
            completer.complete(Some(Rc::new(5))).unwrap();
        });
        complete.await;
        let answers = join_all(tasks).await;
        assert_eq!(answers.len(), 3);
        assert!(answers.iter().all(|answer| answer.as_deref() == Some(&5)));
    });
}
