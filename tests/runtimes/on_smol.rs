//! The runtimes of `smol`: `block_on` with the global executor, which has its own thread, and `block_on` with a `LocalExecutor`.

use std::{cell::RefCell, rc::Rc, time::Duration};

use ::smol::{LocalExecutor, Timer, block_on, future::or};

use crate::runtime::{Local, LocalTasks, Runtime, Shutdown, Tasks, Timers};

pub(crate) struct Smol;

impl Runtime for Smol {
    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        block_on(future)
    }
}

impl Tasks for Smol {
    fn spawn<T: Send + 'static>(
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        ::smol::spawn(future)
    }
}

impl Timers for Smol {
    async fn timeout<F: Future + Send>(limit: Duration, future: F) -> Option<F::Output> {
        let elapsed = async {
            Timer::after(limit).await;
            None
        };
        or(async { Some(future.await) }, elapsed).await
    }
}

pub(crate) struct SmolLocal;

thread_local! {
    static EXECUTOR: RefCell<Rc<LocalExecutor<'static>>> = RefCell::default();
}

fn executor() -> Rc<LocalExecutor<'static>> {
    EXECUTOR.with_borrow(Rc::clone)
}

impl Runtime for SmolLocal {
    fn run<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
        block_on(executor().run(future))
    }
}

impl Tasks for SmolLocal {
    fn spawn<T: Send + 'static>(
        future: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        executor().spawn(future)
    }
}

impl Shutdown for SmolLocal {
    fn drop_with(task: impl Future<Output = ()> + Send + 'static, when: impl Future<Output = ()>) {
        let executor = LocalExecutor::new();
        executor.spawn(task).detach();
        block_on(executor.run(when));
    }
}

impl Local for SmolLocal {
    fn run_local<F>(make: impl FnOnce() -> F + Send + 'static) -> F::Output
    where
        F: Future<Output: Send + 'static> + 'static,
    {
        block_on(executor().run(make()))
    }
}

impl LocalTasks for SmolLocal {
    fn spawn_local<T: 'static>(
        future: impl Future<Output = T> + 'static,
    ) -> impl Future<Output = T> + 'static {
        executor().spawn(future)
    }
}
