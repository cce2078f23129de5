//! `FuturePool` and its builder.

//~ any thread
#[cfg(not(loom))]
use core::sync::atomic::AtomicPtr;
//~ one thread
//~ #[cfg(not(loom))]
//~ use core::cell::Cell;
//~ end
use core::{
    fmt,
    future::Future,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr,
    task::{Context, Waker},
};

use super::{
    FuturePoolStats, PooledError, PooledErrorKind,
    classes::{Bounds, SIZES, capacity},
    machines::Machines,
};
use crate::slab::{SharedBudget, SharedTally};
#[cfg(loom)]
use crate::slot::Pointer;
use crate::{affinity::AnyThread, future::ValueFuture};

//~ any thread
/// A pool of state machines: what would be a `Box<dyn Future>` for each call is in a slot that is
/// used again. Any thread may use it, and what comes from it may be dropped on any other.
///
/// [`ValueFuture::pooled`] uses one that is [built in](FuturePool::built_in), and needs no set-up. One
/// of one's own has bounds and figures of its own. It may be dropped first: what is out still works,
/// and the memory goes with the last of it. (In one case later: see [`Pool`](crate::Pool).) It is not
/// `Clone`: it can be a `static`, or be in an `Arc`.
///
/// # Sizes and allocation
///
/// Slots come in eight sizes, with room for futures of 48, 112, 176, 304, 560, 1072, 2096 and 4144
/// bytes. A future takes the smallest that has room for it, whatever was in there before. If none is
/// vacant, the pool allocates a page: 62 slots of the smallest size in 4 KiB, 15 of the largest in 64 KiB. Unused slots of a page are
/// not touched.
///
/// The pool itself takes 1,152 bytes, on 64-bit targets, and each size 1.9 KiB more from its first use on,
/// with the cache of its first thread. A future that is forgotten (`mem::forget`) keeps its slot, and after the pool what is left of that.
///
/// [`trim`](FuturePool::trim) frees all pages without a slot in use. The pool also frees such a page when its last slot is returned, if
/// the other pages have at least twice as many slots as are in use, as many as are
/// [reserved](FuturePool::reserve), and 64 KiB and 256 slots of the size.
///
/// A pool has up to two bounds in bytes: [one for each size](FuturePoolBuilder::max_bytes_per_size), and [one for the whole
/// pool](FuturePoolBuilder::max_bytes), which [`set_max_bytes`](FuturePool::set_max_bytes) changes at run time.
///
/// # Threads
///
/// A thread keeps up to 64 vacant slots of a size for itself, in a cache. Other threads find all others. A pool that is
/// bounded to fewer than 512 slots of a size finds every vacant slot, by atomic operations that other pools do not need.
/// With a higher bound, a pool may be full although another thread keeps vacant slots. A bound in bytes counts as the number of
/// slots that it has room for, as it is when a size is first used.
///
/// The first future of a size that a thread creates allocates the cache: up to 1 KiB for each thread that uses it, and each size.
/// Later ones do not allocate if the pool has vacant slots. Dropping a future never allocates. When a thread ends, the
/// next thread gets its cache, or it is freed. A thread that only drops futures has no cache unless it calls
/// [`reserve`](FuturePool::reserve). Each slot that it returns takes an atomic read-modify-write, and one in 32 a lock.
///
/// # Examples
///
/// ```
/// use value_future::{FuturePool, ValueFuture};
///
/// static POOL: FuturePool = FuturePool::builder().max_bytes_per_size(1 << 20).build();
///
/// trait Store {
///     fn get<'a>(&'a self, key: &'a str) -> ValueFuture<'a, Option<u64>>;
/// }
///
/// struct Remote;
///
/// impl Store for Remote {
///     fn get<'a>(&'a self, key: &'a str) -> ValueFuture<'a, Option<u64>> {
///         POOL.pooled(async move {
///             // ask a server, and wait
///             key.parse().ok()
///         })
///     }
/// }
///
/// let store: &dyn Store = &Remote;
/// assert_eq!(futures::executor::block_on(store.get("12")), Some(12));
/// assert_eq!(futures::executor::block_on(store.get("34")), Some(34));
/// assert_eq!((POOL.stats().rented, POOL.stats().high_water), (2, 1));
/// ```
//~ one thread
//~ /// [`FuturePool`](crate::FuturePool) for one thread: no atomics, and futures need not be `Send`.
//~ ///
//~ /// It is not `Sync`, so it cannot be a `static`. In a `thread_local!`, each thread has one of its own.
//~ ///
//~ /// # Sizes and allocation
//~ ///
//~ /// The pool itself takes 112 bytes, on 64-bit targets. A size takes one allocation of 1056 bytes when it is first used, and each page of slots one. Every vacant slot of a size is found.
//~ ///
//~ /// # Examples
//~ ///
//~ /// ```
//~ /// use std::rc::Rc;
//~ /// use value_future::LocalFuturePool;
//~ ///
//~ /// let pool = LocalFuturePool::new();
//~ /// let shared = Rc::new(5);
//~ /// let theirs = Rc::clone(&shared);
//~ /// assert_eq!(futures::executor::block_on(pool.pooled(async move { *theirs })), 5);
//~ /// assert_eq!(Rc::strong_count(&shared), 1);
//~ /// ```
//~ ///
//~ /// One for each thread; what comes from it does not refer to it:
//~ ///
//~ /// ```
//~ /// use value_future::{LocalFuturePool, LocalValueFuture};
//~ ///
//~ /// thread_local! {
//~ ///     static POOL: LocalFuturePool = const { LocalFuturePool::new() };
//~ /// }
//~ ///
//~ /// fn length(text: &str) -> LocalValueFuture<'_, usize> {
//~ ///     POOL.with(|pool| pool.pooled(async { text.len() }))
//~ /// }
//~ ///
//~ /// assert_eq!(futures::executor::block_on(length("inner")), 5);
//~ /// ```
//~ end
#[doc(alias = "slab")]
#[doc(alias = "PoolingAsyncValueTaskMethodBuilder")]
pub struct FuturePool(pub(crate) Machines<AnyThread>);

