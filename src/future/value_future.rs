//! `ValueFuture`.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use core::task::Waker;
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{BoxedFuture, Checked, Packed, SourceRef, TryTake, arm::Arm, sealed};
#[cfg(feature = "alloc")]
use super::{
    kept::{kept, kept_eagerly},
    same_type::packed,
};
use crate::{affinity::AnyThread, source::SourceReference, token::Token};

//~ any thread
/// A future that an object-safe method can return: an inline result, a future in a box or a slot, or an
/// operation of a source.
///
/// It is `Send` if `T` is. The futures and sources in it are always `Send`.
///
/// # Sizes
///
/// On 64-bit targets one word and `T`: 8 bytes for `()`, 16 for a `T` of 1 to 8 bytes.
/// One niche is left, so that `Option<ValueFuture<'_, T>>` is no larger.
///
/// # Cancel safety
///
/// The future can be dropped at any time. That drops a boxed future, calls
/// [`cancel`](crate::ValueSource::cancel) of a source once, and **drops an inline result**. The method has
/// produced an inline result when it was *called*, not when the future was polled. So if a branch of `select!`
/// may lose, and the result must not get lost, call the method in an async block:
/// `message = async { queue.recv().await } => …`.
///
/// # Reentrancy
///
/// While the future polls or drops the future or source in it, it holds no lock and is in a consistent state. A
/// waker that is called meanwhile may drop or poll any future.
///
/// # Examples
///
/// ```
/// use value_future::ValueFuture;
///
/// trait Store: Send + Sync {
///     fn get(&self, key: u32) -> ValueFuture<'_, String>;
/// }
///
/// struct Names(Vec<String>);
///
/// impl Names {
///     async fn fetch(&self, key: u32) -> String {
///         format!("name {key}, from far away")
///     }
/// }
///
/// impl Store for Names {
///     fn get(&self, key: u32) -> ValueFuture<'_, String> {
///         match self.0.get(key as usize) {
///             Some(name) => ValueFuture::ready(name.clone()),
///             None => ValueFuture::pooled(self.fetch(key)),
///         }
///     }
/// }
///
/// let store: &dyn Store = &Names(vec!["zero".into()]);
/// let all = async { store.get(0).await + " and " + &store.get(1).await };
/// assert_eq!(futures::executor::block_on(all), "zero and name 1, from far away");
/// ```
//~ one thread
//~ /// A [`ValueFuture`](crate::ValueFuture) for one thread: it is never `Send`, and its futures and sources
//~ /// need not be `Send`.
//~ ///
//~ /// Everything else is the same. A `ValueFuture` converts into a `LocalValueFuture`, but not back.
//~ ///
//~ /// # Examples
//~ ///
//~ /// ```
//~ /// use std::{cell::Cell, rc::Rc};
//~ /// use value_future::LocalValueFuture;
//~ ///
//~ /// let counter = Rc::new(Cell::new(1));
//~ /// let future = LocalValueFuture::boxed({
//~ ///     let counter = Rc::clone(&counter);
//~ ///     async move { counter.replace(2) }
//~ /// });
//~ /// assert_eq!(futures::executor::block_on(future), 1);
//~ /// assert_eq!(counter.get(), 2);
//~ /// ```
//~ end
#[doc(alias = "ValueTask")]
#[repr(transparent)]
#[must_use = "a future that is not awaited does not run, and a result that it already has is lost"]
pub struct ValueFuture<'a, T>(pub(crate) Packed<'a, T, AnyThread>);

impl<'a, T> ValueFuture<'a, T> {
    /// Creates a future that is ready with `value`.
    ///
    /// Nothing is allocated. In a `const` or a `static`, use [`const_ready`](Self::const_ready).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let five = ValueFuture::ready(5);
    /// assert_eq!(futures::executor::block_on(five), 5);
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn ready(value: T) -> Self {
        ValueFuture(Packed::ready(value))
    }

