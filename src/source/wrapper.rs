use core::{
    any::type_name,
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

use super::{ValueSource, reference};
use crate::{
    erased::{Head, Header, Pointee, Polling, VTable},
    error::{Site, Spent},
};

/// Wraps a [`ValueSource`] with a header, so that a thin pointer can refer to it.
///
/// A future holds a `&'a Source<S>`, an `Arc<Source<S>>`, or in a [`LocalValueFuture`](crate::LocalValueFuture)
/// an `Rc<Source<S>>`. A `Source` dereferences to the inner source.
///
/// # Sizes and allocation
///
/// The header is 8 bytes in front of `S`, aligned to 8. Nothing is allocated.
///
/// # Examples
///
/// A source that is ready at the second poll, with `token` times two:
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
    header: Header,
    inner: S,
    /// The table is that of exactly this `S`: a subtype may be a source with another output.
    exactly: PhantomData<fn(S) -> S>,
}

impl<S: ValueSource> Source<S> {
    /// Wraps `source` with a header.
    #[must_use]
    pub const fn new(source: S) -> Self {
        let vtable = const {
            let about = || (Self::SITE, type_name::<S>());
            &VTable {
                poll: poll::<S>,
                drop: Source::<S>::give_up,
                is_completed: |_, _| false,
                about,
            }
        };
        Source { header: Header::new(vtable), inner: source, exactly: PhantomData }
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

/// [`VTable::poll`] of a source.
///
/// # Safety
///
/// As there, where the pointee is a `Source<S>`.
unsafe fn poll<S: ValueSource>(
    live: Head,
    head: &mut Head,
    cx: &mut Context<'_>,
    pointee: *mut (),
) -> Poll<S::Output> {
    // SAFETY: the head points to a live `Source<S>`, which is only ever shared.
    let source = unsafe { &(*pointee.cast::<Source<S>>()).inner };
    // SAFETY: the head stands for a reference to the source until `complete` or `end`.
    let polling = unsafe { Polling::<Source<S>>::start(head) };
    let (polled, ended) = match source.poll(live.token(), cx) {
        Poll::Pending => {
            polling.still_pending();
            return Poll::Pending;
        }
        Poll::Ready(Ok(value)) => (Poll::Ready(value), polling.complete()),
        Poll::Ready(Err(stale)) => (Poll::Pending, polling.end(Head::spent(Spent::Stale(stale)))),
    };
    // SAFETY: the head that stood for the reference is spent, and `source` is not used again.
    unsafe { reference::release::<S>(pointee, ended) };
    polled
}

impl<S: ValueSource> Pointee for Source<S> {
    const SITE: Site = Site::Source;

    unsafe fn give_up(pointee: *mut (), head: Head) {
        /// Gives the reference back even if `cancel` panics.
        struct Release<S>(*mut (), Head, PhantomData<S>);
        impl<S> Drop for Release<S> {
            fn drop(&mut self) {
                // SAFETY: the caller of `give_up` gave up the reference, and this happens once.
                unsafe { reference::release::<S>(self.0, self.1) };
            }
        }
        let _release = Release::<S>(pointee, head, PhantomData);
        // SAFETY: the head points to a live `Source<S>`, which is only ever shared.
        let source = unsafe { &(*pointee.cast::<Source<S>>()).inner };
        source.cancel(head.token());
    }
}
