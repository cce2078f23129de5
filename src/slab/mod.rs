#![doc = include_str!("design.md")]

mod block;
mod chunks;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod limbo;
mod list;
mod local;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod shard;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod shared;
mod tally;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod threads;

use core::{any::type_name, cell::Cell, ptr::NonNull};

use self::list::Linked;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{
    AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{
    OneThread, Stats,
    slot::{End, Home, IndexLayout, Slot},
};

pub(crate) use block::Block;
pub(crate) use local::LocalSlab;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use shared::SharedSlab;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use tally::SharedTally;
pub(crate) use tally::{LocalTally, Tally};

/// A home with many slots, in slabs.
pub(crate) trait Pooling: Home {
    type Slab<T>: Find<Slot = Slot<T, Self>>;
    type Blocks: Slab<Slot = Block<Self>>;
    type Tally: Tally;
}

/// A home whose slots go back to their slab, which begins with their table.
macro_rules! pooling {
    ($home:ty, $Word:ty, $Pointer:ty, $Slab:ident, $Tally:ty, $Pool:ident) => {
        impl Home for $home {
            type Word = $Word;
            type Pointer = $Pointer;

            fn source_name<T>() -> &'static str {
                type_name::<crate::$Pool<T>>()
            }

            #[inline(always)]
            unsafe fn try_put<T>(slot: NonNull<Slot<T, Self>>, end: End) -> bool {
                // SAFETY: the slot is out, so it lives.
                let slab = unsafe { slot.as_ref() }.table().cast::<$Slab<_>>();
                // SAFETY: the caller's.
                unsafe { Slab::try_put(slab, slot, end) }
            }

            #[inline(always)]
            unsafe fn put<T>(slot: NonNull<Slot<T, Self>>, end: End) {
                // SAFETY: the slot is out, so it lives.
                let slab = unsafe { slot.as_ref() }.table().cast::<$Slab<_>>();
                // SAFETY: the caller's.
                unsafe { Slab::put(slab, slot, end) };
            }

            unsafe fn begin_return<T>(slot: NonNull<Slot<T, Self>>) {
                // SAFETY: the slot lives, and so does its slab.
                unsafe { slot.as_ref().table().cast::<$Slab<Slot<T, Self>>>().as_ref() }
                    .begin_return();
            }

            unsafe fn end_return<T>(slot: NonNull<Slot<T, Self>>) {
                // SAFETY: as above.
                unsafe { slot.as_ref().table().cast::<$Slab<Slot<T, Self>>>().as_ref() }
                    .end_return();
            }
        }

        impl Pooling for $home {
            type Slab<T> = $Slab<Slot<T, Self>>;
            type Blocks = $Slab<Block<Self>>;
            type Tally = $Tally;
        }
    };
}
// SAFETY: they are atomics.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl crate::slot::ForThreads for AnyThread {}
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pooling!(AnyThread, AtomicU64, AtomicPtr<()>, SharedSlab, SharedTally, Pool);
pooling!(OneThread, Cell<u64>, Cell<*mut ()>, LocalSlab, LocalTally, LocalPool);

/// What a slab is made with. It begins with this, and so with the table.
#[repr(C)]
pub(crate) struct Settings<L: Slab> {
    pub(crate) table: <L::Slot as Linked>::Table,
    pub(crate) initial: u32,
    pub(crate) limit: Option<u32>,
    /// Every vacant slot of a slab with a limit is at hand for every thread. Otherwise the slab may be at
    /// its limit although other threads have some for themselves.
    pub(crate) exact: bool,
    /// How the bits of an index are shared between slots and epochs.
    pub(crate) layout: IndexLayout,
    pub(crate) first_generation: u32,
    /// Makes the slot with an index and this first generation in a place that is valid for writes, and that nobody else
    /// refers to.
    pub(crate) make: unsafe fn(NonNull<L::Slot>, NonNull<L>, u32, u32),
}

impl<L: Slab> Settings<L> {
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    #[inline(always)]
    pub(crate) fn is_bounded(&self) -> bool {
        self.exact && self.limit.is_some()
    }

    /// # Safety
    ///
    /// `place` is valid for writes, and nobody else refers to it.
    pub(crate) unsafe fn make(&self, place: NonNull<L::Slot>, slab: NonNull<L>, index: u32) {
        // SAFETY: the caller's.
        unsafe { (self.make)(place, slab, index, self.first_generation) };
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(chunks::MAX).min(chunks::MAX)
    }
}

