//! `ReusableSource` and its completer.

//~ any thread
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
//~ one thread
//~ #[cfg(feature = "alloc")]
//~ use alloc::rc::Rc;
//~ end
use core::{
    fmt,
    future::{Future, poll_fn},
    panic::{RefUnwindSafe, UnwindSafe},
    task::{Context, Poll},
};

#[cfg(feature = "alloc")]
use super::owned::Owned;
use super::{
    BeginError,
    place::{InPlace, Place},
};
#[cfg(feature = "alloc")]
use crate::future::kept;
use crate::{
    affinity::AnyThread,
    future::{Packed, ValueFuture},
    operation::{Abandoned, CompleteError, Producer},
    slot::{Number, TypedKey},
};

//~ any thread
/// A source of one operation after another, which lies in a field of its owner: one for a connection, or
/// for each direction of it.
///
/// [`begin`](Self::begin) gives the future of the next operation, and [`key`](Self::key) its name, which
/// may leave the process and come back late: [`complete_key`](Self::complete_key) takes it, and refuses one of
/// an operation that is over. [`begin_held`](Self::begin_held) gives a completer instead, for a producer
/// that has to be done before the next operation begins. There is one operation at a time: to begin
/// another is an error, [`BeginError`].
///
/// Every source begins with the same keys, so the key of one source fits another: send along which source a
/// key is of. A key has a 32-bit generation, and an index that counts epochs of 2³² generations. So no key comes twice.
/// After 2⁶³ operations, [`begin`](Self::begin) returns [`BeginError`] for ever.
///
/// # Sizes and allocation
///
/// 64 bytes and a `T`, padded to a multiple of 8, on 64-bit targets. Nothing is allocated; a `static` may be one. It needs neither
/// `std` nor `alloc`, but atomics of 64 bits. Most microcontrollers do not have them: there is
/// [`LocalReusableSource`](crate::LocalReusableSource), and the guide has [a table of targets](crate::guide::targets). There is one exception: if the address of the source does
/// not fit beside a token, [`begin`](Self::begin) allocates a box, and without `alloc` it panics; see
/// [`from_source`](ValueFuture::from_source).
///
/// # Leaks
///
/// A source whose future went to `mem::forget` stays busy until it is [cleared](Self::clear). What is in
/// it is dropped with it.
///
/// # Examples
///
/// A driver with one read at a time, completed from an interrupt or another thread:
///
/// ```
/// use std::{io, thread};
/// use value_future::{ReusableSource, ValueFuture, reusable::BeginError};
///
/// struct Port {
///     read: ReusableSource<io::Result<u8>>,
/// }
///
/// impl Port {
///     fn read(&self) -> ValueFuture<'_, io::Result<u8>> {
///         self.read.begin().unwrap_or_else(|busy| ValueFuture::ready(Err(busy.into())))
///     }
///
///     fn interrupt(&self, byte: u8) {
///         if let Some(key) = self.read.key() {
///             // It may have been dropped meanwhile.
///             let _ = self.read.complete_key(key, Ok(byte));
///         }
///     }
/// }
///
/// static PORT: Port = Port { read: ReusableSource::new() };
///
/// for byte in 0..3 {
///     let read = PORT.read();
///     let interrupts = thread::spawn(move || PORT.interrupt(byte));
///     assert_eq!(futures::executor::block_on(read).unwrap(), byte);
///     interrupts.join().unwrap();
/// }
/// # let _: Option<BeginError> = None;
/// ```
//~ one thread
//~ /// [`ReusableSource`](crate::ReusableSource) for one thread: no atomics, and neither the source nor what
//~ /// comes from it is `Send`. Everything else is the same.
//~ ///
//~ /// # Examples
//~ ///
//~ /// ```
//~ /// use value_future::LocalReusableSource;
//~ ///
//~ /// let source = LocalReusableSource::<Option<u32>>::new();
//~ /// for number in 0..3 {
//~ ///     let (completer, answer) = source.begin_held().unwrap();
//~ ///     completer.complete(Some(number)).unwrap();
//~ ///     assert_eq!(futures::executor::block_on(answer), Some(number));
//~ /// }
//~ /// ```
//~ end
#[doc(alias = "ManualResetValueTaskSourceCore")]
#[doc(alias = "oneshot")]
pub struct ReusableSource<T>(Place<T, InPlace<AnyThread>>);

