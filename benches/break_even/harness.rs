//! Includes the files of `benches/harness` that the bench `break_even` needs.

#![allow(dead_code, reason = "each bench uses only some of the items")]

#[path = "../harness/memory.rs"]
pub(crate) mod memory;
#[path = "../harness/table.rs"]
mod table;
#[path = "../harness/targets.rs"]
mod targets;

pub(crate) use table::*;
pub(crate) use targets::Targets;
