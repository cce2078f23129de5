//! The futures [`ValueFuture`] and [`LocalValueFuture`], their form as an enum ([`Arm`]), and futures that
//! return misuse as an error ([`Checked`]).
//!
//! Both types are the same packed future. They differ in the affinity.

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

/// Converts only the affinity. Nothing is allocated.
impl<'a, T> From<ValueFuture<'a, T>> for LocalValueFuture<'a, T> {
    fn from(future: ValueFuture<'a, T>) -> Self {
        LocalValueFuture(future.0.local())
    }
}

/// Converts a completion into a value future. Nothing is allocated, because the operation stays in its slot.
///
/// There is one exception: on a 64-bit target, if the address of the slot does not fit into 48 bits, the
/// completion is boxed.
///
/// If there is a result, [`is_ready`](ValueFuture::is_ready) returns `true`,
/// [`try_take`](ValueFuture::try_take) takes the result, and the combinators return inline results.
///
/// If a result must not get lost when a consumer gives up, keep the `Completion`: it has
/// [`close`](Completion::close). Dropping the value future drops a result that is already there, although the
/// producer's `complete` has returned `Ok`.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: Send + 'a> From<Completion<T>> for ValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        ValueFuture(Packed::of(completion.0).at(completion.1))
    }
}

/// Converts a completion into a value future, as for [`ValueFuture`]. The output need not be `Send`.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: 'a> From<Completion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        LocalValueFuture(Packed::of(completion.0).at(completion.1))
    }
}

/// Converts a completion into a value future, as for [`ValueFuture`].
#[cfg(feature = "alloc")]
impl<'a, T: 'a> From<LocalCompletion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: LocalCompletion<T>) -> Self {
        LocalValueFuture(Packed::of(completion.0).at(completion.1))
    }
}
