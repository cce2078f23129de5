//! Blocking waits for completions.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    sync::Arc,
    task::Wake,
    thread::{self, Thread},
    time::Instant,
};

use super::{Completion, polled_after_its_end};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Calls a function with a waker that unparks this thread. The waker is allocated once for each thread.
fn with_waker<R>(f: impl FnOnce(&Waker) -> R) -> R {
    fn new() -> Waker {
        Arc::new(Unpark(thread::current())).into()
    }

    std::thread_local! {
        static WAKER: Waker = new();
    }
    // While the thread ends, `WAKER` may already be destroyed. Then this function creates a new waker.
    let waker = WAKER.try_with(Waker::clone).unwrap_or_else(|_| new());
    f(&waker)
}

impl<T> Completion<T> {
    #[expect(clippy::must_use_candidate, reason = "a program may call this only to wait")]
    /// Blocks this thread until there is a result, and returns the result. This method is for code that is not
    /// async.
    ///
    /// Do not call this method inside a task: the call blocks the other tasks of its thread, which may include
    /// the producer.
    ///
    /// # Panics
    ///
    /// Panics if the result was taken before.
    ///
    /// # Sizes and allocation
    ///
    /// A thread allocates once, when it waits for the first time.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::Pool;
    ///
    /// let pool = Pool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// std::thread::spawn(move || completer.complete(Some(5)));
    /// assert_eq!(completion.wait(), Some(5));
    /// ```
    #[doc(alias = "blocking_recv")]
    #[track_caller]
    pub fn wait(self) -> T {
        self.wait_until(None).unwrap_or_else(|_| unreachable!("there is no deadline"))
    }

    /// Blocks this thread until there is a result, but at most for `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the completion if there is no result after that time.
    ///
    /// # Panics
    ///
    /// Panics if the result was taken before.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use value_future::Pool;
    ///
    /// let pool = Pool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// let completion = completion.wait_timeout(Duration::from_millis(1)).unwrap_err();
    /// completer.complete(Some(5)).unwrap();
    /// assert_eq!(completion.wait_timeout(Duration::ZERO).unwrap(), Some(5));
    /// ```
    #[track_caller]
    pub fn wait_timeout(self, timeout: Duration) -> Result<T, Self> {
        // If `timeout` is too long for the clock, there is no deadline.
        self.wait_until(Instant::now().checked_add(timeout))
    }

    /// Blocks this thread until there is a result, but at most until `deadline`.
    ///
    /// # Errors
    ///
    /// Returns the completion if there is no result at that time.
    ///
    /// # Panics
    ///
    /// Panics if the result was taken before.
    #[track_caller]
    pub fn wait_deadline(self, deadline: Instant) -> Result<T, Self> {
        self.wait_until(Some(deadline))
    }

    #[track_caller]
    fn wait_until(mut self, deadline: Option<Instant>) -> Result<T, Self> {
        if self.0.is_terminated() {
            polled_after_its_end::<T>(self.0.termination(), self.1);
        }
        with_waker(|waker| {
            loop {
                let polled = Pin::new(&mut self).poll(&mut Context::from_waker(waker));
                if let Poll::Ready(result) = polled {
                    return Ok(result);
                }
                // The poll may have dropped the waker of another task. If the destructor of that waker has parked this thread, the park may
                // have consumed the unpark token that the completer had set. So this loop checks for the result before it parks the thread.
                if self.is_completed() {
                    continue;
                }
                let Some(deadline) = deadline else {
                    thread::park();
                    continue;
                };
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(self);
                }
                thread::park_timeout(left);
            }
        })
    }
}
