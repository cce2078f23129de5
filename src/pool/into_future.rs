//! Completions as value futures.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::Completion;
use super::LocalCompletion;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::future::ValueFuture;
use crate::future::{LocalValueFuture, Packed};

/// Converts a completion into a value future. Nothing is allocated, because the operation stays in its slot.
///
/// There is one exception: on a 64-bit target, if the address of the slot does not fit into 48 bits, the
/// completion is boxed.
///
/// If there is a result, [`is_ready`](ValueFuture::is_ready) returns `true`,
/// [`try_take`](ValueFuture::try_take) takes the result, and the combinators call their functions at once.
///
/// If a result must not get lost when a consumer is cancelled, keep the `Completion`, and call
/// [`close`](Completion::close). Dropping the value future also drops a result that was already delivered, although the producer's
/// `complete` has returned `Ok`.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: Send + 'a> From<Completion<T>> for ValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        ValueFuture(Packed::from_consumer(completion.0).at(completion.1))
    }
}

/// Converts a completion into a local value future, in the same way as into a [`ValueFuture`]. The output need not be `Send`.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: 'a> From<Completion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        LocalValueFuture(Packed::from_consumer(completion.0).at(completion.1))
    }
}

/// Converts a completion into a local value future, in the same way as a [`Completion`] into a [`ValueFuture`].
impl<'a, T: 'a> From<LocalCompletion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: LocalCompletion<T>) -> Self {
        LocalValueFuture(Packed::from_consumer(completion.0).at(completion.1))
    }
}
