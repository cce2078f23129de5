//! Pools of one-shot completions, the two ends of an operation, and the errors.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod completer;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod completion;
mod error;
mod handle;
mod live_operation;
mod local_completer;
mod local_completion;
mod local_pool;
mod local_rent_when_vacant;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[expect(clippy::module_inception, reason = "it has the type of this name")]
mod pool;
mod raw;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod rent_when_vacant;
mod renting;
mod stats;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod wait;

use core::any::type_name;

use self::handle::Handle;
use crate::{error::Spent, origin::Origin, slab::Pooling, slot::ForThreads};

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use self::{
    completer::Completer,
    completion::Completion,
    pool::{Pool, PoolBuilder},
    rent_when_vacant::RentWhenVacant,
};
pub use self::{
    error::{RentError, TakeError},
    live_operation::LiveOperation,
    local_completer::LocalCompleter,
    local_completion::LocalCompletion,
    local_pool::{LocalPool, LocalPoolBuilder},
    local_rent_when_vacant::LocalRentWhenVacant,
    stats::Stats,
};

// SAFETY: a pool gives out and takes in what is `Send`, on any thread, and its slab is made for
// several.
unsafe impl<T: Send, H: Pooling + ForThreads> Send for Handle<T, H> {}
// SAFETY: as above.
unsafe impl<T: Send, H: Pooling + ForThreads> Sync for Handle<T, H> {}
#[cold]
#[inline(never)]
fn polled_after_its_end<T>(spent: Spent, origin: Origin) -> ! {
    let output = type_name::<T>();
    if let Spent::Panicked(_) = spent {
        panic!(
            "completion of `{output}` polled after a panic: the function that makes the result \
             of an abandoned operation panicked in an earlier poll, and there will be no result{origin}"
        )
    }
    panic!(
        "completion of `{output}` polled after completion: its result has been given out, and a result \
         is given out once{origin}"
    )
}
