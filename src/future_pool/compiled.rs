//! `Compiled`: a trait of functions without type parameters, for pools of futures.

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

/// Functions of pools of futures. These functions have no type parameters. So they are compiled in this crate, and not in each crate that
/// uses a pool. Unsafe code relies on [`rent_slowly`](Compiled::rent_slowly). Only this file implements the trait, because it implements
/// it for all types that implement `BlockTable`, which is sealed.
pub(crate) trait Compiled: BlockTable {
    /// Returns a block of at least `size` bytes. The block is a slot of the smallest class for this size, or a box if no such slot is
    /// vacant and the pool cannot grow. There must be a class for `size`.
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
