//! `AnyThread` and `OneThread`: the two thread models. They say whether a future may move to another thread, and which cells its slots use:
//! atomics or plain cells.
//!
//! With them, one implementation serves [`ValueFuture`](crate::ValueFuture) and
//! [`LocalValueFuture`](crate::LocalValueFuture). The compiler checks that every future and source in a `ValueFuture` is `Send`.

use core::marker::PhantomData;

/// For futures that may move to another thread. Futures and sources in them must be `Send`.
#[derive(Debug)]
pub struct AnyThread(());

/// The affinity of a future that stays on its thread. Its futures and sources may be `!Send`.
#[derive(Debug)]
pub struct OneThread(PhantomData<*mut ()>);

/// The affinity of futures that may move to another thread.
///
/// It is the bound of implementations of `Send` and `Sync`, instead of `Send` itself: this message names the rule.
#[diagnostic::on_unimplemented(
    message = "a `LocalValueFuture` or a `LocalShared` belongs to one thread",
    label = "it cannot be sent to another thread, or shared with one",
    note = "use a `ValueFuture` or a `Shared`: their futures and outputs are `Send`"
)]
pub(crate) trait Movable: Send + Sync {}

impl Movable for AnyThread {}

/// `X` may be put into a future of this affinity.
pub(crate) trait Admits<X> {}

impl<X: Send> Admits<X> for AnyThread {}
impl<X> Admits<X> for OneThread {}
