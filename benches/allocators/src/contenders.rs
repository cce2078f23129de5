//! Those of the crate's benches.

#![allow(dead_code, reason = "each program uses its part")]

#[path = "../../contenders/case.rs"]
mod case;
#[path = "../../contenders/helper.rs"]
mod helper;
#[path = "../../contenders/machine/mod.rs"]
pub(crate) mod machine;

pub(crate) use case::*;
