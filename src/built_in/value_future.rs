//! The constructors and combinators of `ValueFuture` that use the built-in pool.

use alloc::boxed::Box;
use core::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
};

use super::{
    combinators::into_packed,
    store::{store, store_eagerly},
};
use crate::future::{Packed, ValueFuture};

impl<'a, T> ValueFuture<'a, T> {
    /// Creates a future that runs `future` in a slot of the [built-in pool](crate::FuturePool::built_in)
    /// instead of a box.
    ///
    /// The call does not poll `future`. For a [`LocalValueFuture`](crate::LocalValueFuture), `future` need not
    /// be `Send`.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated if this thread finds a vacant slot of the size that `future` needs. There is one exception: the first future of
    /// each size may allocate a cache for this thread (see [`FuturePool`](crate::FuturePool#threads)). A future of more than
    /// [`FuturePool::MAX_SIZE`](crate::FuturePool::MAX_SIZE) bytes, or aligned to more than 16, is boxed. A future is also boxed if this
    /// thread finds no vacant slot, and the pool has reached its bound. The bound is 128 MiB unless
    /// [`set_max_bytes`](crate::FuturePool::set_max_bytes) has changed it. The slot becomes vacant when `future` is dropped. If `future`
    /// completes, it is dropped before the poll returns the result.
    ///
    /// The built-in pool needs `std` and 64-bit atomics. Without them, `future` is boxed.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let name = String::from("inner");
    /// let future = ValueFuture::pooled(async { name.len() });
    /// assert_eq!(futures::executor::block_on(future), 5);
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn pooled<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture(store(future))
    }

    /// Puts `future` into a slot, as [`pooled`](Self::pooled) does, and polls it there once.
    ///
    /// If the poll is ready, the returned future contains the result inline, and the slot is vacant again. The compiler can inline the
    /// poll, because it knows the type of `future`.
    ///
    /// The poll uses a waker that does nothing. No wake-up is lost, because the task that awaits the returned
    /// future begins with a second poll of `future`, with its own waker. A `poll` function can use [`eager_with`](Self::eager_with)
    /// instead. Then the poll registers the waker of the function's context, so the function may return `Pending` without a second poll.
    ///
    /// # Not lazy
    ///
    /// The call runs `future` up to its first pending await, outside of the task that will await it. If
    /// `future` needs a runtime, call this method within that runtime. If `future` holds a lock or a permit
    /// after that poll, the lock or permit stays held until the returned future is awaited or dropped. So await
    /// the returned future at once, or use
    /// [`pooled`](Self::pooled), which does nothing before it is awaited.
    ///
    /// A future that yields once, as `tokio::task::yield_now` does, has already yielded in the poll by `eager`. The task that awaits the
    /// returned future does not yield again. So a benchmark with such a future makes `eager` look faster than it is for futures that wait
    /// for an event. If several layers of a service use `eager`, each layer polls the innermost future once.
    ///
    /// # Sizes and allocation
    ///
    /// The call allocates in the same cases as [`pooled`](Self::pooled).
    ///
    /// # Panics
    ///
    /// Panics if `future` panics in this poll. The slot is then returned to the pool.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// assert_eq!(ValueFuture::eager(async { 5 }).try_take().unwrap(), 5);
    /// let later = ValueFuture::eager(std::future::pending::<u8>());
    /// assert!(later.try_take().is_err());
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture::eager_with(future, &mut Context::from_waker(Waker::noop()))
    }

    /// Does the same as [`eager`](Self::eager), but polls `future` with `cx`, the context of the task that will await the returned future.
    /// This method is not lazy either.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager_with<F>(future: F, cx: &mut Context<'_>) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture(store_eagerly(future, cx))
    }

    /// Maps the result with `f`.
    ///
    /// If the future is ready, this call runs `f` at once, not at the first poll. The other combinators do the
    /// same.
    ///
    /// # Sizes and allocation
    ///
    /// If the future is ready, nothing is allocated. Otherwise this future and `f` are put into a slot. That
    /// may allocate, as described for [`pooled`](crate::ValueFuture::pooled). The same holds for the other
    /// combinators.
    ///
    /// # Panics
    ///
    /// Panics if the future is ready and `f` panics. If the future is pending, a later poll calls `f`, and
    /// passes a panic of `f` through.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let length = ValueFuture::ready("four").map(str::len);
    /// assert_eq!(length.try_take().unwrap(), 4);
    /// ```
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn map<U, F>(self, f: F) -> ValueFuture<'a, U>
    where
        F: FnOnce(T) -> U + Send + 'a,
        T: 'a + Send,
    {
        ValueFuture(self.0.map(f))
    }

    /// Calls `f` with the result, and awaits the future that `f` returns. That future can have any type, for
    /// example an `async` block or another value future.
    ///
    /// If `f` returns a value future, that future is not put into another slot. So a chain of ready futures is ready. A future of another
    /// type takes a slot, like a future that is passed to [`pooled`](crate::ValueFuture::pooled).
    ///
    /// # Sizes and allocation
    ///
    /// This method allocates as [`map`](Self::map) does. In addition, `f` may allocate, and the future that `f` returns may allocate. Each
    /// level of a pending chain takes stack when it is polled, like a future in a box. A retry by `then` adds a level for each attempt. So
    /// write retries as a loop in an async block.
    ///
    /// # Panics
    ///
    /// Panics in the same cases as [`map`](Self::map).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let future = ValueFuture::ready(5).then(|n| async move { n + 1 }).then(|n| ValueFuture::ready(n * 2));
    /// assert_eq!(futures::executor::block_on(future), 12);
    /// ```
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn then<Fut, F>(self, f: F) -> ValueFuture<'a, Fut::Output>
    where
        F: FnOnce(T) -> Fut + Send + 'a,
        Fut: Future + Send + 'a,
        Fut::Output: Send + 'a,
        T: Send + 'a,
    {
        ValueFuture(self.0.then(|value| into_packed(f(value))))
    }
}

