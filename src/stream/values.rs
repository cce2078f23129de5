//! `ValueStream`: a stream that calls a method of `&self`.

use core::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};

use super::output::StreamOutput;

/// A stream that calls a method of `&self` for each item.
///
/// The method returns a [`ValueFuture`](crate::ValueFuture) of the next item, or of `None` at the end. The
/// method may also fail: see [`StreamOutput`]. For a method of `&mut self`, use
/// [`ReaderStream`](crate::stream::ReaderStream).
///
/// The stream contains the method, and the future of one item at a time. The stream itself allocates nothing.
///
/// # Cancel safety
///
/// Dropping `stream.next()` of `StreamExt` loses no item: the pending future of the item stays in the stream.
/// Dropping the stream drops that future, which cancels it.
///
/// # Examples
///
/// A reader with buffered items. Its trait is object-safe, and a caller can turn the reader into a stream:
///
/// ```
/// use std::{collections::VecDeque, sync::Mutex, thread};
/// use futures::StreamExt;
/// use value_future::{ReusableSource, ValueFuture, stream::ValueStream};
///
/// trait Lines: Send + Sync {
///     /// Returns the next line, or `None` at the end. The method has one caller at a time.
///     fn next(&self) -> ValueFuture<'_, Option<String>>;
/// }
///
/// #[derive(Default)]
/// struct Connection {
///     lines: Mutex<VecDeque<Option<String>>>,
///     /// Completed when a line arrives while a caller waits.
///     next: ReusableSource<Option<String>>,
/// }
///
/// impl Connection {
///     fn received(&self, mut line: Option<String>) {
///         loop {
///             let mut lines = self.lines.lock().unwrap();
///             let Some(key) = self.next.key() else { return lines.push_back(line) };
///             // Unlock first: no waker must be called under the lock.
///             drop(lines);
///             match self.next.complete_key(key, line) {
///                 Ok(()) => return,
///                 // The caller has dropped its future, and may have called `next` again.
///                 Err(refused) => line = refused.into_value(),
///             }
///         }
///     }
/// }
///
/// impl Lines for Connection {
///     fn next(&self) -> ValueFuture<'_, Option<String>> {
///         let mut lines = self.lines.lock().unwrap();
///         match lines.pop_front() {
///             Some(line) => ValueFuture::ready(line),
///             None => self.next.begin().expect("one caller at a time"),
///         }
///     }
/// }
///
/// let connection = Connection::default();
/// let lines: &dyn Lines = &connection;
/// let all = thread::scope(|scope| {
///     scope.spawn(|| {
///         for line in ["one", "two", "three"] {
///             connection.received(Some(line.into()));
///         }
///         connection.received(None);
///     });
///     futures::executor::block_on(ValueStream::new(|| lines.next()).collect::<Vec<_>>())
/// });
/// assert_eq!(all, ["one", "two", "three"]);
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct ValueStream<Next, Fut> {
    next: Next,
    current: Option<Fut>,
    ended: bool,
}

impl<Next, Fut> ValueStream<Next, Fut>
where
    Next: FnMut() -> Fut,
    Fut: Future<Output: StreamOutput> + Unpin,
{
    /// Creates a stream that calls `next` for each item.
    pub const fn new(next: Next) -> Self {
        ValueStream { next, current: None, ended: false }
    }
}

// The futures are `Unpin`, and the function is never pinned.
impl<Next, Fut: Unpin> Unpin for ValueStream<Next, Fut> {}

/// The stream ends when the future of the method returns `None`, `Ok(None)` or an error, or when the method or its future panics. The
/// method is not called after that.
impl<Next, Fut> Stream for ValueStream<Next, Fut>
where
    Next: FnMut() -> Fut,
    Fut: Future<Output: StreamOutput> + Unpin,
{
    type Item = <Fut::Output as StreamOutput>::Item;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        this.ended = true;
        let polled = if this.current.is_some() {
            poll_current(&mut this.current, |current| Pin::new(current).poll(cx))
        } else {
            let mut asked = (this.next)();
            let polled = Pin::new(&mut asked).poll(cx);
            if polled.is_pending() {
                this.current = Some(asked);
            }
            polled
        };
        this.ended = polled.is_ready();
        polled.map(|output| output.into_step().give(&mut this.ended))
    }
}

/// Polls the current future in its place, without moving it. Drops the future when it is ready, or when its poll panics.
pub(super) fn poll_current<Fut, T>(
    current: &mut Option<Fut>,
    poll: impl FnOnce(&mut Fut) -> Poll<T>,
) -> Poll<T> {
    struct DropCurrent<'c, Fut>(&'c mut Option<Fut>);
    impl<Fut> Drop for DropCurrent<'_, Fut> {
        fn drop(&mut self) {
            *self.0 = None;
        }
    }
    let current = DropCurrent(current);
    let polled = poll(current.0.as_mut().expect("there is a future"));
    if polled.is_pending() {
        mem::forget(current);
    }
    polled
}

impl<Next, Fut> FusedStream for ValueStream<Next, Fut>
where
    Next: FnMut() -> Fut,
    Fut: Future<Output: StreamOutput> + Unpin,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

/// Shows the pending future of an item, without polling it.
impl<Next, Fut: fmt::Debug> fmt::Debug for ValueStream<Next, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueStream")
            .field("current", &self.current)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
