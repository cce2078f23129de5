//! `ReusableSource` and its completer.

//~ any thread
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
//~ one thread
//~ #[cfg(feature = "alloc")]
//~ use alloc::rc::Rc;
//~ end
use core::{
    any::type_name,
    fmt,
    future::{Future, poll_fn},
    panic::{RefUnwindSafe, UnwindSafe},
    task::{Context, Poll},
};

use super::{
    BeginError,
    inner::{Inner, Standalone},
};
#[cfg(feature = "alloc")]
use crate::built_in::store;
use crate::{
    affinity::AnyThread,
    future::{Packed, ValueFuture},
    operation::{Abandoned, CompleteError},
    slot::{CompleterRole, Number, SourceName, TypedKey},
};

//~ any thread
/// A source for one operation at a time, in a field of a driver or in a `static`. A connection may have one
/// source for each direction.
///
/// [`begin`](Self::begin) returns the future of the next operation. [`key`](Self::key) returns the key of the operation. The key may leave
/// the process, and may return late. [`complete_key`](Self::complete_key) takes a key, and refuses the key of an operation that is over.
/// [`begin_with_completer`](Self::begin_with_completer) returns a completer instead, for a producer that must finish before the next
/// operation begins. If there already is an operation, each method that begins an operation returns a [`BeginError`].
///
/// Every source begins with the same keys, so the key of one source fits another. If a program has several sources, it must send the name
/// of the source together with the key. A key has a 32-bit generation, and an index that counts epochs of 2³² generations. So a source
/// never creates a key twice. After 2⁶³ operations, [`begin`](Self::begin) always returns [`BeginError`].
///
/// # Sizes and allocation
///
/// A source takes 64 bytes and a `T`, padded to a multiple of 8, on 64-bit targets. A source may be a `static`. The type `ReusableSource`
/// needs 64-bit atomics, but neither `std` nor `alloc`. Most microcontrollers have no 64-bit atomics. Use a
/// [`LocalReusableSource`](crate::LocalReusableSource) there: the guide has [a table of targets](crate::guide::targets). A call that begins
/// an operation allocates nothing if the address of the source and a token fit into one word. Otherwise it allocates a box, or panics if
/// the feature `alloc` is off: see [`from_source`](ValueFuture::from_source). [`begin_owned`](Self::begin_owned) is different: it stores
/// its future in the built-in pool, or in a box if this pool is full or does not exist.
///
/// # Leaks
///
/// If the future or the completer of an operation was leaked (`mem::forget`), the source stays busy until it is
/// [cleared](Self::clear). Dropping the source drops a result that was not taken.
///
/// # Examples
///
/// A driver with one read at a time, which an interrupt or another thread completes:
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
///             // The future may have been dropped meanwhile.
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
//~ /// A [`ReusableSource`](crate::ReusableSource) for one thread: it uses no atomics, and neither the source
//~ /// nor its operations are `Send`. Everything else is the same.
//~ ///
//~ /// # Examples
//~ ///
//~ /// ```
//~ /// use value_future::LocalReusableSource;
//~ ///
//~ /// let source = LocalReusableSource::<Option<u32>>::new();
//~ /// for number in 0..3 {
//~ ///     let (completer, answer) = source.begin_with_completer().unwrap();
//~ ///     completer.complete(Some(number)).unwrap();
//~ ///     assert_eq!(futures::executor::block_on(answer), Some(number));
//~ /// }
//~ /// ```
//~ end
#[doc(alias = "ManualResetValueTaskSourceCore")]
#[doc(alias = "oneshot")]
pub struct ReusableSource<T>(Inner<T, Standalone<AnyThread>>);

impl SourceName for Standalone<AnyThread> {
    fn source_name<T>() -> &'static str {
        type_name::<ReusableSource<T>>()
    }
}

impl<T> ReusableSource<T> {
    crate::sync::const_unless_loom! {
        /// Creates a source without an operation.
        #[must_use]
        pub fn new() -> Self
        where
            T: Abandoned,
        {
            ReusableSource(Inner::<T, Standalone<AnyThread>>::new(Number::new(0, 1)))
        }
    }

    crate::sync::const_unless_loom! {
        /// Creates a source whose first operation has this generation. Use this method to test what happens
        /// after the last generation.
        ///
        /// # Panics
        ///
        /// Panics if `generation` is 0.
        #[must_use]
        pub fn with_first_generation(generation: u32) -> Self
        where
            T: Abandoned,
        {
            ReusableSource(Inner::<T, Standalone<AnyThread>>::new(Number::new(0, generation)))
        }
    }

