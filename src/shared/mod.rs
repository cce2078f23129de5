//! Futures with many awaiters: the handles share one future and its result. The page about [internals](crate::internals::shared) explains
//! how they work.
//!
//! This module is in the same layer as `pool`, `reusable` and `stream`. It uses the layers below, mainly `future` and `built_in`.

mod counts;
mod handle;
mod local_shared;
mod notifier;
mod operation;
mod queue;
#[expect(clippy::module_inception, reason = "the file defines the type of this name")]
mod shared;

pub use self::{
    local_shared::{LocalShared, LocalWeakShared},
    shared::{Shared, WeakShared},
};
