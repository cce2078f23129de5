// Generated from `future_pool.rs` by `tests/codegen.rs`.
//! `LocalFuturePool` and its builder.

use core::{
    fmt,
    future::Future,
    panic::{RefUnwindSafe, UnwindSafe},
    task::{Context, Waker},
};

use super::{
    FuturePoolStats, PooledError, PooledErrorKind,
    classes::{Bounds, Slabs},
    inner::Inner,
    sizes::{SIZES, capacity},
};
use crate::{
    affinity::OneThread,
    future::LocalValueFuture,
    slab::{LocalBudget, LocalCounters},
};

/// A [`FuturePool`](crate::FuturePool) for one thread: it uses no atomics, and its futures need not be
/// `Send`.
///
/// The pool is not `Sync`, so it cannot be a `static`. In a `thread_local!`, each thread has its own pool.
///
/// # Sizes and allocation
///
/// The pool itself takes 112 bytes, on 64-bit targets. A size takes one allocation of 1056 bytes when it is
/// first used. Each page of slots takes one more allocation. The pool finds every vacant slot of a size.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use value_future::LocalFuturePool;
///
/// let pool = LocalFuturePool::new();
/// let shared = Rc::new(5);
/// let theirs = Rc::clone(&shared);
/// assert_eq!(futures::executor::block_on(pool.pooled(async move { *theirs })), 5);
/// assert_eq!(Rc::strong_count(&shared), 1);
/// ```
///
/// Each thread can have its own pool. The futures do not borrow from the pool:
///
/// ```
/// use value_future::{LocalFuturePool, LocalValueFuture};
///
/// thread_local! {
///     static POOL: LocalFuturePool = const { LocalFuturePool::new() };
/// }
///
/// fn length(text: &str) -> LocalValueFuture<'_, usize> {
///     POOL.with(|pool| pool.pooled(async { text.len() }))
/// }
///
/// assert_eq!(futures::executor::block_on(length("inner")), 5);
/// ```
#[doc(alias = "slab")]
#[doc(alias = "PoolingAsyncValueTaskMethodBuilder")]
pub struct LocalFuturePool(pub(crate) Inner<OneThread>);

/// A builder of a [`LocalFuturePool`] with bounds. [`LocalFuturePool::builder`] returns it.
///
/// The builder has no option for initial slots, because `build` is `const` and allocates nothing.
/// [`reserve`](LocalFuturePool::reserve) creates slots later.
#[derive(Clone, Copy)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct LocalFuturePoolBuilder {
    bounds: Bounds,
    max_bytes: Option<usize>,
}

impl LocalFuturePoolBuilder {
    /// Bounds the pool to `slots` slots of each size. [`pooled`](LocalFuturePool::pooled) boxes a future that finds no vacant slot.
    ///
    /// # Panics
    ///
    /// Panics if `slots` is 0.
    #[track_caller]
    pub const fn max_slots_per_size(mut self, slots: u32) -> Self {
        assert!(slots > 0, "`max_slots_per_size(0)`: a pool is bounded to at least one slot");
        self.bounds.slots = Some(slots);
        self
    }

    /// Bounds the memory of the slots of *each* of the eight sizes. If not even one slot of a size fits into
    /// the bound, the pool has no slots of that size.
    pub const fn max_bytes_per_size(mut self, bytes: usize) -> Self {
        self.bounds.bytes = Some(bytes);
        self
    }

    /// Bounds the memory of the whole pool: the pages of all eight sizes together.
    ///
    /// The bound includes the 128 bytes that each page takes in addition to its slots. The pages never take more memory than the bound,
    /// unless the bound is lowered later. The bounds of each size apply too. [`pooled`](LocalFuturePool::pooled) boxes a future that finds no
    /// slot. If the bound is reached and a size needs a page, the pool frees pages of other sizes. It frees neither pages with a slot in
    /// use, nor the memory of [reserved](LocalFuturePool::reserve) slots.
    ///
    /// [`set_max_bytes`](LocalFuturePool::set_max_bytes) changes the bound later.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// let pool = LocalFuturePool::builder().max_bytes(4096).build();
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

    /// Creates the pool. Nothing is allocated.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn build(self) -> LocalFuturePool {
        let budget = LocalBudget::new(self.budget());
        LocalFuturePool(Inner::new(
            Slabs::<OneThread>::new(),
            LocalCounters::new(),
            self.bounds,
            budget,
        ))
    }

    /// Creates the pool. In loom, this function is not `const`, because loom creates atomics at run time.
    #[cfg(loom)]
    #[must_use]
    pub fn build(self) -> LocalFuturePool {
        let slabs = Slabs::<OneThread>::new();
        let budget = LocalBudget::new(self.budget());
        LocalFuturePool(Inner::new(slabs, LocalCounters::default(), self.bounds, budget))
    }
}

