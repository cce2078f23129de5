//! `#[async_trait]` accepts the traits and implementations that `async-trait` accepts. `tests/future_pool_allocations.rs` counts the
//! allocations of methods with the attribute.

#![cfg(not(loom))]
// These lints are errors here, because the attribute must trigger no lint that an `async fn` does not trigger.
#![deny(
    warnings,
    clippy::async_yields_async,
    clippy::items_after_statements,
    clippy::let_unit_value,
    clippy::shadow_same,
    clippy::type_complexity,
    non_snake_case,
    unused_qualifications
)]
#![allow(clippy::unused_async, clippy::missing_panics_doc, clippy::needless_arbitrary_self_type)]

mod arguments;
mod bodies;
mod generics;
mod hygiene;
mod lazy;
mod options;
mod other_macros;
mod ready;
mod receivers;

// The expansion uses `::core`, and not this module.
mod core {}

pub(crate) use futures::executor::block_on;
