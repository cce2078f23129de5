//! A block of a pool with room for a future.

use super::{
    PooledErrorKind,
    classes::{Classes, Shareable, class_of},
    compiled::Compiled,
};
use crate::{
    erased::{ErasedFuture, VacantCell},
    slab::Block,
};

/// A vacant block with room for a future.
pub(crate) type VacantBlock<F, H> = VacantCell<Block<H>, F>;

impl<F: ErasedFuture, H: Compiled> VacantBlock<F, H> {
    /// The class of blocks with room for the future, or the reason why there is none.
    pub(crate) const CLASS: Result<usize, PooledErrorKind> = class_of::<F, H>();

    /// Rents a block for a future that has a class: a slot, or a box if there is none.
    #[inline(always)]
    pub(super) fn rent(classes: &Classes<H>) -> Self {
        let Ok(class) = Self::CLASS else { unreachable!("the future has a class") };
        let block = classes.try_rent(class);
        let block = block.unwrap_or_else(|| H::rent_slowly(classes, Self::SIZE));
        // SAFETY: the block is of the class of the future, or is a box of this size.
        unsafe { block.into_cell() }
    }

    /// Rents a slot of the class of the future.
    #[inline(always)]
    pub(super) fn try_rent(classes: &Classes<H>) -> Result<Self, PooledErrorKind> {
        let block = classes.rent(Self::CLASS?)?;
        // SAFETY: the block is of the class of the future.
        Ok(unsafe { block.into_cell() })
    }
}

// SAFETY: the fields are `Send`, as is asserted beside `Shareable`.
unsafe impl<H: Shareable> Send for Classes<H> {}
// SAFETY: the fields are `Sync`, as is asserted there.
unsafe impl<H: Shareable> Sync for Classes<H> {}
