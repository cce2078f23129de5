//! What stands behind a future that has given up its type: the [`Head`] word that refers to it,
//! and the [`Header`] that it starts with.

mod head;
mod header;
pub(crate) mod house;
#[cfg(feature = "alloc")]
mod thin;

#[cfg(test)]
pub(crate) use head::tests::REFUSE_ADDRESSES;
pub(crate) use head::{Head, Reference, View};
pub(crate) use header::{Header, Pointee, Polling, VTable};
pub(crate) use house::{Boxable, GiveBack, House, HouseTable, Table, header, ready_or_broken};
#[cfg(feature = "alloc")]
pub(crate) use thin::allocate;
