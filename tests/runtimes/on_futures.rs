//! The runtimes of `futures` (`block_on` and `LocalPool`), and `block_on` of `pollster`.

use std::cell::RefCell;

use futures::{
    FutureExt,
    executor::{LocalPool, LocalSpawner, block_on},
    task::LocalSpawnExt,
};

use crate::runtime::{Local, LocalTasks, Runtime, Shutdown, Tasks};

pub(crate) struct FuturesBlockOn;
pub(crate) struct Pollster;

macro_rules! block_on {
    ($($runtime:ty: $block_on:path;)*) => {
        $(
            impl Runtime for $runtime {
                fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
                    $block_on(future)
                }
            }

            impl Local for $runtime {
                fn run_local<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
                where
                    F: Future<Output: Send + 'static> + 'static,
                {
                    $block_on(make())
                }
            }
        )*
    };
}

block_on! {
    FuturesBlockOn: block_on;
    Pollster: ::pollster::block_on;
}

pub(crate) struct FuturesLocalPool;

thread_local! {
    static SPAWNER: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
}

fn run<F: Future>(future: F) -> F::Output {
    let mut pool = LocalPool::new();
    SPAWNER.set(Some(pool.spawner()));
    pool.run_until(future)
}

/// Starts a task on the `LocalPool` of the calling task.
fn start(future: impl Future<Output = ()> + 'static) {
    SPAWNER.with_borrow(|spawner| spawner.as_ref().unwrap().spawn_local(future)).unwrap();
}

impl Runtime for FuturesLocalPool {
    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        run(future)
    }
}

impl Tasks for FuturesLocalPool {
    fn spawn<T: Send + 'static>(
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        let (future, result) = future.remote_handle();
        start(future);
        result
    }
}

impl Shutdown for FuturesLocalPool {
    fn drop_with(task: impl Future<Output = ()> + Send + 'static, when: impl Future<Output = ()>) {
        let mut pool = LocalPool::new();
        pool.spawner().spawn_local(task).unwrap();
        pool.run_until(when);
    }
}

impl Local for FuturesLocalPool {
    fn run_local<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send + 'static> + 'static,
    {
        run(make())
    }
}

impl LocalTasks for FuturesLocalPool {
    fn spawn_local<T: 'static>(
        future: impl Future<Output = T> + 'static,
    ) -> impl Future<Output = T> + 'static {
        let (future, result) = future.remote_handle();
        start(future);
        result
    }
}
