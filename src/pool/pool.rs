//! `Pool` and its builder.

use core::{
    fmt,
    marker::PhantomData,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    Completer, Completion, RentError, RentWhenVacant, Stats, handle::Handle, renting::Renting,
};
use crate::{
    affinity::AnyThread,
    operation::{Abandoned, CompleteError},
    origin::Origin,
    slab::{Slab, Unlimited},
    slot::TypedKey,
};

//~ any thread
/// A pool of one-shot completions, for any number of threads.
///
/// [`rent`](Pool::rent) gives the two ends of an operation: a [`Completer`] for who will have the
/// result, on whatever thread, and a [`Completion`] for who waits for it. When both are gone, the
/// slot that they shared is used again. So an operation allocates nothing if the thread finds a vacant
/// slot.
///
/// The pool may be dropped first: all that is out still works, and the memory goes with the last of
/// it. (In one case later: if the last end goes at the same instant as the last handle, on another
/// thread, then when that thread ends, or uses other pools.)
/// What was left to its [`Key`](crate::Key) ends with the last handle, as nobody could present the key any more.
///
/// # Threads
///
/// Any thread may rent, complete, poll and drop. A thread that rents has a cache in the pool: it keeps up to 64 vacant slots, which
/// other threads do not find. They find all others. A thread without a cache shares up to 64 more with others like it. A pool
/// without a bound initializes 16 slots at a time for one thread, so it has at least 16 for each live thread that rents.
/// When a thread ends, its slots go back to the pool.
///
/// A thread that only drops completions and completers has no cache. Each slot that it returns takes an atomic
/// read-modify-write, and one in 32 the lock of the pool. [`reserve(0)`](Pool::reserve) on that thread creates a cache.
///
/// A [bounded](PoolBuilder::max_slots) pool finds every vacant slot, from every thread. It takes two more atomic
/// read-modify-writes for each operation.
///
/// # Sizes and allocation
///
/// A handle is one pointer, and a clone another one. The pool itself takes 1296 bytes, and a slot takes 56
/// bytes and the value, padded to a multiple of 8, and each page of 32 slots 128 more, on 64-bit targets. There are no
/// slots to begin
/// with, unless they are [asked for](PoolBuilder::initial_slots): 32 come with the first operation,
/// and 32 whenever there are too few. Slots are not given back to the
/// allocator as long as the pool lives. What is leaked (`mem::forget`) keeps its slot, and after
/// the pool is gone the memory of the pool.
///
/// The first operation of a thread allocates its cache: up to 1 KiB for each thread that rents. Later operations of that thread
/// do not allocate if the pool has vacant slots. Dropping a completer or a completion never allocates. When a thread ends,
/// the next thread gets its cache, or it is freed. A bounded pool has no thread caches. It has one list of the same size for
/// each core, at most 64.
///
/// # Examples
///
/// A driver completes requests on a thread of its own:
///
/// ```
/// use std::{sync::mpsc, thread};
/// use value_future::{Completer, Dropped, Pool, ValueFuture};
///
/// trait Square {
///     fn square(&self, number: u64) -> ValueFuture<'_, Result<u64, Dropped>>;
/// }
///
/// type Request = (u64, Completer<Result<u64, Dropped>>);
///
/// struct Driver {
///     pool: Pool<Result<u64, Dropped>>,
///     requests: mpsc::Sender<Request>,
/// }
///
/// impl Square for Driver {
///     fn square(&self, number: u64) -> ValueFuture<'_, Result<u64, Dropped>> {
///         let (completer, completion) = self.pool.rent();
///         // If the worker is gone, the completer is dropped here, and the answer is `Err`.
///         let _ = self.requests.send((number, completer));
///         completion.into()
///     }
/// }
///
/// let (requests, inbox) = mpsc::channel::<Request>();
/// let worker = thread::spawn(move || {
///     for (number, completer) in inbox {
///         let _ = completer.complete(Ok(number * number));
///     }
/// });
/// let driver: &dyn Square = &Driver { pool: Pool::new(), requests };
/// assert_eq!(futures::executor::block_on(driver.square(12)), Ok(144));
/// ```
//~ one thread
//~ /// [`Pool`](crate::Pool) for one thread: no atomics, and neither the pool nor what comes from it is
//~ /// `Send`. Its methods are the same.
//~ ///
//~ /// # Sizes and allocation
//~ ///
//~ /// The pool itself takes 1088 bytes, on 64-bit targets. It grows as a `Pool` does, and finds every vacant
//~ /// slot.
//~ ///
//~ /// # Examples
//~ ///
//~ /// ```
//~ /// use value_future::{LocalPool, LocalValueFuture};
//~ ///
//~ /// let pool = LocalPool::new();
//~ /// let (completer, completion) = pool.rent();
//~ /// let future = LocalValueFuture::from(completion);
//~ /// completer.complete(Some(5)).unwrap();
//~ /// assert_eq!(futures::executor::block_on(future), Some(5));
//~ /// assert_eq!(pool.stats().live, 0);
//~ /// ```
//~ end
#[doc(alias = "oneshot")]
#[doc(alias = "channel")]
#[doc(alias = "promise")]
#[doc(alias = "slab")]
#[doc(alias = "TaskCompletionSource")]
pub struct Pool<T>(Handle<T, AnyThread>);

