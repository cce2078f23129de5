// Generated from `pool.rs` by `tests/twins.rs`.
//! `LocalPool` and its builder.

use core::{
    fmt,
    marker::PhantomData,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    LocalCompleter, LocalCompletion, LocalRentWhenVacant, RentError, Stats, handle::Handle,
    renting::Renting,
};
use crate::{
    affinity::OneThread,
    operation::{Abandoned, CompleteError},
    origin::Origin,
    slab::{Slab, Unlimited},
    slot::TypedKey,
};

/// [`Pool`](crate::Pool) for one thread: no atomics, and neither the pool nor what comes from it is
/// `Send`. Its methods are the same.
///
/// # Sizes and allocation
///
/// The pool itself takes 1088 bytes, on 64-bit targets. It grows as a `Pool` does, and finds every vacant
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

/// A builder of a [`LocalPool`]; from [`builder`](LocalPool::builder).
///
/// # Examples
///
/// A pool that makes all its slots now, and no more:
///
/// ```
/// use value_future::LocalPool;
///
/// let pool: LocalPool<Option<u32>> =
///     LocalPool::builder().initial_slots(2).max_slots(2).build();
/// let both = (pool.rent(), pool.rent());
/// assert_eq!(
///     pool.try_rent().unwrap_err().to_string(),
///     "the pool is full: it was bounded to 2 slots, and all of them are in use or retired",
/// );
/// ```
#[must_use = "a builder makes a pool when it is told to `build`"]
pub struct LocalPoolBuilder<T> {
    initial: u32,
    max: Option<u32>,
    first_generation: u32,
    output: PhantomData<fn() -> T>,
}

impl<T> LocalPoolBuilder<T> {
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
    /// Keys that are older are refused as [`Unknown`](crate::operation::CompleteErrorKind::Unknown). So a pool for a new
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
    pub fn build(self) -> LocalPool<T>
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

// The bound is on functions, so that the compiler says what `Abandoned` is about, and not that
// there is no such function.
impl<T> LocalPool<T> {
    /// A pool that grows as it has to.
    #[must_use]
    pub fn new() -> Self
    where
        T: Abandoned,
    {
        LocalPoolBuilder::default().build()
    }

    /// A builder, for a pool with a bound or with initial slots.
    pub fn builder() -> LocalPoolBuilder<T> {
        LocalPoolBuilder::default()
    }

    /// Begins an operation, and gives its two ends.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated if there is a vacant slot. Otherwise the pool grows, by 32 slots.
    ///
    /// # Panics
    ///
    /// If the pool was bounded and is full, or was [closed](Self::close); [`try_rent`](Self::try_rent) gives that as an error, and waits
    /// where this does.
    #[inline]
    #[track_caller]
    pub fn rent(&self) -> (LocalCompleter<T>, LocalCompletion<T>) {
        let (producer, consumer) = self.0.rent();
        (LocalCompleter(producer), LocalCompletion(consumer, Origin::caller()))
    }

    /// [`rent`](Self::rent), if there is a slot.
    ///
    /// A slot is vacant again when *both* ends are gone: dropping the completion is not enough while the completer exists. A
    /// completer that was turned into its [`Key`](crate::Key) is gone. To wait for a vacant slot, use
    /// [`rent_when_vacant`](Self::rent_when_vacant).
    ///
    /// # Errors
    ///
    /// [`RentError::Full`], if the pool was bounded and all its slots were in use or retired at one moment of the call;
    /// [`RentError::Closed`], if the pool was [closed](Self::close).
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
    /// assert!(pool.try_rent().is_err()); // the completer is out still
    /// drop(completer);
    /// assert!(pool.try_rent().is_ok());
    /// # Ok::<(), value_future::pool::RentError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn try_rent(&self) -> Result<(LocalCompleter<T>, LocalCompletion<T>), RentError> {
        let (producer, consumer) = self.0.try_rent()?;
        Ok((LocalCompleter(producer), LocalCompletion(consumer, Origin::caller())))
    }

