//! Completions.

mod abandoned;
mod consumer;
mod error;
mod face;
mod handle;
mod producer;
mod stats;

use core::{
    any::type_name,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use self::{face::face, handle::Handle, producer::Producer};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::AnyThread;
use crate::{Key, OneThread, slab::Slab};

pub(crate) use self::consumer::Consumer;
pub use self::{
    abandoned::{Abandoned, Dropped},
    error::{CompleteError, KeyError, PoolFull},
    stats::Stats,
};

#[cfg(all(feature = "std", target_has_atomic = "64"))]
face! {
    Pool, PoolBuilder, Completer, Completion, AnyThread
}

face! {
    LocalPool, LocalPoolBuilder, LocalCompleter, LocalCompletion, OneThread
}

// SAFETY: a pool gives out and takes in what is `Send`, on any thread, and its slab is made for
// several.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Send for Handle<T, AnyThread> {}
// SAFETY: as above.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Sync for Handle<T, AnyThread> {}
// SAFETY: the completer sends a value; the slot is made for several threads.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Send for Producer<T, AnyThread> {}
// SAFETY: through a shared reference a completer looks at the state, and issues the key.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Sync for Producer<T, AnyThread> {}
// SAFETY: the consumer takes a value; the slot is made for several threads.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Send for Consumer<T, AnyThread> {}
// SAFETY: through a shared reference a consumer looks at the state.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl<T: Send> Sync for Consumer<T, AnyThread> {}

#[cold]
#[inline(never)]
fn polled_after_completion<T>() -> ! {
    panic!(
        "completion of `{}` polled after completion: its result has been given out, and a result \
         is given out once",
        type_name::<T>()
    )
}