/// A builder of a [`FuturePool`]; from [`builder`](FuturePool::builder).
///
/// There are no initial slots to ask for: it makes a pool that can be a `static`, and allocates nothing.
/// [`reserve`](FuturePool::reserve) makes them later.
#[derive(Clone, Copy)]
#[must_use = "a builder makes a pool when it is told to `build`"]
pub struct FuturePoolBuilder {
    bounds: Bounds,
    max_bytes: Option<usize>,
}

impl FuturePoolBuilder {
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
    /// that are [reserved](FuturePool::reserve).
    ///
    /// [`set_max_bytes`](FuturePool::set_max_bytes) changes the bound later.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::FuturePool;
    ///
    /// let pool = FuturePool::builder().max_bytes(4096).build();
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
    pub const fn build(self) -> FuturePool {
        let budget = SharedBudget::new(self.budget());
        FuturePool(Machines::new(
            [const { AtomicPtr::new(ptr::null_mut()) }; SIZES.len()],
            SharedTally::new(),
            self.bounds,
            budget,
        ))
    }

    /// Loom's atomics are made at run time.
    #[cfg(loom)]
    #[must_use]
    pub fn build(self) -> FuturePool {
        let slabs = core::array::from_fn(|_| Pointer::new(ptr::null_mut()));
        let budget = SharedBudget::new(self.budget());
        FuturePool(Machines::new(slabs, SharedTally::default(), self.bounds, budget))
    }
}

/// Without bounds.
impl Default for FuturePoolBuilder {
    fn default() -> Self {
        FuturePool::builder()
    }
}

impl fmt::Debug for FuturePoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { slots, bytes } = &self.bounds;
        f.debug_struct("FuturePoolBuilder")
            .field("max_slots_per_size", slots)
            .field("max_bytes_per_size", bytes)
            .field("max_bytes", &self.max_bytes)
            .finish()
    }
}

impl FuturePool {
    /// The largest future that has a place in a slot, in bytes.
    pub const MAX_SIZE: usize = capacity::<AnyThread>(SIZES.len() - 1);

