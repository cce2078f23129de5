//! The public types of both kinds of pool, from one text.

macro_rules! face {
    (
        $Pool:ident, $Builder:ident, $Completer:ident, $Completion:ident, $home:ty
    ) => {
        /// A pool of one-shot completions.
        pub struct $Pool<T>(Handle<T, $home>);

        /// How a pool is to be made.
        #[derive(Clone, Copy, Debug)]
        #[must_use = "a builder makes a pool when it is told to `build`"]
        pub struct $Builder {
            initial: u32,
            max: Option<u32>,
            first_generation: u32,
        }

        /// The producer's end of an operation.
        #[must_use = "dropping a completer ends the wait without a value"]
        pub struct $Completer<T>(Producer<T, $home>);

        /// The consumer's end of an operation: the future of its result.
        #[must_use = "futures do nothing unless awaited"]
        pub struct $Completion<T>(pub(crate) Consumer<T, $home>);

        impl $Builder {
            /// Makes so many slots at once.
            pub fn initial_slots(mut self, slots: u32) -> Self {
                self.initial = slots;
                self
            }

            /// Never makes more slots than that.
            pub fn max_slots(mut self, slots: u32) -> Self {
                self.max = Some(slots);
                self
            }

            /// The generation of the first use of each slot.
            pub fn first_generation(mut self, generation: u32) -> Self {
                self.first_generation = generation;
                self
            }

            /// The pool.
            #[must_use]
            pub fn build<T: Abandoned>(self) -> $Pool<T> {
                let $Builder { initial, max, first_generation } = self;
                assert!(first_generation != 0, "generations begin at 1");
                $Pool(Handle::new(initial, max, first_generation))
            }
        }

        impl Default for $Builder {
            fn default() -> Self {
                $Builder { initial: 0, max: None, first_generation: 1 }
            }
        }

        impl<T: Abandoned> $Pool<T> {
            /// A pool without a bound.
            #[must_use]
            pub fn new() -> Self {
                $Pool::<T>::builder().build()
            }

            /// A pool with a bound.
            pub fn builder() -> $Builder {
                $Builder::default()
            }

            /// Begins an operation.
            #[inline]
            pub fn rent(&self) -> ($Completer<T>, $Completion<T>) {
                let (producer, consumer) = self.0.rent();
                ($Completer(producer), $Completion(consumer))
            }

            /// Begins an operation.
            ///
            /// # Errors
            ///
            /// Full.
            #[inline]
            pub fn try_rent(&self) -> Result<($Completer<T>, $Completion<T>), PoolFull> {
                let (producer, consumer) = self.0.try_rent()?;
                Ok(($Completer(producer), $Completion(consumer)))
            }
        }

        impl<T> $Pool<T> {
            /// Reserve.
            pub fn reserve(&self, additional: u32) {
                self.0.slab().reserve(additional);
            }

            /// Stats.
            #[must_use]
            pub fn stats(&self) -> Stats {
                self.0.slab().stats()
            }

            /// Complete.
            ///
            /// # Errors
            ///
            /// E.
            pub fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
                self.0.complete_key(key, value)
            }

            /// Abandon.
            ///
            /// # Errors
            ///
            /// E.
            pub fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
                self.0.abandon_key(key)
            }
        }

        impl<T> $Completer<T> {
            /// Complete.
            ///
            /// # Errors
            ///
            /// E.
            #[inline]
            pub fn complete(self, value: T) -> Result<(), T> {
                self.0.complete(value)
            }

            /// Abandoned.
            #[must_use]
            pub fn is_abandoned(&self) -> bool {
                self.0.is_abandoned()
            }

            /// Poll.
            pub fn poll_abandoned(&mut self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_abandoned(cx)
            }

            /// Key.
            #[must_use]
            pub fn key(&self) -> Key {
                self.0.key()
            }

            /// Key.
            #[must_use]
            pub fn into_key(self) -> Key {
                self.0.into_key()
            }
        }

        impl<T: Abandoned> $Completion<T> {
            /// Takes the result, if it is there, without polling.
            ///
            /// # Errors
            ///
            /// The completion itself, if there is no result, or if it was taken before.
            pub fn try_take(mut self) -> Result<T, Self> {
                self.0.try_take().ok_or(self)
            }
        }

        impl<T: Abandoned> Future for $Completion<T> {
            type Output = T;

            #[inline(always)]
            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
                self.0.poll(cx).map(|result| match result {
                    Some(value) => value,
                    None => polled_after_completion::<T>(),
                })
            }
        }

        impl<T> Unpin for $Completion<T> {}

        impl<T: Abandoned> FusedFuture for $Completion<T> {
            fn is_terminated(&self) -> bool {
                self.0.is_spent()
            }
        }

        impl<T> Clone for $Pool<T> {
            fn clone(&self) -> Self {
                $Pool(self.0.clone())
            }
        }

        impl<T: Abandoned> Default for $Pool<T> {
            fn default() -> Self {
                $Pool::new()
            }
        }

        impl<T> fmt::Debug for $Pool<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Pool)).field("stats", &self.stats()).finish()
            }
        }

        impl<T> fmt::Debug for $Completer<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Completer)).finish_non_exhaustive()
            }
        }

        impl<T> fmt::Debug for $Completion<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Completion)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use face;
