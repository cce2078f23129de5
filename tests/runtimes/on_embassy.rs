//! The runtime `embassy-executor`. The executor never ends, so one thread runs it for all tests.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{LazyLock, mpsc},
    thread,
};

use embassy_executor::{Executor, Spawner};
use futures::{
    FutureExt, StreamExt,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    future::LocalBoxFuture,
};

use crate::runtime::{Local, LocalTasks, Runtime, Tasks};

pub(crate) struct Embassy;

/// A function that creates the future of a task. The thread of the executor calls this function.
type Job = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

static JOBS: LazyLock<UnboundedSender<Job>> = LazyLock::new(|| {
    let (jobs, inbox) = unbounded();
    thread::spawn(|| {
        let executor = Box::leak(Box::new(Executor::new()));
        executor.run(|spawner| {
            SPAWNER.set(Some(spawner));
            spawner.spawn(start_jobs(inbox).unwrap());
        })
    });
    jobs
});

thread_local! {
    static SPAWNER: Cell<Option<Spawner>> = const { Cell::new(None) };
}

#[embassy_executor::task]
async fn start_jobs(mut inbox: UnboundedReceiver<Job>) {
    while let Some(job) = inbox.next().await {
        start(job());
    }
}

/// Runs one future as a task. `pool_size` is enough for the tasks of all tests that run at the same time.
#[embassy_executor::task(pool_size = 256)]
async fn task(future: LocalBoxFuture<'static, ()>) {
    future.await;
}

/// Starts a task on the executor of the calling task.
fn start(future: LocalBoxFuture<'static, ()>) {
    SPAWNER.get().unwrap().spawn(task(future).unwrap());
}

impl Runtime for Embassy {
    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        Self::run_local(|| future)
    }
}

impl Tasks for Embassy {
    fn spawn<T: Send + 'static>(
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let (future, result) = future.remote_handle();
        start(future.boxed_local());
        result
    }
}

impl Local for Embassy {
    fn run_local<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send + 'static> + 'static,
    {
        let (ended, end) = mpsc::channel();
        let job: Job = Box::new(move || {
            // A failing test must not end the executor, because other tests use the executor too.
            let future = async move { AssertUnwindSafe(make()).catch_unwind().await };
            future.map(move |result| ended.send(result).unwrap()).boxed_local()
        });
        JOBS.unbounded_send(job).unwrap();
        end.recv().unwrap().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl LocalTasks for Embassy {
    fn spawn_local<T: 'static>(
        future: impl Future<Output = T> + 'static,
    ) -> impl Future<Output = T> + 'static {
        let (future, result) = future.remote_handle();
        start(future.boxed_local());
        result
    }
}
