//! Futures for `dyn` async methods without a box for each call: ready results are stored inline, and pending work is stored in slots of a
//! pool.
//!
//! Behind `dyn Trait`, `async-trait` allocates a `Box<dyn Future>` for every call, even if the result is known. A method that returns a
//! [`ValueFuture`] allocates nothing, once its pool has enough slots:
//!
//! ```
//! use value_future::ValueFuture;
//!
//! trait Store: Send + Sync {
//!     fn get(&self, key: usize) -> ValueFuture<'_, u64>;
//! }
//!
//! struct Cache(Vec<u64>);
//!
//! impl Store for Cache {
//!     fn get(&self, key: usize) -> ValueFuture<'_, u64> {
//!         match self.0.get(key) {
//!             Some(value) => ValueFuture::ready(*value),
//!             None => ValueFuture::pooled(async move { key as u64 }), // a slow fetch
//!         }
//!     }
//! }
//!
//! let store: &dyn Store = &Cache(vec![10, 11]);
//! let sum = async { store.get(1).await + store.get(7).await };
//! assert_eq!(futures::executor::block_on(sum), 18);
//! ```
//!
//! A value future is one word plus a `T`:
//!
//! ```text
//!   ┌────────────┬───────────────────────────┐
//!   │ ready      │ T, inline                 │   no heap, no indirect call
//!   │ boxed      │ thin pointer ─────────────┼─► header + future, in a box or a slot of a pool
//!   │ source     │ thin pointer + Token ─────┼─► anything that implements ValueSource
//!   │ taken      │ the result was returned   │
//!   └────────────┴───────────────────────────┘
//! ```
//!
//! * [Getting started](guide::getting_started) takes five minutes. The [`guide`] continues with migrating from `async-trait` and
//!   `BoxFuture`, choosing a type, drivers, cancellation, pools, embedded targets, measuring and troubleshooting.
//! * The attribute [`async_trait`](macro@async_trait) (feature `macros`) replaces the attribute of the crate `async-trait`. To migrate,
//!   change the `use` line.
//! * **A method that returns an inline result has already done its work.** If another branch of a `select!` is ready first, this result is
//!   lost. So in a `select!`, call the method in an async block: `message = async { queue.recv().await } => …`. See
//!   [*Cancellation*](guide::cancellation).
//! * [When not to use it](guide::limits): static dispatch, results of more than 120 bytes, calls that always wait for a network.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `alloc`; on targets with 64-bit atomics [`Pool`], [`FuturePool`] and [`Shared`]; conversions of errors into `io::Error` |
//! | `alloc` | yes, with `std` | boxed futures, the combinators, `Arc` and `Rc` references to sources, [`LocalPool`], [`LocalFuturePool`] |
//! | `macros` | no | the attribute [`async_trait`](macro@async_trait) |
//! | `trace` | no | errors name the line that created a future, and pools list their live operations |
//! | `ratio` | no | a [`Ratio`] counts ready and pending calls (without the feature, it counts nothing) |
//!
//! Without features, the crate needs only `core`: the guide has [a table of targets](guide::targets). [`internals`] explains the
//! representation. [`family`] maps .NET's `ValueTask` family to this crate.
#![no_std]
// With the feature `doc_cfg`, docs.rs shows which feature of this crate an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::alloc_instead_of_core)]
// Without `std` or `macros`, some items to which the documentation links do not exist.
#![cfg_attr(not(all(feature = "std", feature = "macros")), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod affinity;
#[cfg(feature = "alloc")]
mod built_in;
#[cfg(doctest)]
mod compile_fail;
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
mod erased;
pub mod error;
pub mod family;
pub mod future;
#[cfg(feature = "alloc")]
pub mod future_pool;
pub mod guide;
pub mod internals;
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "only pools use some of the items"))]
pub mod operation;
mod origin;
mod pieces;
#[cfg(feature = "alloc")]
pub mod pool;
pub mod ratio;
pub mod reusable;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub mod shared;
#[cfg(feature = "alloc")]
mod slab;
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "only pools use some of the items"))]
mod slot;
pub mod source;
pub mod stream;
mod sync;
mod token;

#[cfg(target_has_atomic = "64")]
#[doc(inline)]
pub use self::reusable::ReusableSource;
#[doc(inline)]
pub use self::{
    future::{LocalValueFuture, ValueFuture},
    operation::{Dropped, Key},
    ratio::Ratio,
    reusable::LocalReusableSource,
    source::{Source, ValueSource},
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[doc(inline)]
pub use self::{
    future_pool::FuturePool,
    pool::{Completer, Completion, Pool},
    shared::{LocalShared, Shared},
};
#[cfg(feature = "alloc")]
#[doc(inline)]
pub use self::{
    future_pool::LocalFuturePool,
    pool::{LocalCompleter, LocalCompletion, LocalPool},
};

#[cfg(feature = "macros")]
#[doc = include_str!("guide/async_trait.md")]
pub use value_future_macros::async_trait;

/// The items that the generated code of the macros uses.
#[doc(hidden)]
pub mod __private {
    pub use crate::future::TryTake;
    pub use core::result::Result::{Err, Ok};
    #[cfg(feature = "macros")]
    pub use value_future_macros::make;

    /// Calls a function that is rarely needed. This call is not inlined, so the code of the function is not part of the caller.
    #[cold]
    #[inline(never)]
    pub fn out_of_line<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
}
