//! `Compiled`: the functions of pools of futures that have no type parameters.

use super::{
    classes::{Classes, class_of_block},
    error::PooledErrorKind,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::affinity::AnyThread;
use crate::{
    affinity::OneThread,
    slab::{BlockTable, RentedBlock},
};

/// Functions that are compiled in this crate, and not in each crate that uses a pool, because they have no type parameters.
pub(crate) trait Compiled: BlockTable {
    /// Returns a block of at least `size` bytes: a slot, or a box if the pool has no vacant slot of this class. There must be a class for
    /// `size`.
    fn rent_slowly(classes: &Classes<Self>, size: usize) -> RentedBlock<Self>;

    /// Counts a future that found no slot.
    fn count(classes: &Classes<Self>, why: PooledErrorKind);
}

macro_rules! compiled {
    ($recycler:ty) => {
        impl Compiled for $recycler {
            #[cold]
            #[inline(never)]
            fn rent_slowly(classes: &Classes<Self>, size: usize) -> RentedBlock<Self> {
                let class = class_of_block(size).expect("the future has a class");
                classes.rent(class).unwrap_or_else(|why| {
                    Self::count(classes, why);
                    RentedBlock::boxed(size)
                })
            }

            #[cold]
            fn count(classes: &Classes<Self>, why: PooledErrorKind) {
                classes.count_boxed(why);
            }
        }
    };
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
compiled!(AnyThread);
compiled!(OneThread);