    /// Returns a future that rents a slot as soon as one is vacant, and resolves to the two ends of an operation.
    ///
    /// Futures that wait are served in the order of their first poll. A return gives the slot to the first of them, so
    /// [`try_rent`](Self::try_rent) does not get it. `try_rent` only overtakes a future that has not been polled.
    ///
    /// The future is a handle of the pool. It does nothing before the first poll. If the pool has no bound, the first poll
    /// is ready. A future that was woken has its slot: poll it, or drop it. Until then the slot is in use.
    ///
    /// # Errors
    ///
    /// [`RentError::Closed`], if the pool was [closed](Self::close), before or while the future waits.
    /// [`RentError::Full`], if all slots are retired, or a pool without a bound has 2³¹ − 512 slots in use.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future at any time is sound. If it was given a slot, the next future gets that, and is woken. A
    /// later call waits behind all others.
    ///
    /// # Sizes and allocation
    ///
    /// A future that waits has a place in a queue of the pool. The queue grows when more futures wait than ever before.
    /// Nothing else is allocated.
    ///
    /// # Reentrancy
    ///
    /// The thread that returns the slot wakes the future, in the same call: where the last end of an operation is dropped,
    /// where a completion is polled, or in [`complete_key`](Self::complete_key). Nothing is held then, so the waker may do
    /// what it likes. If it panics, the slot has been given to the future, and the result of that poll is lost.
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
        LocalRentWhenVacant(Renting::new(self.0.clone()), Origin::caller())
    }

    /// Grows until so many more operations can be begun by this thread without an allocation;
    /// a bounded pool, to its bound at most.
    pub fn reserve(&self, additional: u32) {
        self.0.slab().reserve(additional, Unlimited);
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
    /// Why a key is refused is told only until the slot serves another operation. From then on every late or second answer is
    /// [`Stale`](crate::operation::CompleteErrorKind::Stale). So count the reasons, and do not decide by them.
    ///
    /// # Reentrancy
    ///
    /// As [`LocalCompleter::complete`].
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{Key, LocalPool, operation::CompleteErrorKind};
    ///
    /// let pool = LocalPool::new();
    /// let (completer, completion) = pool.rent();
    /// let id: u64 = completer.into_key().to_u64(); // goes out, and comes back
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

    /// Ends the operation with this key without a value, as dropping its completer does.
    ///
    /// # Errors
    ///
    /// As [`complete_key`](Self::complete_key).
    pub fn abandon_key(&self, key: impl Into<TypedKey<T>>) -> Result<(), CompleteError<()>> {
        self.0.abandon_key(key.into().untyped())
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
    /// As [`LocalCompleter::complete`].
    /// If a waker panics, the operations that come after it are not ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalPool;
    ///
    /// let pool = LocalPool::<Option<u32>>::new();
    /// let (completer, completion) = pool.rent();
    /// let id = completer.into_key().to_u64(); // went out, and will not come back
    ///
    /// assert_eq!(pool.abandon_keys(), 1);
    /// assert_eq!(futures::executor::block_on(completion), None);
    /// # let _ = id;
    /// ```
    #[expect(clippy::must_use_candidate, reason = "it may be called only to end them")]
    pub fn abandon_keys(&self) -> u32 {
        self.0.abandon_keys()
    }
}

impl<T> LocalPool<T> {
    /// Closes the pool, and returns the number of operations that this has ended: for a connection that is lost.
    ///
    /// From then on no operation begins: [`try_rent`](Self::try_rent) returns [`RentError::Closed`], and
    /// [`rent`](Self::rent) panics. An operation that was left to its [`Key`](crate::Key) ends now, as by
    /// [`abandon_key`](Self::abandon_key). One that still has its completer goes on; if the completer is turned into
    /// the key later, the operation ends then. So no consumer waits for ever, whatever other threads do
    /// meanwhile.
    ///
    /// All handles of the pool are closed. To close again ends nothing, and returns 0. The call goes through all slots.
    ///
    /// # Reentrancy
    ///
    /// As [`LocalCompleter::complete`].
    /// If a waker panics, the operations that come after it are ended all the same.
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
    #[expect(clippy::must_use_candidate, reason = "it may be called only to end them")]
    pub fn close(&self) -> u32 {
        self.0.close()
    }

    /// Returns `true` if the pool was [closed](Self::close).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

/// Another handle of the same pool.
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

/// Shows its [`Stats`].
impl<T> fmt::Debug for LocalPool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalPool").field(&self.stats()).finish()
    }
}

// A panic leaves each operation in order, and a value is handed over as a whole or not at all.
impl<T> UnwindSafe for LocalPool<T> {}
impl<T> RefUnwindSafe for LocalPool<T> {}
