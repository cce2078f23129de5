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
/// A future that an object-safe method can return: an inline result, a future in a box or a slot,
/// or an operation of a source. `Send` when `T` is; what it is made of is `Send` too.
///
/// # Sizes
///
/// On 64-bit targets one word and `T`: 8 bytes for `()`, 16 for a `T` of 1 to 8 bytes.
/// One niche is left, so that `Option<ValueFuture<'_, T>>` is no larger.
///
/// # Cancel safety
///
/// Dropping it at any time is sound: a boxed future is dropped with it, a source is told by
/// [`cancel`](crate::ValueSource::cancel), once, and **an inline result is dropped**. That
/// one has been taken from where it was when the method was *called*, not when the future was
/// polled. So where a branch of `select!` may lose, and the result must not be lost with it,
/// make the call in an async block: `message = async { queue.recv().await } => …`.
///
/// # Reentrancy
///
/// When the future or source in it is polled or dropped, this future holds no lock and is in
/// no state in between: a waker that is called meanwhile may drop or poll what it likes.
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
//~ /// [`ValueFuture`](crate::ValueFuture) for one thread: it is never `Send`, and takes futures and sources that are
//~ /// not. Everything else is the same. A `ValueFuture` converts into it, and not back.
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
    /// A future that has its result already. Nothing is allocated. For a `const` or a `static` there is
    /// [`const_ready`](Self::const_ready).
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

    /// [`ready`](Self::ready), for constants. It may take longer to await if the result has more than 8 bytes: it
    /// is stored as the compiler likes, and not in the pieces in which `.await` loads it.
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

    /// A future that runs `future`, which may borrow for `'a`.
    ///
    /// `future` is not polled before this future is. In a
    /// [`LocalValueFuture`](crate::LocalValueFuture) it need not be `Send`.
    ///
    /// # Sizes and allocation
    ///
    /// One allocation, of 8 bytes of header and `future`, with the padding that the alignment of
    /// `future` needs. It is freed as soon as `future` has completed, before the result is given
    /// out.
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

    /// Puts `future` into a slot that is used again, of the pool that is
    /// [built in](crate::FuturePool::built_in), instead of a box. In a
    /// [`LocalValueFuture`](crate::LocalValueFuture) it need not be `Send`.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated if this thread finds a vacant slot of the size class. The first future of
    /// a thread may allocate: see [`FuturePool`](crate::FuturePool#threads). A future of more than
    /// [`FuturePool::MAX_SIZE`](crate::FuturePool::MAX_SIZE) bytes, or aligned to more than 16,
    /// is boxed. So is one that finds no vacant slot when the pool has reached its bound, which is 128 MiB unless
    /// [`set_max_bytes`](crate::FuturePool::set_max_bytes) has changed it. The slot is vacant
    /// again when `future` has completed, before the result is given out, or when it is dropped.
    ///
    /// The built-in pool needs `std` and 64-bit atomics. Where they are not there, `future` is boxed.
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

    /// [`pooled`](Self::pooled), but that `future` is polled once, now, in its own type: if it is
    /// ready at once, its result is inline.
    ///
    /// The poll has a waker that does nothing. No wake-up is lost by that: the task that awaits what
    /// is returned begins with a poll. Where there is a context, [`eager_with`](Self::eager_with) does
    /// without a second poll.
    ///
    /// # Not lazy
    ///
    /// What `future` does before it first waits is done when this returns, outside of the task that
    /// will await it: where it needs a runtime, call this within that. If it holds a lock or a permit
    /// then, it holds it until it is awaited or dropped. So await it at once, or use
    /// [`pooled`](Self::pooled), which does nothing before it is awaited.
    ///
    /// # Sizes and allocation
    ///
    /// As [`pooled`](Self::pooled).
    ///
    /// # Panics
    ///
    /// If `future` does. Its slot comes back.
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

    /// [`eager`](Self::eager), with the context of the task that will await it. As there, it is not
    /// lazy.
    #[cfg(feature = "alloc")]
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager_with<F>(future: F, cx: &mut Context<'_>) -> Self
    where
        F: Future<Output = T> + Send + 'a,
    {
        ValueFuture(kept_eagerly(future, cx))
    }

    /// A future of the operation `token` of a source, which is referred to by
    /// `&'a Source<S>` or by a counted reference to one.
    ///
    /// Until the result is given out, the future stands for the one consumer of that
    /// operation: [`cancel`](crate::ValueSource::cancel) is called if it is dropped.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated. There is one exception: on a 64-bit target, where the address
    /// of the source does not fit into 48 bits (tagged heaps, five-level page tables), the
    /// reference goes into a box.
    ///
    /// # Panics
    ///
    /// Without the feature `alloc`, if the address of the source does not fit.
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

    /// Returns `true` if there is a result, so that [`try_take`](Self::try_take) gives it: inline, or that of a completed
    /// operation of a pool or a reusable source. A future in a box or a slot, and an operation of a
    /// [`ValueSource`](crate::ValueSource) of your own, have to be polled for it.
    #[must_use]
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.0.has_result()
    }

    /// Takes the inline result, without polling.
    ///
    /// # Errors
    ///
    /// The future itself, unchanged, if it [has no result](Self::is_ready).
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

    /// The future as the `Pin<Box<dyn Future>>` of the ecosystem. One allocation; a future
    /// that was boxed or pooled stays where it is, inside.
    #[cfg(feature = "alloc")]
    pub fn into_boxed(self) -> Pin<Box<dyn Future<Output = T> + Send + 'a>>
    where
        T: 'a + Send,
    {
        Box::pin(self)
    }

    /// The future with its shape spelled out.
    pub fn into_arm(self) -> Arm<'a, T> {
        self.0.into_arm()
    }

    /// Turns misuse into a value: the output is `Result<T, PollError>`, and
    /// no poll panics for a rule that was broken, by this future or by those that it was
    /// combined from. (One that an async block awaits, in a box, panics in there.)
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

    /// The future for many awaiters, each of whom is given a clone of the result.
    ///
    /// An output that is not `Clone` goes into an `Arc`. For an `io::Result` that is `map_err(Arc::new)` before the call.
    ///
    /// # Sizes and allocation
    ///
    /// If the result is here, none: it stays inline, and each handle has a clone of its own. Otherwise
    /// one, for all handles together.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// let shared = ValueFuture::boxed(async { 6 }).share();
    /// let both = async { shared.clone().await * shared.await };
    /// assert_eq!(futures::executor::block_on(both), 36);
    /// ```
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub fn share(self) -> crate::Shared<'a, T>
    where
        T: Clone,
    {
        self.into()
    }

    /// The future of `f` of its result.
    ///
    /// If the result is here, `f` is called at once, not at the first poll; so it is in
    /// the other combinators.
    ///
    /// # Sizes and allocation
    ///
    /// If the result is here, none. Otherwise this future and `f` are put into a slot, as
    /// [`pooled`](crate::ValueFuture::pooled) does it, which allocates as it does.
    /// So it is in the other combinators.
    ///
    /// # Panics
    ///
    /// If the result is here, and `f` panics. Otherwise it is a poll that calls `f`.
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

    /// The future of the future that `f` makes of its result. That is one of any type: an `async` block, another value future.
    ///
    /// A value future is used as it is, so a chain of ready futures is ready. A future of another type takes a
    /// slot, as [`pooled`](crate::ValueFuture::pooled) does it.
    ///
    /// # Sizes and allocation
    ///
    /// As [`map`](Self::map), beside those of `f` and of its future. Each level of a chain that waits takes stack when it is
    /// polled, as a future in a box does. So write a loop of retries as a loop in an async block.
    ///
    /// # Panics
    ///
    /// As [`map`](Self::map).
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
    /// [`map`](Self::map) for what is in `Ok`.
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn map_ok<U, F>(self, f: F) -> ValueFuture<'a, Result<U, E>>
    where
        F: FnOnce(T) -> U + Send + 'a,
        T: 'a + Send,
        E: 'a + Send,
    {
        self.map(|result| result.map(f))
    }

    /// [`map`](Self::map) for what is in `Err`.
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn map_err<U, F>(self, f: F) -> ValueFuture<'a, Result<T, U>>
    where
        F: FnOnce(E) -> U + Send + 'a,
        T: 'a + Send,
        E: 'a + Send,
    {
        self.map(|result| result.map_err(f))
    }

    /// Converts what is in `Err`, as `?` does.
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn err_into<U>(self) -> ValueFuture<'a, Result<T, U>>
    where
        E: Into<U> + 'a + Send,
        T: 'a + Send,
        U: 'a,
    {
        self.map_err(E::into)
    }

    /// [`then`](Self::then) for what is in `Ok`; an `Err` is passed on.
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

    /// [`then`](Self::then) for what is in `Err`; an `Ok` is passed on.
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

