//! One piece of work, done by every contender in the way its own documentation advises. `ready` and
//! `pending` are an object-safe lookup, called through `&dyn Trait` and awaited in a boxed async
//! block that consumes the value; `completion` is a pair of which one half gives the other a value, and
//! `machine` an async method that holds some bytes, called through `&dyn Trait`. In `reusable` one
//! object serves one operation after the other, in `sharing` a future has many
//! awaiters, and `streams` are items that are asked for one after the other.
//! `attribute` is a trait with the attribute of `async-trait`, and with ours.
//! `awaited` are all of these as users write
//! them, for results of several types, and `driver` is a method whose future is large and mostly not initialised.
//! `ratios` measures the same cases as the criterion benches.

#![allow(dead_code, reason = "each bench uses its part")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "numbers are small, and what a contender consumes is only there to be consumed"
)]

pub(crate) mod attribute;
pub(crate) mod awaited;
mod case;
pub(crate) mod completion;
pub(crate) mod driver;
pub(crate) mod groups;
pub(crate) mod helper;
pub(crate) mod machine;
pub(crate) mod pending;
pub(crate) mod ready;
pub(crate) mod reusable;
pub(crate) mod sharing;
pub(crate) mod streams;

pub(crate) use case::*;
