//! The public types of both kinds of pool, from one text. They differ in their names and in where
//! their slots live.

macro_rules! face {
    (
        $(#[$doc:meta])*
        $Pool:ident, $Builder:ident, $Completer:ident, $Completion:ident, $home:ty, $waits:expr,
        $allocates:expr
    ) => {
        $(#[$doc])*
        pub struct $Pool<T>(Handle<T, $home>);

        #[doc = concat!("A builder of a [`", stringify!($Pool), "`]; from [`builder`](",
            stringify!($Pool), "::builder).")]
        ///
        /// # Examples
        ///
        /// A pool that makes all its slots now, and no more:
        ///
        /// ```
        #[doc = concat!("use value_future::", stringify!($Pool), ";")]
        ///
        #[doc = concat!("let pool: ", stringify!($Pool), "<Option<u32>> =")]
        #[doc = concat!("    ", stringify!($Pool),
            "::builder().initial_slots(2).max_slots(2).build();")]
        /// let both = (pool.rent(), pool.rent());
        /// assert_eq!(
        ///     pool.try_rent().unwrap_err().to_string(),
        ///     "the pool is full: it was bounded to 2 slots, and all of them are in use or retired",
        /// );
        /// ```
        #[must_use = "a builder makes a pool when it is told to `build`"]
        pub struct $Builder<T> {
            initial: u32,
            max: Option<u32>,
            first_generation: u32,
            output: PhantomData<fn() -> T>,
        }

        /// The producer's end of an operation. It goes to whoever will have the result.
        ///
        /// Dropping it without a value ends the wait: the consumer gets what the trait [`Abandoned`] says.
        /// If the consumer goes first, the completer [is closed](Self::is_closed), and gets its
        /// value back.
        ///
        /// # Sizes and allocation
        ///
        /// One pointer. Nothing is allocated.
        ///
        /// # Reentrancy
        ///
        /// Completing and dropping wake the consumer, in the same call, when everything is done and
        /// nothing is held: the waker may poll, drop, rent and complete what it likes. If it panics,
        /// the value has been delivered. (If a key completes an operation whose completer waits for
        /// its end, there are two to wake; if both panic, the process aborts.)
        #[must_use = "dropping a completer ends the wait without a value"]
        pub struct $Completer<T>(Producer<'static, T, $home>);

        /// The consumer's end of an operation: the future of its result.
        ///
        /// Where it is called with static dispatch, a method returns it as it is. For an object-safe
        /// method, `From` makes a value future of it without an allocation: it stays in its slot.
        ///
        /// # Sizes and allocation
        ///
        /// One pointer. Nothing is allocated.
        ///
        /// # Panics
        ///
        /// If it is polled after it has given its result, or after [`Abandoned::abandoned`] has panicked in
        /// an earlier poll. (And with what [`Abandoned::abandoned`] panics with, which is called here.)
        ///
        /// # Wakers
        ///
        /// The waker of the last poll is woken. An operation can take two million changes of waker, of
        /// both its ends together; from then on, whoever waits is woken at once, to poll again.
        ///
        /// # Cancel safety
        ///
        /// Dropping it at any time is sound: its completer learns that nobody waits any more, and gets
        /// its value back. A result that is there already is dropped.
        ///
        /// # Reentrancy
        ///
        /// Polling may clone and drop wakers, and dropping may drop one and wake the completer's: with
        /// nothing held and the operation in order, so they may do what they like.
        #[must_use = "dropping a completion tells its completer that nobody waits"]
        pub struct $Completion<T>(pub(crate) Consumer<'static, T, $home>);

        impl<T> $Builder<T> {
            /// Makes at least `slots` slots up front: the next multiple of 32, or
            /// [`max_slots`](Self::max_slots) if that is less. So with an equal `max_slots` it is exact.
            pub fn initial_slots(mut self, slots: u32) -> Self {
                self.initial = slots;
                self
            }

            /// Never has more slots than that.
            ///
            /// # Panics
            ///
            /// If `slots` is 0.
            #[track_caller]
            pub fn max_slots(mut self, slots: u32) -> Self {
                assert!(slots > 0, "`max_slots(0)`: a pool is bounded to at least one slot");
                self.max = Some(slots);
                self
            }

            /// The generation of the first use of each slot, instead of 1.
            ///
            /// Keys that are older are refused as [`Unknown`](crate::KeyError::Unknown). So a pool for a new
            /// connection to an old peer may begin where keys of the last one cannot be: the peer may
            /// still answer to those.
            ///
            /// # Panics
            ///
            /// If it is 0.
            #[track_caller]
            pub fn first_generation(mut self, generation: u32) -> Self {
                assert!(generation > 0, "`first_generation(0)`: generations begin at 1");
                self.first_generation = generation;
                self
            }

            /// The pool.
            ///
            /// # Sizes and allocation
            ///
            /// At least one allocation, for the pool itself; see [`Stats::allocations`].
            #[must_use]
            pub fn build(self) -> $Pool<T>
            where
                T: Abandoned,
            {
                self.build_with_abandoned(T::abandoned)
            }

            /// [`build`](Self::build), for an output that does not implement [`Abandoned`]: `abandoned` makes the result of an operation
            /// that is ended without a value.
            ///
            /// So a driver needs no `From<Dropped>` for its public error type.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            /// #[derive(Debug, PartialEq)]
            /// pub enum Error {
            ///     ConnectionLost,
            /// }
            ///
            #[doc = concat!("let pool: ", stringify!($Pool), "<Result<u64, Error>> =")]
            #[doc = concat!("    ", stringify!($Pool), "::builder().build_with_abandoned(|| Err(Error::ConnectionLost));")]
            /// let (completer, completion) = pool.rent();
            /// drop(completer);
            /// assert_eq!(futures::executor::block_on(completion), Err(Error::ConnectionLost));
            /// ```
            #[must_use]
            pub fn build_with_abandoned(self, abandoned: fn() -> T) -> $Pool<T> {
                $Pool(Handle::new(self.initial, self.max, self.first_generation, abandoned))
            }
        }

        impl<T> Clone for $Builder<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $Builder<T> {}

        impl<T> Default for $Builder<T> {
            fn default() -> Self {
                $Builder { initial: 0, max: None, first_generation: 1, output: PhantomData }
            }
        }

        impl<T> fmt::Debug for $Builder<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $Builder { initial, max, first_generation, .. } = self;
                f.debug_struct(stringify!($Builder))
                    .field("initial_slots", initial)
                    .field("max_slots", max)
                    .field("first_generation", first_generation)
                    .finish()
            }
        }

        // The bound is on functions, so that the compiler says what `Abandoned` is about, and not that
        // there is no such function.
        impl<T> $Pool<T> {
            /// A pool that grows as it has to.
            #[must_use]
            pub fn new() -> Self
            where
                T: Abandoned,
            {
                $Builder::default().build()
            }

            /// A builder, for a pool with a bound or with initial slots.
            pub fn builder() -> $Builder<T> {
                $Builder::default()
            }

            /// Begins an operation, and gives its two ends.
            ///
            /// # Sizes and allocation
            ///
            #[doc = $allocates]
            ///
            /// # Panics
            ///
            /// If the pool was bounded and is full, or was [closed](Self::close); [`try_rent`](Self::try_rent) gives that as an error, and waits
            /// where this does.
            #[inline]
            #[track_caller]
            pub fn rent(&self) -> ($Completer<T>, $Completion<T>) {
                let (producer, consumer) = self.0.rent();
                ($Completer(producer), $Completion(consumer))
            }

            /// [`rent`](Self::rent), if there is a slot.
            ///
            /// A pool does not wait for an operation to end. Where callers are to queue up, a semaphore of the executor
            /// does that: its permit has to go with the request, beside the completer, because a slot
            /// is vacant again when *both* ends are gone (or left to a [`Key`]), and not yet when the
            /// consumer has lost patience.
            ///
            /// # Errors
            ///
            /// [`RentError::Full`], if the pool was bounded and all its slots were in use or retired at one moment of the call;
            /// [`RentError::Closed`], if the pool was [closed](Self::close).
            ///
            #[doc = $waits]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::<Option<u32>>::builder().max_slots(1).build();")]
            /// let (completer, completion) = pool.try_rent()?;
            /// assert!(pool.try_rent().is_err()); // let the caller know, or shed load
            /// drop(completion); // it has timed out
            /// assert!(pool.try_rent().is_err()); // the completer is out still
            /// drop(completer);
            /// assert!(pool.try_rent().is_ok());
            /// # Ok::<(), value_future::RentError>(())
            /// ```
            #[inline]
            pub fn try_rent(&self) -> Result<($Completer<T>, $Completion<T>), RentError> {
                let (producer, consumer) = self.0.try_rent()?;
                Ok(($Completer(producer), $Completion(consumer)))
            }

            /// Grows until so many more operations can be begun by this thread without an allocation;
            /// a bounded pool, to its bound at most.
            pub fn reserve(&self, additional: u32) {
                self.0.slab().reserve(additional);
            }

            /// What the pool has done so far. It goes through all slots: it is for reports, not for
            /// each operation.
            #[must_use]
            pub fn stats(&self) -> Stats {
                self.0.slab().stats()
            }

            /// Gives the operation with this key its value.
            ///
            /// # Errors
            ///
            /// [`CompleteError`] with the value, and why the key was refused. Nothing was disturbed:
            /// neither the operation that the key may have named once, nor the one that has its slot
            /// now.
            ///
            /// # Reentrancy
            ///
            #[doc = concat!("As [`", stringify!($Completer), "::complete`].")]
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::{Key, KeyError, ", stringify!($Pool), "};")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::new();")]
            /// let (completer, completion) = pool.rent();
            /// let id: u64 = completer.into_key().to_u64(); // goes out, and comes back
            ///
            /// let key = Key::from_u64(id);
            /// pool.complete_key(key, Some("first")).unwrap();
            /// let twice = pool.complete_key(key, Some("second")).unwrap_err();
            /// assert_eq!(twice.kind(), KeyError::AlreadyCompleted);
            /// assert_eq!(twice.into_value(), Some("second"));
            /// assert_eq!(futures::executor::block_on(completion), Some("first"));
            /// ```
            #[inline]
            pub fn complete_key(&self, key: Key, value: T) -> Result<(), CompleteError<T>> {
                self.0.complete_key(key, value)
            }

            /// Ends the operation with this key without a value, as dropping its completer does.
            ///
            /// # Errors
            ///
            /// As [`complete_key`](Self::complete_key).
            pub fn abandon_key(&self, key: Key) -> Result<(), CompleteError<()>> {
                self.0.abandon_key(key)
            }

            /// Ends all operations that were left to their keys, as [`abandon_key`](Self::abandon_key)
            /// does it, and tells how many they were: for a connection that is lost. An operation that
            /// has its completer is not touched, nor is one that is left to its key afterwards: so stop
            /// renting before, or have a pool for each connection.
            ///
            /// It goes through all slots. When the last handle of the pool is dropped, that happens by
            /// itself: nobody could present a key after that.
            ///
            /// # Reentrancy
            ///
            #[doc = concat!("As [`", stringify!($Completer), "::complete`].")]
            /// If a waker panics, the operations that come after it are not ended.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::<Option<u32>>::new();")]
            /// let (completer, completion) = pool.rent();
            /// let id = completer.into_key().to_u64(); // went out, and will not come back
            ///
            /// assert_eq!(pool.abandon_keys(), 1);
            /// assert_eq!(futures::executor::block_on(completion), None);
            /// # let _ = id;
            /// ```
            pub fn abandon_keys(&self) -> u32 {
                self.0.abandon_keys()
            }
        }

        impl<T> $Pool<T> {
            /// Closes the pool, and returns the number of operations that this has ended: for a connection that is lost.
            ///
            /// From then on no operation begins: [`try_rent`](Self::try_rent) returns [`RentError::Closed`], and
            /// [`rent`](Self::rent) panics. An operation that was left to its [`Key`] ends now, as by
            /// [`abandon_key`](Self::abandon_key). One that still has its completer goes on; if the completer is turned into
            /// the key later, the operation ends then. So no consumer waits for ever, whatever other threads do
            /// meanwhile.
            ///
            /// All handles of the pool are closed. To close again ends nothing, and returns 0. The call goes through all slots.
            ///
            /// # Reentrancy
            ///
            #[doc = concat!("As [`", stringify!($Completer), "::complete`].")]
            /// If a waker panics, the operations that come after it are ended all the same.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = concat!("use value_future::{", stringify!($Pool), ", RentError};")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::<Option<u32>>::new();")]
            /// let (completer, answer) = pool.rent();
            /// let id = completer.into_key().to_u64(); // sent, and the answer will not come
            /// let (late, other) = pool.rent();
            ///
            /// assert_eq!(pool.close(), 1);
            /// assert_eq!(futures::executor::block_on(answer), None);
            /// assert_eq!(pool.try_rent().unwrap_err(), RentError::Closed);
            /// let _ = late.into_key();
            /// assert_eq!(futures::executor::block_on(other), None);
            /// # let _ = id;
            /// ```
            pub fn close(&self) -> u32 {
                self.0.close()
            }

            /// Returns `true` if the pool was [closed](Self::close).
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.0.is_closed()
            }
        }

        impl<T> $Completer<T> {
            /// Gives the consumer its value, and wakes it.
            ///
            /// # Errors
            ///
            /// The value, if it will not be delivered: the consumer has gone, or a producer with the key has
            /// claimed the operation.
            ///
            /// # Reentrancy
            ///
            /// The consumer is woken here, with nothing held: its waker may poll, drop, rent and complete
            /// what it likes.
            #[inline]
            pub fn complete(self, value: T) -> Result<(), T> {
                self.0.complete(value)
            }

            /// Whether nobody waits for a value any more: the consumer has gone, or somebody who had
            /// the key was faster.
            #[must_use]
            #[inline]
            pub fn is_closed(&self) -> bool {
                self.0.is_closed()
            }

            /// Waits until [`is_closed`](Self::is_closed): so that what nobody wants need not be
            /// computed.
            ///
            /// The waker of the last call is woken; it is dropped with the completer.
            #[doc = concat!("How many it may be: [`", stringify!($Completion), "`].")]
            ///
            /// # Examples
            ///
            /// ```
            /// use std::task::{Context, Waker};
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::<Option<u32>>::new();")]
            /// let (mut completer, completion) = pool.rent();
            /// let cx = &mut Context::from_waker(Waker::noop());
            /// assert!(completer.poll_closed(cx).is_pending());
            /// drop(completion);
            /// assert!(completer.poll_closed(cx).is_ready());
            /// ```
            pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
                self.0.poll_closed(cx)
            }

            /// [`poll_closed`](Self::poll_closed) as a future, for `select!` and its like.
            ///
            /// # Cancel safety
            ///
            /// It may be dropped at any time, and made again.
            ///
            /// # Examples
            ///
            /// ```
            /// use std::pin::pin;
            #[doc = concat!("use value_future::", stringify!($Pool), ";")]
            ///
            #[doc = concat!("let pool = ", stringify!($Pool), "::<Option<u32>>::new();")]
            /// let (mut completer, completion) = pool.rent();
            /// drop(completion); // it has timed out, or lost a `select!`
            ///
            /// # futures::executor::block_on(async {
            /// # let work = std::future::pending::<u32>();
            /// match futures::future::select(pin!(completer.closed()), pin!(work)).await {
            ///     futures::future::Either::Left(_) => println!("nobody waits: stop"),
            ///     futures::future::Either::Right((value, _)) => println!("done: {value}"),
            /// }
            /// # });
            /// ```
            pub fn closed(&mut self) -> impl Future<Output = ()> {
                poll_fn(|cx| self.poll_closed(cx))
            }

            /// Returns the key of the operation. Both the key and this completer may complete it; the first wins.
            ///
            /// **If this completer is dropped, the operation ends**, and the key is refused from then on. A request whose
            /// answer brings the key back takes [`into_key`](Self::into_key), which uses the completer up.
            ///
            /// While the completer is held, its holder can observe that the consumer [has gone](Self::is_closed),
            /// and the slot is not used again.
            #[must_use]
            pub fn key_while_held(&self) -> Key {
                self.0.issue_key().key()
            }

            /// Leaves the operation to those who have the key.
            ///
            /// Nothing keeps the slot then but the consumer: if that goes, the slot is returned, and
            /// the key is refused whenever it comes. If the key never comes, then the consumer waits
            /// until it loses patience, or [`abandon_key`] or [`abandon_keys`] is called, or the last
            /// handle of the pool is dropped. If that was dropped before, the wait ends here.
            ///
            /// A key is `Copy`: a closure that may be called more than once can complete by it, and is
            /// refused from the second time on.
            ///
            #[doc = concat!("[`abandon_key`]: ", stringify!($Pool), "::abandon_key")]
            #[doc = concat!("[`abandon_keys`]: ", stringify!($Pool), "::abandon_keys")]
            #[must_use = "without its key the operation cannot be completed"]
            #[inline]
            pub fn into_key(self) -> Key {
                self.0.into_key().key()
            }
        }

        impl<T> $Completion<T> {
            /// Returns `true` if there is a result to take: a value, or what [`Abandoned`] says if the operation
            /// was ended without one. It stays `true` until the result is taken. It is `false` while a producer
            /// with the key has [claimed](crate::KeyError::BeingCompleted) the operation.
            #[must_use]
            pub fn is_completed(&self) -> bool {
                self.0.is_completed()
            }
        }

        impl<T> $Completion<T> {
            /// Takes the result, if it is there, without polling.
            ///
            /// # Errors
            ///
            /// The completion itself, if there is no result yet, or if it was taken before.
            pub fn try_take(mut self) -> Result<T, Self> {
                self.0.try_take().ok_or(self)
            }
        }

        impl<T> Future for $Completion<T> {
            type Output = T;

            #[inline(always)]
            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
                self.0.poll(cx).map(|result| match result {
                    Some(value) => value,
                    None => polled_after_its_end::<T>(self.0.spent()),
                })
            }
        }

        // A result is moved out, and never pinned; the slot stays where it is.
        impl<T> Unpin for $Completion<T> {}

        /// Terminated once the result has been given out, or [`Abandoned::abandoned`] has panicked: from then
        /// on every poll panics.
        impl<T> FusedFuture for $Completion<T> {
            fn is_terminated(&self) -> bool {
                self.0.is_spent()
            }
        }

        /// Another handle of the same pool.
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

        /// Shows its [`Stats`].
        impl<T> fmt::Debug for $Pool<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($Pool)).field(&self.stats()).finish()
            }
        }

        impl<T> fmt::Debug for $Completer<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let closed = self.is_closed();
                f.debug_struct(stringify!($Completer)).field("closed", &closed).finish()
            }
        }

        /// Never polls, and never consumes.
        impl<T> fmt::Debug for $Completion<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($Completion)).field(&self.0.progress()).finish()
            }
        }
    };
}

pub(super) use face;
