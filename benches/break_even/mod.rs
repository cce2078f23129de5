//! When does it pay? The share of ready results, from 0 to 100 %, against what people return today.
//!
//! `data` is what there is to measure. `methods` are the contenders, which `times`, `latencies` and `pending_calls` measure, in processes
//! that `processes` starts: one allocator each. `verdict` computes the conclusions, and `report` and `chart` show them.

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
mod latencies;
pub(crate) mod machine;
mod markdown;
mod methods;
mod pending_calls;
pub(crate) mod processes;
pub(crate) mod report;
mod times;
mod verdict;
