// Generated from `pool.rs` by `tests/codegen.rs`.
//! `LocalPool` and its builder.

use core::{
    fmt,
    marker::PhantomData,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    LiveOperation, LocalCompleter, LocalCompletion, LocalRentWhenVacant, RentError, Stats,
    handle::Handle, renting::Renting,
};
use crate::{
    affinity::OneThread,
    operation::{Abandoned, CompleteError},
    origin::Origin,
    slot::TypedKey,
};

/// A [`Pool`](crate::Pool) for one thread: it uses no atomics, and neither the pool nor its operations are
/// `Send`. Its methods are the same.
///
/// # Sizes and allocation
///
/// The pool itself takes 1088 bytes, on 64-bit targets. It grows like a `Pool`, and finds every vacant
/// slot.
///
/// # Examples
///
/// ```
/// use value_future::{LocalPool, LocalValueFuture};
///
/// let pool = LocalPool::new();
/// let (completer, completion) = pool.rent();
/// let future = LocalValueFuture::from(completion);
/// completer.complete(Some(5)).unwrap();
/// assert_eq!(futures::executor::block_on(future), Some(5));
/// assert_eq!(pool.stats().live, 0);
/// ```
#[doc(alias = "oneshot")]
#[doc(alias = "channel")]
#[doc(alias = "promise")]
#[doc(alias = "slab")]
#[doc(alias = "TaskCompletionSource")]
pub struct LocalPool<T>(Handle<T, OneThread>);

/// Builds a [`LocalPool`] with a bound or with initial slots. [`LocalPool::builder`] returns a builder.
///
/// # Examples
///
/// A pool that creates all its slots at the start:
///
/// ```
/// use value_future::LocalPool;
///
/// let pool: LocalPool<Option<u32>> =
///     LocalPool::builder().initial_slots(2).max_slots(2).build();
/// let both = (pool.rent(), pool.rent());
/// assert_eq!(
///     pool.try_rent().unwrap_err().to_string(),
///     "the pool is full: it can have 2 slots, and all of them are in use or retired",
/// );
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct LocalPoolBuilder<T> {
    initial: u32,
    max: Option<u32>,
    first_generation: u32,
    output: PhantomData<fn() -> T>,
}

impl<T> LocalPoolBuilder<T> {
    /// Creates at least `slots` slots together with the pool, as far as [`max_slots`](Self::max_slots) allows.
    ///
    /// The number is rounded up to the next multiple of 32, but the pool never creates more slots than `max_slots`. If `slots` is equal to
    /// `max_slots`, the pool creates exactly this number of slots.
    pub fn initial_slots(mut self, slots: u32) -> Self {
        self.initial = slots;
        self
    }

    /// Bounds the pool to `slots` slots.
    ///
    /// # Panics
    ///
    /// Panics if `slots` is 0.
    #[track_caller]
    pub fn max_slots(mut self, slots: u32) -> Self {
        assert!(slots > 0, "`max_slots(0)`: a pool is bounded to at least one slot");
        self.max = Some(slots);
        self
    }

    /// Sets the generation of the first operation of each slot. The default is 1.
    ///
    /// The pool refuses keys of lower generations as [`Unknown`](crate::operation::CompleteErrorKind::Unknown). Use this method if a peer
    /// may still answer requests of an earlier connection. Give the pool of the new connection a first generation that is greater than the
    /// generations of all keys of the earlier connection.
    ///
    /// # Panics
    ///
    /// Panics if `generation` is 0.
    #[track_caller]
    pub fn first_generation(mut self, generation: u32) -> Self {
        assert!(generation > 0, "`first_generation(0)`: generations begin at 1");
        self.first_generation = generation;
        self
    }

    /// Creates the pool.
    ///
    /// # Sizes and allocation
    ///
    /// The call makes at least one allocation, for the pool itself. [`Stats::allocations`] counts the allocations.
    #[must_use]
    pub fn build(self) -> LocalPool<T>
    where
        T: Abandoned,
    {
        self.build_with_abandoned(T::abandoned)
    }

