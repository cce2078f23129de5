//! What the pools of both kinds do.

use core::{
    mem::ManuallyDrop,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{
    ClassStats, FuturePoolStats, NoSlot, NotPooled,
    classes::{Bounds, Classes, SIZES},
    pooled::Place,
};
use crate::{
    affinity::Admits,
    erased::Boxable,
    future::Packed,
    slab::{Block, Pooling, Tally},
};

/// The slots of a pool, and how many futures found none: because they were too large, and because it was
/// full.
pub(crate) struct Machines<H: Pooling> {
    classes: Classes<H>,
    boxed: H::Tally,
}

/// Whose pools any thread may use. It is a bound, and not left to the compiler, for the sake of what that
/// says otherwise: that there is a `Cell` somewhere inside.
#[diagnostic::on_unimplemented(
    message = "a `LocalFuturePool` is for one thread",
    label = "it cannot be shared between threads, and a `static` is",
    note = "in a `thread_local!` each thread has one of its own",
    note = "a `FuturePool` can be a `static`, and takes futures that are `Send`"
)]
#[allow(dead_code, reason = "rustc 1.85 does not see that it is a bound")]
pub(super) trait Shareable: Pooling {}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl Shareable for crate::AnyThread {}

// What makes that true.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(Classes<crate::AnyThread>: Sync);
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(<crate::AnyThread as Pooling>::Tally: Sync);

// SAFETY: of the homes that are meant, all that is in here is `Sync`, as is asserted above.
unsafe impl<H: Shareable> Sync for Machines<H> {}

impl<H: Pooling> Machines<H> {
    /// With no slab so far: all of the pointers are null.
    pub(super) const fn new(
        slabs: [H::Pointer; SIZES.len()],
        boxed: H::Tally,
        bounds: Bounds,
    ) -> Self {
        Machines { classes: Classes::new(slabs, bounds), boxed }
    }

    /// Returns a block of a class: a slot, or a box if the pool is full. It is out of line, so that the code of a method has none
    /// of this.
    #[inline(always)]
    fn rent(&self, class: usize) -> NonNull<Block<H>> {
        self.classes.try_rent(class).unwrap_or_else(|| self.rent_slowly(class))
    }

    #[cold]
    #[inline(never)]
    fn rent_slowly(&self, class: usize) -> NonNull<Block<H>> {
        self.classes.rent(class).unwrap_or_else(|why| {
            self.count(why);
            Block::boxed(SIZES[class])
        })
    }

    /// The future in a slot or a box.
    ///
    /// `ManuallyDrop` keeps the address of the future from the code that would drop it if the search unwinds. Otherwise
    /// the compiler moves all of it, and not only what is initialised. (Then the future is leaked. The search unwinds at
    /// most if an allocation fails.)
    #[inline(always)]
    pub(crate) fn put<'a, F, A>(&self, future: F) -> Packed<'a, F::Output, A>
    where
        F: Boxable + 'a,
        A: Admits<F> + Admits<Place<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        match Place::find(|class| self.rent(class)) {
            Ok(place) => Packed::placed(place, ManuallyDrop::into_inner(future)),
            Err(why) => {
                self.count(why);
                Packed::boxed(ManuallyDrop::into_inner(future))
            }
        }
    }

    #[inline(always)]
    pub(super) fn try_put<'a, F, A>(
        &self,
        future: F,
    ) -> Result<Packed<'a, F::Output, A>, NotPooled<F>>
    where
        F: Boxable + 'a,
        A: Admits<F> + Admits<Place<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        match Place::try_find(|class| self.classes.rent(class)) {
            Ok(place) => Ok(Packed::placed(place, ManuallyDrop::into_inner(future))),
            Err(kind) => Err(NotPooled { future: ManuallyDrop::into_inner(future), kind }),
        }
    }

    /// [`put`](Machines::put), and polled once where the compiler knows what it is.
    #[inline(always)]
    pub(crate) fn put_eagerly<'a, F, A>(
        &self,
        future: F,
        cx: &mut Context<'_>,
    ) -> Packed<'a, F::Output, A>
    where
        F: Boxable + 'a,
        A: Admits<F> + Admits<Place<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        match Place::find(|class| self.rent(class)) {
            Ok(place) => Packed::placed_eagerly(place, ManuallyDrop::into_inner(future), cx),
            Err(why) => {
                self.count(why);
                let mut boxed = Packed::boxed(ManuallyDrop::into_inner(future));
                match boxed.poll(cx) {
                    Poll::Ready(value) => Packed::ready(value),
                    Poll::Pending => boxed,
                }
            }
        }
    }

    #[cold]
    fn count(&self, why: NoSlot) {
        self.boxed.count(why == NoSlot::Full);
    }

    pub(super) fn stats(&self) -> FuturePoolStats {
        let [too_large, full] = self.boxed.counts();
        let mut classes = [ClassStats::default(); SIZES.len()];
        for (class, stats) in classes.iter_mut().enumerate() {
            *stats = self.classes.stats(class);
        }
        FuturePoolStats { classes, too_large, full }
    }

    pub(super) fn reserve(&self, size: usize, additional: u32) -> Result<(), NoSlot> {
        self.classes.reserve(size, additional)
    }

    /// Gives vacant slots back to the allocator; tells how many bytes.
    pub(super) fn trim(&self) -> u64 {
        (0..SIZES.len()).map(|class| self.classes.trim(class)).sum()
    }
}