impl<T> ReusableSource<T> {
    crate::sync::const_unless_loom! {
        /// A source without an operation.
        #[must_use]
        pub fn new() -> Self
        where
            T: Abandoned,
        {
            // SAFETY: it is a function of `T`, and captures nothing.
            let place = unsafe { Place::<T, InPlace<AnyThread>>::new(Number::new(0, 1), T::abandoned) };
            ReusableSource(place)
        }
    }

    crate::sync::const_unless_loom! {
        /// A source whose first operation has this generation, as if those before it were over; for tests of
        /// what comes after the last generation.
        ///
        /// # Panics
        ///
        /// If `generation` is 0.
        #[must_use]
        pub fn with_first_generation(generation: u32) -> Self
        where
            T: Abandoned,
        {
            // SAFETY: it is a function of `T`, and captures nothing.
            let place = unsafe { Place::<T, InPlace<AnyThread>>::new(Number::new(0, generation), T::abandoned) };
            ReusableSource(place)
        }
    }

    crate::sync::const_unless_loom! {
        /// A source without an operation, for an output that does not implement [`Abandoned`]: `abandoned` makes the result of an
        /// operation that is ended without a value. So a driver needs no `From<Dropped>` for its public error type.
        ///
        /// The source does not store `abandoned`. So it has no bytes: it is the name of a function, or a closure that captures
        /// nothing. A value of the type `fn() -> T` is refused. The compiler checks that when it builds the program, and not in
        /// `cargo check`.
        ///
        /// # Examples
        ///
        /// ```
        /// use value_future::ReusableSource;
        ///
        /// #[derive(Debug, PartialEq)]
        /// pub enum Error {
        ///     Unplugged,
        /// }
        ///
        /// let port = ReusableSource::<Result<u8, Error>>::with_abandoned(|| Err(Error::Unplugged));
        /// let (completer, byte) = port.begin_held().unwrap();
        /// drop(completer);
        /// assert_eq!(futures::executor::block_on(byte), Err(Error::Unplugged));
        /// ```
        #[must_use]
        pub fn with_abandoned<F: Fn() -> T + Copy + Send + 'static>(abandoned: F) -> Self {
            // SAFETY: it lives for ever, and may be on any thread that has the source: it is `Send`, or the source is not.
            let place = unsafe { Place::<T, InPlace<AnyThread>>::new(Number::new(0, 1), abandoned) };
            ReusableSource(place)
        }
    }
    /// Begins an operation, which whoever has its [`key`](Self::key) completes.
    ///
    /// The source is free again when the future has given the result, or is dropped. A producer that
    /// comes late has a key that is refused.
    ///
    /// # Errors
    ///
    /// [`BeginError`], if there is an operation already: its future is there, or its completer. It is not
    /// touched.
    ///
    //~ any thread
    /// # Blocking
    ///
    /// If a producer is inside [`complete_key`](Self::complete_key) or [`abandon_key`](Self::abandon_key) while the
    /// future of the last operation is dropped, this call spins until that producer has returned the slot. With the
    /// feature `std` it then yields, and at last sleeps for 50 µs at a time. That takes about as long as moving a `T`.
    /// So the call never fails for a single caller that has dropped its last future of `begin`.
    ///
    /// Priority inversion: the call may never return in an interrupt handler that has interrupted a call of this
    /// source (by a producer, of `begin`, or the drop of a future or a completer), nor, without `std`, on a thread of a
    /// higher fixed priority on the core of a thread that is inside such a call.
    //~ one thread
    //~ end
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ReusableSource;
    ///
    /// let source = ReusableSource::<Option<u32>>::new();
    /// let answer = source.begin().unwrap();
    /// let key = source.key().unwrap();
    /// assert!(source.begin().is_err());
    ///
    /// source.complete_key(key, Some(5)).unwrap();
    /// assert_eq!(futures::executor::block_on(answer), Some(5));
    /// assert!(source.complete_key(key, Some(6)).is_err());
    /// assert!(source.begin().is_ok());
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn begin(&self) -> Result<ValueFuture<'_, T>, BeginError>
    where
        T: Send,
    {
        let consumer = self.0.begin().ok_or(BeginError(()))?;
        Ok(ValueFuture(Packed::of(consumer)))
    }

    /// [`begin`](Self::begin), and the key of the operation.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ReusableSource;
    ///
    /// let source = ReusableSource::<Option<u32>>::new();
    /// let (key, answer) = source.begin_with_key().unwrap();
    /// source.complete_key(key, Some(5)).unwrap();
    /// assert_eq!(futures::executor::block_on(answer), Some(5));
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn begin_with_key(&self) -> Result<(TypedKey<T>, ValueFuture<'_, T>), BeginError>
    where
        T: Send,
    {
        let (key, consumer) = self.0.begin_with_key().ok_or(BeginError(()))?;
        Ok((key.into(), ValueFuture(Packed::of(consumer))))
    }

    /// [`begin`](Self::begin), with a future that keeps the source: for a task that outlives its caller.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    ///
    /// # Sizes and allocation
    ///
    /// The future takes a slot, as [`pooled`](ValueFuture::pooled) does it.
    ///
    /// # Examples
    ///
    /// ```
    //~ any thread
    /// use std::sync::Arc;
    //~ one thread
    //~ /// use std::rc::Rc;
    //~ end
    /// use value_future::{ReusableSource, ValueFuture};
    ///
    /// let source = Arc::new(ReusableSource::<Option<u32>>::new());
    /// let answer: ValueFuture<'static, Option<u32>> = source.begin_owned().unwrap();
    /// source.complete_key(source.key().unwrap(), Some(5)).unwrap();
    /// drop(source);
    /// assert_eq!(futures::executor::block_on(answer), Some(5));
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn begin_owned(self: &Arc<Self>) -> Result<ValueFuture<'static, T>, BeginError>
    where
        T: Send + 'static,
    {
        let consumer = self.0.begin().ok_or(BeginError(()))?;
        // SAFETY: its slot is in the source, which lives as long as the reference.
        let owned = unsafe { Owned::new(consumer, Arc::clone(self)) };
        Ok(ValueFuture(kept(owned)))
    }

    /// Begins an operation, and gives the end of it that completes.
    ///
    /// The source is free again when both have gone: as long as the producer is not done, it is
    /// the source of this operation. A completer that is dropped ends the wait.
    ///
    /// # Errors
    ///
    /// [`BeginError`], if there is an operation already, which is not touched.
    ///
    //~ any thread
    /// # Blocking
    ///
    /// If a producer is inside [`complete_key`](Self::complete_key) or [`abandon_key`](Self::abandon_key) while the
    /// future of the last operation is dropped, this call spins until that producer has returned the slot. With the
    /// feature `std` it then yields, and at last sleeps for 50 µs at a time. That takes about as long as moving a `T`.
    /// So the call never fails for a single caller that has dropped its last future of `begin`.
    ///
    /// Priority inversion: the call may never return in an interrupt handler that has interrupted a call of this
    /// source (by a producer, of `begin`, or the drop of a future or a completer), nor, without `std`, on a thread of a
    /// higher fixed priority on the core of a thread that is inside such a call.
    //~ one thread
    //~ end
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ReusableSource;
    ///
    /// let source = ReusableSource::<Option<u32>>::new();
    /// let (completer, answer) = source.begin_held().unwrap();
    /// drop(answer); // nobody waits any more
    /// assert!(source.begin().is_err(), "the producer is not done");
    /// assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
    /// assert!(source.begin().is_ok());
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn begin_held(&self) -> Result<(ReusableCompleter<'_, T>, ValueFuture<'_, T>), BeginError>
    where
        T: Send,
    {
        let (producer, consumer) = self.0.begin_held().ok_or(BeginError(()))?;
        Ok((ReusableCompleter(producer), ValueFuture(Packed::of(consumer))))
    }
}

