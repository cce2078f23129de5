//! The bench `break_even`: when does a `ValueFuture` pay? It is compared with the common alternatives, for shares of ready results from 0
//! to 100 %.
//!
//! `data` has the names of the contenders and results, and the types of the figures. `methods` has the contenders. `times`, `latencies` and
//! `pending_calls` measure the contenders. The measurements run in child processes, which `processes` starts. Each process uses one
//! allocator. `verdict` computes the conclusions, and `conclusions` puts them into words. `report` and `chart` write the files in `docs`.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "all converted numbers are small counts or nanoseconds"
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
