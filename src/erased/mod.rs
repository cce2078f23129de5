//! Futures and sources behind one word: the [`Head`], and the pointees that it can own.
//!
//! This layer knows neither slots nor pools. It needs `core`, and `alloc` for boxes and counted references.

mod cell;
mod future;
mod head;
mod pointee;

pub(crate) use cell::BorrowedCell;
#[cfg(feature = "alloc")]
pub(crate) use cell::{CellStorage, Emptied, VacantCell};
pub(crate) use future::{ErasedFuture, ready_or_broken};
#[cfg(test)]
pub(crate) use head::tests::REFUSE_ADDRESSES;
pub(crate) use head::{Head, Reference, View};
pub(crate) use pointee::{
    AnyReference, ErasedReference, HasHeader, Header, Live, OwnedHead, SourceHeader, ThinReference,
    VTable,
};
