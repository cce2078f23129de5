//! Pools that store futures of any type in reusable slots instead of boxes.
//!
//! [`ValueFuture::pooled`](crate::ValueFuture::pooled) uses the built-in pool. [`internals`](crate::internals)
//! explains how the pools work.

mod classes;
mod compiled;
mod error;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[expect(clippy::module_inception, reason = "the module contains the type of this name")]
mod future_pool;
mod inner;
mod local_future_pool;
mod pooled;
mod sizes;
mod stats;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub use self::future_pool::{FuturePool, FuturePoolBuilder};
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
pub(crate) use self::pooled::VacantBlock;
pub use self::{
    error::{PooledError, PooledErrorKind},
    local_future_pool::{LocalFuturePool, LocalFuturePoolBuilder},
    stats::{ClassStats, FuturePoolStats},
};
