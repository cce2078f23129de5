//! Scenarios with futures that move to another thread. Each future is first polled on the thread that calls `run`, and completes on a
//! thread of the runtime.

use std::thread::{self, ThreadId};

use futures::poll;
use smol::future::yield_now;
use value_future::{Pool, ValueFuture};

use crate::runtime::Tasks;

fn this_thread() -> ThreadId {
    thread::current().id()
}

pub(crate) fn pooled_future_moves_to_another_thread<R: Tasks>() {
    R::run(async {
        let mut future = ValueFuture::pooled(async {
            let begun = this_thread();
            yield_now().await;
            (begun, this_thread())
        });
        assert!(poll!(&mut future).is_pending());
        let (begun, ended) = R::spawn(future).await;
        assert_eq!(begun, this_thread());
        assert_ne!(ended, this_thread());
    });
}

pub(crate) fn completion_moves_to_another_thread<R: Tasks>() {
    R::run(async {
        let pool = Pool::<Option<ThreadId>>::new();
        let (completer, completion) = pool.rent();
        let mut answer = ValueFuture::from(completion);
        assert!(poll!(&mut answer).is_pending());
        // The operation must store the waker of the task that polled it last.
        let consumer = R::spawn(async { (answer.await, this_thread()) });
        completer.complete(Some(this_thread())).unwrap();
        let (from, taken) = consumer.await;
        assert_eq!(from, Some(this_thread()));
        assert_ne!(taken, this_thread());
        assert_eq!(pool.stats().live, 0);
    });
}
