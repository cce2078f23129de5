//! Futures with many awaiters. [`internals`](crate::internals::shared) explains how they work.

mod counts;
mod handle;
mod hub;
mod local_shared;
mod operation;
#[expect(clippy::module_inception, reason = "it has the type of this name")]
mod shared;
mod waiters;

use self::{
    operation::{Operation, Weak},
    waiters::Waiter,
};
use crate::{
    affinity::AnyThread,
    future::{LocalValueFuture, ValueFuture},
};

pub use self::{
    local_shared::{LocalShared, LocalWeakShared},
    shared::{Shared, WeakShared},
};

/// Converts a handle into a value future: inline if there is a result, and otherwise in a slot, as by
/// [`pooled`](ValueFuture::pooled).
impl<'a, T: Clone + Send + Sync + 'a> From<Shared<'a, T>> for ValueFuture<'a, T> {
    fn from(shared: Shared<'a, T>) -> Self {
        match shared.peek() {
            Some(value) => ValueFuture::ready(value.clone()),
            None => ValueFuture::pooled(shared),
        }
    }
}

/// Converts a handle into a value future, as for [`Shared`].
impl<'a, T: Clone + 'a> From<LocalShared<'a, T>> for LocalValueFuture<'a, T> {
    fn from(shared: LocalShared<'a, T>) -> Self {
        match shared.peek() {
            Some(value) => LocalValueFuture::ready(value.clone()),
            None => LocalValueFuture::pooled(shared),
        }
    }
}

// SAFETY: any handle may poll, drop and read, on any thread: so the future and its result have to be
// `Send`, as `T` says of both, and the result is read by several. The hub is made for that.
unsafe impl<T: Send + Sync> Send for Operation<'_, T, AnyThread> {}
// SAFETY: as above; through a shared reference there are handles to be had.
unsafe impl<T: Send + Sync> Sync for Operation<'_, T, AnyThread> {}
// SAFETY: as above; there are handles to be had from it.
unsafe impl<T: Send + Sync> Send for Weak<'_, T, AnyThread> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Weak<'_, T, AnyThread> {}
// SAFETY: a node belongs to the list or to its handle, whatever thread that is on.
unsafe impl Send for Waiter {}
// SAFETY: through a shared reference there is nothing to be had but the flag.
unsafe impl Sync for Waiter {}
