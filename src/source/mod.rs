//! Your own sources: types that complete operations, and from which value futures take their results.

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
pub(crate) use reference::{Unpacked, no_room_for_the_token};
#[cfg(feature = "alloc")]
pub(crate) use unpacked::Unpacked;
pub use wrapper::Source;

/// A source of results, for one operation after another: for example the read side of a connection.
///
/// One object serves many operations. So the future of an operation passes a [`Token`] to each call of the
/// source. Wrap a source in a [`Source`] to use it with
/// [`ValueFuture::from_source`](crate::ValueFuture::from_source) without an allocation.
///
/// # What an implementation promises
///
/// The trait is safe: a wrong implementation may return wrong results, hang or panic, but it cannot cause
/// undefined behaviour. A correct implementation keeps these rules:
///
/// 1. `poll` and `cancel` check the token first. A stale token has *no* effect on the live operation: `poll`
///    returns `Ready(Err(StaleToken))`, and `cancel` returns.
/// 2. `Ready(Ok(_))` ends the operation: its token is stale from then on.
/// 3. After `Pending`, the source wakes the waker of the *last* poll when the operation may be ready.
/// 4. The source stores the result before it calls the waker, and holds no lock during that call. The waker may
///    poll or drop the future in the same call.
/// 5. There is one live future per token. A source that creates each token once keeps this rule. If a source
///    can return the same token twice, it must refuse the second future, and keep the waker of the first.
///
/// # What a caller may rely on
///
/// A future of this crate polls with the token that it was created with. It never polls again after `Ready`. It
/// calls `cancel` exactly once if it is dropped, or if its poll unwinds, before `Ready`.
///
/// # Reentrancy
///
/// `poll` may clone and drop wakers, and `cancel` may drop a waker. Wakers run foreign code, so hold no lock
/// and no borrow while you call them.
///
/// # Examples
///
/// See [`Source`] and `examples/custom_source.rs`.
#[doc(alias = "IValueTaskSource")]
pub trait ValueSource {
    /// The type of the result of an operation.
    type Output;

    /// Takes the result of the operation `token`, or registers the waker of `cx` for it.
    ///
    /// # Errors
    ///
    /// Returns `Ready(Err(StaleToken))` if `token` is not that of the live operation.
    fn poll(&self, token: Token, cx: &mut Context<'_>) -> Poll<Result<Self::Output, StaleToken>>;

    /// Cancels the operation `token`: its consumer was dropped, and will not take the result.
    ///
    /// A future calls this if it is dropped, or if its poll unwinds. A panic in this call during an unwind aborts the process.
    fn cancel(&self, token: Token);
}