    /// A pool without bounds. Nothing is allocated.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self::builder().build()
    }

    /// Loom's atomics are made at run time.
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A builder, for a pool with bounds.
    pub const fn builder() -> FuturePoolBuilder {
        FuturePoolBuilder { bounds: Bounds::NONE, max_bytes: None }
    }

    /// The future `future` in a slot, or in a box if there is no slot for it. It may borrow
    /// for `'a`; it does not refer to the pool.
    ///
    /// `future` is not polled before it is awaited. What is a value future already is best returned
    /// as it is: in here its inline result would be inline no more.
    ///
    /// # Sizes and allocation
    ///
    //~ any thread
    /// Nothing is allocated if this thread finds a vacant slot of the size class. The first future of
    /// a thread may allocate: see [*Threads*](FuturePool#threads).
    //~ one thread
    //~ /// Nothing is allocated if a slot of the size class is vacant.
    //~ end
    /// What is larger than [`MAX_SIZE`](Self::MAX_SIZE), or aligned to more than 16 bytes, takes a box,
    /// and so does what finds the pool full. The slot is vacant again when `future` has completed, before
    /// the result is given out, or when it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::FuturePool;
    ///
    /// let pool = FuturePool::new();
    /// let name = String::from("inner");
    /// let future = pool.pooled(async { name.len() });
    /// assert_eq!(futures::executor::block_on(future), 5);
    /// assert_eq!((pool.stats().live, pool.stats().boxed), (0, 0));
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn pooled<'a, F>(&self, future: F) -> ValueFuture<'a, F::Output>
    where
        F: Future + Send + 'a,
    {
        ValueFuture(self.0.put(future))
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
    /// use value_future::FuturePool;
    ///
    /// let pool = FuturePool::builder().max_slots_per_size(1).build();
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
    /// use value_future::{FuturePool, ValueFuture, future_pool::PooledErrorKind};
    ///
    /// fn length<'a>(pool: &FuturePool, text: &'a str) -> Result<ValueFuture<'a, usize>, PooledErrorKind> {
    ///     Ok(pool.try_pooled(async { text.len() })?)
    /// }
    ///
    /// let pool = FuturePool::builder().max_slots_per_size(1).build();
    /// let first = length(&pool, "first").unwrap();
    /// assert_eq!(length(&pool, "second").unwrap_err(), PooledErrorKind::Full);
    /// # drop(first);
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn try_pooled<'a, F>(&self, future: F) -> Result<ValueFuture<'a, F::Output>, PooledError<F>>
    where
        F: Future + Send + 'a,
    {
        self.0.try_put(future).map(ValueFuture)
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
    /// use value_future::FuturePool;
    ///
    /// let pool = FuturePool::new();
    /// assert_eq!(pool.eager(async { 5 }).try_take().unwrap(), 5);
    /// assert!(pool.eager(std::future::pending::<u8>()).try_take().is_err());
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager<'a, F>(&self, future: F) -> ValueFuture<'a, F::Output>
    where
        F: Future + Send + 'a,
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
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager_with<'a, F>(&self, future: F, cx: &mut Context<'_>) -> ValueFuture<'a, F::Output>
    where
        F: Future + Send + 'a,
    {
        ValueFuture(self.0.put_eagerly(future, cx))
    }

    /// Makes slots with room for a future of `size` bytes: until so many more such futures can be put
    //~ any thread
    /// in by this thread without an allocation; in a bounded pool, to its bound at most.
    //~ one thread
    //~ /// in without an allocation; in a bounded pool, to its bound at most.
    //~ end
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
    /// use value_future::FuturePool;
    ///
    /// async fn serve(request: [u8; 100]) -> usize {
    ///     std::future::ready(()).await;
    ///     request.len()
    /// }
    ///
    /// let pool = FuturePool::new();
    /// pool.reserve(size_of_val(&serve([0; 100])), 10)?;
    /// let made = pool.stats().allocations;
    /// let ten = [(); 10].map(|()| pool.pooled(serve([0; 100])));
    /// assert_eq!(pool.stats().allocations, made);
    /// # drop(ten);
    /// # Ok::<(), value_future::future_pool::PooledErrorKind>(())
    /// ```
    pub fn reserve(&self, size: usize, additional: u32) -> Result<(), PooledErrorKind> {
        self.0.reserve(size, additional)
    }

    /// Changes [`max_bytes`](FuturePoolBuilder::max_bytes), the bound on the memory of the whole pool.
    ///
    /// `usize::MAX` removes the bound. With 0, all futures are boxed once the slots that exist are in use or trimmed. If the
    /// pool has more memory than the new bound, it does not grow. It frees nothing: call [`trim`](Self::trim).
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::FuturePool;
    ///
    /// let pool = FuturePool::new();
    /// pool.set_max_bytes(4096);
    /// let futures = [(); 100].map(|()| pool.pooled(async { 5 }));
    /// assert_eq!((pool.stats().live, pool.stats().full), (62, 38));
    /// # drop(futures);
    /// ```
    pub fn set_max_bytes(&self, bytes: usize) {
        self.0.set_max_bytes(bytes);
    }

    /// What the pool has done so far, and what it has.
    //~ any thread
    /// It goes through all that it keeps for threads: it is for reports, not for each future.
    //~ one thread
    //~ end
    #[must_use]
    pub fn stats(&self) -> FuturePoolStats {
        self.0.stats()
    }

    /// Gives the pages of which no slot is in use back to the allocator, and tells how many bytes of slots that
    /// were.
    //~ any thread
    /// What other threads that live keep for themselves, up to 64 slots of a size each, stays.
    //~ one thread
    //~ end
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::FuturePool;
    ///
    /// let pool = FuturePool::new();
    /// drop(pool.pooled(async { 5 }));
    /// assert_eq!(pool.trim(), 62 * 64);
    /// assert_eq!(pool.stats().bytes, 0);
    /// ```
    pub fn trim(&self) -> u64 {
        self.0.trim()
    }
}

impl Default for FuturePool {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows its [`FuturePoolStats`], without the sizes that were never needed.
impl fmt::Debug for FuturePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FuturePool").field(&self.stats()).finish()
    }
}

// A panic of a future leaves its pool in order.
impl UnwindSafe for FuturePool {}
impl RefUnwindSafe for FuturePool {}

//~ any thread
#[cfg(not(loom))]
impl FuturePool {
    /// The pool of [`ValueFuture::pooled`], and of combinators that wait: for its figures, and to
    /// [`reserve`](Self::reserve) and [`trim`](Self::trim).
    ///
    /// The slots of all eight sizes together take 128 MiB at most. A program that needs another bound calls
    /// [`set_max_bytes`](Self::set_max_bytes) once, at its start.
    ///
    /// # Examples
    ///
    /// ```
    /// value_future::FuturePool::built_in().set_max_bytes(16 << 20);
    /// ```
    #[must_use]
    #[inline(always)]
    pub fn built_in() -> &'static FuturePool {
        static BUILT_IN: FuturePool = FuturePool::builder().max_bytes(128 << 20).build();
        &BUILT_IN
    }
}
//~ end
