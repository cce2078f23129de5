//! Which threads a future may move between, as a type: this is what lets one implementation serve
//! [`ValueFuture`](crate::ValueFuture) and [`LocalValueFuture`](crate::LocalValueFuture), with the
//! compiler checking that nothing `!Send` gets into the former.

use core::marker::PhantomData;

/// The future may be sent to another thread; what is put into it must be `Send`.
#[derive(Debug)]
pub struct AnyThread(());

/// The future stays on its thread; what is put into it may be `!Send`.
#[derive(Debug)]
pub struct OneThread(PhantomData<*mut ()>);

/// `X` may be put into a future of this affinity.
pub(crate) trait Admits<X> {}

impl<X: Send> Admits<X> for AnyThread {}
impl<X> Admits<X> for OneThread {}
