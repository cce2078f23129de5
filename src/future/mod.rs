//! [`ValueFuture`] and [`LocalValueFuture`], their shape as an enum ([`Arm`]), and futures whose misuse is a value ([`Checked`]).
//!
//! Both are one packed future with another affinity.

mod arm;
mod checked;
#[cfg(feature = "alloc")]
mod combinators;
#[cfg(feature = "alloc")]
mod kept;
#[cfg(not(feature = "trace"))]
mod layout;
mod local_value_future;
mod packed;
mod ready_or_await;
#[cfg(feature = "alloc")]
mod same_type;
mod value_future;

#[cfg(feature = "alloc")]
pub(crate) use self::kept::kept;
pub(crate) use self::packed::Packed;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::pool::Completion;
#[cfg(feature = "alloc")]
use crate::pool::LocalCompletion;

pub use crate::affinity::{AnyThread, OneThread};

pub use self::{
    arm::{Arm, BoxedFuture, LocalArm, SourceRef},
    checked::{Checked, LocalChecked},
    local_value_future::LocalValueFuture,
    ready_or_await::TryTake,
    value_future::ValueFuture,
};

mod sealed {
    pub trait Sealed {}
}

/// The affinity changes, and nothing else: no allocation.
impl<'a, T> From<ValueFuture<'a, T>> for LocalValueFuture<'a, T> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        LocalValueFuture(future.0.local())
    }
}

/// The operation stays where it is: no allocation. There is one exception: on a 64-bit target,
/// where the address of the slot does not fit into 48 bits, the completion goes into a box.
///
/// If the result is there, [`is_ready`](ValueFuture::is_ready) is `true`, [`try_take`](ValueFuture::try_take) takes it, and the
/// combinators keep theirs inline.
///
/// If a result must not get lost when a consumer gives up, keep the `Completion`: it has [`close`](Completion::close). A result
/// that comes before this future is dropped is dropped with it, although its producer was told that it is delivered.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: Send + 'a> From<Completion<T>> for ValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        ValueFuture(Packed::of(completion.0).at(completion.1))
    }
}

/// As a [`ValueFuture`] is made from a `Completion`. The output need not be `Send`.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: 'a> From<Completion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        LocalValueFuture(Packed::of(completion.0).at(completion.1))
    }
}

/// As a [`ValueFuture`] is made from a `Completion`.
#[cfg(feature = "alloc")]
impl<'a, T: 'a> From<LocalCompletion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: LocalCompletion<T>) -> Self {
        LocalValueFuture(Packed::of(completion.0).at(completion.1))
    }
}
