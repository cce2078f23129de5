//! The guide: how to migrate a crate to value futures, and how to use them.
//!
//! * [Getting started](getting_started): the types that most programs need.
//! * [Choosing a type](choosing): tables of situations, with the type for each situation.
//! * [Migrating from `async-trait`](from_async_trait): usually, only the import of the attribute changes.
//! * [Migrating from `BoxFuture`](from_box_future): methods can be changed one at a time.
//! * [Adopting the crate in a driver](driver): the return type, the channel for each request, and lost
//!   connections.
//! * [Cancellation and `select!`](cancellation): which constructors are lazy, and what is lost when a future is
//!   dropped.
//! * [Pools, bounds and memory](pools): what allocates, size classes, bounds, when memory is freed.
//! * [Using the crate with the ecosystem](ecosystem): runtimes, extension traits, panics, pools in a `static`.
//! * [Targets and features](targets): the types that are available on each target, for example on a
//!   microcontroller.
//! * [Measuring in your own service](measuring): the share of ready calls, counters, leaks.
//! * [Guarantees](guarantees): each guarantee, with the tests that check it.
//! * [What the crate does not do](limits): for example, it has no timers, and is not a channel.
//! * [Troubleshooting](troubleshooting): each error text, its cause and the fix.
//!
//! # One rule to know first
//!
//! A method may store its result in the returned future (an *inline result*). Such a method has done its work when it
//! returns. If the returned future is dropped, the result is lost. `select!` drops the futures of the branches that
//! lose. So in a branch of `select!`, call the method in an async block:
//!
//! ```text
//! message = queue.recv() => …                    // wrong: may take a message, and drop it
//! message = async { queue.recv().await } => …    // right: the first poll calls the method
//! ```
//!
//! [*Cancellation and `select!`*](cancellation) says for each constructor whether it is lazy.

// The examples of this chapter use threads and pools.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[doc = include_str!("getting_started.md")]
pub mod getting_started {}
#[doc = include_str!("choosing.md")]
pub mod choosing {}
// The examples of this chapter use the attribute `async_trait`.
#[cfg(feature = "macros")]
#[doc = include_str!("from_async_trait.md")]
pub mod from_async_trait {}
#[doc = include_str!("from_box_future.md")]
pub mod from_box_future {}
#[doc = include_str!("driver.md")]
pub mod driver {}
#[doc = include_str!("select.md")]
pub mod cancellation {}
#[cfg(all(feature = "std", target_has_atomic = "64"))]
#[doc = include_str!("pools.md")]
pub mod pools {}
#[doc = include_str!("ecosystem.md")]
pub mod ecosystem {}
#[doc = include_str!("targets.md")]
pub mod targets {}
#[doc = include_str!("measuring.md")]
pub mod measuring {}
#[doc = include_str!("guarantees.md")]
pub mod guarantees {}
#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}
