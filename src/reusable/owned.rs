//! The consumer of an operation, together with an `Arc` or `Rc` of its source. `begin_owned` creates it, and the returned value future
//! contains it.

use core::{
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    erased::ErasedFuture,
    error::{ArmOrigin, Terminated},
    operation::Consumer,
    slot::Recycler,
};

/// A consumer, and the reference `S` that keeps its source allocated. The reference is the second field, so it is dropped after the
/// consumer.
pub(super) struct Owned<T: 'static, H: Recycler, S> {
    consumer: Consumer<'static, T, H>,
    _source: S,
}

impl<T, H: Recycler, S> Owned<T, H, S> {
    pub(super) fn new(consumer: Consumer<'static, T, H>, source: S) -> Self {
        Owned { consumer, _source: source }
    }
}

// The fields are never pinned.
impl<T, H: Recycler, S> Unpin for Owned<T, H, S> {}

impl<T, H: Recycler, S> ErasedFuture for Owned<T, H, S> {
    type Output = T;

    const ORIGIN: ArmOrigin = ArmOrigin::Source;

    fn type_name() -> &'static str {
        H::source_name::<T>()
    }

    fn poll(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        broken: &mut Option<Terminated>,
    ) -> Poll<T> {
        Pin::new(&mut Pin::into_inner(self).consumer).poll(cx, broken)
    }
}
