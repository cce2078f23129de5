//! Streams and methods that give one item after the other, each made of the other without an allocation.

mod local_reader_stream;
mod next;
mod output;
mod reader_stream;
mod values;

pub use self::{
    local_reader_stream::LocalReaderStream, next::ValueNext, output::StreamOutput,
    reader_stream::ReaderStream, values::ValueStream,
};