    crate::sync::const_unless_loom! {
        /// Creates a source without an operation, for an output that does not implement [`Abandoned`].
        ///
        /// `abandoned` creates the result of an operation that ends without a value. Use this method, for
        /// example, in a driver whose public error type does not implement `From<Dropped>`.
        ///
        /// The source does not store `abandoned`. So `abandoned` must be a value without bytes: the name of a function, or a closure that
        /// captures nothing. A value of the type `fn() -> T` is refused. The compiler checks this when it builds the program, but not in
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
        /// let (completer, byte) = port.begin_with_completer().unwrap();
        /// drop(completer);
        /// assert_eq!(futures::executor::block_on(byte), Err(Error::Unplugged));
        /// ```
        #[must_use]
        pub fn with_abandoned<F: Fn() -> T + Copy + Send + 'static>(abandoned: F) -> Self {
            ReusableSource(Inner::<T, Standalone<AnyThread>>::with_abandoned(Number::new(0, 1), abandoned))
        }
    }
    /// Begins an operation, and returns its future. A producer completes the operation with its [`key`](Self::key).
    ///
    /// The source is free again when the future has returned the result, or is dropped. The source refuses the
    /// key of a late producer.
    ///
    /// # Errors
    ///
    /// Returns a [`BeginError`] if the source [is busy](Self::is_busy). The operation that uses the source is not touched.
    ///
    //~ any thread
    /// # Blocking
    ///
    /// A producer may be inside [`complete_key`](Self::complete_key) or [`abandon_key`](Self::abandon_key) while the future of its
    /// operation is dropped. Then this call waits until that producer has returned the slot, which takes about as long as moving a `T`. The
    /// call spins. With the feature `std`, it then yields, then sleeps for 50 µs at a time. So if a source has only one caller, and this
    /// caller has dropped the future of the previous `begin`, the call does not fail.
    ///
    /// Priority inversion: an interrupt handler may have interrupted `complete_key`, `abandon_key` or `begin` of this source, or the drop
    /// of a future or a completer. In such a handler, this call may never return. Without `std`, the same holds for a thread with a fixed
    /// priority, if a thread of a lower priority on the same core is inside such a call.
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
        Ok(ValueFuture(Packed::from_consumer(consumer)))
    }

    /// Begins an operation, and returns its key and its future.
    ///
    /// # Errors
    ///
    /// Returns the same error as [`begin`](Self::begin).
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
        Ok((key.into(), ValueFuture(Packed::from_consumer(consumer))))
    }

    /// Begins an operation, and returns a future that owns a reference to the source. So the future can move into a task that outlives the
    /// caller.
    ///
    /// The producer needs another reference to the source. If the future has the last reference, no producer can complete the operation,
    /// and the future waits forever.
    ///
    /// # Errors
    ///
    /// Returns the same error as [`begin`](Self::begin).
    ///
    /// # Sizes and allocation
    ///
    /// The future takes a slot, like a future that is passed to [`pooled`](ValueFuture::pooled).
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
        let owned =
            Inner::<T, Standalone<AnyThread>>::begin_owned(Arc::clone(self), |source| &source.0)
                .ok_or(BeginError(()))?;
        Ok(ValueFuture(store(owned)))
    }

    /// Begins an operation, and returns its completer and its future.
    ///
    /// The source is free again when both the completer and the future were used or dropped. Dropping the
    /// completer without a value ends the operation.
    ///
    /// # Errors
    ///
    /// Returns the same error as [`begin`](Self::begin).
    ///
    //~ any thread
    /// # Blocking
    ///
    /// A producer may be inside [`complete_key`](Self::complete_key) or [`abandon_key`](Self::abandon_key) while the future of its
    /// operation is dropped. Then this call waits until that producer has returned the slot, which takes about as long as moving a `T`. The
    /// call spins. With the feature `std`, it then yields, then sleeps for 50 µs at a time. So if a source has only one caller, and this
    /// caller has dropped the future of the previous `begin`, the call does not fail.
    ///
    /// Priority inversion: an interrupt handler may have interrupted `complete_key`, `abandon_key` or `begin` of this source, or the drop
    /// of a future or a completer. In such a handler, this call may never return. Without `std`, the same holds for a thread with a fixed
    /// priority, if a thread of a lower priority on the same core is inside such a call.
    //~ one thread
    //~ end
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ReusableSource;
    ///
    /// let source = ReusableSource::<Option<u32>>::new();
    /// let (completer, answer) = source.begin_with_completer().unwrap();
    /// drop(answer); // the caller gave up
    /// assert!(source.begin().is_err(), "the producer is not done");
    /// assert_eq!(completer.complete(Some(5)).unwrap_err().into_value(), Some(5));
    /// assert!(source.begin().is_ok());
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn begin_with_completer(
        &self,
    ) -> Result<(ReusableCompleter<'_, T>, ValueFuture<'_, T>), BeginError>
    where
        T: Send,
    {
        let (completer, consumer) = self.0.begin_with_completer().ok_or(BeginError(()))?;
        Ok((ReusableCompleter(completer), ValueFuture(Packed::from_consumer(consumer))))
    }
}

