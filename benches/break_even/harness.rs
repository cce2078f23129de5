//! The harness of the other benches.

#![allow(dead_code, reason = "each bench uses a part of it")]

#[path = "../harness/memory.rs"]
pub(crate) mod memory;
#[path = "../harness/table.rs"]
mod table;
#[path = "../harness/targets.rs"]
mod targets;

pub(crate) use table::*;
pub(crate) use targets::Targets;
