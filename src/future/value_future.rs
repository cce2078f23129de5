//! `ValueFuture`, and its functions that need no pool.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use super::{BoxedFuture, Checked, Packed, SourceRef, TryTake, arm::Arm, sealed};
use crate::{affinity::AnyThread, source::SourceReference, token::Token};

//~ any thread
/// A future that an object-safe method can return: an inline result, a future in a box or a slot, or an
/// operation of a source.
///
/// It is `Send` if `T` is `Send`. The futures and sources in it are always `Send`.
///
/// # Sizes
///
/// On 64-bit targets, a future takes one word and `T`: 8 bytes for `()`, 16 for a `T` of 1 to 8 bytes. The word has one niche, so
/// `Option<ValueFuture<'_, T>>` is no larger. The feature `trace` adds a word to each future.
///
/// # Cancel safety
///
/// The future can be dropped at any time. Dropping it drops a boxed future, or calls [`cancel`](crate::ValueSource::cancel) of a source
/// once, or **drops an inline result**. A method produces an inline result when the method is *called*, not when the future is polled. So
/// if a branch of `select!` may lose, and the result must not get lost, call the method in an async block: `message = async {
/// queue.recv().await } => …`.
///
/// # Reentrancy
///
/// While a value future polls or drops its inner future or source, the value future holds no lock and is in a consistent state. A waker
/// that the inner future calls may drop or poll any future.
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
    /// If the result has more than 8 bytes, awaiting it may take longer than with [`ready`](Self::ready). The compiler chooses how to store
    /// the result. If these stores are smaller than the loads of `.await`, each load waits until the stores have reached the CPU cache.
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
    /// The call makes one allocation. This allocation contains a header of 8 bytes and `future`, with the padding that the alignment of
    /// `future` needs. It is freed as soon as `future` has completed, before the poll returns the result.
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

    /// Creates the future of an operation of a source. `token` is the token of the operation, and `source` is a
    /// `&'a Source<S>` or a counted reference to a `Source<S>`.
    ///
    /// The future is the only consumer of that operation. If it is dropped before it is ready, it calls
    /// [`cancel`](crate::ValueSource::cancel).
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated. There is one exception: on a 64-bit target, the reference is boxed if the address of the source does not fit
    /// into 48 bits. Tagged heaps and five-level page tables may cause such addresses.
    ///
    /// # Panics
    ///
    /// On a 64-bit target without the feature `alloc`, panics if the address of the source does not fit into 48 bits.
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
    /// `try_take` returns an inline result, and the result of a completed operation of a pool or a reusable
    /// source. A future in a box or a slot, and an operation of your own [`ValueSource`](crate::ValueSource),
    /// have no result before they are polled.
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

    /// Converts the future into a `Pin<Box<dyn Future>>`. The conversion takes one allocation. A future that
    /// was boxed or pooled stays in its box or slot.
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
    /// Its output is `Result<T, PollError>`. The errors cover misuse of this future, and of the futures that combinators such as `map` have
    /// put into it. They do not cover a value future that an async block awaits: misuse of that future panics inside of the block.
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
    ///         "value future of `i32` polled after completion: its result (ready arm) was \
    ///          already returned, and a result is returned once",
    ///     );
    /// });
    /// ```
    pub fn checked(self) -> Checked<'a, T> {
        Checked::new(self.0)
    }
}

/// Resolves to the result.
///
/// # Panics
///
/// A poll panics with the text of a [`PollError`](crate::error::PollError) in four cases: an earlier poll has returned the result, an
/// earlier poll panicked, the source reports a stale token, or the future was created from [`Arm::Taken`](crate::future::Arm).
impl<T> Future for ValueFuture<'_, T> {
    type Output = T;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.0.poll(cx)
    }
}

/// The future is terminated when it has returned its result, when a poll has panicked, or when its source has reported a stale token. A
/// future that was created from [`Arm::Taken`](crate::future::Arm) is also terminated. Every poll of a terminated future panics.
impl<T> FusedFuture for ValueFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
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

/// Converts the future as [`into_boxed`](crate::ValueFuture::into_boxed) does.
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