/// Where the slots of a slab lie, and how there come to be more of them.
pub(crate) trait Storage<S: Linked> {
    /// What the vacant ones lie in that no thread has for itself.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    type Stack: list::Stack<S>;

    fn new(table: &S::Table, limit: u32) -> Self;

    /// The slot with this index, which was [added](Storage::add), and not taken before.
    ///
    /// # Safety
    ///
    /// Nobody else adds or takes at the same time, and indices are taken in order.
    unsafe fn take_new(&self, index: u32) -> Option<NonNull<S>>;

    /// Adds slots from the index `index` on, which is how many there were: `make` makes each in its place.
    /// Returns how many there are.
    ///
    /// # Safety
    ///
    /// Nobody else adds at the same time, and `make` writes a slot.
    unsafe fn add(&self, index: u32, make: impl FnMut(NonNull<S>, u32)) -> u32;

    /// The slots know how often they were rented; otherwise somebody else has to count.
    const COUNTS_RENTS: bool;

    /// How many times slots were rented, of those below `used`, since the generation `first`; and how many
    /// slots were out at a time, at most.
    fn uses(&self, used: u32, first: u32) -> (u64, u64);

    /// A vacant slot can be given back to the allocator.
    const FREES: bool;

    /// Does that.
    ///
    /// # Safety
    ///
    /// [`FREES`](Storage::FREES), and the slot is vacant, in no list, and not used again.
    unsafe fn free(&self, slot: NonNull<S>);
}

/// Storage whose slots stay as long as the slab does, so that each can be found by its index.
pub(crate) trait Indexed<S: Linked>: Storage<S> {
    /// The slot with this index, if it was added.
    fn get(&self, index: u32) -> Option<NonNull<S>>;
}

/// A slab whose slots can be found by their indices.
pub(crate) trait Find: Slab {
    /// So many slots were ever rented: those with a lower index.
    fn used(&self) -> u32;

    /// The slot with this index, if it was ever rented.
    fn get(&self, index: u32) -> Option<NonNull<Self::Slot>>;
}

/// Slots, those of them that are vacant, and what keeps all that.
pub(crate) trait Slab: Sized {
    type Slot: Linked;

    /// With one handle.
    fn new(settings: Settings<Self>) -> NonNull<Self>;

    fn settings(&self) -> &Settings<Self>;

    /// A vacant slot, which is out from now on, or `None` if the limit is reached. The caller has
    /// a handle.
    fn rent(&self) -> Option<NonNull<Self::Slot>>;

    /// Takes a slot back on the usual, short road, if it is open. The slab may be gone afterwards.
    /// Otherwise the slot is still out.
    ///
    /// # Safety
    ///
    /// As [`put`](Slab::put).
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<Self::Slot>, end: End) -> bool;

    /// Takes a slot back. The slab may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The slot is one of this slab, out, vacant, and referred to by nobody.
    unsafe fn put(this: NonNull<Self>, slot: NonNull<Self::Slot>, end: End);

    fn reserve(&self, additional: u32);

    /// Gives vacant slots back to the allocator; tells how many. The storage [can](Storage::FREES).
    fn trim(&self) -> u32;

    fn stats(&self) -> Stats;

    /// A key was refused.
    fn count_refused(&self);

    /// Adds one to the number of slots that a claimant is about to return.
    fn begin_return(&self);

    /// Subtracts one from it, after the slot was returned.
    fn end_return(&self);

    /// Returns `true` if a claimant is about to return a slot. If not, [`rent`](Slab::rent) finds every slot whose
    /// return was announced.
    fn is_returning(&self) -> bool;

    fn add_handle(&self);

    /// Gives a handle up. If it was the last, which is then told, the slab lives until it is closed,
    /// and the caller has to do that. Otherwise it may be gone afterwards.
    ///
    /// # Safety
    ///
    /// The caller has a handle, which is not used again.
    unsafe fn remove_handle(this: NonNull<Self>) -> bool;

    /// From now on the slab is freed when nothing is out: perhaps at once.
    ///
    /// # Safety
    ///
    /// The last handle was given up, and the slab was not closed before.
    unsafe fn close(this: NonNull<Self>);
}
