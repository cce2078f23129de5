//! The [`Head`]: one word that refers to a future or a source of any type, or says that the future is ready or terminated. The object to
//! which a head points is its *pointee*.
//!
//! This layer uses neither slots nor pools. It needs `core`, and it needs `alloc` for boxes and reference counts.

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
pub(crate) use head::{Head, Header, Reference, View};
pub(crate) use pointee::{
    AnyReference, ErasedReference, HasHeader, Live, OwnedHead, SourceHeader, ThinReference, VTable,
};
