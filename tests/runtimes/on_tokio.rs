//! The two flavours of tokio's runtime: current thread and multi thread.

use std::time::Duration;

use tokio::{
    runtime::{Builder, Runtime as TokioRuntime},
    task::{LocalSet, spawn_local},
    time::timeout,
};

use crate::runtime::{Local, LocalTasks, Runtime, Shutdown, Tasks, Timers};

pub(crate) struct TokioCurrentThread;
pub(crate) struct TokioMultiThread;

impl TokioCurrentThread {
    fn build() -> TokioRuntime {
        Builder::new_current_thread().enable_time().build().unwrap()
    }
}

impl TokioMultiThread {
    fn build() -> TokioRuntime {
        Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
    }
}

macro_rules! tokio_runtime {
    ($($flavour:ty)*) => {
        $(
            impl Runtime for $flavour {
                fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
                    Self::build().block_on(future)
                }
            }

            impl Tasks for $flavour {
                fn spawn<T: Send + 'static>(
                    future: impl Future<Output = T> + Send + 'static,
                ) -> impl Future<Output = T> + Send + 'static {
                    let task = tokio::spawn(future);
                    async { task.await.unwrap() }
                }
            }

            impl Timers for $flavour {
                async fn timeout<F: Future + Send>(limit: Duration, future: F) -> Option<F::Output> {
                    timeout(limit, future).await.ok()
                }
            }

            impl Shutdown for $flavour {
                fn drop_with(
                    task: impl Future<Output = ()> + Send + 'static,
                    when: impl Future<Output = ()>,
                ) {
                    let runtime = Self::build();
                    runtime.spawn(task);
                    runtime.block_on(when);
                }
            }
        )*
    };
}

tokio_runtime! { TokioCurrentThread TokioMultiThread }

impl Local for TokioCurrentThread {
    fn run_local<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send + 'static> + 'static,
    {
        LocalSet::new().block_on(&Self::build(), make())
    }
}

impl LocalTasks for TokioCurrentThread {
    fn spawn_local<T: 'static>(
        future: impl Future<Output = T> + 'static,
    ) -> impl Future<Output = T> + 'static {
        let task = spawn_local(future);
        async { task.await.unwrap() }
    }
}
