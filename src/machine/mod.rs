#![doc = include_str!("design.md")]

mod classes;
mod error;
mod face;
mod machines;
mod pooled;
mod stats;

#[cfg(not(loom))]
use core::cell::Cell;
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
use core::sync::atomic::AtomicPtr;
use core::{
    fmt,
    future::Future,
    ptr,
    task::{Context, Waker},
};

use self::{
    classes::{Bounds, SIZES, capacity},
    face::face,
    machines::Machines,
};
#[cfg(not(loom))]
use crate::slab::LocalTally;
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
use crate::slab::SharedTally;
#[cfg(loom)]
use crate::slot::Pointer;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{AnyThread, ValueFuture};
use crate::{LocalValueFuture, OneThread};

pub use self::{
    error::{PooledError, PooledErrorKind},
    stats::{ClassStats, FuturePoolStats},
};
pub(crate) use self::{machines::Compiled, pooled::Place};

#[cfg(all(feature = "std", target_has_atomic = "64"))]
face! {
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
    /// The pool itself takes 1,152 bytes, on 64-bit targets, and each size 1.8 KiB more from its first use on,
    /// with the cache of its first thread. A future that is forgotten (`mem::forget`) keeps its slot, and after the pool what is left of that.
    ///
    /// [`trim`](FuturePool::trim) frees all pages without a slot in use. The pool also frees such a page when its last slot is returned, if
    /// the other pages have at least twice as many slots as are in use, as many as are
    /// [reserved](FuturePool::reserve), and 64 KiB and 256 slots of the size.
    ///
    /// # Threads
    ///
    /// A thread keeps up to 64 vacant slots of a size for itself, in a cache. Other threads find all others. A pool that is
    /// bounded to fewer than 512 slots of a size finds every vacant slot, by atomic operations that other pools do not need.
    /// With a higher bound, a pool may be full although another thread keeps vacant slots.
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
    FuturePool, FuturePoolBuilder, ValueFuture, AnyThread,
    const { AtomicPtr::new(ptr::null_mut()) }, SharedTally::new(), [+ Send],
    if_found: "Nothing is allocated if this thread finds a vacant slot of the size class. The first future of \
        a thread may allocate: see [*Threads*](FuturePool#threads).",
    by_whom: " by this thread",
    stats: "It goes through all that it keeps for threads: it is for reports, not for each future.",
    trim: "What other threads that live keep for themselves, up to 64 slots of a size each, stays."
}

face! {
    /// [`FuturePool`](crate::FuturePool) for one thread: no atomics, and futures need not be `Send`.
    ///
    /// It is not `Sync`, so it cannot be a `static`. In a `thread_local!`, each thread has one of its own.
    ///
    /// # Sizes and allocation
    ///
    /// The pool itself takes 104 bytes, on 64-bit targets. A size takes one allocation of 1040 bytes when it is first used, and each page of slots one. Every vacant slot of a size is found.
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
    /// One for each thread; what comes from it does not refer to it:
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
    LocalFuturePool, LocalFuturePoolBuilder, LocalValueFuture, OneThread,
    const { Cell::new(ptr::null_mut()) }, LocalTally::new(), [],
    if_found: "Nothing is allocated if a slot of the size class is vacant.",
    by_whom: "", stats: "", trim: ""
}

#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
impl FuturePool {
    /// The pool of [`ValueFuture::pooled`], and of combinators that wait: for its figures, and to
    /// [`reserve`](Self::reserve) and [`trim`](Self::trim). Of each of the eight sizes it has 16 MiB at
    /// most.
    #[must_use]
    #[inline(always)]
    pub fn built_in() -> &'static FuturePool {
        static BUILT_IN: FuturePool = FuturePool::builder().max_bytes_per_size(16 << 20).build();
        &BUILT_IN
    }
}