    /// Creates the pool, for an output that does not implement [`Abandoned`].
    ///
    /// `abandoned` creates the result of an operation that ends without a value.
    ///
    /// Use this method, for example, in a driver whose public error type does not implement `From<Dropped>`.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// #[derive(Debug, PartialEq)]
    /// pub enum Error {
    ///     ConnectionLost,
    /// }
    ///
    /// let pool: LocalPool<Result<u64, Error>> =
    ///     LocalPool::builder().build_with_abandoned(|| Err(Error::ConnectionLost));
    /// let (completer, completion) = pool.rent();
    /// drop(completer);
    /// assert_eq!(futures::executor::block_on(completion), Err(Error::ConnectionLost));
    /// ```
    #[must_use]
    pub fn build_with_abandoned(self, abandoned: fn() -> T) -> LocalPool<T> {
        LocalPool(Handle::new(self.initial, self.max, self.first_generation, abandoned))
    }
}

impl<T> Clone for LocalPoolBuilder<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for LocalPoolBuilder<T> {}

impl<T> Default for LocalPoolBuilder<T> {
    fn default() -> Self {
        LocalPoolBuilder { initial: 0, max: None, first_generation: 1, output: PhantomData }
    }
}

impl<T> fmt::Debug for LocalPoolBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LocalPoolBuilder { initial, max, first_generation, .. } = self;
        f.debug_struct("LocalPoolBuilder")
            .field("initial_slots", initial)
            .field("max_slots", max)
            .field("first_generation", first_generation)
            .finish()
    }
}

// The bound `T: Abandoned` is on the functions, and not on the `impl`. So if a `T` does not implement `Abandoned`, the compiler explains
// this trait, and does not report a missing function.
impl<T> LocalPool<T> {
    /// Creates an unbounded pool without slots.
    #[must_use]
    pub fn new() -> Self
    where
        T: Abandoned,
    {
        LocalPoolBuilder::default().build()
    }

    /// Returns a builder, for a pool with a bound or with initial slots.
    pub fn builder() -> LocalPoolBuilder<T> {
        LocalPoolBuilder::default()
    }

    /// Begins an operation, and returns its two ends.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated if there is a vacant slot. Otherwise the pool grows by 32 slots.
    ///
    /// # Panics
    ///
    /// Panics if the pool is full, or if it was [closed](Self::close). [`try_rent`](Self::try_rent) returns an error instead.
    #[inline]
    #[track_caller]
    pub fn rent(&self) -> (LocalCompleter<T>, LocalCompletion<T>) {
        let origin = Origin::caller();
        let (producer, consumer) = self.0.rent(origin);
        (LocalCompleter(producer), LocalCompletion(consumer, origin))
    }

