//! `AnyThread` and `OneThread`: the *affinity* of a future, which says on which threads it may run. A future with `AnyThread` may move to
//! another thread, and its slots use atomics. A future with `OneThread` stays on its thread, and its slots use `Cell`s.
//!
//! With the affinity as a type parameter, one implementation serves [`ValueFuture`](crate::ValueFuture) and
//! [`LocalValueFuture`](crate::LocalValueFuture). The compiler checks that every future and every reference to a source in a `ValueFuture`
//! is `Send`.

use core::marker::PhantomData;

/// The affinity of a future that may move to another thread. The futures and the references to sources in it must be `Send`.
#[derive(Debug)]
pub struct AnyThread(());

/// The affinity of a future that stays on its thread. The futures and the references to sources in it need not be `Send`.
#[derive(Debug)]
pub struct OneThread(PhantomData<*mut ()>);

/// An affinity of futures that may move to another thread. Only `AnyThread` is one.
///
/// The implementations of `Send` and `Sync` for futures have this trait as their bound instead of `Send`, so that the compiler shows the
/// message below.
#[diagnostic::on_unimplemented(
    message = "a `LocalValueFuture` or a `LocalShared` belongs to one thread",
    label = "it cannot be sent to another thread, or shared with one",
    note = "use a `ValueFuture` or a `Shared`: their futures and outputs are `Send`"
)]
pub(crate) trait Movable: Send + Sync {}

impl Movable for AnyThread {}

/// Says that an `X` may be put into a future of this affinity.
pub(crate) trait Admits<X> {}

impl<X: Send> Admits<X> for AnyThread {}
impl<X> Admits<X> for OneThread {}
