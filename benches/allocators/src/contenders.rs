//! Includes the files of `benches/contenders` that the programs in `bin` need. The contenders are methods whose future contains a buffer.

#![allow(dead_code, unused_imports, reason = "these programs use only some of the items")]

#[path = "../../contenders/buffer/mod.rs"]
pub(crate) mod buffer;
#[path = "../../contenders/case.rs"]
mod case;
#[path = "../../contenders/helper_thread.rs"]
mod helper_thread;

pub(crate) use case::{
    BoxFuture, Case, Counting, PendingOnce, allocations, counted, drive, drive_and, opaque_waker,
    start_clock,
};