    /// Begins an operation, or returns an error if there is no vacant slot.
    ///
    /// A slot is vacant again when *both* ends were used or dropped. Dropping the completion is not enough while the completer exists.
    /// Turning the completer into its [`Key`](crate::Key) is a use of the completer. To wait for a vacant slot, use
    /// [`rent_when_vacant`](Self::rent_when_vacant).
    ///
    /// # Errors
    ///
    /// Returns [`RentError::Full`] if all slots were in use or retired at one moment of the call, and the pool cannot grow. (A slot is
    /// retired when it has used all its keys.) An unbounded pool cannot grow beyond 2³¹ − 512 slots. Returns [`RentError::Closed`] if the
    /// pool was [closed](Self::close).
    ///
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::builder().max_slots(1).build();
    /// let (completer, completion) = pool.try_rent()?;
    /// assert!(pool.try_rent().is_err()); // let the caller know, or shed load
    /// drop(completion); // it has timed out
    /// assert!(pool.try_rent().is_err()); // the completer still exists
    /// drop(completer);
    /// assert!(pool.try_rent().is_ok());
    /// # Ok::<(), value_future::pool::RentError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn try_rent(&self) -> Result<(LocalCompleter<T>, LocalCompletion<T>), RentError> {
        let origin = Origin::caller();
        let (producer, consumer) = self.0.try_rent(origin)?;
        Ok((LocalCompleter(producer), LocalCompletion(consumer, origin)))
    }

    /// Returns a future that rents a slot as soon as one is vacant, and resolves to the two ends of an operation.
    ///
    /// The pool serves pending futures in the order of their first poll. A returned slot goes to the first
    /// pending future, so [`try_rent`](Self::try_rent) does not get the slot. `try_rent` only overtakes a
    /// future that has not been polled.
    ///
    /// The future contains a handle of the pool, so it keeps the pool open. The future does nothing before the first poll. If the pool is
    /// unbounded, the first poll is ready. If a future was woken because a slot was returned, the future already has this slot. From then
    /// on the slot is in use, even before the future is polled.
    ///
    /// While a future waits, dropping the other handles does not close the pool. So operations whose completers were [turned into
    /// keys](LocalCompleter::into_key) do not end then, and the future may wait forever for their slots. To end these operations and the wait of
    /// the future, call [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// The future returns [`RentError::Closed`] if the pool was [closed](Self::close) before the poll, even if the future had already been
    /// given a slot. The future returns [`RentError::Full`] if all slots are retired, or if an unbounded pool has 2³¹ − 512 slots in use.
    ///
    /// # Cancel safety
    ///
    /// The future can be dropped at any time. If it was already given a slot, the pool gives the slot to the
    /// next future in the queue, and wakes that future. A later call of `rent_when_vacant` waits behind all
    /// futures that are already in the queue.
    ///
    /// # Sizes and allocation
    ///
    /// A pending future has an entry in a queue of the pool. The queue grows when more futures are pending than ever before. The future
    /// allocates nothing else, except what [`rent`](Self::rent) may allocate.
    ///
    /// # Reentrancy
    ///
    /// The call that returns the slot also wakes the future. Examples of such calls are the drop of the last end of an operation, the poll
    /// of a completion, and [`complete_key`](Self::complete_key). The call holds no lock while it wakes the future, so the waker may call
    /// any method of this crate. If the waker panics in a poll of a completion, the result of that poll is lost. The woken future keeps its
    /// slot.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// # futures::executor::block_on(async {
    /// let pool = LocalPool::<Option<u32>>::builder().max_slots(1).build();
    /// let (completer, completion) = pool.rent_when_vacant().await?;
    /// let next = pool.rent_when_vacant();
    /// let first = async {
    ///     completer.complete(Some(5)).unwrap();
    ///     completion.await // returns the slot
    /// };
    /// let (next, first) = futures::join!(next, first);
    /// assert_eq!(first, Some(5));
    /// let (_completer, _completion) = next?;
    /// # Ok::<(), value_future::pool::RentError>(())
    /// # }).unwrap();
    /// ```
    #[must_use = "a future does nothing unless it is polled"]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn rent_when_vacant(&self) -> LocalRentWhenVacant<T> {
        LocalRentWhenVacant(Renting::new(self.0.clone(), Origin::caller()))
    }

    /// Creates slots until this thread can begin `additional` more operations without an allocation.
    ///
    /// A bounded pool grows to its bound at most.
    pub fn reserve(&self, additional: u32) {
        self.0.reserve(additional);
    }

    /// Returns the counters of the pool.
    ///
    /// The call visits all slots. Use it for reports, and not for each operation.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// Returns the live operations, each with the line of code that began it.
    ///
    /// Use this method to find leaks: an operation that stays in the list was never completed, or its result was never taken. The list is
    /// empty without the feature `trace`.
    ///
    /// The iterator visits all slots. If other threads begin or end operations meanwhile, an item may mix two
    /// operations of one slot. The iterator is not `Send`: finish it before an `.await`.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// for operation in pool.live_operations() {
    ///     eprintln!("{operation}"); // operation rented at src/main.rs:4:38: pending; it has a completion and a completer
    /// }
    /// # drop((completer, completion));
    /// ```
    pub fn live_operations(&self) -> impl Iterator<Item = LiveOperation> {
        self.0.live_operations()
    }

    /// Completes the operation with this key.
    ///
    /// # Errors
    ///
    /// Returns a [`CompleteError`] with the value and the reason if the key is refused. A refused key changes
    /// nothing: neither the operation of the key, nor the operation that uses the slot now.
    ///
    /// The exact reason is known only until the slot serves another operation. From then on, the key is refused as
    /// [`Stale`](crate::operation::CompleteErrorKind::Stale), whatever the first reason was. So use the reasons for counters, and do not
    /// base decisions on them.
    ///
    /// # Reentrancy
    ///
    /// The call wakes the consumer as [`LocalCompleter::complete`] does.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{Key, LocalPool, operation::CompleteErrorKind};
    ///
    /// let pool = LocalPool::new();
    /// let (completer, completion) = pool.rent();
    /// let id: u64 = completer.into_key().to_u64(); // sent with the request, and returned in the reply
    ///
    /// let key = Key::from_u64(id);
    /// pool.complete_key(key, Some("first")).unwrap();
    /// let twice = pool.complete_key(key, Some("second")).unwrap_err();
    /// assert_eq!(twice.kind(), CompleteErrorKind::AlreadyCompleted);
    /// assert_eq!(twice.into_value(), Some("second"));
    /// assert_eq!(futures::executor::block_on(completion), Some("first"));
    /// ```
    #[inline]
    pub fn complete_key(
        &self,
        key: impl Into<TypedKey<T>>,
        value: T,
    ) -> Result<(), CompleteError<T>> {
        self.0.complete_key(key.into().untyped(), value)
    }

    /// Ends the operation that has this key, without a value, as the drop of its completer does.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`complete_key`](Self::complete_key).
    pub fn abandon_key(&self, key: impl Into<TypedKey<T>>) -> Result<(), CompleteError<()>> {
        self.0.abandon_key(key.into().untyped())
    }

    #[expect(
        clippy::must_use_candidate,
        reason = "a program may ignore how many operations have ended"
    )]
    /// Ends all pending operations whose completers were [turned into keys](LocalCompleter::into_key). Returns the number of operations that
    /// this call has ended.
    ///
    /// Each of these operations ends as if by [`abandon_key`](Self::abandon_key). Operations that still have their completers go on, even
    /// if the completers are turned into keys later. If a connection is lost, call [`close`](Self::close) instead: then such operations end
    /// as soon as their completers are turned into keys.
    ///
    /// The call visits all slots. Dropping the last handle of the pool also ends these operations, because the program can no longer use a
    /// key.
    ///
    /// # Reentrancy
    ///
    /// The call wakes the consumers as [`LocalCompleter::complete`] does. If a waker panics, the call does not end the remaining operations.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// let id = completer.into_key().to_u64(); // sent, but no reply will come
    ///
    /// assert_eq!(pool.abandon_keys(), 1);
    /// assert_eq!(futures::executor::block_on(completion), None);
    /// # let _ = id;
    /// ```
    pub fn abandon_keys(&self) -> u32 {
        self.0.abandon_keys()
    }
}

