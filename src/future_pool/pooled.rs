//! `VacantBlock`: a block that was rented for a future, and does not contain the future yet. This file also says when `Classes` is `Send`
//! and `Sync`.

use super::{
    PooledErrorKind,
    classes::{Classes, Shareable, class_of},
    compiled::Compiled,
    sizes::SIZES,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::affinity::AnyThread;
use crate::{
    erased::{ErasedFuture, VacantCell},
    slab::Block,
};

/// A block that was rented for an `F`, and does not contain the `F` yet.
pub(crate) type VacantBlock<F, H> = VacantCell<Block<H>, F>;

impl<F: ErasedFuture, H: Compiled> VacantBlock<F, H> {
    /// The size class of the future, or the reason why the future has no class.
    pub(crate) const CLASS: Result<usize, PooledErrorKind> = class_of::<F, H>();

    /// Fails to compile if the slots of the future's class are too small for the future, or not sufficiently aligned.
    const fn check_class() {
        if let Ok(class) = Self::CLASS {
            assert!(Self::SIZE <= SIZES[class] && align_of::<F>() <= align_of::<Block<H>>());
        }
    }

    /// Rents a block for a future that has a size class. The block is a slot, or a box if the pool has no slot for the future.
    #[inline(always)]
    pub(super) fn rent(classes: &Classes<H>) -> Self {
        let Ok(class) = Self::CLASS else { unreachable!("the future has a class") };
        const { Self::check_class() };
        let block = classes.rent_cached(class);
        let block = block.unwrap_or_else(|| H::rent_slowly(classes, Self::SIZE));
        // SAFETY: the block is a slot of the future's class (by the invariant of `Slabs`), or a box of `Self::SIZE` bytes (by the contract
        // of `rent_slowly`). `check_class` has checked the size and the alignment.
        unsafe { block.into_cell() }
    }

    /// Rents a slot of the future's class. If there is no such slot, returns the reason.
    #[inline(always)]
    pub(super) fn try_rent(classes: &Classes<H>) -> Result<Self, PooledErrorKind> {
        let block = classes.rent(Self::CLASS?)?;
        const { Self::check_class() };
        // SAFETY: the block is a slot of the future's class (by the invariant of `Slabs`). `check_class` has checked the size and the
        // alignment.
        Ok(unsafe { block.into_cell() })
    }
}

// SAFETY: the assertions below the trait `Shareable` check that all fields of `Classes<AnyThread>` are `Send` and `Sync`.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl Shareable for AnyThread {}

// SAFETY: all fields are `Send`, by the contract of `Shareable`.
unsafe impl<H: Shareable> Send for Classes<H> {}
// SAFETY: all fields are `Sync`, by the contract of `Shareable`.
unsafe impl<H: Shareable> Sync for Classes<H> {}
