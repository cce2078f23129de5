//! The public types, from one text. They differ in their names, and in what their cells are made of.

macro_rules! face {
    (
        $(#[$doc:meta])*
        $Source:ident, $Completer:ident, $Future:ident, $affinity:ty, [$($send:tt)*], $waits:expr
    ) => {
        $(#[$doc])*
        pub struct $Source<T>(Place<T, InPlace<$affinity>>);

        impl<T: Abandoned> $Source<T> {
            crate::sync::const_unless_loom! {
                /// A source without an operation.
                #[must_use]
                pub fn new() -> Self {
                    $Source(Place::<T, InPlace<$affinity>>::new(Number::new(0, 1)))
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
                pub fn with_first_generation(generation: u32) -> Self {
                    $Source(Place::<T, InPlace<$affinity>>::new(Number::new(0, generation)))
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
            #[doc = $waits]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Source), ";")]
            ///
            #[doc = concat!("let source = ", stringify!($Source), "::<Option<u32>>::new();")]
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
            pub fn begin(&self) -> Result<$Future<'_, T>, BeginError>
            where
                T: $($send)*,
            {
                self.0.begin().map(|consumer| $Future(Packed::of(consumer))).ok_or(BeginError(()))
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
            #[doc = $waits]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Source), ";")]
            ///
            #[doc = concat!("let source = ", stringify!($Source), "::<Option<u32>>::new();")]
            /// let (completer, answer) = source.begin_held().unwrap();
            /// drop(answer); // nobody waits any more
            /// assert!(source.begin().is_err(), "the producer is not done");
            /// assert_eq!(completer.complete(Some(5)), Err(Some(5)));
            /// assert!(source.begin().is_ok());
            /// ```
            #[inline]
            pub fn begin_held(&self) -> Result<($Completer<'_, T>, $Future<'_, T>), BeginError>
            where
                T: $($send)*,
            {
                let (producer, consumer) = self.0.begin_held().ok_or(BeginError(()))?;
                Ok(($Completer(producer), $Future(Packed::of(consumer))))
            }
        }

        impl<T> $Source<T> {
            /// Returns `true` if there is an operation, so that [`begin`] would fail. If it was begun without a
            /// completer, this returns `false` as soon as its future has given the result or was dropped.
            ///
            #[doc = concat!("[`begin`]: ", stringify!($Source), "::begin")]
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
            pub fn key(&self) -> Option<Key> {
                self.0.key()
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
            pub fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
                self.0.complete_key(key, value)
            }

            /// Ends the operation with this key without a value: its future gives what [`Abandoned`] says.
            ///
            /// # Errors
            ///
            /// Why the key was refused. The operation that is live is not touched.
            pub fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
                self.0.abandon_key(key)
            }

            /// Ends what was leaked. If the future of an operation went to `mem::forget`, the source is busy for
            /// ever; whoever has it to himself knows that it is so.
            pub fn clear(&mut self) {
                self.0.clear();
            }
        }

        impl<T: Abandoned> Default for $Source<T> {
            fn default() -> Self {
                $Source::new()
            }
        }

        /// Says whether it has an operation, and whether that has its result. It never polls.
        impl<T> fmt::Debug for $Source<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($Source)).field(&format_args!("{}", self.0.progress())).finish()
            }
        }

        #[doc = concat!("The end that completes an operation of a [`", stringify!($Source), "`].")]
        ///
        /// If it is dropped without a value, the future gives what [`Abandoned`] says.
        #[must_use = "dropped without a value, it ends the wait"]
        pub struct $Completer<'a, T>(Producer<'a, T, InPlace<$affinity>>);

        impl<T> $Completer<'_, T> {
            /// Gives the operation its value, and wakes who waits for it.
            ///
            /// # Errors
            ///
            /// The value, if it will not be delivered: the future was dropped, or a producer with the key has
            /// claimed the operation.
            ///
            /// # Reentrancy
            ///
            #[doc = concat!("As [`complete_key`](", stringify!($Source), "::complete_key) of the source.")]
            #[inline]
            pub fn complete(self, value: T) -> Result<(), T> {
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
            #[doc = concat!("[`begin`]: ", stringify!($Source), "::begin")]
            #[must_use]
            pub fn key_while_held(&self) -> Key {
                IndexLayout::key_of_one(self.0.issue_key())
            }
        }

        impl<T> fmt::Debug for $Completer<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let closed = self.is_closed();
                f.debug_struct(stringify!($Completer)).field("closed", &closed).finish()
            }
        }
    };
}

pub(super) use face;
