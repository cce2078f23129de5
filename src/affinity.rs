//! Types that say whether a future may move to another thread.
//!
//! With them, one implementation serves [`ValueFuture`](crate::ValueFuture) and
//! [`LocalValueFuture`](crate::LocalValueFuture). The compiler checks that the former contains nothing that is
//! `!Send`.

use core::marker::PhantomData;

/// The affinity of a future that may move to another thread. Its futures and sources must be `Send`.
#[derive(Debug)]
pub struct AnyThread(());

/// The affinity of a future that stays on its thread. Its futures and sources may be `!Send`.
#[derive(Debug)]
pub struct OneThread(PhantomData<*mut ()>);

/// `X` may be put into a future of this affinity.
pub(crate) trait Admits<X> {}

impl<X: Send> Admits<X> for AnyThread {}
impl<X> Admits<X> for OneThread {}
