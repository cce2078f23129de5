//! `ValueNext`: a stream with a method that returns the next item.

use core::{
    any::type_name,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::{
    erased::{BorrowedCell, ErasedFuture, OwnedHead},
    error::Terminated,
    future::{LocalValueFuture, Packed, ValueFuture},
};

pin_project! {
    /// A stream with a method that returns a value future of the next item. A method of an object-safe trait can return this future.
    ///
    /// The futures of [`next`](Self::next) borrow the `ValueNext`, and poll the stream in place.
    ///
    /// # Sizes and allocation
    ///
    /// A `ValueNext` has a header of 8 bytes in front of `S`, and is aligned to at least 8. Nothing is allocated.
    ///
    /// # Cancel safety
    ///
    /// Dropping a pending future of [`next`](Self::next) loses no item: the stream stays in the `ValueNext`.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::{Stream, executor::block_on, stream};
    /// use value_future::{ValueFuture, stream::ValueNext};
    ///
    /// trait Numbers {
    ///     fn next(&mut self) -> ValueFuture<'_, Option<u32>>;
    /// }
    ///
    /// struct Streamed<S>(ValueNext<S>);
    ///
    /// impl<S: Stream<Item = u32> + Send + Unpin> Numbers for Streamed<S> {
    ///     fn next(&mut self) -> ValueFuture<'_, Option<u32>> {
    ///         self.0.next()
    ///     }
    /// }
    ///
    /// let numbers: &mut dyn Numbers = &mut Streamed(ValueNext::new(stream::iter([1, 2])));
    /// assert_eq!(block_on(async { (numbers.next().await, numbers.next().await) }), (Some(1), Some(2)));
    /// assert_eq!(block_on(numbers.next()), None);
    /// ```
    pub struct ValueNext<S> {
        #[pin]
        cell: BorrowedCell<Items<S>>,
    }
}

pin_project! {
    /// A future of the next item of a stream. Each poll of this future polls the stream once. After the future has returned an item, it
    /// stays in its `BorrowedCell`, and may be polled again for the following item.
    pub(crate) struct Items<S> {
        #[pin]
        stream: S,
    }
}

impl<S: Stream> ErasedFuture for Items<S> {
    type Output = Option<S::Item>;

    fn type_name() -> &'static str {
        type_name::<S>()
    }

    #[inline(always)]
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut Option<Terminated>,
    ) -> Poll<Self::Output> {
        self.project().stream.poll_next(cx)
    }
}

impl<S: Stream> ValueNext<S> {
    /// Creates a `ValueNext` that contains `stream`.
    #[must_use]
    pub const fn new(stream: S) -> Self {
        ValueNext { cell: BorrowedCell::new(Items { stream }) }
    }

    #[expect(clippy::should_implement_trait, reason = "`StreamExt` uses the same name")]
    /// Returns a future of the next item, or of `None` at the end of the stream.
    ///
    /// The call does not poll the stream. The returned future polls the stream. If `next` is called again after the end of the stream, the
    /// returned future also polls the stream. Its result then depends on the stream.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn next(&mut self) -> ValueFuture<'_, Option<S::Item>>
    where
        S: Send + Unpin,
    {
        Pin::new(self).next_pinned()
    }

    /// Returns a future of the next item, for a stream that must be pinned.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn next_pinned(self: Pin<&mut Self>) -> ValueFuture<'_, Option<S::Item>>
    where
        S: Send,
    {
        ValueFuture(Packed::from_head(OwnedHead::of_borrowed_cell(self.project().cell)))
    }

    /// Returns a future of the next item, for a stream that is not `Send`.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn next_local(&mut self) -> LocalValueFuture<'_, Option<S::Item>>
    where
        S: Unpin,
    {
        Pin::new(self).next_local_pinned()
    }

    /// Returns a future of the next item, for a stream that must be pinned and is not `Send`.
    #[inline]
    #[cfg_attr(feature = "trace", track_caller)]
    pub fn next_local_pinned(self: Pin<&mut Self>) -> LocalValueFuture<'_, Option<S::Item>> {
        LocalValueFuture(Packed::from_head(OwnedHead::of_borrowed_cell(self.project().cell)))
    }
}

impl<S> ValueNext<S> {
    /// Returns a reference to the stream.
    pub const fn get_ref(&self) -> &S {
        &self.cell.get_ref().stream
    }

    /// Returns a mutable reference to the stream.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.cell.get_mut().stream
    }

    /// Returns the stream.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.cell.into_inner().stream
    }
}

/// Polls the inner stream.
impl<S: Stream> Stream for ValueNext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().cell.pinned().project().stream.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.get_ref().size_hint()
    }
}

impl<S: fmt::Debug> fmt::Debug for ValueNext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueNext").field(self.get_ref()).finish()
    }
}