/// Creates a builder without bounds.
impl Default for LocalFuturePoolBuilder {
    fn default() -> Self {
        LocalFuturePool::builder()
    }
}

impl fmt::Debug for LocalFuturePoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { slots, bytes } = &self.bounds;
        f.debug_struct("LocalFuturePoolBuilder")
            .field("max_slots_per_size", slots)
            .field("max_bytes_per_size", bytes)
            .field("max_bytes", &self.max_bytes)
            .finish()
    }
}

impl LocalFuturePool {
    /// The size of the largest future that fits into a slot, in bytes.
    pub const MAX_SIZE: usize = capacity::<OneThread>(SIZES.len() - 1);

    /// Creates a pool without bounds. Nothing is allocated.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self::builder().build()
    }

    /// Creates a pool without bounds. In loom, this function is not `const`, because loom creates atomics at run time.
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder for a pool with bounds.
    pub const fn builder() -> LocalFuturePoolBuilder {
        LocalFuturePoolBuilder { bounds: Bounds::NONE, max_bytes: None }
    }

    /// Puts `future` into a slot, or into a box if there is no slot for it. `future` may borrow for `'a`. The returned future does not
    /// borrow from the pool.
    ///
    /// The call does not poll `future`. Do not pass a value future to this method: its inline result would no longer be inline. Return the
    /// value future itself instead.
    ///
    /// # Sizes and allocation
    ///
    /// Nothing is allocated if a slot of the size class is vacant.
    /// A future is boxed if it is larger than [`MAX_SIZE`](Self::MAX_SIZE), if it is aligned to more than 16 bytes, or if it finds no
    /// vacant slot of its size and a bound allows no more slots. The slot is released when `future` has completed, before the poll returns
    /// the result. If the returned future is dropped earlier, the drop releases the slot.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// let pool = LocalFuturePool::new();
    /// let name = String::from("inner");
    /// let future = pool.pooled(async { name.len() });
    /// assert_eq!(futures::executor::block_on(future), 5);
    /// assert_eq!((pool.stats().live, pool.stats().boxed), (0, 0));
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn pooled<'a, F>(&self, future: F) -> LocalValueFuture<'a, F::Output>
    where
        F: Future + 'a,
    {
        LocalValueFuture(self.0.insert(future))
    }

    /// Puts `future` into a slot, or returns it if there is no slot for it.
    ///
    /// # Errors
    ///
    /// Returns a [`PooledError`] with the future if the pool has no slots for the future, or if no vacant slot was found and a bound allows
    /// no more slots. [`stats`](Self::stats) does not count such a future.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// let pool = LocalFuturePool::builder().max_slots_per_size(1).build();
    /// let first = pool.try_pooled(async { 1 }).unwrap();
    /// let refused = pool.try_pooled(async { 2 }).unwrap_err();
    /// assert!(!refused.is_too_large());
    /// let later = refused.into_future();
    /// drop(first);
    /// assert!(pool.try_pooled(later).is_ok());
    /// ```
    ///
    /// If you do not need the future back, `?` converts the error into a [`PooledErrorKind`], which does not contain the future:
    ///
    /// ```
    /// use value_future::{LocalFuturePool, LocalValueFuture, future_pool::PooledErrorKind};
    ///
    /// fn length<'a>(pool: &LocalFuturePool, text: &'a str) -> Result<LocalValueFuture<'a, usize>, PooledErrorKind> {
    ///     Ok(pool.try_pooled(async { text.len() })?)
    /// }
    ///
    /// let pool = LocalFuturePool::builder().max_slots_per_size(1).build();
    /// let first = length(&pool, "first").unwrap();
    /// assert_eq!(length(&pool, "second").unwrap_err(), PooledErrorKind::Full);
    /// # drop(first);
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn try_pooled<'a, F>(
        &self,
        future: F,
    ) -> Result<LocalValueFuture<'a, F::Output>, PooledError<F>>
    where
        F: Future + 'a,
    {
        self.0.try_insert(future).map(LocalValueFuture)
    }

    /// Puts `future` into a slot, as [`pooled`](Self::pooled) does, and polls it there once.
    ///
    /// If the poll is ready, the result is inline, and the slot is released. The compiler can inline the poll, because it knows the type of
    /// `future`.
    ///
    /// The poll uses a waker that does nothing. No wake-up is lost, because the task that awaits the returned future first polls `future` a
    /// second time, with its own waker. In a `poll` function, use [`eager_with`](Self::eager_with) instead, which polls `future` with your
    /// context. Then the `poll` function can return `Pending` without a second poll.
    ///
    /// # Not lazy
    ///
    /// The call runs `future` up to its first pending await, outside of the task that will await it. If
    /// `future` needs a runtime, call this method within that runtime. If `future` holds a lock or a permit after that poll, the lock or
    /// permit stays held until the returned future is awaited or dropped. So await the returned future at once, or use
    /// [`pooled`](Self::pooled), which does nothing before it is awaited.
    ///
    /// # Sizes and allocation
    ///
    /// This method allocates in the same cases as [`pooled`](Self::pooled).
    ///
    /// # Panics
    ///
    /// Panics if `future` panics in this poll. The slot is then returned to the pool.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// let pool = LocalFuturePool::new();
    /// assert_eq!(pool.eager(async { 5 }).try_take().unwrap(), 5);
    /// assert!(pool.eager(std::future::pending::<u8>()).try_take().is_err());
    /// ```
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager<'a, F>(&self, future: F) -> LocalValueFuture<'a, F::Output>
    where
        F: Future + 'a,
    {
        self.eager_with(future, &mut Context::from_waker(Waker::noop()))
    }

    /// Does the same as [`eager`](Self::eager), but polls `future` with `cx`, the context of the task that will await the returned future.
    /// This method is not lazy either.
    ///
    /// # Panics
    ///
    /// Panics if `future` panics.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn eager_with<'a, F>(
        &self,
        future: F,
        cx: &mut Context<'_>,
    ) -> LocalValueFuture<'a, F::Output>
    where
        F: Future + 'a,
    {
        LocalValueFuture(self.0.insert_eagerly(future, cx))
    }

    /// Creates slots for `additional` more futures of `size` bytes.
    ///
    /// After this call, `additional` such futures can be put into slots without an allocation. A bounded pool grows to its bound at
    /// most. Call this method where an allocation does no harm, for example at the start of the program.
    ///
    /// `size_of_val(&future)` returns the size of a future whose type has no name. All futures of the same size
    /// class share these slots. [`trim`](Self::trim) frees the vacant slots.
    ///
    /// # Errors
    ///
    /// Returns a [`PooledErrorKind`] if the pool has no slots for such futures: `size` is more than [`MAX_SIZE`](Self::MAX_SIZE), or the
    /// bound in bytes of each size has no room for one slot.
    ///
    /// If the [bound of the whole pool](LocalFuturePoolBuilder::max_bytes) has no room for all these slots, the call creates as many slots as
    /// fit, perhaps none. It then returns `Ok`, because a later call may find room: the bound can be raised, and other sizes can be
    /// trimmed.
    ///
    /// # Sizes and allocation
    ///
    /// One allocation for each page of slots, and one for the size itself when it is first used.
    /// Reserved slots stay allocated until the pool is trimmed.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// async fn serve(request: [u8; 100]) -> usize {
    ///     std::future::ready(()).await;
    ///     request.len()
    /// }
    ///
    /// let pool = LocalFuturePool::new();
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

    /// Changes [`max_bytes`](LocalFuturePoolBuilder::max_bytes), the bound on the memory of the whole pool.
    ///
    /// `usize::MAX` removes the bound. With a bound of 0, the pool uses its existing slots, and boxes each future that finds none of them
    /// vacant. While the pool has more memory than the new bound, it does not grow. This call frees no memory: call [`trim`](Self::trim) to
    /// free unused pages.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// let pool = LocalFuturePool::new();
    /// pool.set_max_bytes(4096);
    /// let futures = [(); 100].map(|()| pool.pooled(async { 5 }));
    /// assert_eq!((pool.stats().live, pool.stats().full), (62, 38));
    /// # drop(futures);
    /// ```
    pub fn set_max_bytes(&self, bytes: usize) {
        self.0.set_max_bytes(bytes);
    }

    /// Returns the counters of the pool.
    #[must_use]
    pub fn stats(&self) -> FuturePoolStats {
        self.0.stats()
    }

    /// Frees the pages without a slot in use, and returns the number of bytes of their slots.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::LocalFuturePool;
    ///
    /// let pool = LocalFuturePool::new();
    /// drop(pool.pooled(async { 5 }));
    /// assert_eq!(pool.trim(), 62 * 64);
    /// assert_eq!(pool.stats().bytes, 0);
    /// ```
    pub fn trim(&self) -> u64 {
        self.0.trim()
    }
}

impl Default for LocalFuturePool {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows the [`FuturePoolStats`] of the pool, without the sizes that were never used.
impl fmt::Debug for LocalFuturePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalFuturePool").field(&self.stats()).finish()
    }
}

// A future that panics leaves its pool consistent.
impl UnwindSafe for LocalFuturePool {}
impl RefUnwindSafe for LocalFuturePool {}
