//! Includes the module `buffer` of the benches of the crate. The futures of its contenders contain a buffer.

#![allow(dead_code, reason = "these programs use only some of the items")]

#[path = "../../contenders/buffer/mod.rs"]
pub(crate) mod buffer;
#[path = "../../contenders/case.rs"]
mod case;
#[path = "../../contenders/helper_thread.rs"]
mod helper_thread;

pub(crate) use case::*;