impl<T> ReusableSource<T> {
    /// Returns `true` if there is an operation, so that [`begin`] would fail. If it was begun without a
    /// completer, this returns `false` as soon as its future has given the result or was dropped.
    ///
    /// [`begin`]: ReusableSource::begin
    #[must_use]
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.0.is_busy()
    }

    /// Returns the key of the operation that a key can complete. It was [begun](Self::begin) without a
    /// completer, or its completer has given out the key; no producer has claimed or completed it, and its
    /// future is there. That may change right after the call; [`complete_key`](Self::complete_key) refuses a late
    /// key.
    #[must_use]
    #[inline]
    pub fn key(&self) -> Option<TypedKey<T>> {
        self.0.key().map(TypedKey::from)
    }

    /// Gives the operation with this key its value, and wakes who waits for it.
    ///
    /// # Errors
    ///
    /// The value, and why the key was refused. The operation that is live is not touched.
    ///
    /// # Reentrancy
    ///
    /// The future is woken here, with nothing held: its waker may poll, drop, begin and complete what
    /// it likes.
    #[inline]
    pub fn complete_key(
        &self,
        key: impl Into<TypedKey<T>>,
        value: T,
    ) -> Result<(), CompleteError<T>> {
        self.0.complete_key(key.into().untyped(), value)
    }

    /// Ends the operation with this key without a value: its future gives what [`Abandoned`] says.
    ///
    /// # Errors
    ///
    /// Why the key was refused. The operation that is live is not touched.
    pub fn abandon_key(&self, key: impl Into<TypedKey<T>>) -> Result<(), CompleteError<()>> {
        self.0.abandon_key(key.into().untyped())
    }

    /// Ends what was leaked. If the future of an operation went to `mem::forget`, the source is busy for
    /// ever; whoever has it to himself knows that it is so.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Abandoned> Default for ReusableSource<T> {
    fn default() -> Self {
        ReusableSource::new()
    }
}

