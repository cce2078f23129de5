//! Includes the files of `benches/harness` that the programs in `bin` need.

#![allow(dead_code, reason = "these programs use only some of the items")]

#[path = "../../harness/buffer.rs"]
pub(crate) mod buffer;
#[path = "../../harness/memory.rs"]
pub(crate) mod memory;
#[path = "../../harness/table.rs"]
mod table;
#[path = "../../harness/targets.rs"]
mod targets;

pub(crate) use table::*;
pub(crate) use targets::Targets;
