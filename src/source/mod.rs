//! Sources of your own: a type that completes operations, and from which a value future takes its result.

mod reference;
#[cfg(feature = "alloc")]
mod unpacked;
mod wrapper;

use core::task::{Context, Poll};

use crate::error::StaleToken;

pub use crate::token::Token;

pub use reference::SourceReference;
pub(crate) use reference::into_head;
#[cfg(not(feature = "alloc"))]
pub(crate) use reference::no_room_for_the_token;
pub use wrapper::Source;

/// Something that results come from, one operation after another: a slot of a pool, a driver's
/// completion, a connection's read side.
///
/// One object serves many operations, so the future of an operation presents a [`Token`] each
/// time it turns to the source. Wrapped in a [`Source`], a source can be put behind
/// [`ValueFuture::from_source`](crate::ValueFuture::from_source) without an allocation.
///
/// # What an implementation promises
///
/// The trait is safe: a wrong implementation may give wrong answers, hang or panic, but it cannot
/// cause undefined behaviour. To be of use,
///
/// 1. `poll` and `cancel` look at the token first. A stale one has *no* effect on the live
///    operation: `poll` returns `Ready(Err(StaleToken))`, `cancel` returns.
/// 2. `Ready(Ok(_))` ends the operation: its token is stale from then on.
/// 3. `Pending` means that the waker of the *last* poll is woken when polling makes sense again.
/// 4. The waker is called after the result has been stored, and with no lock held: it may poll or
///    drop the future at once, in the same call.
/// 5. One live future per token. A source that mints each token once has that; one that can be
///    asked twice for the same token must refuse the second poller rather than forget the waker
///    of the first.
///
/// # What a caller may rely on
///
/// The futures of this crate poll with the token that they were made with, never again after
/// `Ready`, and call `cancel` exactly once if they are dropped, or their poll unwinds, before
/// `Ready`.
///
/// # Reentrancy
///
/// `poll` may clone and drop wakers, `cancel` may drop one, and both are code of somebody else:
/// do it with no lock held and no borrow open.
///
/// # Examples
///
/// See [`Source`] and `examples/custom_source.rs`.
#[doc(alias = "IValueTaskSource")]
pub trait ValueSource {
    /// What an operation results in.
    type Output;

    /// Takes the result of the operation `token`, or registers the waker of `cx` for it.
    ///
    /// # Errors
    ///
    /// `Ready(Err(StaleToken))` if `token` is not that of the live operation.
    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<Self::Output, StaleToken>>;

    /// The consumer of the operation `token` has gone, and will not take the result.
    ///
    /// It is called while a future is dropped. If that is while a panic unwinds, a panic in here aborts the
    /// process.
    fn cancel(&self, token: Token);
}
