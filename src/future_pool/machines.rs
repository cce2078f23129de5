//! What the pools of both kinds do.

use core::{
    mem::ManuallyDrop,
    ptr::NonNull,
    task::{Context, Poll},
};

use super::{
    FuturePoolStats, PooledError, PooledErrorKind,
    classes::{Bounds, Classes, SIZES, class_of_block},
    pooled::VacantBlock,
};
use crate::{
    affinity::Admits,
    erased::{Emptied, ErasedFuture},
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
impl Shareable for crate::future::AnyThread {}

// What makes that true.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(Classes<crate::future::AnyThread>: Sync);
#[cfg(all(feature = "std", target_has_atomic = "64"))]
static_assertions::assert_impl_all!(<crate::future::AnyThread as Pooling>::Tally: Sync);

// SAFETY: of the homes that are meant, all that is in here is `Sync`, as is asserted above.
unsafe impl<H: Shareable> Sync for Machines<H> {}

impl<H: Compiled> Machines<H> {
    /// With no slab so far: all of the pointers are null.
    pub(super) const fn new(
        slabs: [H::Pointer; SIZES.len()],
        boxed: H::Tally,
        bounds: Bounds,
        budget: H::Budget,
    ) -> Self {
        Machines { classes: Classes::new(slabs, bounds, budget), boxed }
    }

    /// Moves the future into a slot, or into a box if there is none.
    ///
    /// `ManuallyDrop` keeps the address of the future from the code that would drop it if the search unwinds. Otherwise
    /// the compiler moves all of it, and not only what is initialised. (Then the future is leaked. The search unwinds at
    /// most if an allocation fails.)
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn put<'a, F, A>(&self, future: F) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Admits<F> + Admits<VacantBlock<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        if const { VacantBlock::<F, H>::CLASS.is_err() } {
            return self.put_in_box(future);
        }
        Packed::from_head(self.place().fill(future))
    }

    /// Returns a vacant block for a future that has a class.
    #[inline(always)]
    fn place<F: ErasedFuture>(&self) -> VacantBlock<F, H> {
        let class = const {
            match VacantBlock::<F, H>::CLASS {
                Ok(class) => class,
                // It is not called then, but may be compiled.
                Err(_) => 0,
            }
        };
        let block = self.classes.try_rent(class);
        let block = block.unwrap_or_else(|| H::rent_slowly(self, VacantBlock::<F, H>::SIZE));
        // SAFETY: the block was rented, and is of this class, or has this size.
        unsafe { VacantBlock::new(block) }
    }

    /// [`put`](Machines::put) of a future without a class. (The condition is a constant, so other futures have no code for this.)
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    fn put_in_box<'a, F, A>(&self, future: ManuallyDrop<F>) -> Packed<'a, F::Output, A>
    where
        F: ErasedFuture + 'a,
        A: Admits<F>,
    {
        H::count(self, VacantBlock::<F, H>::CLASS.err().unwrap_or(PooledErrorKind::TooLarge));
        Packed::boxed(ManuallyDrop::into_inner(future))
    }

    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(super) fn try_put<'a, F, A>(
        &self,
        future: F,
    ) -> Result<Packed<'a, F::Output, A>, PooledError<F>>
    where
        F: ErasedFuture + 'a,
        A: Admits<F> + Admits<VacantBlock<F, H>>,
    {
        let future = ManuallyDrop::new(future);
        match VacantBlock::<F, H>::CLASS.and_then(|class| self.classes.rent(class)) {
            Ok(block) => {
                // SAFETY: the block was rented, and is of this class.
                let place = unsafe { VacantBlock::new(block) };
                Ok(Packed::from_head(place.fill(future)))
            }
            Err(kind) => Err(PooledError { future: ManuallyDrop::into_inner(future), kind }),
        }
    }

    /// Inserts the future as [`put`](Machines::put) does, and polls it once while its type is known, so that a ready result is
    /// inline.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) fn put_eagerly<'a, F, A>(
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
            let mut boxed = self.put_in_box(future);
            return match boxed.poll(cx) {
                Poll::Ready(value) => Packed::ready(value),
                Poll::Pending => boxed,
            };
        }
        match self.place().fill_and_poll(future, cx) {
            Ok(result) => Packed::ready(result),
            Err(head) => Packed::from_head(head),
        }
    }

    pub(super) fn stats(&self) -> FuturePoolStats {
        let [too_large, full] = self.boxed.counts();
        FuturePoolStats::new(&self.classes.stats(), too_large, full)
    }

    pub(super) fn set_max_bytes(&self, bytes: usize) {
        self.classes.set_max_bytes(bytes);
    }

    pub(super) fn reserve(&self, size: usize, additional: u32) -> Result<(), PooledErrorKind> {
        self.classes.reserve(size, additional)
    }

    /// Gives vacant slots back to the allocator; tells how many bytes.
    pub(super) fn trim(&self) -> u64 {
        (0..SIZES.len()).map(|class| self.classes.trim(class)).sum()
    }
}

/// Functions that are compiled in this crate, and not in each crate that uses a pool, because they have no type parameters.
pub(crate) trait Compiled: Pooling {
    /// Returns a block of at least `size` bytes: a slot, or a box if the pool has no vacant slot of this class. `size` has a class.
    fn rent_slowly(machines: &Machines<Self>, size: usize) -> NonNull<Block<Self>>;

    /// Counts a future that found no slot.
    fn count(machines: &Machines<Self>, why: PooledErrorKind);

    /// Releases the block of a cell.
    extern "C" fn release(block: Emptied<Block<Self>>);
}

macro_rules! compiled {
    ($home:ty) => {
        impl Compiled for $home {
            #[cold]
            #[inline(never)]
            fn rent_slowly(machines: &Machines<Self>, size: usize) -> NonNull<Block<Self>> {
                let class = class_of_block(size).expect("the future has a class");
                machines.classes.rent(class).unwrap_or_else(|why| {
                    Self::count(machines, why);
                    Block::boxed(size)
                })
            }

            #[cold]
            fn count(machines: &Machines<Self>, why: PooledErrorKind) {
                machines.boxed.count(why == PooledErrorKind::Full);
            }

            #[inline(never)]
            extern "C" fn release(block: Emptied<Block<Self>>) {
                // SAFETY: the cell was a block that was rented, and its future was dropped.
                unsafe { Block::give_back(block.into_pointer()) };
            }
        }
    };
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
compiled!(crate::future::AnyThread);
compiled!(crate::future::OneThread);
