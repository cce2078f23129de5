//! Traits for the capabilities of a runtime, and a time limit for tests.

use std::{
    future::poll_fn,
    panic::resume_unwind,
    pin::pin,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use futures::channel::mpsc::UnboundedSender;

/// A runtime that runs a future to its end.
pub(crate) trait Runtime: 'static {
    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T;
}

/// A runtime that has tasks.
pub(crate) trait Tasks: Runtime {
    /// Starts a task on the runtime of the calling task. Returns a future of its result.
    fn spawn<T: Send + 'static>(
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;
}

/// A runtime that has timers.
pub(crate) trait Timers: Runtime {
    /// Awaits a future. If the future is pending for longer than the limit, drops it, and returns `None`.
    fn timeout<F: Future + Send>(
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + Send;
}

/// A runtime that can be dropped while it has tasks.
pub(crate) trait Shutdown {
    /// Spawns a task, and drops the runtime when the second future is ready.
    fn drop_with(task: impl Future<Output = ()> + Send + 'static, when: impl Future<Output = ()>);
}

/// A runtime that runs futures that are not `Send`.
pub(crate) trait Local: 'static {
    fn run_local<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send + 'static> + 'static;
}

/// A runtime that can spawn tasks that are not `Send`.
pub(crate) trait LocalTasks: Local {
    fn spawn_local<T: 'static>(
        future: impl Future<Output = T> + 'static,
    ) -> impl Future<Output = T> + 'static;
}

/// A runtime that runs each future in a task of `R`, and not directly in the call that blocks.
pub(crate) struct InATask<R>(R);

impl<R: Tasks> Runtime for InATask<R> {
    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        R::run(async { R::spawn(future).await })
    }
}

/// Awaits a future, and sends a message after each poll that returns `Pending`.
pub(crate) async fn reporting<F: Future>(future: F, pending: UnboundedSender<()>) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        if polled.is_pending() {
            // The receiver may be dropped after the first message.
            let _ = pending.unbounded_send(());
        }
        polled
    })
    .await
}

/// Runs a scenario on its own thread. If a wake-up is lost, the test fails instead of blocking forever.
pub(crate) fn run_with_time_limit(scenario: fn()) {
    let (done, is_done) = mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        let _dropped_at_the_end = done;
        scenario();
    });
    let ended = is_done.recv_timeout(Duration::from_secs(60));
    assert_ne!(ended, Err(RecvTimeoutError::Timeout), "a task waits for its wake-up");
    thread.join().unwrap_or_else(|panic| resume_unwind(panic));
}
