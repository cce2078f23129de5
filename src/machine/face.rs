//! The public types of both kinds of pool, from one text. They differ in their names, in where their
//! slots live, and in whether what is put into them has to be `Send`.

macro_rules! face {
    (
        $(#[$doc:meta])*
        $Pool:ident, $Builder:ident, $Future:ident, $home:ty, $pointer:expr, $tally:expr, $Budget:ty,
        [$($send:tt)*],
        // What is to be said of other threads, where there are any.
        if_found: $if_found:expr, by_whom: $by_whom:expr, stats: $stats:expr, trim: $trim:expr
    ) => {
        $(#[$doc])*
        pub struct $Pool(pub(crate) Machines<$home>);

        #[doc = concat!("A builder of a [`", stringify!($Pool), "`]; from [`builder`](",
            stringify!($Pool), "::builder).")]
        ///
        /// There are no initial slots to ask for: it makes a pool that can be a `static`, and allocates nothing.
        #[doc = concat!("[`reserve`](", stringify!($Pool), "::reserve) makes them later.")]
        #[derive(Clone, Copy)]
        #[must_use = "a builder makes a pool when it is told to `build`"]
        pub struct $Builder {
            bounds: Bounds,
            max_bytes: Option<usize>,
        }

        impl $Builder {
            /// Never has more slots of each size than that. A future that finds none is boxed.
            ///
            /// # Panics
            ///
            /// If `slots` is 0.
            #[track_caller]
            pub const fn max_slots_per_size(mut self, slots: u32) -> Self {
                assert!(slots > 0, "`max_slots_per_size(0)`: a pool is bounded to at least one slot");
                self.bounds.slots = Some(slots);
                self
            }

            /// Never takes more memory than that for the slots of *each* of the eight sizes. Of a size of
            /// which not even one slot fits into it there are none.
            pub const fn max_bytes_per_size(mut self, bytes: usize) -> Self {
                self.bounds.bytes = Some(bytes);
                self
            }

            /// Bounds the memory of the whole pool: the pages of slots of all eight sizes together, with the 128 bytes that each
            /// page takes besides. It is exact, and applies in addition to the bounds of each size. A future that finds no
            /// slot is boxed. If a size needs a page at the bound, the pool frees pages of other sizes without a slot in use, but not those
            #[doc = concat!("that are [reserved](", stringify!($Pool), "::reserve).")]
            ///
            #[doc = concat!("[`set_max_bytes`](", stringify!($Pool), "::set_max_bytes) changes the bound later.")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::builder().max_bytes(4096).build();")]
            /// let small = [(); 62].map(|()| pool.try_pooled(async { 5 }).unwrap()); // a whole page
            /// let large = [1_u8; 100];
            /// assert!(pool.try_pooled(async move { large.len() }).is_err());
            /// drop(small);
            /// assert!(pool.try_pooled(async move { large.len() }).is_ok());
            /// ```
            pub const fn max_bytes(mut self, bytes: usize) -> Self {
                self.max_bytes = Some(bytes);
                self
            }

            const fn budget(self) -> usize {
                match self.max_bytes {
                    Some(bytes) => bytes,
                    None => usize::MAX,
                }
            }

            /// The pool. Nothing is allocated.
            #[cfg(not(loom))]
            #[must_use]
            pub const fn build(self) -> $Pool {
                let budget = <$Budget>::new(self.budget());
                $Pool(Machines::new([$pointer; SIZES.len()], $tally, self.bounds, budget))
            }

            /// Loom's atomics are made at run time.
            #[cfg(loom)]
            pub fn build(self) -> $Pool {
                let slabs = core::array::from_fn(|_| Pointer::new(ptr::null_mut()));
                let budget = <$Budget>::new(self.budget());
                $Pool(Machines::new(slabs, Default::default(), self.bounds, budget))
            }
        }

        /// Without bounds.
        impl Default for $Builder {
            fn default() -> Self {
                $Pool::builder()
            }
        }

        impl fmt::Debug for $Builder {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Bounds { slots, bytes } = &self.bounds;
                f.debug_struct(stringify!($Builder))
                    .field("max_slots_per_size", slots)
                    .field("max_bytes_per_size", bytes)
                    .field("max_bytes", &self.max_bytes)
                    .finish()
            }
        }

        impl $Pool {
            /// The largest future that has a place in a slot, in bytes.
            pub const MAX_SIZE: usize = capacity::<$home>(SIZES.len() - 1);

            /// A pool without bounds. Nothing is allocated.
            #[cfg(not(loom))]
            #[must_use]
            pub const fn new() -> Self {
                Self::builder().build()
            }

            /// Loom's atomics are made at run time.
            #[cfg(loom)]
            pub fn new() -> Self {
                Self::builder().build()
            }

            /// A builder, for a pool with bounds.
            pub const fn builder() -> $Builder {
                $Builder { bounds: Bounds::NONE, max_bytes: None }
            }

            /// The future `future` in a slot, or in a box if there is no slot for it. It may borrow
            /// for `'a`; it does not refer to the pool.
            ///
            /// `future` is not polled before it is awaited. What is a value future already is best returned
            /// as it is: in here its inline result would be inline no more.
            ///
            /// # Sizes and allocation
            ///
            #[doc = $if_found]
            /// What is larger than [`MAX_SIZE`](Self::MAX_SIZE), or aligned to more than 16 bytes, takes a box,
            /// and so does what finds the pool full. The slot is vacant again when `future` has completed, before
            /// the result is given out, or when it is dropped.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::new();")]
            /// let name = String::from("inner");
            /// let future = pool.pooled(async { name.len() });
            /// assert_eq!(futures::executor::block_on(future), 5);
            /// assert_eq!((pool.stats().live, pool.stats().boxed), (0, 0));
            /// ```
            #[inline]
            pub fn pooled<'a, F>(&self, future: F) -> $Future<'a, F::Output>
            where
                F: Future $($send)* + 'a,
            {
                $Future(self.0.put(future))
            }

            /// [`pooled`](Self::pooled), if there is a slot for it.
            ///
            /// # Errors
            ///
            /// The future itself, if there is no slot of its size, or if none was found vacant. It is not
            /// counted in [`stats`](Self::stats).
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::builder().max_slots_per_size(1).build();")]
            /// let first = pool.try_pooled(async { 1 }).unwrap();
            /// let refused = pool.try_pooled(async { 2 }).unwrap_err();
            /// assert!(!refused.is_too_large());
            /// let later = refused.into_future();
            /// drop(first);
            /// assert!(pool.try_pooled(later).is_ok());
            /// ```
            ///
            /// Where the future is not wanted back, `?` makes an error of it that holds no future:
            ///
            /// ```
            #[doc = concat!("use value_future::{", stringify!($Pool), ", ", stringify!($Future), ", PooledErrorKind};")]
            ///
            #[doc = concat!("fn length<'a>(pool: &", stringify!($Pool), ", text: &'a str) -> Result<",
                stringify!($Future), "<'a, usize>, PooledErrorKind> {")]
            ///     Ok(pool.try_pooled(async { text.len() })?)
            /// }
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::builder().max_slots_per_size(1).build();")]
            /// let first = length(&pool, "first").unwrap();
            /// assert_eq!(length(&pool, "second").unwrap_err(), PooledErrorKind::Full);
            /// # drop(first);
            /// ```
            #[inline]
            pub fn try_pooled<'a, F>(
                &self,
                future: F,
            ) -> Result<$Future<'a, F::Output>, PooledError<F>>
            where
                F: Future $($send)* + 'a,
            {
                self.0.try_put(future).map($Future)
            }

            /// Polls `future` once, now, in its own type, which the compiler can inline: if it is ready at
            /// once, its result is inline, and it keeps no slot.
            ///
            /// The poll has a waker that does nothing. No wake-up is lost by that: the task that awaits what
            /// is returned begins with a poll. So a future that pends is polled twice before anything wakes
            /// it; where there is a context, [`eager_with`](Self::eager_with) does without that.
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
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::new();")]
            /// assert_eq!(pool.eager(async { 5 }).try_take().unwrap(), 5);
            /// assert!(pool.eager(std::future::pending::<u8>()).try_take().is_err());
            /// ```
            #[inline]
            pub fn eager<'a, F>(&self, future: F) -> $Future<'a, F::Output>
            where
                F: Future $($send)* + 'a,
            {
                self.eager_with(future, &mut Context::from_waker(Waker::noop()))
            }

            /// [`eager`](Self::eager), with the context of the task that will await it. As there, it is not
            /// lazy.
            ///
            /// # Panics
            ///
            /// If `future` does.
            #[inline]
            pub fn eager_with<'a, F>(
                &self,
                future: F,
                cx: &mut Context<'_>,
            ) -> $Future<'a, F::Output>
            where
                F: Future $($send)* + 'a,
            {
                $Future(self.0.put_eagerly(future, cx))
            }

            /// Makes slots with room for a future of `size` bytes: until so many more such futures can be put
            #[doc = concat!("in", $by_whom, " without an allocation; in a bounded pool, to its bound at most.")]
            /// For who can wait now, and not later.
            ///
            /// The size of a future is that of its type, which often has no name: `size_of_val(&future)`.
            /// All futures with the same size class share these slots. [`trim`](Self::trim) gives back
            /// those that are vacant.
            ///
            /// # Errors
            ///
            /// [`PooledErrorKind`], if there will be no slot for such futures: if `size` is more than
            /// [`MAX_SIZE`](Self::MAX_SIZE), or if the bound in bytes leaves none.
            ///
            /// # Sizes and allocation
            ///
            /// One allocation for each page of slots, two for the size itself when it is first used, and in a
            /// `FuturePool` without a bound one for the cache of this thread. Slots that were reserved stay until the pool is
            /// trimmed.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            /// async fn serve(request: [u8; 100]) -> usize {
            ///     std::future::ready(()).await;
            ///     request.len()
            /// }
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::new();")]
            /// pool.reserve(size_of_val(&serve([0; 100])), 10)?;
            /// let made = pool.stats().allocations;
            /// let ten = [(); 10].map(|()| pool.pooled(serve([0; 100])));
            /// assert_eq!(pool.stats().allocations, made);
            /// # drop(ten);
            /// # Ok::<(), value_future::PooledErrorKind>(())
            /// ```
            pub fn reserve(&self, size: usize, additional: u32) -> Result<(), PooledErrorKind> {
                self.0.reserve(size, additional)
            }

            #[doc = concat!("Changes [`max_bytes`](", stringify!($Builder), "::max_bytes), the bound on the memory of the whole pool.")]
            ///
            /// `usize::MAX` removes the bound. With 0, all futures are boxed once the slots that exist are in use or trimmed. If the
            /// pool has more memory than the new bound, it does not grow. It frees nothing: call [`trim`](Self::trim).
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::new();")]
            /// pool.set_max_bytes(4096);
            /// let futures = [(); 100].map(|()| pool.pooled(async { 5 }));
            /// assert_eq!((pool.stats().live, pool.stats().full), (62, 38));
            /// # drop(futures);
            /// ```
            pub fn set_max_bytes(&self, bytes: usize) {
                self.0.set_max_bytes(bytes);
            }

            /// What the pool has done so far, and what it has.
            #[doc = $stats]
            #[must_use]
            pub fn stats(&self) -> FuturePoolStats {
                self.0.stats()
            }

            /// Gives the pages of which no slot is in use back to the allocator, and tells how many bytes of slots that
            /// were.
            #[doc = $trim]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::new();")]
            /// drop(pool.pooled(async { 5 }));
            /// assert_eq!(pool.trim(), 62 * 64);
            /// assert_eq!(pool.stats().bytes, 0);
            /// ```
            pub fn trim(&self) -> u64 {
                self.0.trim()
            }
        }

        impl Default for $Pool {
            fn default() -> Self {
                Self::new()
            }
        }

        /// Shows its [`FuturePoolStats`], without the sizes that were never needed.
        impl fmt::Debug for $Pool {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($Pool)).field(&self.stats()).finish()
            }
        }
    };
}

pub(super) use face;