    /// Creates a future that is ready with `value`, in a constant.
    ///
    /// If the result has more than 8 bytes, awaiting it may take longer than with [`ready`](Self::ready). The
    /// compiler chooses how to store it, and may not use the pieces in which `.await` loads it.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// const FIVE: ValueFuture<'static, u8> = ValueFuture::const_ready(5);
    /// assert_eq!(futures::executor::block_on(FIVE), 5);
    /// ```
    #[cfg_attr(feature = "trace", track_caller)]
    pub const fn const_ready(value: T) -> Self {
        ValueFuture(Packed::const_ready(value))
    }

    /// Creates a future that runs `future` in a box. `future` may borrow for `'a`.
    ///
    /// The call does not poll `future`. For a [`LocalValueFuture`](crate::LocalValueFuture), `future` need not
    /// be `Send`.
    ///
    /// # Sizes and allocation
    ///
    /// One allocation, of 8 bytes of header and `future`, with the padding that the alignment of `future`
    /// needs. It is freed as soon as `future` has completed, before the poll returns the result.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let name = String::from("inner");
    /// let future = ValueFuture::boxed(async { name.len() });
    /// assert_eq!(futures::executor::block_on(future), 5);
    /// ```
    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn boxed<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture(Packed::boxed(future))
    }

    /// Creates a future that runs `future` in a slot of the [built-in pool](crate::FuturePool::built_in)
    /// instead of a box.
    ///
    /// The call does not poll `future`. For a [`LocalValueFuture`](crate::LocalValueFuture), `future` need not
    /// be `Send`.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated if this thread finds a vacant slot of the size class. The first future of a thread
    /// may allocate: see [`FuturePool`](crate::FuturePool#threads). A future of more than
    /// [`FuturePool::MAX_SIZE`](crate::FuturePool::MAX_SIZE) bytes, or aligned to more than 16, is boxed. A
    /// future is also boxed if it finds no vacant slot, and the pool has reached its bound. The bound is 128
    /// MiB unless [`set_max_bytes`](crate::FuturePool::set_max_bytes) has changed it. The slot is vacant again
    /// when `future` has completed, before the poll returns the result, or when it is dropped.
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
    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn pooled<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture(kept(future))
    }

    /// Polls `future` once, and puts it into a slot like [`pooled`](Self::pooled) if it is pending.
    ///
    /// If the poll is ready, the result is inline. The compiler can inline the poll, because it knows the type
    /// of `future`.
    ///
    /// The poll uses a waker that does nothing. That loses no wake-up, because the task that awaits the
    /// returned future first polls it. If you have a context, [`eager_with`](Self::eager_with) saves that
    /// second poll.
    ///
    /// # Not lazy
    ///
    /// The call runs `future` up to its first pending await, outside of the task that will await it. If
    /// `future` needs a runtime, call this method within that runtime. If `future` holds a lock or a permit
    /// after that poll, it holds it until it is awaited or dropped. So await it at once, or use
    /// [`pooled`](Self::pooled), which does nothing before it is awaited.
    ///
    /// A future that yields once, as `tokio::task::yield_now` does, has yielded in that poll. The task that
    /// awaits it does not yield, so it may be faster in a benchmark than in use. If several layers of a service
    /// use `eager`, each of them polls the innermost future once.
    ///
    /// # Sizes and allocation
    ///
    /// As for [`pooled`](Self::pooled).
    ///
    /// # Panics
    ///
    /// Panics if `future` panics. Its slot is returned.
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
    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager<F>(future: F) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture::eager_with(future, &mut Context::from_waker(Waker::noop()))
    }

    /// Polls `future` once, like [`eager`](Self::eager), with the context of the task that will await it. It is
    /// not lazy either.
    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager_with<F>(future: F, cx: &mut Context<'_>) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture(kept_eagerly(future, cx))
    }

    /// Creates a future of the operation `token` of a source. `source` is a `&'a Source<S>` or a counted
    /// reference to a `Source<S>`.
    ///
    /// The future is the only consumer of that operation. If it is dropped before it is ready, it calls
    /// [`cancel`](crate::ValueSource::cancel).
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated. There is one exception: on a 64-bit target, if the address of the source does not
    /// fit into 48 bits (tagged heaps, five-level page tables), the reference is boxed.
    ///
    /// # Panics
    ///
    /// Panics without the feature `alloc` if the address of the source does not fit.
    ///
    /// # Examples
    ///
    /// See [`Source`](crate::Source), and `examples/custom_source.rs`.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn from_source<R>(source: R, token: Token) -> Self
    where
        R: SourceReference<'a, Output = T> + Send,
    {
        ValueFuture(Packed::from_source(source, token))
    }

    /// Returns `true` if [`try_take`](Self::try_take) would return a result.
    ///
    /// That is an inline result, or the result of a completed operation of a pool or a reusable source. A
    /// future in a box or a slot, and an operation of your own [`ValueSource`](crate::ValueSource), must be
    /// polled for their result.
    #[must_use]
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.0.has_result()
    }

    /// Takes the result without polling.
    ///
    /// # Errors
    ///
    /// Returns the future unchanged if it [has no result](Self::is_ready).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// assert_eq!(ValueFuture::ready(5).try_take().unwrap(), 5);
    /// assert!(ValueFuture::boxed(async { 5 }).try_take().is_err());
    /// ```
    #[inline(always)]
    pub fn try_take(self) -> Result<T, Self> {
        self.0.take_now().map_err(ValueFuture)
    }

    /// Converts the future into a `Pin<Box<dyn Future>>`. It takes one allocation. A future that was boxed or
    /// pooled stays in its box or slot.
    #[cfg(feature = "alloc")]
    pub fn into_boxed(self) -> Pin<Box<dyn Future<Output = T> + Send + 'a>>
    where
        T: 'a + Send,
    {
        Box::pin(self)
    }

    /// Converts the future into an enum of its arms.
    pub fn into_arm(self) -> Arm<'a, T> {
        self.0.into_arm()
    }

    /// Returns a future that reports misuse as a [`PollError`](crate::error::PollError) instead of a panic.
    ///
    /// Its output is `Result<T, PollError>`. That covers this future and the futures that it was combined from.
    /// A future that an async block awaits still panics inside of that block.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{ValueFuture, error::Rule};
    ///
    /// let mut future = ValueFuture::ready(5).checked();
    /// futures::executor::block_on(async {
    ///     assert_eq!((&mut future).await, Ok(5));
    ///     let error = (&mut future).await.unwrap_err();
    ///     assert_eq!(error.rule(), Rule::PolledAfterCompletion);
    ///     assert_eq!(
    ///         error.to_string(),
    ///         "value future of `i32` polled after completion: its result (ready arm) has \
    ///          been given out, and a result is given out once",
    ///     );
    /// });
    /// ```
    pub fn checked(self) -> Checked<'a, T> {
        Checked::new(self.0)
    }

    /// Maps the result with `f`.
    ///
    /// If the future is ready, this call runs `f` at once, not at the first poll. The other combinators do the
    /// same.
    ///
    /// # Sizes and allocation
    ///
    /// If the future is ready, nothing is allocated. Otherwise this future and `f` are put into a slot, which
    /// may allocate as for [`pooled`](crate::ValueFuture::pooled). The other combinators do the same.
    ///
    /// # Panics
    ///
    /// Panics if the future is ready and `f` panics. Otherwise a later poll calls `f`.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let length = ValueFuture::ready("four").map(str::len);
    /// assert_eq!(length.try_take().unwrap(), 4);
    /// ```
    #[cfg(feature = "alloc")]
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
    /// A value future is not wrapped again, so a chain of ready futures is ready. A future of another type
    /// takes a slot, as for [`pooled`](crate::ValueFuture::pooled).
    ///
    /// # Sizes and allocation
    ///
    /// As for [`map`](Self::map), plus the allocations of `f` and of its future. Each level of a pending chain
    /// takes stack when it is polled, like a future in a box. So write retries as a loop in an async block.
    ///
    /// # Panics
    ///
    /// As for [`map`](Self::map).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let future = ValueFuture::ready(5).then(|n| async move { n + 1 }).then(|n| ValueFuture::ready(n * 2));
    /// assert_eq!(futures::executor::block_on(future), 12);
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn then<Fut, F>(self, f: F) -> ValueFuture<'a, Fut::Output>
    where
        F: FnOnce(T) -> Fut + Send + 'a,
        Fut: Future + Send + 'a,
        Fut::Output: Send + 'a,
        T: Send + 'a,
    {
        ValueFuture(self.0.then(|value| packed(f(value))))
    }
}

