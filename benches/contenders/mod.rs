//! The contenders of the benches. Each contender does the same work, in the form that its documentation recommends.
//!
//! | module | work |
//! |---|---|
//! | `ready` | a lookup behind `dyn` whose result is ready |
//! | `pending` | a lookup behind `dyn` whose future is pending once |
//! | `attribute` | a trait with `#[async_trait]` of `async-trait`, with `#[async_trait]` of this crate, and written by hand |
//! | `awaited` | methods, completions, shared futures and streams, for results of several types |
//! | `buffer`, `driver` | async methods with large futures |
//! | `completion` | one-shot channels, and pools of completions |
//! | `reusable_source` | an object that serves one operation after the other |
//! | `shared` | futures with many awaiters |
//! | `streams` | streams behind `dyn` |
//!
//! The bench `ratios` measures all these cases. The criterion benches `ready_path`, `completions` and `machines` measure the same cases,
//! except those of `awaited` and `driver`.

#![allow(dead_code, unused_imports, reason = "each bench uses only some of the items")]
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

pub(crate) use case::{
    BoxFuture, Case, Counting, PendingOnce, allocations, counted, drive, drive_and, opaque_waker,
    start_clock,
};