/// A builder of a [`Pool`]; from [`builder`](Pool::builder).
///
/// # Examples
///
/// A pool that makes all its slots now, and no more:
///
/// ```
/// use value_future::Pool;
///
/// let pool: Pool<Option<u32>> =
///     Pool::builder().initial_slots(2).max_slots(2).build();
/// let both = (pool.rent(), pool.rent());
/// assert_eq!(
///     pool.try_rent().unwrap_err().to_string(),
///     "the pool is full: it was bounded to 2 slots, and all of them are in use or retired",
/// );
/// ```
#[must_use = "a builder makes a pool when it is told to `build`"]
pub struct PoolBuilder<T> {
    initial: u32,
    max: Option<u32>,
    first_generation: u32,
    output: PhantomData<fn() -> T>,
}

impl<T> PoolBuilder<T> {
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
    pub fn build(self) -> Pool<T>
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
    /// use value_future::Pool;
    ///
    /// #[derive(Debug, PartialEq)]
    /// pub enum Error {
    ///     ConnectionLost,
    /// }
    ///
    /// let pool: Pool<Result<u64, Error>> =
    ///     Pool::builder().build_with_abandoned(|| Err(Error::ConnectionLost));
    /// let (completer, completion) = pool.rent();
    /// drop(completer);
    /// assert_eq!(futures::executor::block_on(completion), Err(Error::ConnectionLost));
    /// ```
    #[must_use]
    pub fn build_with_abandoned(self, abandoned: fn() -> T) -> Pool<T> {
        Pool(Handle::new(self.initial, self.max, self.first_generation, abandoned))
    }
}

impl<T> Clone for PoolBuilder<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for PoolBuilder<T> {}

impl<T> Default for PoolBuilder<T> {
    fn default() -> Self {
        PoolBuilder { initial: 0, max: None, first_generation: 1, output: PhantomData }
    }
}

impl<T> fmt::Debug for PoolBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoolBuilder { initial, max, first_generation, .. } = self;
        f.debug_struct("PoolBuilder")
            .field("initial_slots", initial)
            .field("max_slots", max)
            .field("first_generation", first_generation)
            .finish()
    }
}

// The bound is on functions, so that the compiler says what `Abandoned` is about, and not that
// there is no such function.
impl<T> Pool<T> {
    /// A pool that grows as it has to.
    #[must_use]
    pub fn new() -> Self
    where
        T: Abandoned,
    {
        PoolBuilder::default().build()
    }

    /// A builder, for a pool with a bound or with initial slots.
    pub fn builder() -> PoolBuilder<T> {
        PoolBuilder::default()
    }

    /// Begins an operation, and gives its two ends.
    ///
    /// # Sizes and allocation
    ///
    //~ any thread
    /// Nothing is allocated if this thread finds a vacant slot. In a pool without a bound, each other thread may
    /// keep up to 64 of them. Otherwise the pool grows, by 32 slots. The first operation of a thread may allocate:
    /// see [*Threads*](crate::Pool#threads).
    //~ one thread
    //~ /// Nothing is allocated if there is a vacant slot. Otherwise the pool grows, by 32 slots.
    //~ end
    ///
    /// # Panics
    ///
    /// If the pool was bounded and is full, or was [closed](Self::close); [`try_rent`](Self::try_rent) gives that as an error, and waits
    /// where this does.
    #[inline]
    #[track_caller]
    pub fn rent(&self) -> (Completer<T>, Completion<T>) {
        let (producer, consumer) = self.0.rent();
        (Completer(producer), Completion(consumer, Origin::caller()))
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
    //~ any thread
    /// # Blocking
    ///
    /// If the pool is full, a dropped completion may have left its slot to a producer that is inside
    /// [`complete_key`](Self::complete_key). Then the call spins, yields, and at last sleeps
    /// for 50 µs at a time, until that producer has returned the slot. So a caller always finds the slot of a
    /// completion that it has dropped and left to its key.
    ///
    /// Priority inversion: if the calling thread has a higher fixed priority than that producer, and runs on the
    /// same core, the producer only runs while the call sleeps.
    //~ one thread
    //~ end
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::Pool;
    ///
    /// let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
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
    pub fn try_rent(&self) -> Result<(Completer<T>, Completion<T>), RentError> {
        let (producer, consumer) = self.0.try_rent()?;
        Ok((Completer(producer), Completion(consumer, Origin::caller())))
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
    /// use value_future::Pool;
    ///
    /// # futures::executor::block_on(async {
    /// let pool = Pool::<Option<u32>>::builder().max_slots(1).build();
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
    pub fn rent_when_vacant(&self) -> RentWhenVacant<T> {
        RentWhenVacant(Renting::new(self.0.clone()), Origin::caller())
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
    /// As [`Completer::complete`].
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{Key, Pool, operation::CompleteErrorKind};
    ///
    /// let pool = Pool::new();
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
    /// As [`Completer::complete`].
    /// If a waker panics, the operations that come after it are not ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::Pool;
    ///
    /// let pool = Pool::<Option<u32>>::new();
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

impl<T> Pool<T> {
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
    /// As [`Completer::complete`].
    /// If a waker panics, the operations that come after it are ended all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::{Pool, pool::RentError};
    ///
    /// let pool = Pool::<Option<u32>>::new();
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
impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Pool(self.0.clone())
    }
}

impl<T: Abandoned> Default for Pool<T> {
    fn default() -> Self {
        Pool::new()
    }
}

/// Shows its [`Stats`].
impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.stats()).finish()
    }
}

// A panic leaves each operation in order, and a value is handed over as a whole or not at all.
impl<T> UnwindSafe for Pool<T> {}
impl<T> RefUnwindSafe for Pool<T> {}
