//! The recyclers of pools. They return each slot to the slab that created it.

use core::cell::Cell;

use super::{
    base::Base,
    budget::LocalBudget,
    counters::LocalCounters,
    items::{Block, SlabRecycler},
    local::LocalSlab,
    reference::slab_of,
    slab::Slab,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use super::{budget::SharedBudget, counters::SharedCounters, shared::SharedSlab};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{
    affinity::AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{
    affinity::OneThread,
    slot::{End, Recycler, Slot, Vacant, WakeOnDrop, Word},
};

macro_rules! slab_recycler {
    ($recycler:ty, $Word:ty, $Pointer:ty, $Slab:ident, $Counters:ty, $Budget:ty) => {
        impl Recycler for $recycler {
            type Word = $Word;
            type Pointer = $Pointer;

            #[inline(always)]
            fn try_release<T>(
                slot: Vacant<Slot<T, Self>>,
                end: End,
            ) -> Result<(), Vacant<Slot<T, Self>>> {
                <$Slab<Slot<T, Self>>>::try_release(slot, end)
            }

            #[inline(always)]
            fn release<T>(slot: Vacant<Slot<T, Self>>, end: End) -> WakeOnDrop {
                <$Slab<Slot<T, Self>>>::release(slot, end)
            }

            fn begin_return<T>(slot: &Slot<T, Self>) {
                slab_of(slot).begin_return();
            }

            fn end_return<T>(slot: &Slot<T, Self>) {
                slab_of(slot).end_return();
            }

            #[inline(always)]
            fn is_closed<T>(slot: &Slot<T, Self>) -> bool {
                let Base { closed, .. } = slab_of(slot).base();
                closed.load_after_exchange() != 0
            }
        }

        impl SlabRecycler for $recycler {
            type Slab<T> = $Slab<Slot<T, Self>>;
            type Blocks = $Slab<Block<Self>>;
            type Counters = $Counters;
            type Budget = $Budget;
        }
    };
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
slab_recycler!(AnyThread, AtomicU64, AtomicPtr<()>, SharedSlab, SharedCounters, SharedBudget);
slab_recycler!(OneThread, Cell<u64>, Cell<*mut ()>, LocalSlab, LocalCounters, LocalBudget);
