// Generated from `reader_stream.rs` by `tests/codegen.rs`.
//! `LocalReaderStream`: a stream that calls a method of `&mut self`.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::{borrowed_reader::BorrowedReader, output::StreamOutput};
use crate::{affinity::OneThread, future::LocalValueFuture};

pin_project! {
/// A [`ReaderStream`](crate::stream::ReaderStream) for a method that returns [`LocalValueFuture`]s.
    #[must_use = "streams do nothing unless polled"]
    pub struct LocalReaderStream<R, Next, O> {
        #[pin]
        reader: BorrowedReader<R, O, OneThread>,
        next: Next,
        ended: bool,
    }
}

impl<R, Next, O> LocalReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> LocalValueFuture<'r, O>,
    O: StreamOutput,
{
    /// Creates a stream that calls `next` with the reader for each item.
    pub const fn new(reader: R, next: Next) -> Self {
        LocalReaderStream { reader: BorrowedReader::new(reader), next, ended: false }
    }
}

impl<R, Next, O> LocalReaderStream<R, Next, O> {
    /// Returns the reader.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.reader.into_inner()
    }
}

/// The stream ends when the future of the method returns `None`, `Ok(None)` or an error, or when the method or its future panics. The
/// method is not called after that.
impl<R, Next, O> Stream for LocalReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> LocalValueFuture<'r, O>,
    O: StreamOutput,
{
    type Item = O::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<O::Item>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        *this.ended = true;
        let polled = this.reader.poll(cx, |reader| (this.next)(reader).0);
        *this.ended = polled.is_ready();
        polled.map(|output| output.into_step().give(this.ended))
    }
}

impl<R, Next, O> FusedStream for LocalReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> LocalValueFuture<'r, O>,
    O: StreamOutput,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

/// Shows the pending future of an item, without polling it.
impl<R, Next, O: fmt::Debug> fmt::Debug for LocalReaderStream<R, Next, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalReaderStream")
            .field("current", &self.reader.current("LocalValueFuture"))
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