impl<'a, T, E> ValueFuture<'a, Result<T, E>> {
    /// Maps the value in `Ok` with `f`, like [`map`](Self::map).
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn map_ok<U, F>(self, f: F) -> ValueFuture<'a, Result<U, E>>
    where
        F: FnOnce(T) -> U + Send + 'a,
        T: 'a + Send,
        E: 'a + Send,
    {
        self.map(|result| result.map(f))
    }

    /// Maps the error in `Err` with `f`, like [`map`](Self::map).
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn map_err<U, F>(self, f: F) -> ValueFuture<'a, Result<T, U>>
    where
        F: FnOnce(E) -> U + Send + 'a,
        T: 'a + Send,
        E: 'a + Send,
    {
        self.map(|result| result.map_err(f))
    }

    /// Converts the error in `Err` with `From`, like `?`.
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn err_into<U>(self) -> ValueFuture<'a, Result<T, U>>
    where
        E: Into<U> + 'a + Send,
        T: 'a + Send,
        U: 'a,
    {
        self.map_err(E::into)
    }

    /// Calls `f` with the value in `Ok`, and awaits the future that `f` returns, like [`then`](Self::then). An
    /// `Err` is returned unchanged.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// fn half(n: u32) -> ValueFuture<'static, Result<u32, &'static str>> {
    ///     ValueFuture::ready(if n % 2 == 0 { Ok(n / 2) } else { Err("odd") })
    /// }
    ///
    /// assert_eq!(half(12).and_then(half).try_take().unwrap(), Ok(3));
    /// assert_eq!(half(6).and_then(half).try_take().unwrap(), Err("odd"));
    /// ```
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn and_then<U, Fut, F>(self, f: F) -> ValueFuture<'a, Result<U, E>>
    where
        F: FnOnce(T) -> Fut + Send + 'a,
        Fut: Future<Output = Result<U, E>> + Send + 'a,
        T: Send + 'a,
        E: Send + 'a,
        U: Send + 'a,
    {
        ValueFuture(self.0.then(|result| match result {
            Ok(value) => into_packed(f(value)),
            Err(error) => {
                // `f` is dropped before the error is moved into the result. Otherwise, if the destructor of `f` panics, the error is
                // dropped, too.
                drop(f);
                Packed::ready(Err(error))
            }
        }))
    }

    /// Calls `f` with the error in `Err`, and awaits the future that `f` returns, like [`then`](Self::then). An
    /// `Ok` is returned unchanged.
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn or_else<U, Fut, F>(self, f: F) -> ValueFuture<'a, Result<T, U>>
    where
        F: FnOnce(E) -> Fut + Send + 'a,
        Fut: Future<Output = Result<T, U>> + Send + 'a,
        T: Send + 'a,
        E: Send + 'a,
        U: Send + 'a,
    {
        ValueFuture(self.0.then(|result| match result {
            Ok(value) => {
                // `f` is dropped here for the same reason as in `and_then`.
                drop(f);
                Packed::ready(Ok(value))
            }
            Err(error) => into_packed(f(error)),
        }))
    }
}

/// Puts the `Pin<Box<F>>`, which is only a pointer, into a slot, as [`pooled`](crate::ValueFuture::pooled) does. The future in the box is
/// not moved.
///
/// If a future is not boxed yet, pass it to [`pooled`](crate::ValueFuture::pooled) instead. Then no box is
/// needed.
impl<'a, T, F> From<Pin<Box<F>>> for ValueFuture<'a, T>
where
    T: 'a,
    F: Future<Output = T> + Send + ?Sized + 'a,
{
    #[cfg_attr(feature = "trace", track_caller)]
    fn from(future: Pin<Box<F>>) -> Self {
        ValueFuture::pooled(future)
    }
}
