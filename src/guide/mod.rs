//! How to move a crate to value futures, and how to work with them.
//!
//! * [From `async-trait`](from_async_trait): one changed line.
//! * [From `BoxFuture`](from_box_future): one method at a time.
//! * [Adopting it in a driver](driver): the return type, the channel for each request, and lost connections.
//! * [Cancellation and `select!`](cancellation): what is lazy, and what a dropped future loses.
//! * [Troubleshooting](troubleshooting): each error text, its cause and the fix.
//! * [With the rest of the ecosystem](ecosystem): runtimes, extension traits, panics, pools in a `static`.
//! * [Targets and features](targets): which types a microcontroller has.

// Its examples have the attribute.
#[cfg(feature = "macros")]
#[doc = include_str!("from_async_trait.md")]
pub mod from_async_trait {}
#[doc = include_str!("from_box_future.md")]
pub mod from_box_future {}
#[doc = include_str!("driver.md")]
pub mod driver {}
#[doc = include_str!("select.md")]
pub mod cancellation {}
#[doc = include_str!("ecosystem.md")]
pub mod ecosystem {}
#[doc = include_str!("targets.md")]
pub mod targets {}
#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}
