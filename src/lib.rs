//! x
#![no_std]
#![warn(clippy::alloc_instead_of_core)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod affinity;
#[cfg(doctest)]
mod compile_fail;
mod erased;
mod error;
mod future;
pub mod internals;
mod source;
mod token;

pub use crate::{
    affinity::{AnyThread, OneThread},
    error::{ArmKind, PollError, Rule, StaleToken},
    future::{
        Arm, BoxedFuture, Checked, LocalArm, LocalChecked, LocalValueFuture, SourceRef, ValueFuture,
    },
    source::{Source, SourceReference, ValueSource},
    token::Token,
};

/// What the macros refer to.
#[doc(hidden)]
pub mod __private {
    pub use crate::future::TryTake;
    pub use core::result::Result::{Err, Ok};
}

#[cold]
const fn cold() {}
