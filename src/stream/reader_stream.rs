//! `ReaderStream`: a stream that calls a method of `&mut self`.

use core::{
    cell::UnsafeCell,
    fmt,
    marker::PhantomPinned,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};

use super::{output::StreamOutput, values::poll_asked};
use crate::future::ValueFuture;

//~ any thread
/// A stream that calls a method of `&mut self` for each item.
///
/// That is the usual signature of a reader: `fn next(&mut self) -> ValueFuture<'_, Option<T>>`, or with
/// `io::Result<Option<T>>`.
///
/// The stream holds the reader by value or by `&mut`. It allocates nothing itself. For a method of `&self`, use
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
/// // A reader that is borrowed. To call `next`, the stream has to be pinned.
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
    /// The future of the next item. It borrows `reader`, and its lifetime says nothing: it is dropped before the reader is
    /// used, moved or dropped. It is the first field, so it is dropped first.
    current: Option<ValueFuture<'static, O>>,
    next: Next,
    ended: bool,
    /// In a cell, because `current` refers to it while others may have a shared reference to the stream.
    reader: UnsafeCell<R>,
    /// `current` refers to `reader`.
    _pinned: PhantomPinned,
}

//~ any thread
// SAFETY: through a shared reference to the stream, only `current` and `ended` can be reached.
unsafe impl<R: Sync, Next: Sync, O: Sync> Sync for ReaderStream<R, Next, O> {}
//~ one thread
//~ end

impl<R, Next, O> ReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> ValueFuture<'r, O>,
    O: StreamOutput,
{
    /// Creates a stream that calls `next` with the reader for each item.
    pub const fn new(reader: R, next: Next) -> Self {
        ReaderStream {
            current: None,
            next,
            ended: false,
            reader: UnsafeCell::new(reader),
            _pinned: PhantomPinned,
        }
    }
}

impl<R, Next, O> ReaderStream<R, Next, O> {
    /// Returns the reader.
    #[must_use]
    pub fn into_inner(self) -> R {
        // Nothing borrows the reader: the stream was never pinned, as it can be moved.
        self.reader.into_inner()
    }
}

/// The stream ends when the method returns `None`, `Ok(None)` or an error, or when the method or its future
/// panics. The method is not called after that.
impl<R, Next, O> Stream for ReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> ValueFuture<'r, O>,
    O: StreamOutput,
{
    type Item = O::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<O::Item>> {
        // SAFETY: `reader`, to which `current` refers, is not moved.
        let this = unsafe { self.get_unchecked_mut() };
        if this.ended {
            return Poll::Ready(None);
        }
        this.ended = true;
        if this.current.is_none() {
            let asked = (this.next)(this.reader.get_mut());
            // SAFETY: only the lifetime changes. `current` is private. It is polled and dropped, and it is `None` when
            // the reader is borrowed again. The stream is pinned, so the reader stays where it is until it is
            // dropped, which is after `current`.
            let asked =
                unsafe { mem::transmute::<ValueFuture<'_, O>, ValueFuture<'static, O>>(asked) };
            this.current = Some(asked);
        }
        let polled = poll_asked(&mut this.current, cx);
        this.ended = polled.is_ready();
        polled.map(|output| output.into_step().give(&mut this.ended))
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
            .field("current", &self.current)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
