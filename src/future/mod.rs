//! The futures: two public types over one packed one.

mod arm;
mod checked;
#[cfg(feature = "alloc")]
mod combinators;
mod face;
#[cfg(feature = "alloc")]
mod kept;
mod layout;
mod packed;
mod ready_or_await;

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use core::task::Waker;
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::FusedFuture;

use self::face::face;

pub(crate) use self::packed::Packed;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::Completion;
#[cfg(feature = "alloc")]
use crate::LocalCompletion;
use crate::{
    Token,
    affinity::{AnyThread, OneThread},
    source::SourceReference,
};

pub use self::{
    arm::{Arm, BoxedFuture, LocalArm, SourceRef},
    checked::{Checked, LocalChecked},
    ready_or_await::TryTake,
};

mod sealed {
    pub trait Sealed {}
}

face! {
    /// A future that an object-safe method can return: an inline result, a future in a box or a slot,
    /// or an operation of a source. `Send` when `T` is; what it is made of is `Send` too.
    ///
    /// # Sizes
    ///
    /// On 64-bit targets one word and `T`: 8 bytes for `()`, 16 for a `T` of 1 to 8 bytes.
    /// One niche is left, so that `Option<ValueFuture<'_, T>>` is no larger.
    ///
    /// # Cancel safety
    ///
    /// Dropping it at any time is sound: a boxed future is dropped with it, a source is told by
    /// [`cancel`](crate::ValueSource::cancel), once, and **an inline result is dropped**. That
    /// one has been taken from where it was when the method was *called*, not when the future was
    /// polled. So where a branch of `select!` may lose, and the result must not be lost with it,
    /// make the call in an async block: `message = async { queue.recv().await } => …`.
    ///
    /// # Reentrancy
    ///
    /// When the future or source in it is polled or dropped, this future holds no lock and is in
    /// no state in between: a waker that is called meanwhile may drop or poll what it likes.
    ///
    /// # Examples
    ///
    /// ```
    /// use value_future::ValueFuture;
    ///
    /// trait Store: Send + Sync {
    ///     fn get(&self, key: u32) -> ValueFuture<'_, String>;
    /// }
    ///
    /// struct Names(Vec<String>);
    ///
    /// impl Names {
    ///     async fn fetch(&self, key: u32) -> String {
    ///         format!("name {key}, from far away")
    ///     }
    /// }
    ///
    /// impl Store for Names {
    ///     fn get(&self, key: u32) -> ValueFuture<'_, String> {
    ///         match self.0.get(key as usize) {
    ///             Some(name) => ValueFuture::ready(name.clone()),
    ///             None => ValueFuture::pooled(self.fetch(key)),
    ///         }
    ///     }
    /// }
    ///
    /// let store: &dyn Store = &Names(vec!["zero".into()]);
    /// let all = async { store.get(0).await + " and " + &store.get(1).await };
    /// assert_eq!(futures::executor::block_on(all), "zero and name 1, from far away");
    /// ```
    ValueFuture, AnyThread, Arm<'a, T>, Checked<'a, T>, Shared, [+ Send]
}

face! {
    /// [`ValueFuture`] for one thread: it is never `Send`, and takes futures and sources that are
    /// not. Everything else is the same. A `ValueFuture` converts into it, and not back.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    /// use value_future::LocalValueFuture;
    ///
    /// let counter = Rc::new(Cell::new(1));
    /// let future = LocalValueFuture::boxed({
    ///     let counter = Rc::clone(&counter);
    ///     async move { counter.replace(2) }
    /// });
    /// assert_eq!(futures::executor::block_on(future), 1);
    /// assert_eq!(counter.get(), 2);
    /// ```
    LocalValueFuture, OneThread, LocalArm<'a, T>, LocalChecked<'a, T>, LocalShared, []
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
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<'a, T: Send + 'a> From<Completion<T>> for ValueFuture<'a, T> {
    #[inline]
    fn from(completion: Completion<T>) -> Self {
        ValueFuture(Packed::of(completion.0))
    }
}

/// As a [`ValueFuture`] is made from a `Completion`.
#[cfg(feature = "alloc")]
impl<'a, T: 'a> From<LocalCompletion<T>> for LocalValueFuture<'a, T> {
    #[inline]
    fn from(completion: LocalCompletion<T>) -> Self {
        LocalValueFuture(Packed::of(completion.0))
    }
}
