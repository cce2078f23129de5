//! Where a future goes that is to wait: into a slot of the built-in pool, or into a box where there is no such pool.

use core::task::Context;

use super::packed::Packed;
use crate::{affinity::Admits, erased::Boxable};

#[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
pub(crate) use self::in_box::*;
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
pub(crate) use self::in_slot::*;

#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
mod in_slot {
    use super::{Admits, Boxable, Context, Packed};
    use crate::{
        affinity::AnyThread,
        future_pool::{FuturePool, Place},
    };

    /// `X` may be kept in a future of this affinity.
    pub(crate) trait Keeps<X>: Admits<X> + Admits<Place<X, AnyThread>> {}

    impl<X, A: Admits<X> + Admits<Place<X, AnyThread>>> Keeps<X> for A {}

    /// The future in a slot, or in a box.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn kept<'a, F: Boxable + 'a, A: Keeps<F>>(future: F) -> Packed<'a, F::Output, A> {
        FuturePool::built_in().0.put(future)
    }

    /// [`kept`], and polled once.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn kept_eagerly<'a, F: Boxable + 'a, A: Keeps<F>>(
        future: F,
        cx: &mut Context<'_>,
    ) -> Packed<'a, F::Output, A> {
        FuturePool::built_in().0.put_eagerly(future, cx)
    }
}

#[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
mod in_box {
    use core::task::Poll;

    use super::{Admits, Boxable, Context, Packed};

    /// `X` may be kept in a future of this affinity.
    pub(crate) trait Keeps<X>: Admits<X> {}

    impl<X, A: Admits<X>> Keeps<X> for A {}

    /// The future in a box.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn kept<'a, F: Boxable + 'a, A: Keeps<F>>(future: F) -> Packed<'a, F::Output, A> {
        Packed::boxed(future)
    }

    /// [`kept`], and polled once.
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn kept_eagerly<'a, F: Boxable + 'a, A: Keeps<F>>(
        future: F,
        cx: &mut Context<'_>,
    ) -> Packed<'a, F::Output, A> {
        let mut boxed = Packed::boxed(future);
        match boxed.poll(cx) {
            Poll::Ready(value) => Packed::ready(value),
            Poll::Pending => boxed,
        }
    }
}
