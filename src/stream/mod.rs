//! Streams and methods that give one item after the other, each made of the other without an allocation.

mod reader;
mod values;

pub use self::{reader::ValueReader, values::ValueStream};
