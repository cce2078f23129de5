//! `AnyThread` and `OneThread`: the two *affinities*. The affinity of a future says on which threads the future may run. A future with
//! `AnyThread` may move to another thread. A future with `OneThread` stays on its thread. A pool has an affinity too: with `AnyThread`, its
//! slots use atomics, and with `OneThread`, they use `Cell`s.
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

mod sealed {
    /// Unsafe code relies on [`Movable`](super::Movable) and [`Admits`](super::Admits): a `Movable` affinity admits only types that are
    /// `Send`. Because of this trait, only the types of this file implement them.
    pub(crate) trait Sealed {}
}

impl sealed::Sealed for AnyThread {}
impl sealed::Sealed for OneThread {}

/// The trait of affinities whose futures may move to another thread. Only `AnyThread` implements it.
///
/// `Send` and `Sync` are implemented for futures whose affinity `A` is `Movable`. With the bound `A: Send` instead, the compiler would not
/// show the message below.
#[diagnostic::on_unimplemented(
    message = "a `LocalValueFuture` or a `LocalShared` belongs to one thread",
    label = "it cannot be sent to another thread, or shared with one",
    note = "use a `ValueFuture` or a `Shared`: their futures and outputs are `Send`"
)]
pub(crate) trait Movable: sealed::Sealed + Send + Sync {}

impl Movable for AnyThread {}

/// The trait of affinities whose futures may contain an `X`.
pub(crate) trait Admits<X>: sealed::Sealed {}

impl<X: Send> Admits<X> for AnyThread {}
impl<X> Admits<X> for OneThread {}
