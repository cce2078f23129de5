//! The cell of a future in a block.

use super::{PooledErrorKind, classes::class_of, machines::Compiled};
use crate::{
    erased::{CellStorage, Emptied, ErasedFuture, VacantCell},
    error::Site,
    slab::Block,
};

/// A vacant block with room for a future.
pub(crate) type VacantBlock<F, H> = VacantCell<Block<H>, F>;

impl<F: ErasedFuture, H: Compiled> VacantBlock<F, H> {
    /// The class of blocks with room for the future, or the reason why there is none.
    pub(crate) const CLASS: Result<usize, PooledErrorKind> = class_of::<F, H>();
}

impl<H: Compiled> CellStorage for Block<H> {
    type Affinity = H;

    const RELEASE: extern "C" fn(Emptied<Self>) = H::release;

    fn site(&self) -> Site {
        if self.is_boxed() { Site::Boxed } else { Site::Pooled }
    }
}
