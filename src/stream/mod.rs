//! Streams that call a method for each item, and [`ValueNext`], which contains a stream and has a method for the next item. None of these
//! types allocates.

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
