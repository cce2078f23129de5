//! Stores pending futures in the built-in pool. If this pool has no slot for a future, or if the build has no such pool, stores the future
//! in a box. The constructors and combinators of this module use these functions, and so do reusable sources whose futures own the source.

use core::task::Context;

use crate::{affinity::Admits, erased::ErasedFuture, future::Packed};

#[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
pub(crate) use self::in_box::*;
#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
pub(crate) use self::in_slot::*;

#[cfg(all(feature = "std", target_has_atomic = "64", not(loom)))]
mod in_slot {
    use super::{Admits, Context, ErasedFuture, Packed};
    use crate::{
        affinity::AnyThread,
        future_pool::{FuturePool, VacantBlock},
    };

    /// An affinity (`AnyThread` or `OneThread`) implements this trait if its value futures may own an `X`, in a slot or in a box.
    pub(crate) trait Stores<X>: Admits<X> + Admits<VacantBlock<X, AnyThread>> {}

    impl<X, A: Admits<X> + Admits<VacantBlock<X, AnyThread>>> Stores<X> for A {}

    /// Stores the future in a slot of the built-in pool. If the future does not fit into a slot, or the pool is full, stores it in a box.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn store<'a, F, A>(future: F) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Stores<F>,
    {
        FuturePool::built_in().0.insert(future)
    }

    /// Stores the future as [`store`] does, and polls it once. If this poll is ready, the returned future contains the result inline.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn store_eagerly<'a, F, A>(
        future: F,
        cx: &mut Context<'_>,
    ) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Stores<F>,
    {
        FuturePool::built_in().0.insert_eagerly(future, cx)
    }
}

#[cfg(not(all(feature = "std", target_has_atomic = "64", not(loom))))]
mod in_box {
    use core::task::Poll;

    use super::{Admits, Context, ErasedFuture, Packed};

    /// An affinity (`AnyThread` or `OneThread`) implements this trait if its value futures may own an `X`, in a box.
    pub(crate) trait Stores<X>: Admits<X> {}

    impl<X, A: Admits<X>> Stores<X> for A {}

    /// Stores the future in a box.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn store<'a, F, A>(future: F) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Stores<F>,
    {
        Packed::boxed(future)
    }

    /// Stores the future as [`store`] does, and polls it once. If this poll is ready, the returned future contains the result inline.
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn store_eagerly<'a, F, A>(
        future: F,
        cx: &mut Context<'_>,
    ) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Stores<F>,
    {
        let mut boxed = Packed::boxed(future);
        match boxed.poll(cx) {
            Poll::Ready(value) => Packed::ready(value),
            Poll::Pending => boxed,
        }
    }
}
