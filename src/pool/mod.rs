//! Pools of one-shot completions: the two ends of an [operation](crate::operation), whose slot is one of a
//! [slab](crate::slab).

mod api;
mod completer;
mod completion;
mod error;
mod handle;
mod rent_when_vacant;
mod stats;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod wait;

use core::{
    any::type_name,
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use self::{
    api::pool,
    completer::completer,
    completion::completion,
    handle::Handle,
    rent_when_vacant::{Renting, rent_when_vacant},
};
use crate::{
    Abandoned, CompleteError, Key, LocalValueFuture, OneThread,
    error::Spent,
    operation::{Consumer, Producer},
    slab::Slab,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{AnyThread, ValueFuture};

pub use self::{
    error::{RentError, TakeError},
    stats::Stats,
};

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pool! {
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
    /// What was left to its [`Key`] ends with the last handle, as nobody could present the key any more.
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
    /// A handle is one pointer, and a clone another one. The pool itself takes 1272 bytes, and a slot takes 56
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
    Pool, PoolBuilder, Completer, Completion, RentWhenVacant, AnyThread,
    "# Blocking\n\n\
    If the pool is full, a dropped completion may have left its slot to a producer that is inside \
    [`complete_key`](Self::complete_key). Then the call spins, yields, and at last sleeps \
    for 50 µs at a time, until that producer has returned the slot. So a caller always finds the slot of a completion that it has dropped and left to its key.\n\n\
    Priority inversion: if the calling thread has a higher fixed priority than that producer, and runs on the same core, the \
    producer only runs while the call sleeps.",
    "Nothing is allocated if this thread finds a vacant slot. In a pool without a bound, each other thread may keep up to 64 \
    of them. Otherwise the pool grows, by 32 slots. The first operation of a thread may allocate: see \
    [*Threads*](crate::Pool#threads)."
}

pool! {
    /// [`Pool`](crate::Pool) for one thread: no atomics, and neither the pool nor what comes from it is
    /// `Send`. Its methods are the same.
    ///
    /// # Sizes and allocation
    ///
    /// The pool itself takes 1072 bytes, on 64-bit targets. It grows as a `Pool` does, and finds every vacant
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
    LocalPool, LocalPoolBuilder, LocalCompleter, LocalCompletion, LocalRentWhenVacant, OneThread, "",
    "Nothing is allocated if there is a vacant slot. Otherwise the pool grows, by 32 slots."
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
completer! {
    Pool, Completer, Completion, AnyThread,
    "If it is used on another thread, `T` is `Send`."
}
completer! {
    LocalPool, LocalCompleter, LocalCompletion, OneThread,
    "This is the thread of the pool."
}
#[cfg(all(feature = "std", target_has_atomic = "64"))]
completion! {
    Pool, Completion, AnyThread, ValueFuture, [+ Send],
    "If it is used on another thread, `T` is `Send`."
}
completion! {
    LocalPool, LocalCompletion, OneThread, LocalValueFuture, [],
    "This is the thread of the pool."
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
rent_when_vacant!(Pool, RentWhenVacant, Completer, Completion, AnyThread);
rent_when_vacant!(LocalPool, LocalRentWhenVacant, LocalCompleter, LocalCompletion, OneThread);

// SAFETY: a pool gives out and takes in what is `Send`, on any thread, and its slab is made for
// several.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Send for Handle<T, AnyThread> {}
// SAFETY: as above.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Sync for Handle<T, AnyThread> {}
#[cold]
#[inline(never)]
fn polled_after_its_end<T>(spent: Spent) -> ! {
    let output = type_name::<T>();
    if let Spent::Panicked(_) = spent {
        panic!(
            "completion of `{output}` polled after a panic: the function that makes the result \
             of an abandoned operation panicked in an earlier poll, and there will be no result"
        )
    }
    panic!(
        "completion of `{output}` polled after completion: its result has been given out, and a result \
         is given out once"
    )
}