impl<T> ReusableSource<T> {
    /// Returns `true` if [`begin`] would fail, because there is an operation, or because the source has used all its keys. If the operation
    /// has no completer, `is_busy` returns `false` as soon as the future of the operation has returned the result or was dropped.
    ///
    /// [`begin`]: ReusableSource::begin
    #[must_use]
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.0.is_busy()
    }

    /// Returns the key of the operation, if a key can complete the operation.
    ///
    /// A key can complete an operation that was [begun](Self::begin) without a completer, or whose completer has [returned the
    /// key](ReusableCompleter::key_while_held). The call returns `None` if the future was dropped, or if a producer has claimed or
    /// completed the operation. If one of these things happens after the call, [`complete_key`](Self::complete_key) refuses the key.
    #[must_use]
    #[inline]
    pub fn key(&self) -> Option<TypedKey<T>> {
        self.0.key().map(TypedKey::from)
    }

    /// Completes the operation with this key, and wakes its future.
    ///
    /// # Errors
    ///
    /// Returns a [`CompleteError`] with the value and the reason if the key is refused. The operation that uses the source is not touched.
    ///
    /// # Reentrancy
    ///
    /// The call wakes the future while it holds no lock. The waker may call any method of this crate.
    #[inline]
    pub fn complete_key(
        &self,
        key: impl Into<TypedKey<T>>,
        value: T,
    ) -> Result<(), CompleteError<T>> {
        self.0.complete_key(key.into().untyped(), value)
    }

    /// Ends the operation that has this key, without a value. The future of this operation returns the result of [`Abandoned`].
    ///
    /// # Errors
    ///
    /// Returns a [`CompleteError`] with the reason if the key is refused. The operation that uses the source is not touched.
    pub fn abandon_key(&self, key: impl Into<TypedKey<T>>) -> Result<(), CompleteError<()>> {
        self.0.abandon_key(key.into().untyped())
    }

    /// Ends an operation whose future or completer was leaked.
    ///
    /// If the future or the completer of an operation was leaked (`mem::forget`), the source stays busy. After
    /// this call, the source is free. The exclusive reference proves that no future and no completer uses the
    /// source.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T: Abandoned> Default for ReusableSource<T> {
    fn default() -> Self {
        ReusableSource::new()
    }
}

/// Shows the state of the operation, without polling it.
impl<T> fmt::Debug for ReusableSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReusableSource").field(&format_args!("{}", self.0.progress())).finish()
    }
}

/// The producer's end of an operation of a [`ReusableSource`].
///
/// If the completer is dropped without a value, the future returns the result of [`Abandoned`].
#[must_use = "dropping a completer ends its operation without a value"]
pub struct ReusableCompleter<'a, T>(CompleterRole<'a, T, Standalone<AnyThread>>);

impl<T> ReusableCompleter<'_, T> {
    /// Completes the operation with a value, and wakes its future.
    ///
    /// # Errors
    ///
    /// Returns a [`CompleteError`] with the value if the future was dropped, or if a producer with the key has
    /// claimed the operation.
    ///
    /// # Reentrancy
    ///
    /// The call wakes the future as [`complete_key`](ReusableSource::complete_key) of the source does.
    #[inline]
    pub fn complete(self, value: T) -> Result<(), CompleteError<T>> {
        self.0.complete(value)
    }

    /// Returns `true` if the operation no longer needs a value: its future was dropped, or a producer with the key has ended the operation.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Returns `Pending` until [`is_closed`](Self::is_closed) is `true`. The operation wakes only the waker of the latest call.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_closed(cx)
    }

    /// Returns a future that is ready when [`is_closed`](Self::is_closed) is `true`.
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.poll_closed(cx))
    }

    /// Returns the key of the operation. Both the key and this completer can complete the operation. The one that is used first succeeds.
    ///
    /// **If this completer is dropped, the operation ends**, and the source refuses the key from then on. If the producer needs only the
    /// key, use [`begin`], which creates no completer.
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

// A panic leaves each operation consistent. A value is delivered as a whole, or not at all.
impl<T> UnwindSafe for ReusableSource<T> {}
impl<T> RefUnwindSafe for ReusableSource<T> {}
impl<T> UnwindSafe for ReusableCompleter<'_, T> {}
impl<T> RefUnwindSafe for ReusableCompleter<'_, T> {}
