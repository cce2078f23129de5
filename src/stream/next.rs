//! `ValueNext`: a method that returns the items of a stream.

use core::{
    any::type_name,
    fmt,
    marker::PhantomData,
    mem::offset_of,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::{
    erased::{Boxable, GiveBack, Header, House, header},
    error::Spent,
    future::{LocalValueFuture, Packed, ValueFuture},
};

pin_project! {
    /// A stream with a method that returns the next item, which an object-safe trait can use.
    ///
    /// The futures of [`next`](Self::next) borrow this, and poll the stream in place. Nothing is allocated.
    ///
    /// # Sizes and allocation
    ///
    /// The header is 8 bytes in front of `S`, aligned to 8. Nothing is allocated.
    ///
    /// # Cancel safety
    ///
    /// A future of [`next`](Self::next) that is dropped while it is pending loses no item, if the `poll_next` of
    /// the stream is cancel safe.
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
    #[repr(C)]
    pub struct ValueNext<S> {
        header: Header,
        #[pin]
        items: Items<S>,
        // The table is that of exactly this `S`: a subtype may be a stream of other items.
        exactly: PhantomData<fn(S) -> S>,
    }
}

pin_project! {
    /// Each poll of it asks for the next item.
    pub(crate) struct Items<S> {
        #[pin]
        stream: S,
    }
}

impl<S: Stream> Boxable for Items<S> {
    type Output = Option<S::Item>;

    fn type_name() -> &'static str {
        type_name::<S>()
    }

    #[inline(always)]
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut Option<Spent>,
    ) -> Poll<Self::Output> {
        self.project().stream.poll_next(cx)
    }
}

// SAFETY: a reader that is lent does not move, and holds its stream as long as it lives.
unsafe impl<S: Stream> House for ValueNext<S> {
    type Future = Items<S>;

    const IS_LENT: bool = true;
    #[expect(clippy::cast_possible_wrap, reason = "an offset is less than `isize::MAX`")]
    const OFFSET: isize = offset_of!(ValueNext<S>, items) as isize;
    const GIVE_BACK: GiveBack = {
        unsafe extern "C" fn stays(_: *mut ()) {}

        stays
    };
}

impl<S: Stream> ValueNext<S> {
    /// Creates a reader of `stream`.
    #[must_use]
    pub const fn new(stream: S) -> Self {
        ValueNext { header: header::<Self>(), items: Items { stream }, exactly: PhantomData }
    }

    /// Returns a future of the next item, or of `None` at the end.
    ///
    /// The call does not poll the stream. The future polls it. After the end of the stream, a further poll does
    /// what the stream does then.
    #[expect(clippy::should_implement_trait, reason = "that is how it is called for streams too")]
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
    pub fn next_pinned(self: Pin<&mut Self>) -> ValueFuture<'_, Option<S::Item>>
    where
        S: Send,
    {
        ValueFuture(Packed::lent(self))
    }

    /// Returns a future of the next item, for a stream that is not `Send`.
    #[inline]
    pub fn next_local(&mut self) -> LocalValueFuture<'_, Option<S::Item>>
    where
        S: Unpin,
    {
        Pin::new(self).next_local_pinned()
    }

    /// Returns a future of the next item, for a stream that must be pinned and is not `Send`.
    #[inline]
    pub fn next_local_pinned(self: Pin<&mut Self>) -> LocalValueFuture<'_, Option<S::Item>> {
        LocalValueFuture(Packed::lent(self))
    }
}

impl<S> ValueNext<S> {
    /// Returns a reference to the stream.
    pub const fn get_ref(&self) -> &S {
        &self.items.stream
    }

    /// Returns a mutable reference to the stream.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.items.stream
    }

    /// Converts the reader into its stream.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.items.stream
    }
}

/// Polls the inner stream.
impl<S: Stream> Stream for ValueNext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.project().items.project().stream.poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.stream.size_hint()
    }
}

impl<S: fmt::Debug> fmt::Debug for ValueNext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueNext").field(&self.items.stream).finish()
    }
}
