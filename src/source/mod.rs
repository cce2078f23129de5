//! Sources: objects that complete operations. Value futures poll the sources for the results. You can write your own source types.

#[cfg(feature = "alloc")]
mod boxed;
mod reference;
mod sealed;
mod wrapper;

use core::task::{Context, Poll};

use crate::error::StaleToken;

pub use crate::token::Token;

#[cfg(feature = "alloc")]
pub(crate) use boxed::BoxedSource;
pub use reference::SourceReference;
pub(crate) use reference::into_head;
#[cfg(not(feature = "alloc"))]
pub(crate) use reference::{BoxedSource, no_room_for_the_token};
pub use wrapper::Source;

/// A source of results. It serves one operation after another. For example, the read side of a connection is a source.
///
/// One source serves many operations. So the future of an operation passes a [`Token`], which names the operation, to each call of the
/// source. Wrap a source in a [`Source`] to use it with
/// [`ValueFuture::from_source`](crate::ValueFuture::from_source) without an allocation.
///
/// # What an implementation promises
///
/// The trait is safe: a wrong implementation may return wrong results, hang or panic, but it cannot cause
/// undefined behaviour. A correct implementation follows these rules:
///
/// 1. `poll` and `cancel` check the token first. A stale token has *no* effect on the live operation: `poll`
///    returns `Ready(Err(StaleToken))`, and `cancel` returns.
/// 2. `Ready(Ok(_))` ends the operation: its token is stale from then on.
/// 3. After `Pending`, the source wakes the waker of the *last* poll when the operation may be ready.
/// 4. The source stores the result before it calls the waker, and holds no lock during that call. The waker may poll or drop the future
///    during this call.
/// 5. At most one live future has a given token. The source cannot distinguish two futures with the same token. So the source must not give
///    a token to a new operation while a future with this token may be alive.
///
/// # What a caller may rely on
///
/// A future of this crate polls with the token with which it was created. It never polls again after `Ready`. If it is dropped before
/// `Ready`, or if its poll unwinds, it calls `cancel` exactly once.
///
/// # Reentrancy
///
/// `poll` may clone and drop wakers, and `cancel` may drop a waker. Cloning or dropping a waker runs code of the executor. So hold no lock
/// and no `RefCell` borrow meanwhile.
///
/// # Examples
///
/// See [`Source`] and `examples/custom_source.rs`.
#[doc(alias = "IValueTaskSource")]
pub trait ValueSource {
    /// The type of the result of an operation.
    type Output;

    /// Takes the result of the operation with this token, or registers the waker of `cx` for this operation.
    ///
    /// # Errors
    ///
    /// Returns `Ready(Err(StaleToken))` if `token` is not the token of the live operation.
    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<Self::Output, StaleToken>>;

    /// Cancels the operation with this token. Its future will not take the result.
    ///
    /// A future calls this function if it is dropped before it is ready, or if its poll unwinds. A panic in this call during an unwind
    /// aborts the process.
    fn cancel(&self, token: Token);
}
