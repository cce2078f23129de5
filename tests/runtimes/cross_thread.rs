//! Scenarios with futures that begin on the thread that blocks, and end on a thread of the runtime.

use std::thread::{self, ThreadId};

use futures::poll;
use smol::future::yield_now;
use value_future::{Pool, ValueFuture};

use crate::runtime::Tasks;

fn here() -> ThreadId {
    thread::current().id()
}

pub(crate) fn pooled_here_and_finished_there<R: Tasks>() {
    R::run(async {
        let mut future = ValueFuture::pooled(async {
            let begun = here();
            yield_now().await;
            (begun, here())
        });
        assert!(poll!(&mut future).is_pending());
        let (begun, ended) = R::spawn(future).await;
        assert_eq!(begun, here());
        assert_ne!(ended, here());
    });
}

pub(crate) fn pending_here_and_finished_there<R: Tasks>() {
    R::run(async {
        let pool = Pool::<Option<ThreadId>>::new();
        let (completer, completion) = pool.rent();
        let mut answer = ValueFuture::from(completion);
        assert!(poll!(&mut answer).is_pending());
        // The operation keeps the waker of the task that polled it last.
        let consumer = R::spawn(async { (answer.await, here()) });
        completer.complete(Some(here())).unwrap();
        let (from, taken) = consumer.await;
        assert_eq!(from, Some(here()));
        assert_ne!(taken, here());
        assert_eq!(pool.stats().live, 0);
    });
}
