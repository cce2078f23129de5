//! Futures with many awaiters, which share one future and its result. [`internals`](crate::internals::shared) explains
//! how they work.
//!
//! The layer is above `future` and `pool`, beside `source` and `stream`.

mod counts;
mod handle;
mod local_shared;
mod notifier;
mod operation;
mod queue;
#[expect(clippy::module_inception, reason = "it has the type of this name")]
mod shared;

pub use self::{
    local_shared::{LocalShared, LocalWeakShared},
    shared::{Shared, WeakShared},
};
