//! Pools of one-shot completions, the two ends of an operation, and the errors of their methods.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod completer;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod completion;
mod error;
mod handle;
mod into_future;
mod live_operation;
mod local_completer;
mod local_completion;
mod local_pool;
mod local_rent_when_vacant;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[expect(clippy::module_inception, reason = "the file defines the type of this name")]
mod pool;
mod raw;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod rent_when_vacant;
mod renting;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod wait;

use core::any::type_name;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::affinity::AnyThread;
use crate::{affinity::OneThread, error::Terminated, origin::Origin, slot::SourceName};

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
};
pub use crate::slab::Stats;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl SourceName for AnyThread {
    fn source_name<T>() -> &'static str {
        type_name::<Pool<T>>()
    }
}

impl SourceName for OneThread {
    fn source_name<T>() -> &'static str {
        type_name::<LocalPool<T>>()
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn polled_after_its_end<T>(termination: Terminated, origin: Origin) -> ! {
    let output = type_name::<T>();
    if let Terminated::Panicked(_) = termination {
        panic!(
            "completion of `{output}` polled after a panic: the function that creates the result of an abandoned operation panicked in an earlier poll, and there will be no result{origin}"
        )
    }
    panic!(
        "completion of `{output}` polled after completion: its result was already returned, and a result is returned once{origin}"
    )
}
