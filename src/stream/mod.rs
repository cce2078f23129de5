//! Streams and methods that give one item after the other, each made of the other without an allocation.

mod next;
mod output;
mod reader;
mod values;

pub use self::{
    next::ValueNext,
    output::StreamOutput,
    reader::{LocalReaderStream, ReaderStream},
    values::ValueStream,
};
