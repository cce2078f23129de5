//! Keys, the results of abandoned operations, and errors: the parts that pools and reusable sources have in
//! common.
//!
//! An operation has two ends, by which a producer passes a result to a consumer, in a slot. The ends depend
//! neither on pools nor on allocators.

mod abandoned;
mod consumer;
mod erased;
mod error;
pub(crate) mod keyed;
mod producer;

#[cfg(feature = "alloc")]
pub(crate) use self::producer::{orphan, refuse_left};
pub use crate::slot::{Key, TypedKey};

pub use self::{
    abandoned::{Abandoned, Dropped},
    error::{CompleteError, CompleteErrorKind},
};
pub(crate) use self::{consumer::Consumer, erased::table, producer::Producer};

use crate::slot::ForThreads;

// SAFETY: the completer sends a value; the slot is made for several threads.
unsafe impl<T: Send, H: ForThreads> Send for Producer<'_, T, H> {}
// SAFETY: through a shared reference a completer looks at the state, and issues the key.
unsafe impl<T: Send, H: ForThreads> Sync for Producer<'_, T, H> {}
// SAFETY: the consumer takes a value; the slot is made for several threads.
unsafe impl<T: Send, H: ForThreads> Send for Consumer<'_, T, H> {}
// SAFETY: through a shared reference a consumer looks at the state.
unsafe impl<T: Send, H: ForThreads> Sync for Consumer<'_, T, H> {}
