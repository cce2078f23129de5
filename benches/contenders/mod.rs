//! The contenders. Each does the same work in the way that its own documentation recommends.
//!
//! `ready` and `pending` are an object-safe lookup. `attribute` is a trait with `#[async_trait]` of `async-trait`, with that of
//! this crate, and written by hand. `awaited` has methods, completions, shared futures and streams for results of several types.
//! `buffer` and `driver` are async methods with large futures. `completion` has one-shot channels and pools of them.
//! `reusable_source` is an object that serves one operation after the other. `shared` has futures with many awaiters, and
//! `streams` has streams of items.
//!
//! The bench `ratios` and the criterion benches measure the same cases.

#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the numbers are small"
)]

pub(crate) mod attribute;
pub(crate) mod awaited;
pub(crate) mod buffer;
mod case;
pub(crate) mod completion;
pub(crate) mod criterion_groups;
pub(crate) mod driver;
pub(crate) mod helper_thread;
pub(crate) mod pending;
pub(crate) mod ready;
pub(crate) mod reusable_source;
pub(crate) mod shared;
pub(crate) mod streams;

pub(crate) use case::*;
