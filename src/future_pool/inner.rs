//! `Inner`: the implementation of `FuturePool` and of `LocalFuturePool`.

use core::{
    mem::ManuallyDrop,
    task::{Context, Poll},
};

use super::{
    classes::{Bounds, Classes, Slabs},
    compiled::Compiled,
    error::{PooledError, PooledErrorKind},
    pooled::VacantBlock,
    sizes::SIZES,
    stats::FuturePoolStats,
};
use crate::{affinity::Admits, erased::ErasedFuture, future::Packed};

/// The state of a pool.
pub(crate) struct Inner<H: Compiled>(Classes<H>);

impl<H: Compiled> Inner<H> {
    pub(super) const fn new(
        slabs: Slabs<H>,
        boxed: H::Counters,
        bounds: Bounds,
        budget: H::Budget,
    ) -> Self {
        Inner(Classes::new(slabs, boxed, bounds, budget))
    }

    /// Moves the future into a slot, or into a box if the pool has no slot for it.
    ///
    /// The future is in a `ManuallyDrop`, so it is not dropped if the search for a slot unwinds. Without the `ManuallyDrop`, the code that
    /// unwinds would drop the future. Therefore the whole future would have to be in memory during the search. The compiler would then move
    /// all bytes of the future, and not only the initialised bytes. (The search unwinds only if an allocation fails. The future is then
    /// leaked.)
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn insert<'a, F, A>(&self, future: F) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Admits<F> + Admits<VacantBlock<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        if const { VacantBlock::<F, H>::CLASS.is_err() } {
            return self.insert_in_box(future);
        }
        Packed::from_head(VacantBlock::rent(&self.0).fill(future).into())
    }

    /// The part of [`insert`](Inner::insert) for a future without a size class. (The callers check by a constant whether the future has a
    /// class. So an instance of `insert` for a future with a class does not contain this code.)
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    fn insert_in_box<'a, F, A>(&self, future: ManuallyDrop<F>) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Admits<F>,
    {
        H::count(&self.0, VacantBlock::<F, H>::CLASS.err().unwrap_or(PooledErrorKind::TooLarge));
        Packed::boxed(ManuallyDrop::into_inner(future))
    }

    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn try_insert<'a, F, A>(
        &self,
        future: F,
    ) -> Result<Packed<'a, F::Output, A>, PooledError<F>>
    where
        F: ErasedFuture + 'a,
        A: Admits<F> + Admits<VacantBlock<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        match VacantBlock::try_rent(&self.0) {
            Ok(block) => Ok(Packed::from_head(block.fill(future).into())),
            Err(kind) => Err(PooledError { future: ManuallyDrop::into_inner(future), kind }),
        }
    }

    /// Inserts the future as [`insert`](Inner::insert) does, and polls it once while its type is known. If the poll is ready, the result is
    /// inline.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn insert_eagerly<'a, F, A>(
        &self,
        future: F,
        cx: &mut Context<'_>,
    ) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Admits<F> + Admits<VacantBlock<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        if const { VacantBlock::<F, H>::CLASS.is_err() } {
            let mut boxed = self.insert_in_box(future);
            return match boxed.poll(cx) {
                Poll::Ready(value) => Packed::ready(value),
                Poll::Pending => boxed,
            };
        }
        match VacantBlock::rent(&self.0).fill_and_poll(future, cx) {
            Ok(result) => Packed::ready(result),
            Err(cell) => Packed::from_head(cell.into()),
        }
    }

    pub(super) fn stats(&self) -> FuturePoolStats {
        let [too_large, full] = self.0.boxed();
        FuturePoolStats::new(&self.0.stats(), too_large, full)
    }

    pub(super) fn set_max_bytes(&self, bytes: usize) {
        self.0.set_max_bytes(bytes);
    }

    pub(super) fn reserve(&self, size: usize, additional: u32) -> Result<(), PooledErrorKind> {
        self.0.reserve(size, additional)
    }

    /// Frees the pages without a future. Returns how many bytes their slots had.
    pub(super) fn trim(&self) -> u64 {
        (0..SIZES.len()).map(|class| self.0.trim(class)).sum()
    }
}
