// Generated from `reader_stream.rs` by `tests/codegen.rs`.
//! `LocalReaderStream`: a stream that calls a method of `&mut self`.

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
use crate::future::LocalValueFuture;

/// A [`ReaderStream`](crate::stream::ReaderStream) for a method that returns [`LocalValueFuture`]s.
#[must_use = "streams do nothing unless polled"]
pub struct LocalReaderStream<R, Next, O> {
    /// The future of the next item. It borrows `reader`, and its lifetime says nothing: it is dropped before the reader is
    /// used, moved or dropped. It is the first field, so it is dropped first.
    current: Option<LocalValueFuture<'static, O>>,
    next: Next,
    ended: bool,
    /// In a cell, because `current` refers to it while others may have a shared reference to the stream.
    reader: UnsafeCell<R>,
    /// `current` refers to `reader`.
    _pinned: PhantomPinned,
}

impl<R, Next, O> LocalReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> LocalValueFuture<'r, O>,
    O: StreamOutput,
{
    /// Creates a stream that calls `next` with the reader for each item.
    pub const fn new(reader: R, next: Next) -> Self {
        LocalReaderStream {
            current: None,
            next,
            ended: false,
            reader: UnsafeCell::new(reader),
            _pinned: PhantomPinned,
        }
    }
}

impl<R, Next, O> LocalReaderStream<R, Next, O> {
    /// Returns the reader.
    #[must_use]
    pub fn into_inner(self) -> R {
        // Nothing borrows the reader: the stream was never pinned, as it can be moved.
        self.reader.into_inner()
    }
}

/// The stream ends when the method returns `None`, `Ok(None)` or an error, or when the method or its future
/// panics. The method is not called after that.
impl<R, Next, O> Stream for LocalReaderStream<R, Next, O>
where
    Next: for<'r> FnMut(&'r mut R) -> LocalValueFuture<'r, O>,
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
            let asked = unsafe {
                mem::transmute::<LocalValueFuture<'_, O>, LocalValueFuture<'static, O>>(asked)
            };
            this.current = Some(asked);
        }
        let polled = poll_asked(&mut this.current, cx);
        this.ended = polled.is_ready();
        polled.map(|output| output.into_step().give(&mut this.ended))
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
            .field("current", &self.current)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
