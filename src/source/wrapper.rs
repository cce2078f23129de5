//! `Source`: a user's source behind a header.

use core::{
    any::type_name,
    fmt,
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

use super::ValueSource;
use crate::{
    erased::{AnyReference, ErasedReference, HasHeader, Live, SourceHeader},
    token::Token,
};

/// Wraps a [`ValueSource`] with a header, so that a thin pointer can refer to it.
///
/// A future holds a `&'a Source<S>` or an `Arc<Source<S>>`. A [`LocalValueFuture`](crate::LocalValueFuture) may also hold an
/// `Rc<Source<S>>`. A `Source` dereferences to the inner source.
///
/// # Sizes and allocation
///
/// A `Source` has a header of 8 bytes in front of `S`, and is aligned to at least 8. Nothing is allocated.
///
/// # Examples
///
/// This source is ready at the second poll. The result is the number of the token times two:
///
/// ```
/// use std::{cell::Cell, task::{Context, Poll}};
/// use value_future::{LocalValueFuture, Source, ValueSource, error::StaleToken, source::Token};
///
/// struct Doubler {
///     live: Cell<Token>,
///     polled: Cell<bool>,
/// }
///
/// impl ValueSource for Doubler {
///     type Output = u16;
///
///     fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<u16, StaleToken>> {
///         token.check(self.live.get())?;
///         if !self.polled.replace(true) {
///             cx.waker().wake_by_ref();
///             return Poll::Pending;
///         }
///         self.live.set(token.next());
///         Poll::Ready(Ok(token.get() * 2))
///     }
///
///     fn cancel(&self, token: Token) {
///         if token == self.live.get() {
///             self.live.set(token.next());
///         }
///     }
/// }
///
/// let source = Source::new(Doubler { live: Cell::new(Token::new(21)), polled: Cell::new(false) });
/// let answer = LocalValueFuture::from_source(&source, source.live.get());
/// assert_eq!(futures::executor::block_on(answer), 42);
/// ```
#[repr(C)]
pub struct Source<S> {
    header: SourceHeader<Self>,
    inner: S,
}

impl<S: ValueSource> Source<S> {
    /// Wraps `source` with a header.
    #[must_use]
    pub const fn new(source: S) -> Self {
        Source { header: SourceHeader::new(), inner: source }
    }
}

impl<S> Source<S> {
    /// Converts the wrapper into the inner source.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S> Deref for Source<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.inner
    }
}

impl<S> DerefMut for Source<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.inner
    }
}

impl<S: ValueSource> From<S> for Source<S> {
    fn from(source: S) -> Self {
        Source::new(source)
    }
}

impl<S: ValueSource + Default> Default for Source<S> {
    fn default() -> Self {
        Source::new(S::default())
    }
}

impl<S: fmt::Debug> fmt::Debug for Source<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.inner).finish()
    }
}

impl<S> HasHeader for Source<S> {
    #[inline(always)]
    fn header(&self) -> &SourceHeader<Self> {
        &self.header
    }
}

impl<S: ValueSource> ErasedReference for AnyReference<'_, Source<S>> {
    type Output = S::Output;

    fn type_name() -> &'static str {
        type_name::<S>()
    }

    #[inline(always)]
    fn poll(live: Live<'_, Self>, token: Token, cx: &mut Context<'_>) -> Poll<S::Output> {
        match live.inner.poll(token, cx) {
            Poll::Pending => live.pending(),
            Poll::Ready(Ok(value)) => {
                // `complete` returns the reference to the source, which is dropped here.
                live.complete();
                Poll::Ready(value)
            }
            Poll::Ready(Err(stale)) => {
                live.refuse(stale);
                Poll::Pending
            }
        }
    }

    /// Cancels the operation. `self` owns the reference to the source, so the reference is released even if `cancel` panics.
    fn cancel(self, token: Token) {
        self.inner.cancel(token);
    }
}
