#![doc = include_str!("design.md")]

mod base;
mod block;
mod budget;
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
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_cache;
#[cfg(all(feature = "std", target_has_atomic = "64"))]
mod thread_caches;
pub(crate) mod waiters;

use core::{any::type_name, cell::Cell, ptr::NonNull};

use self::{
    base::Base,
    depot::{Depot, Keep, Spare},
    list::Node,
    page::{Page, Shape},
    storage::Storage,
    waiters::Waiters,
};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::{
    affinity::AnyThread,
    sync::{AtomicPtr, AtomicU64},
};
use crate::{
    affinity::OneThread,
    pool::Stats,
    slot::{End, Home, IndexLayout, Pointer, Slot, Vacant, WakeOnDrop, Word},
};

pub(crate) use base::Settings;
pub(crate) use block::{Block, blocks_within, page_of_one};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) use budget::SharedBudget;
pub(crate) use budget::{Budget, LocalBudget, Room, Unlimited};
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
    type Budget: Budget;
}

/// A home whose slots go back to their slab, which begins with their table.
macro_rules! pooling {
    ($home:ty, $Word:ty, $Pointer:ty, $Slab:ident, $Tally:ty, $Budget:ty, $Pool:ident) => {
        impl Home for $home {
            type Word = $Word;
            type Pointer = $Pointer;

            fn source_name<T>() -> &'static str {
                type_name::<crate::$Pool<T>>()
            }

            #[inline(always)]
            fn try_put<T>(
                slot: Vacant<Slot<T, Self>>,
                end: End,
            ) -> Result<(), Vacant<Slot<T, Self>>> {
                let slab = slot.table().cast::<$Slab<_>>();
                let slot = slot.into_pointer();
                // SAFETY: the slot is vacant, and the caller has given it up.
                if unsafe { Slab::try_put(slab, slot, end) } {
                    return Ok(());
                }
                // SAFETY: as above; it was not taken.
                Err(unsafe { Vacant::new(slot) })
            }

            #[inline(always)]
            fn put<T>(slot: Vacant<Slot<T, Self>>, end: End) -> WakeOnDrop {
                let slab = slot.table().cast::<$Slab<_>>();
                // SAFETY: the slot is vacant, and the caller has given it up.
                unsafe { Slab::put(slab, slot.into_pointer(), end) }
            }

            fn begin_return<T>(slot: &Slot<T, Self>) {
                // SAFETY: the slot lives, and so does its slab.
                unsafe { slot.table().cast::<$Slab<Slot<T, Self>>>().as_ref() }.begin_return();
            }

            fn end_return<T>(slot: &Slot<T, Self>) {
                // SAFETY: as above.
                unsafe { slot.table().cast::<$Slab<Slot<T, Self>>>().as_ref() }.end_return();
            }

            #[inline(always)]
            fn is_closed<T>(slot: &Slot<T, Self>) -> bool {
                // SAFETY: as above.
                let slab = unsafe { slot.table().cast::<$Slab<Slot<T, Self>>>().as_ref() };
                slab.base().closed.load_after_exchange() != 0
            }
        }

        impl Pooling for $home {
            type Slab<T> = $Slab<Slot<T, Self>>;
            type Blocks = $Slab<Block<Self>>;
            type Tally = $Tally;
            type Budget = $Budget;
        }
    };
}
// SAFETY: they are atomics.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
unsafe impl crate::slot::ForThreads for AnyThread {}
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pooling!(AnyThread, AtomicU64, AtomicPtr<()>, SharedSlab, SharedTally, SharedBudget, Pool);
pooling!(OneThread, Cell<u64>, Cell<*mut ()>, LocalSlab, LocalTally, LocalBudget, LocalPool);

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

    fn base(&self) -> &Base<Self::Slot>;

    /// Calls a function with the depot, which no other thread has meanwhile.
    fn with_depot<R>(&self, f: impl FnOnce(&mut Depot<Self::Slot>) -> R) -> R;

    /// Returns a guard. While it lives, no other thread allocates a page.
    fn begin_growth(&self) -> impl Sized;

    /// Returns the number of vacant slots that are not in the depot, and that this thread finds without it.
    fn cached(&self) -> u64;

    /// Moves those slots to the depot.
    fn drain(&self);

    /// Returns the slots that this slab can do without, and the number of those that [`drain`](Slab::drain) would move. Locks nothing.
    fn spare(&self) -> (Spare, u64);

    /// A vacant slot, which is out from now on, or `None` if the limit is reached, or if there is no room. The caller has
    /// a handle.
    #[inline(always)]
    fn rent(&self, room: impl Room) -> Option<NonNull<Self::Slot>> {
        self.try_rent().or_else(|| self.rent_slowly(room))
    }

    /// [`rent`](Slab::rent), if this thread has a vacant slot at hand.
    fn try_rent(&self) -> Option<NonNull<Self::Slot>>;

    /// [`rent`](Slab::rent), if [`try_rent`](Slab::try_rent) has found none.
    fn rent_slowly(&self, room: impl Room) -> Option<NonNull<Self::Slot>>;

    /// Takes a slot back on the usual, short road, if it is open. The slab may be gone afterwards.
    /// Otherwise the slot is still out.
    ///
    /// # Safety
    ///
    /// As [`put`](Slab::put).
    unsafe fn try_put(this: NonNull<Self>, slot: NonNull<Self::Slot>, end: End) -> bool;

    /// Takes a slot back. The slab may be gone afterwards. If a future waits, it gets the slot, and its waker is returned.
    ///
    /// # Safety
    ///
    /// The slot is one of this slab, out, vacant, and referred to by nobody.
    unsafe fn put(this: NonNull<Self>, slot: NonNull<Self::Slot>, end: End) -> WakeOnDrop;

    /// Calls a function with the queue of waiters, which no other thread has meanwhile. It runs no foreign code.
    fn with_waiters<R>(&self, f: impl FnOnce(&mut Waiters<Self::Slot>) -> R) -> R;

    /// Returns `true` if a future waits for a slot.
    fn has_waiters(&self) -> bool;

    /// Locks and unlocks everything that takes slots back. A return that has not seen the [waiters](Slab::has_waiters) of before the
    /// call is over, and [`rent`](Slab::rent) finds its slot. The caller has a handle.
    fn pass_locks(&self);

    fn stats(&self) -> Stats;

    /// Allocates a page unless there are `enough` slots. Returns `false` if the limit is reached, or if there is no room.
    #[cold]
    fn grow(&self, room: impl Room, enough: impl FnOnce(&Depot<Self::Slot>) -> bool) -> bool {
        let _guard = (self.begin_growth(), room.lock());
        let Base { storage, allocations, .. } = self.base();
        let (enough, capacity) = self.with_depot(|depot| (enough(depot), depot.counts.capacity));
        let slots = if enough { 0 } else { storage.slots_of_next(capacity, room) };
        if slots == 0 {
            return enough;
        }
        // The depot is not locked meanwhile.
        let (page, made) = storage.allocate(capacity, slots);
        allocations.add(made);
        self.with_depot(|depot| depot.add(page));
        // Afterwards, so that a thread that sees no room sees the slots that have taken it.
        storage.charge(slots);
        true
    }

    /// Makes sure that `additional` slots are vacant, up to the limit, and that these are not freed before a trim.
    fn reserve(&self, additional: u32, room: impl Room) {
        let cached = u32::try_from(self.cached()).unwrap_or(u32::MAX);
        let more = additional.saturating_sub(cached);
        let mut is_short = self.with_depot(|Depot { counts, .. }| {
            counts.reserved = counts.reserved.max(counts.in_use().saturating_add(more));
            counts.vacant < more
        });
        while is_short && self.grow(room, |depot| depot.counts.vacant >= more) {
            is_short = self.with_depot(|depot| depot.counts.vacant < more);
        }
        if is_short {
            // There is no room. What cannot be reserved must not keep memory from other slabs.
            self.with_depot(|Depot { counts, .. }| {
                counts.reserved = counts.reserved.min(counts.capacity);
            });
        }
    }

    /// Frees all empty pages. Returns the number of their slots, which are not [found by their indices](Item::INDEXED).
    fn trim(&self) -> u32 {
        self.drain();
        self.with_depot(|depot| depot.counts.reserved = 0);
        self.free_empty_pages(Keep::None, usize::MAX)
    }

    /// Returns how many bytes [`free_for_others`](Slab::free_for_others) would free at least, if no other thread is faster.
    fn bytes_for_others(&self) -> usize {
        let (Spare { idle, excess }, cached) = self.spare();
        let storage = &self.base().storage;
        let page = storage.bytes_of(storage.shape().slots);
        let pages = usize::try_from(cached.saturating_sub(excess.into())).unwrap_or(0);
        // Some pages may have fewer slots.
        let bytes = pages.saturating_mul(page).saturating_add(storage.bytes_of_pages(idle));
        bytes.min(storage.bytes())
    }

    /// Frees empty pages until `bytes` are free, or no more can be freed. Keeps reserved ones.
    fn free_for_others(&self, bytes: usize) {
        let storage = &self.base().storage;
        let target = storage.bytes().saturating_sub(bytes);
        self.free_empty_pages(Keep::Reserved, bytes);
        // Other threads may free pages too.
        let missing = storage.bytes().saturating_sub(target);
        if missing > 0 && self.bytes_for_others() > 0 {
            self.drain();
            self.free_empty_pages(Keep::Reserved, missing);
        }
    }

    /// Frees empty pages, until that has freed so many bytes. Returns the number of their slots.
    fn free_empty_pages(&self, keep: Keep, bytes: usize) -> u32 {
        /// The number of pages to remove at a time, because other threads wait for the depot.
        const AT_ONCE: usize = 8;

        let (storage, mut slots, mut bytes) = (&self.base().storage, 0, bytes);
        loop {
            let mut pages = [const { None::<Node<Page<Self::Slot>>> }; AT_ONCE];
            self.with_depot(|depot| {
                for page in &mut pages {
                    *page = if bytes == 0 { None } else { depot.remove_surplus(storage, keep) };
                    let freed = page.map_or(0, |page| storage.bytes_of(page.len()));
                    bytes = bytes.saturating_sub(freed);
                }
            });
            for page in pages {
                let Some(page) = page else { return slots };
                slots += page.len();
                // SAFETY: all its slots are vacant, and it is in no list.
                unsafe { storage.free(page) };
            }
        }
    }

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
