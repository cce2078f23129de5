//! Tables of contenders, and the targets that they are held to.

pub(crate) mod attribute;
pub(crate) mod awaited;
pub(crate) mod completions;
pub(crate) mod machines;
pub(crate) mod reusable;
pub(crate) mod sharing;
pub(crate) mod streams;
mod table;
mod targets;

pub(crate) use table::*;
pub(crate) use targets::Targets;