/// # Panics
///
/// With the text of a [`PollError`](crate::error::PollError): if the result has been given out
/// before, if an earlier poll panicked, or if the source reports a stale token.
impl<T> Future for ValueFuture<'_, T> {
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.poll(cx)
    }
}

/// Terminated once the result has been given out, and once a poll has met a panic or a stale
/// token: from then on every poll panics.
impl<T> FusedFuture for ValueFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.0.is_spent()
    }
}

/// Shows the arm, an inline result, and whether what is boxed was pooled. It never polls and never consumes.
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

/// The box stays where it is. The pointer to it takes a slot, as [`pooled`](crate::ValueFuture::pooled) does it.
///
/// A future that is not boxed yet takes a slot itself by [`pooled`](crate::ValueFuture::pooled), and then there is no box.
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

/// [`into_boxed`](crate::ValueFuture::into_boxed).
#[cfg(feature = "alloc")]
impl<'a, T: 'a + Send> From<ValueFuture<'a, T>> for Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        future.into_boxed()
    }
}

/// Inline.
impl<T> From<core::future::Ready<T>> for ValueFuture<'_, T> {
    #[cfg_attr(feature = "trace", track_caller)]
    fn from(ready: core::future::Ready<T>) -> Self {
        ValueFuture::ready(ready.into_inner())
    }
}

/// A future that has the default result.
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