#[cfg(feature = "alloc")]
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
            Ok(value) => packed(f(value)),
            Err(error) => {
                // Before there is a future: if this panics, the error is still ours to drop.
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
                // As in `and_then`.
                drop(f);
                Packed::ready(Ok(value))
            }
            Err(error) => packed(f(error)),
        }))
    }
}

/// Returns the result when it is ready.
///
/// # Panics
///
/// A poll panics with the text of a [`PollError`](crate::error::PollError) in three cases: an earlier poll has
/// returned the result, an earlier poll panicked, or the source reports a stale token.
impl<T> Future for ValueFuture<'_, T> {
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.poll(cx)
    }
}

/// The future is terminated when it has returned its result, or when a poll has met a panic or a stale token.
/// From then on every poll panics.
impl<T> FusedFuture for ValueFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.0.is_spent()
    }
}

/// Shows the arm, an inline result, and whether a boxed future is pooled, without polling the future.
impl<T: fmt::Debug> fmt::Debug for ValueFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueFuture").field(&self.0).finish()
    }
}

impl<'a, T> From<Arm<'a, T>> for ValueFuture<'a, T> {
    fn from(arm: Arm<'a, T>) -> Self {
        ValueFuture(Packed::from_arm(arm))
    }
}

impl<'a, T> From<BoxedFuture<'a, T, AnyThread>> for ValueFuture<'a, T> {
    fn from(future: BoxedFuture<'a, T, AnyThread>) -> Self {
        ValueFuture(future.into_packed())
    }
}

