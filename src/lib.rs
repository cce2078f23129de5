//! Futures for `dyn` async methods without a box for each call: ready results are inline, and pending work is in
//! slots of a pool.
//!
//! A pool allocates while it grows, and not for each call.
//!
//! An `async fn` allocates nothing with static dispatch. Behind `dyn Trait`, `async-trait` allocates a
//! `Box<dyn Future>` for every call, even if the result is already available. Such a method can return a
//! [`ValueFuture`] instead. A `ValueFuture` stores an available result *inline*. Otherwise it refers to the
//! future or source that will produce the result:
//!
//! ```text
//!            ValueFuture<'a, T>: room for a T, and one word
//!   ┌────────────┬───────────────────────────┐
//!   │ ready      │ T, inline                 │   no heap, no indirect call
//!   │ boxed      │ thin pointer ─────────────┼─► header + future, in a box or a slot of a pool
//!   │ source     │ thin pointer + Token ─────┼─► anything that implements ValueSource
//!   │ taken      │ the result was returned   │
//!   └────────────┴───────────────────────────┘
//! ```
//!
//! # Five minutes
//!
//! Return [`ready`](ValueFuture::ready) if the result is known, and [`pooled`](ValueFuture::pooled) if it is
//! not. The caller awaits the future.
//!
//! ```
//! use std::{collections::HashMap, sync::Arc};
//! use value_future::ValueFuture;
//!
//! trait Store: Send + Sync {
//!     fn get<'a>(&'a self, key: &'a str) -> ValueFuture<'a, Arc<str>>;
//! }
//!
//! #[derive(Default)]
//! struct Cache(HashMap<String, Arc<str>>);
//!
//! impl Cache {
//!     async fn fetch(&self, key: &str) -> Arc<str> {
//!         format!("{key}, fetched").into()
//!     }
//!
//!     // A separate function keeps the ready path short.
//!     #[cold]
//!     fn miss<'a>(&'a self, key: &'a str) -> ValueFuture<'a, Arc<str>> {
//!         ValueFuture::pooled(self.fetch(key))
//!     }
//! }
//!
//! impl Store for Cache {
//!     fn get<'a>(&'a self, key: &'a str) -> ValueFuture<'a, Arc<str>> {
//!         match self.0.get(key) {
//!             Some(value) => ValueFuture::ready(Arc::clone(value)),
//!             None => self.miss(key),
//!         }
//!     }
//! }
//!
//! # fn main() {
//! let cache = Cache([("a".into(), "cached".into())].into());
//! let store: &dyn Store = &cache;
//! let both = async { (store.get("a").await, store.get("b").await) };
//! assert_eq!(futures::executor::block_on(both), ("cached".into(), "b, fetched".into()));
//! # }
//! ```
//!
//! * **Borrowing.** The future may borrow for `'a`. If it borrows from more than `&self`, as above, give all
//!   borrows the same lifetime. `ValueFuture<'_, T>` borrows from `self` only.
//! * **Combining.** [`map`](ValueFuture::map), [`then`](ValueFuture::then), [`map_ok`](ValueFuture::map_ok),
//!   [`map_err`](ValueFuture::map_err), [`and_then`](ValueFuture::and_then) and
//!   [`or_else`](ValueFuture::or_else) return an inline result if the future is ready. Otherwise they take a
//!   slot, as [`pooled`](ValueFuture::pooled) does. [`try_take`](ValueFuture::try_take) takes a ready value
//!   without polling.
//! * **Completions.** A request that another thread or a peer answers later rents an operation from a [`Pool`].
//!   The producer gets a [`Completer`], or a [`Key`] of 64 bits. The consumer gets a [`Completion`], which is a
//!   future. Nothing is allocated if the thread finds a vacant slot. The pool refuses late and duplicate
//!   replies. It refuses a forged reply unless the reply guesses the key of a pending operation. See
//!   `examples/completion.rs` and `examples/wire_keys.rs`.
//! * **Pending futures.** [`pooled`](ValueFuture::pooled) puts the future into a reusable slot instead of a
//!   box. [`eager`](ValueFuture::eager) first polls the future once, and stores the result inline if the future
//!   is ready. Your own [`FuturePool`] has its own bounds and counters.
//! * **Many awaiters.** [`share`](ValueFuture::share) returns a [`Shared`], which is `Clone`: one fetch serves
//!   all its awaiters. It allocates once at most, and not at all if the future is ready.
//! * **One operation at a time.** A [`ReusableSource`] is a field of a connection or a driver, and does not
//!   allocate.
//! * **Streams.** [`ReaderStream`](stream::ReaderStream) turns a reader whose `next` returns futures into a
//!   stream.
//! * **Your own source.** A driver that completes operations can implement [`ValueSource`]. Wrap it in a
//!   [`Source`], and return [`from_source`](ValueFuture::from_source). That allocates nothing if the address of
//!   the source fits into 48 bits. See `examples/custom_source.rs`.
//! * **One thread.** [`LocalValueFuture`], [`LocalPool`] and the other `Local…` types are for outputs and
//!   futures that are not `Send`.
//!
//! # Not lazy
//!
//! An `async fn` does nothing until it is polled. A method that returns an inline result, or uses
//! [`eager`](ValueFuture::eager), has done its work when it returns. If its future is dropped before it is
//! awaited, the result is dropped too. A branch of `select!` may lose, so call the method in an async block
//! there: `message = async { queue.recv().await } => …`. The guide says [for each
//! constructor](guide::cancellation#the-table) whether it is lazy.
//!
//! # Misuse
//!
//! A result is returned once. Awaiting a future by value twice does not compile. A poll panics if the future
//! has returned its result, if an earlier poll panicked, or if the source reports a stale token. The message
//! names the rule, the arm and the type. [`checked`](ValueFuture::checked) returns a
//! [`PollError`](error::PollError) instead of the panic.
//! [`FusedFuture::is_terminated`](futures_core::FusedFuture::is_terminated) returns `true` if the future must
//! not be polled again. A source that keeps the contract of [`ValueSource`] refuses a stale token, and does not
//! touch the live operation.
//!
//! # When not to use it
//!
//! * The method is called with static dispatch: an `async fn` allocates nothing there.
//! * The method is mostly pending, and its future is larger than 4,144 bytes: it is boxed, as by `Box::pin`.
//! * Each call waits for a network or a disk: one allocation does not matter there.
//! * The result has more than 120 bytes: it is moved inline, which is slower than a box. Put it into an `Arc`,
//!   or await it by [`ready_or_await!`].
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `alloc`; on targets with 64-bit atomics [`Pool`], [`FuturePool`], and with it slots for `pooled`, [`Shared`], [`LocalShared`]; conversions of errors into `io::Error` |
//! | `trace` | no | messages about misuse name the line that created the future, and pools list their live operations; for debugging |
//! | `ratio` | no | a [`Ratio`] counts |
//! | `macros` | no | the attribute [`async_trait`](macro@async_trait), and with it `syn` at compile time; needs `alloc` |
//! | `alloc` | by `std` | `boxed`, `pooled` and `eager` (which box without `std`), `into_boxed`, the combinators; `Rc` references to sources, and `Arc` ones where there are atomics of a pointer's width; [`LocalPool`], [`LocalFuturePool`] |
//!
//! Without features, the crate needs only `core`. It then has inline results, borrowed sources,
//! [`ReusableSource`] (on targets with 64-bit atomics) and [`LocalReusableSource`],
//! [`ReaderStream`](stream::ReaderStream), [`ValueStream`](stream::ValueStream) and
//! [`ValueNext`](stream::ValueNext). The guide has [a table of targets](guide::targets).
//!
//! # Modules
//!
//! The main types are in the root. The rest is in the module of its subject:
//!
//! | module | what is in it |
//! |---|---|
//! | [`future`] | `Arm`, `BoxedFuture`, `SourceRef`, `Checked`, `AnyThread`, `OneThread` |
//! | [`future_pool`] | `FuturePoolBuilder`, `FuturePoolStats`, `ClassStats`, `PooledError`, `PooledErrorKind` |
//! | [`pool`] | `PoolBuilder`, `RentWhenVacant`, `Stats`, `LiveOperation`, `RentError`, `TakeError` |
//! | [`operation`] | `TypedKey`, `Abandoned`, `CompleteError`, `CompleteErrorKind` |
//! | [`reusable`] | `ReusableCompleter`, `BeginError` |
//! | [`source`] | `SourceReference`, `Token` |
//! | [`shared`] | `WeakShared` |
//! | [`ratio`] | `Measured`, `RatioStats`, `Advice` |
//! | [`stream`] | `ReaderStream`, `ValueStream`, `ValueNext`, `StreamOutput` |
//! | [`error`] | `PollError`, `Rule`, `ArmKind`, `StaleToken` |
//!
//! The types for one thread are beside them: `LocalPoolBuilder` is in [`pool`].
//!
//! # Further
//!
//! The [`guide`] has chapters on migrating, on drivers, cancellation, the ecosystem, targets, and
//! troubleshooting. [`internals`] explains the representation, with measurements. [`family`] maps the members
//! of .NET's `ValueTask` family to this crate.
#![no_std]
// The documentation says which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::alloc_instead_of_core)]
// Without `std` or `macros`, some of what the documentation points to is not there.
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
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "pools use the rest"))]
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
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "pools use the rest"))]
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

/// What the macros refer to.
#[doc(hidden)]
pub mod __private {
    pub use crate::future::TryTake;
    pub use core::result::Result::{Err, Ok};
    #[cfg(feature = "macros")]
    pub use value_future_macros::make;

    /// Calls a function that is rarely needed, and keeps its code out of the caller's.
    #[cold]
    #[inline(never)]
    pub fn out_of_line<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
}

/// Marks the calling path as cold.
#[cold]
const fn cold() {}
