//! When does a `ValueFuture` pay? Compares it with the common alternatives, for shares of ready results from 0 to 100 %.
//!
//! `data` has the names of what is measured, and the figures. `methods` has the contenders. `times`, `latencies` and
//! `pending_calls` measure them, in processes that `processes` starts, each with one allocator. `verdict` computes the
//! conclusions, `conclusions` puts them into words, and `report` and `chart` show them.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts and nanoseconds, all of them small"
)]

pub(crate) mod allocator;
pub(crate) mod chart;
mod conclusions;
mod data;
mod harness;
#[path = "../report/head.rs"]
pub(crate) mod head;
mod latencies;
#[path = "../report/markdown.rs"]
mod markdown;
mod methods;
mod pending_calls;
pub(crate) mod processes;
pub(crate) mod report;
mod rounding;
#[path = "../report/style.rs"]
mod style;
mod times;
mod verdict;
