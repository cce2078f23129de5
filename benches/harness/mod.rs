//! The tables of the bench `ratios`: their contenders, and the targets that the figures of each table have to meet.

pub(crate) mod attribute;
pub(crate) mod awaited;
pub(crate) mod buffer;
pub(crate) mod completions;
pub(crate) mod pending;
pub(crate) mod ready;
pub(crate) mod reusable_source;
pub(crate) mod shared;
pub(crate) mod streams;
mod table;
mod targets;

pub(crate) use table::{ON_TWO_THREADS, OPERATIONS, Table, find, print_table};
pub(crate) use targets::{Row, Targets};