impl<T> LocalPool<T> {
    #[expect(
        clippy::must_use_candidate,
        reason = "a program may ignore how many operations have ended"
    )]
    /// Closes the pool, for example when a connection is lost, and returns the number of operations that this
    /// call has ended.
    ///
    /// From then on no operation begins: [`try_rent`](Self::try_rent) returns [`RentError::Closed`], and [`rent`](Self::rent) panics. An
    /// operation whose completer was [turned into its key](LocalCompleter::into_key) ends now, as if by [`abandon_key`](Self::abandon_key). An
    /// operation that still has its completer goes on. If this completer is turned into its key later, the operation ends at that moment.
    /// So no consumer waits forever for a producer with a key.
    ///
    /// The call closes the pool for all its handles. A second call ends nothing, and returns 0. The call visits all slots.
    ///
    /// # Reentrancy
    ///
    /// The call wakes the consumers as [`LocalCompleter::complete`] does. If a waker panics, the call still ends the remaining operations.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{LocalPool, pool::RentError};
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
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

/// Returns another handle of the same pool.
impl<T> Clone for LocalPool<T> {
    fn clone(&self) -> Self {
        LocalPool(self.0.clone())
    }
}

impl<T: Abandoned> Default for LocalPool<T> {
    fn default() -> Self {
        LocalPool::new()
    }
}

/// Shows the [`Stats`] of the pool.
impl<T> fmt::Debug for LocalPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalPool").field(&self.stats()).finish()
    }
}

// A panic leaves each operation consistent. A value is delivered as a whole, or not at all.
impl<T> UnwindSafe for LocalPool<T> {}
impl<T> RefUnwindSafe for LocalPool<T> {}
