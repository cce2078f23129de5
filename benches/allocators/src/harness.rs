//! That of the crate's benches.

#![allow(dead_code, reason = "each program uses its part")]

#[path = "../../harness/machines.rs"]
pub(crate) mod machines;
#[path = "../../harness/memory.rs"]
pub(crate) mod memory;
#[path = "../../harness/table.rs"]
mod table;
#[path = "../../harness/targets.rs"]
mod targets;

pub(crate) use table::*;
pub(crate) use targets::Targets;
