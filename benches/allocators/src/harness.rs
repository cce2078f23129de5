//! Includes the files of `benches/harness` that the programs in `bin` need.

#![allow(dead_code, unused_imports, reason = "these programs use only some of the items")]

#[path = "../../harness/buffer.rs"]
pub(crate) mod buffer;
#[path = "../../harness/memory.rs"]
pub(crate) mod memory;
#[path = "../../harness/table.rs"]
mod table;
#[path = "../../harness/targets.rs"]
mod targets;

pub(crate) use table::{ON_TWO_THREADS, OPERATIONS, Table, find, print_table};
pub(crate) use targets::{Row, Targets};