impl<'a, T> From<SourceRef<'a, T, AnyThread>> for ValueFuture<'a, T> {
    fn from(source: SourceRef<'a, T, AnyThread>) -> Self {
        ValueFuture(source.into_packed())
    }
}

/// Puts the pointer to the box into a slot, as by [`pooled`](crate::ValueFuture::pooled). The box itself is not
/// moved.
///
/// If a future is not boxed yet, pass it to [`pooled`](crate::ValueFuture::pooled) instead. Then there is no
/// box.
#[cfg(feature = "alloc")]
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

/// Converts the future by [`into_boxed`](crate::ValueFuture::into_boxed).
#[cfg(feature = "alloc")]
impl<'a, T: 'a + Send> From<ValueFuture<'a, T>> for Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        future.into_boxed()
    }
}

/// Stores the result inline.
impl<T> From<core::future::Ready<T>> for ValueFuture<'_, T> {
    #[cfg_attr(feature = "trace", track_caller)]
    fn from(ready: core::future::Ready<T>) -> Self {
        ValueFuture::ready(ready.into_inner())
    }
}

/// Creates a future that is ready with `T::default()`.
impl<T: Default> Default for ValueFuture<'_, T> {
    #[cfg_attr(feature = "trace", track_caller)]
    fn default() -> Self {
        ValueFuture::ready(T::default())
    }
}

impl<T> sealed::Sealed for ValueFuture<'_, T> {}

#[diagnostic::do_not_recommend]
impl<T> TryTake<T> for ValueFuture<'_, T> {
    #[inline(always)]
    fn try_take(self) -> Result<T, Self> {
        self.try_take()
    }
}
