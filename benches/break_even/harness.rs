//! Includes the files of `benches/harness` that the bench `break_even` needs.

#![allow(dead_code, unused_imports, reason = "each bench uses only some of the items")]

#[path = "../harness/memory.rs"]
pub(crate) mod memory;
#[path = "../harness/table.rs"]
mod table;
#[path = "../harness/targets.rs"]
mod targets;

pub(crate) use table::{ON_TWO_THREADS, OPERATIONS, Table, find, print_table};
pub(crate) use targets::{Row, Targets};
