//! An object-safe async method that does not allocate, whether it answers at once or waits.
//!
//! Pending work takes slots of pools. A pool allocates while it grows, and not for each call.
//!
//! An `async fn` allocates nothing, until it stands behind `dyn Trait`: then `async-trait` makes a
//! `Box<dyn Future>` for every call, even when the answer is already there. [`ValueFuture`] is a type that such a
//! method can name instead. It holds its result *inline* if the result is there, and otherwise
//! refers to what will give it:
//!
//! ```text
//!            ValueFuture<'a, T>: room for a T, and one word
//!   ┌────────────┬───────────────────────────┐
//!   │ ready      │ T, inline                 │   no heap, no indirect call
//!   │ boxed      │ thin pointer ─────────────┼─► header + future, in a box or a slot of a pool
//!   │ source     │ thin pointer + Token ─────┼─► anything that implements ValueSource
//!   │ taken      │ the result was given out  │
//!   └────────────┴───────────────────────────┘
//! ```
//!
//! # Five minutes
//!
//! Return [`ready`](ValueFuture::ready) where the answer is known, and
//! [`pooled`](ValueFuture::pooled) where it is not. The caller awaits.
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
//!     // A function of its own keeps the road that answers at once short.
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
//! let cache = Cache([("a".into(), "at hand".into())].into());
//! let store: &dyn Store = &cache;
//! let both = async { (store.get("a").await, store.get("b").await) };
//! assert_eq!(futures::executor::block_on(both), ("at hand".into(), "b, fetched".into()));
//! # }
//! ```
//!
//! * **Borrowing.** The future may borrow for `'a`. If it borrows from more than `&self`, as above,
//!   all of it gets one name; `ValueFuture<'_, T>` borrows from `self` only.
//! * **Combining.** [`map`](ValueFuture::map), [`then`](ValueFuture::then),
//!   [`map_ok`](ValueFuture::map_ok), [`map_err`](ValueFuture::map_err),
//!   [`and_then`](ValueFuture::and_then) and [`or_else`](ValueFuture::or_else) stay inline if the value is
//!   ready. Otherwise they take a slot, as [`pooled`](ValueFuture::pooled) does.
//!   [`try_take`](ValueFuture::try_take) takes a ready value without polling.
//! * **Completions.** What is answered later, on another thread or from the wire, rents a completion
//!   from a [`Pool`]: a [`Completer`] for the producer, or a [`Key`] of 64 bits, and a future for the
//!   consumer. Nothing is allocated if the thread finds a vacant slot. Late and duplicate answers are refused.
//!   A forged answer is refused unless it guesses the key of a pending operation. See
//!   `examples/completion.rs` and `examples/wire_keys.rs`.
//! * **Futures that wait.** [`pooled`](ValueFuture::pooled) puts the future into a slot that is used again,
//!   instead of a box. [`eager`](ValueFuture::eager) polls it
//!   once before, so that what is ready is inline. A [`FuturePool`] has bounds and figures of its own.
//! * **Many awaiters.** [`share`](ValueFuture::share) gives a [`Shared`], which is `Clone`: one fetch for all
//!   who ask, with one allocation at most, and none if the result is here.
//! * **One operation at a time.** A [`ReusableSource`] lies in a field, one for a connection or a direction of
//!   it, and does not allocate. A reader whose `next` returns futures is a stream by [`ReaderStream`](stream::ReaderStream).
//! * **A source of your own.** A driver or a connection that completes operations implements
//!   [`ValueSource`], is wrapped in a [`Source`], and hands out
//!   [`from_source`](ValueFuture::from_source), which allocates nothing if the address of the source
//!   needs no more than 48 bits. See `examples/custom_source.rs`.
//! * **One thread.** [`LocalValueFuture`], [`LocalPool`] and their like are the same for what is not `Send`.
//!
//! # Not lazy
//!
//! An `async fn` does nothing until it is polled. A method that answers inline, or by
//! [`eager`](ValueFuture::eager), has done its work when it returns: the result has been taken from where it was, and
//! is dropped if the future is dropped before it is awaited. Where that matters, in a branch of `select!` that may lose, make
//! the call in an async block: `message = async { queue.recv().await } => …`. The guide says
//! [for each constructor](guide::cancellation#the-table) whether it is lazy.
//!
//! # Misuse
//!
//! A result is given out once. Awaiting by value twice does not compile; polling again, polling
//! after a panic, and a source that reports a stale token panic with a text that names the rule,
//! the arm and the type, in every arm the same. [`checked`](ValueFuture::checked) gives that as a
//! [`PollError`](error::PollError) instead, and [`FusedFuture`](futures_core::FusedFuture) tells whether there is
//! anything left to poll. A source that keeps the contract of [`ValueSource`] refuses a stale token, and the
//! live operation goes on.
//!
//! # When not to use it
//!
//! * Where the method is called with static dispatch: an `async fn` allocates nothing there.
//! * Where it waits, and its future is larger than 4,144 bytes: that is boxed, as `Box::pin` does it.
//! * Where a call crosses a network or a disk each time: no one will see the allocation.
//! * Where the result has more than 120 bytes: it is moved inline, which is slower than a box. Put it behind an `Arc`, or
//!   await it by [`ready_or_await!`].
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `alloc`; on targets with 64-bit atomics [`Pool`], [`FuturePool`], and with it slots for `pooled`, [`Shared`], [`LocalShared`]; conversions of errors into `io::Error` |
//! | `trace` | no | texts of misuse say where the future was made; for debugging |
//! | `macros` | no | the attribute [`async_trait`](macro@async_trait), and with it `syn` at compile time |
//! | `alloc` | by `std` | `boxed`, `pooled` and `eager` (which box without `std`), `into_boxed`, the combinators; `Rc` references to sources, and `Arc` ones where there are atomics of a pointer's width; [`LocalPool`], [`LocalFuturePool`] |
//!
//! Without either, the crate needs `core` only: inline results, sources that are borrowed,
//! [`ReusableSource`] (on targets with 64-bit atomics) and [`LocalReusableSource`], [`ReaderStream`](stream::ReaderStream), [`ValueStream`](stream::ValueStream)
//! and [`ValueNext`](stream::ValueNext). The guide has [a table of targets](guide::targets).
//!
//! # Further
//!
//! The [`guide`] has chapters on migrating, on drivers, cancellation, the ecosystem, targets, and troubleshooting.
//! [`internals`] justifies the representation, with figures. [`family`] maps the members of .NET's
//! `ValueTask` family to what is here.
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

/// Called on a road that is not the ready one, this tells the compiler so; it does nothing.
#[cold]
const fn cold() {}