/// Says whether it has an operation, and whether that has its result. It never polls.
impl<T> fmt::Debug for ReusableSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReusableSource").field(&format_args!("{}", self.0.progress())).finish()
    }
}

/// The end that completes an operation of a [`ReusableSource`].
///
/// If it is dropped without a value, the future gives what [`Abandoned`] says.
#[must_use = "dropped without a value, it ends the wait"]
pub struct ReusableCompleter<'a, T>(Producer<'a, T, InPlace<AnyThread>>);

impl<T> ReusableCompleter<'_, T> {
    /// Gives the operation its value, and wakes who waits for it.
    ///
    /// # Errors
    ///
    /// [`CompleteError`] with the value, if it will not be delivered: the future was dropped, or a producer with the key has
    /// claimed the operation.
    ///
    /// # Reentrancy
    ///
    /// As [`complete_key`](ReusableSource::complete_key) of the source.
    #[inline]
    pub fn complete(self, value: T) -> Result<(), CompleteError<T>> {
        self.0.complete(value)
    }

    /// Whether nobody waits for a value any more.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until [`is_closed`](Self::is_closed). The waker of the last call is woken.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_closed(cx)
    }

    /// [`poll_closed`](Self::poll_closed) as a future.
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.poll_closed(cx))
    }

    /// Returns the key of the operation. Both the key and this completer may complete it; the first wins.
    ///
    /// **If this completer is dropped, the operation ends**, and the key is refused from then on. For an operation
    /// that only its key completes, there is [`begin`]: it makes no completer.
    ///
    /// [`begin`]: ReusableSource::begin
    #[must_use]
    pub fn key_while_held(&self) -> TypedKey<T> {
        self.0.issue_key().into()
    }
}

impl<T> fmt::Debug for ReusableCompleter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.is_closed();
        f.debug_struct("ReusableCompleter").field("closed", &closed).finish()
    }
}

// A panic leaves each operation in order, and a value is handed over as a whole or not at all.
impl<T> UnwindSafe for ReusableSource<T> {}
impl<T> RefUnwindSafe for ReusableSource<T> {}
impl<T> UnwindSafe for ReusableCompleter<'_, T> {}
impl<T> RefUnwindSafe for ReusableCompleter<'_, T> {}
