#![doc = include_str!("design.md")]

mod block;
mod depot;
mod list;
mod local;
mod magazines;
mod page;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod shared;
mod slots;
mod storage;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod stripes;
mod tally;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_cache;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_caches;

use core::{any::type_name, cell::Cell, ptr::NonNull};

use self::{
    depot::Depot,
    list::Node,
    page::{Page, Shape},
    storage::Storage,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{
    AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{
    OneThread, Stats,
    slot::{End, Home, IndexLayout, Pointer, Slot, Word},
};

pub(crate) use block::{Block, blocks_within};
pub(crate) use local::LocalSlab;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use shared::SharedSlab;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use tally::SharedTally;
pub(crate) use tally::{LocalTally, Tally};

/// A home with many slots, in slabs.
pub(crate) trait Pooling: Home {
    type Slab<T>: Slab<Slot = Slot<T, Self>>;
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
pub(crate) struct Settings<S: Item> {
    pub(crate) table: S::Table,
    pub(crate) initial: u32,
    pub(crate) limit: Option<u32>,
    /// Every vacant slot of a slab with a limit is at hand for every thread. Otherwise the slab may be at
    /// its limit although other threads have some for themselves.
    pub(crate) exact: bool,
    /// How the bits of an index are shared between slots and epochs.
    pub(crate) layout: IndexLayout,
    pub(crate) first_generation: u32,
}

impl<S: Item> Settings<S> {
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn is_bounded(&self) -> bool {
        self.exact && self.limit.is_some()
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(storage::MAX).min(storage::MAX)
    }
}

/// What a slab has many of: slots, or blocks.
///
/// # Safety
///
/// [`page`](Item::page) returns the page that [made](Item::make) the slot.
pub(crate) unsafe trait Item: Sized {
    type Word: Word;
    type Pointer: Pointer;

    /// What the slab begins with, for its slots to refer to.
    type Table;

    /// `true` if slots are found by their indices. They stay allocated as long as the slab has a handle, and count their uses.
    const INDEXED: bool;

    /// The number of slots in a page, if slots are found by their indices.
    const PER_PAGE: u32;

    /// The number of slots that are initialized at a time for one thread.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    const NEW_AT_ONCE: u32;

    /// Returns the layout of a page.
    fn shape(table: &Self::Table) -> Shape;

    /// Returns the number of slots whose pages are not freed before a trim.
    fn retained(shape: Shape) -> u32;

    /// Initializes a slot.
    ///
    /// # Safety
    ///
    /// `place` is valid for writes, nobody else refers to it, and it is one of the page.
    unsafe fn make(place: NonNull<Self>, page: Node<Page<Self>>, index: u32, generation: u32);

    /// Returns the page of a slot.
    ///
    /// # Safety
    ///
    /// The slot is in this storage, and nobody else refers to it.
    unsafe fn page(this: NonNull<Self>, storage: &Storage<Self>) -> Node<Page<Self>>;

    /// Begins the next epoch of a slot that came back [exhausted](End::exhausted). Returns `false` if
    /// there is none.
    ///
    /// # Safety
    ///
    /// The slot came back so, and nobody else refers to it.
    unsafe fn begin_epoch(this: NonNull<Self>, layout: IndexLayout) -> bool;

    /// Returns how many times the slot was rented since the generation `first`.
    fn uses(&self, layout: IndexLayout, first: u32) -> u64;
}

/// Slots, those of them that are vacant, and what keeps all that.
pub(crate) trait Slab: Sized {
    type Slot: Item;

    /// With one handle.
    fn new(settings: Settings<Self::Slot>) -> NonNull<Self>;

    fn settings(&self) -> &Settings<Self::Slot>;

    fn storage(&self) -> &Storage<Self::Slot>;

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

    /// Gives pages without a slot that is out back to the allocator; tells how many slots that are. They are not
    /// [found by their indices](Item::INDEXED).
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
