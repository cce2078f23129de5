//! Streams that call a method for each item, and a type with a method that returns each item of a stream. None
//! of these types allocates.

mod borrowed_reader;
mod local_reader_stream;
mod next;
mod output;
mod reader_stream;
mod values;

pub use self::{
    local_reader_stream::LocalReaderStream, next::ValueNext, output::StreamOutput,
    reader_stream::ReaderStream, values::ValueStream,
};
