//! Keys, the results of abandoned operations, and errors: the parts that pools and reusable sources have in
//! common.
//!
//! An operation passes one result from a producer to a consumer, through a slot. This module depends neither on pools nor on an allocator.

mod abandoned;
mod consumer;

pub use crate::slot::{CompleteError, CompleteErrorKind, Key, TypedKey};

pub use self::abandoned::{Abandoned, Dropped};
pub(crate) use self::consumer::Consumer;
