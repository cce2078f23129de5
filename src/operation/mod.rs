//! Keys, the results of abandoned operations, and errors: the parts that pools and reusable sources have in
//! common.
//!
//! An operation has two ends, by which a producer passes a result to a consumer, in a slot. The ends depend
//! neither on pools nor on allocators.

mod abandoned;
mod consumer;
mod erased;

pub use crate::slot::{CompleteError, CompleteErrorKind, Key, TypedKey};

pub use self::abandoned::{Abandoned, Dropped};
pub(crate) use self::{consumer::Consumer, erased::table};
