//! `ReaderStream`: a stream that calls a method of `&mut self`.

use core::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;

use super::{borrowed_reader::BorrowedReader, output::StreamOutput};
use crate::{affinity::AnyThread, future::ValueFuture};

pin_project! {
    //~ any thread
    /// A stream that calls a method of `&mut self` for each item.
    ///
    /// Readers usually have such a method: `fn next(&mut self) -> ValueFuture<'_, Option<T>>`, or the same with
    /// `io::Result<Option<T>>`.
    ///
    /// The stream contains the reader, or a `&mut` reference to it. The stream itself allocates nothing. For a method of `&self`, use
    /// [`ValueStream`](crate::stream::ValueStream), which need not be pinned.
    ///
    /// # Cancel safety
    ///
    /// Dropping `stream.next()` of `StreamExt` loses no item: the pending future of the item stays in the stream.
    /// Dropping the stream drops that future, which cancels it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{io, pin::pin};
    /// use futures::{StreamExt, TryStreamExt, executor::block_on};
    /// use value_future::{ValueFuture, stream::ReaderStream};
    ///
    /// trait Lines: Send {
    ///     fn next(&mut self) -> ValueFuture<'_, io::Result<Option<String>>>;
    /// }
    ///
    /// struct Buffered(Vec<&'static str>);
    ///
    /// impl Lines for Buffered {
    ///     fn next(&mut self) -> ValueFuture<'_, io::Result<Option<String>>> {
    ///         ValueFuture::ready(Ok(self.0.pop().map(String::from)))
    ///     }
    /// }
    ///
    /// let lines: Box<dyn Lines> = Box::new(Buffered(vec!["two", "one"]));
    /// let stream = ReaderStream::new(lines, |lines| lines.next());
    /// assert_eq!(block_on(stream.try_collect::<Vec<_>>())?, ["one", "two"]);
    ///
    /// // A stream can also borrow its reader. To call `next` of `StreamExt`, the stream has to be pinned.
    /// let mut lines = Buffered(vec!["three"]);
    /// let mut stream = pin!(ReaderStream::new(&mut lines, |lines| lines.next()));
    /// assert_eq!(block_on(stream.next()).unwrap()?, "three");
    /// # Ok::<(), io::Error>(())
    /// ```
    //~ one thread
    //~ /// A [`ReaderStream`](crate::stream::ReaderStream) for a method that returns [`LocalValueFuture`]s.
    //~ end
    #[must_use = "streams do nothing unless polled"]
    pub struct ReaderStream<R, Next, O> {
        #[pin]
        reader: BorrowedReader<R, O, AnyThread>,
        next: Next,
        ended: bool,
    }
}

impl<R, Next, O> ReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> ValueFuture<'r, O>,
    O: StreamOutput,
{
    /// Creates a stream that calls `next` with the reader for each item.
    pub const fn new(reader: R, next: Next) -> Self {
        ReaderStream { reader: BorrowedReader::new(reader), next, ended: false }
    }
}

impl<R, Next, O> ReaderStream<R, Next, O> {
    /// Returns the reader.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.reader.into_inner()
    }
}

/// The stream ends when the future of the method returns `None`, `Ok(None)` or an error, or when the method or its future panics. The
/// method is not called after that.
impl<R, Next, O> Stream for ReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> ValueFuture<'r, O>,
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

impl<R, Next, O> FusedStream for ReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> ValueFuture<'r, O>,
    O: StreamOutput,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

/// Shows the pending future of an item, without polling it.
impl<R, Next, O: fmt::Debug> fmt::Debug for ReaderStream<R, Next, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderStream")
            .field("current", &self.reader.current("ValueFuture"))
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
