//! Two magazines of vacant slots, in one array.
//!
//! A *magazine* is 32 slots (Bonwick and Adams, *Magazines and Vmem*, USENIX 2001). If both magazines are full, a return first moves the
//! older one to the depot. If both are empty, a rent first fills one from the depot. In both cases, one magazine is then full and one is
//! empty. Therefore the next 31 rents and returns do not access the depot. (If the depot has too few slots, or only slots that were never
//! used, a rent may take fewer than 32 slots from the depot.)
//!
//! The entries of the array are called *places*.
//!
//! Invariant: the places below the length contain the addresses of vacant slots. The magazines own these slots.

use core::{array, marker::PhantomData, mem, ptr, ptr::NonNull};

use super::{depot::Depot, item::Item, reference::slab_of, storage::Storage};
use crate::slot::{Pointer, Vacant, Word};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::{AtomicU64, Ordering};

/// The number of slots in a magazine.
pub(super) const MAGAZINE: u32 = if cfg!(loom) { 1 } else { 32 };

/// The number of slots in two magazines.
pub(super) const CACHE_CAPACITY: u64 = 2 * MAGAZINE as u64;

/// The maximum number of slots in magazines: [`CACHE_CAPACITY`], or 0 if no slot may be taken out or put in.
///
/// Invariant: the number is one of these two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Capacity(u64);

impl Capacity {
    pub(super) const FULL: Capacity = Capacity(CACHE_CAPACITY);
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) const NONE: Capacity = Capacity(0);
}

/// A capacity of magazines that another thread may change.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(super) struct CapacityCell(AtomicU64);

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl CapacityCell {
    pub(super) fn new(capacity: Capacity) -> Self {
        CapacityCell(AtomicU64::new(capacity.0))
    }

    #[inline(always)]
    pub(super) fn load(&self, ordering: Ordering) -> Capacity {
        Capacity(self.0.load(ordering))
    }

    pub(super) fn store(&self, capacity: Capacity, ordering: Ordering) {
        self.0.store(capacity.0, ordering);
    }

    /// Stores a capacity. Returns the previous one.
    pub(super) fn swap(&self, capacity: Capacity, ordering: Ordering) -> Capacity {
        Capacity(self.0.swap(capacity.0, ordering))
    }

    #[cfg(loom)]
    pub(super) fn touch(&mut self) {
        self.0.with_mut(|_| ());
    }
}

/// The number of places in the array.
const PLACES: usize = 2 * MAGAZINE as usize;

/// Two magazines of slots `S`. One thread at a time changes the magazines, so they are not `Sync`. If the length is an atomic, other
/// threads may read the length.
///
/// The magazines are an array. A linked list would store its links in the slots, and these stores would take time.
#[repr(C)]
pub(super) struct Magazines<W, P, S> {
    len: W,
    places: [P; PLACES],
    slots: PhantomData<*mut S>,
}

/// The magazines of a slab with slots `S`.
pub(super) type MagazinesOf<S> = Magazines<<S as Item>::Word, <S as Item>::Pointer, S>;

impl<W: Word, P: Pointer, S> Magazines<W, P, S> {
    pub(super) fn new() -> Self {
        let places = array::from_fn(|_| P::new(ptr::null_mut()));
        Magazines { len: W::new(0), places, slots: PhantomData }
    }

    /// Returns the number of slots. Everything that another thread did to a slot before it put this slot into the magazines is visible to
    /// the caller.
    pub(super) fn len(&self) -> u64 {
        self.len.load()
    }

    /// Takes the slot in the last place below the length. Returns `None` if there is no slot, or if the capacity is 0.
    #[inline(always)]
    pub(super) fn pop(&self, capacity: Capacity) -> Option<Vacant<S>> {
        let len = self.len.load_own().wrapping_sub(1);
        if len >= capacity.0 {
            return None;
        }
        let slot = self.place(len).load();
        self.len.publish(len);
        // SAFETY: the place of the slot was below the length, and is not below it any more.
        Some(unsafe { vacant(slot) })
    }

    /// Puts a vacant slot into the magazines. Returns the slot as an error if the magazines are full, or if the capacity is 0.
    ///
    /// The store of the length comes last. After this store, another thread may count the slot as vacant, and free the slab.
    #[inline(always)]
    pub(super) fn push(&self, slot: Vacant<S>, capacity: Capacity) -> Result<(), Vacant<S>> {
        let len = self.len.load_own();
        if len >= capacity.0 {
            return Err(slot);
        }
        self.place(len).store(slot.into_pointer().as_ptr().cast());
        self.len.publish(len + 1);
        Ok(())
    }

    /// Casts the reference. The slots in the magazines get the type `T`.
    ///
    /// # Safety
    ///
    /// The slots are of type `T`, or the caller neither takes nor adds a slot.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    #[inline(always)]
    pub(super) unsafe fn of<T>(&self) -> &Magazines<W, P, T> {
        // SAFETY: the layout does not depend on the type of the slots.
        unsafe { NonNull::from(self).cast().as_ref() }
    }

    #[inline(always)]
    fn place(&self, place: u64) -> &P {
        // `place` is in bounds, so the remainder is `place`. The computation of the remainder saves the bounds check.
        #[expect(clippy::cast_possible_truncation, reason = "a place is below 64")]
        &self.places[place as usize % PLACES]
    }

    /// Reverses the order of the slots. Then the slot that was put in first is taken first.
    fn reverse(&self) {
        let len = self.len.load_own();
        for place in 0..len / 2 {
            let (low, high) = (self.place(place), self.place(len - 1 - place));
            let lower = low.load();
            low.store(high.load());
            high.store(lower);
        }
    }

    #[cfg(loom)]
    pub(super) fn touch(&mut self) {
        self.len.touch();
        self.places.iter_mut().for_each(Pointer::touch);
    }
}

/// Returns the slot whose address was in a place.
///
/// # Safety
///
/// The address was loaded from a place below the length. The magazines lose this slot: the caller has reduced the length, or will reduce
/// it, or stores another slot in the place.
#[inline(always)]
unsafe fn vacant<S>(slot: *mut ()) -> Vacant<S> {
    // SAFETY: `slot` was loaded from a place below the length, so it is the address of a slot.
    let slot = unsafe { NonNull::new_unchecked(slot) };
    // SAFETY: the magazines owned the slot, and now the caller owns it.
    unsafe { Vacant::new(slot.cast()) }
}

impl<W: Word, P: Pointer, S: Item> Magazines<W, P, S> {
    /// Fills one magazine from the depot. At most `new` of the slots that this call takes were never used before.
    pub(super) fn refill(&self, depot: &mut Depot<S>, mut new: u32) {
        while self.len.load_own() < MAGAZINE.into() {
            let Some(slot) = depot.take(&mut new) else { break };
            fetch(&slot);
            let _pushed = self.push(slot, Capacity::FULL);
        }
        self.reverse();
    }

    /// Moves the `count` oldest slots to the depot.
    pub(super) fn drain(&self, count: u64, depot: &mut Depot<S>, storage: &Storage<S>) {
        /// If `release` unwinds, the slots stay in their places, but the length is 0. So no slot is taken out twice.
        struct Unwinding<'l, W: Word>(&'l W);

        impl<W: Word> Drop for Unwinding<'_, W> {
            fn drop(&mut self) {
                self.0.publish(0);
            }
        }

        let len = self.len.load_own();
        assert!(count <= len, "there are {len} slots, not {count}");
        let unwinding = Unwinding(&self.len);
        for place in 0..count {
            // SAFETY: the place is below the length. The code after this loop stores another slot in the place, or reduces the length so
            // that the place is not below it. If `release` unwinds, `unwinding` reduces the length.
            depot.release(storage, unsafe { vacant(self.place(place).load()) });
        }
        mem::forget(unwinding);
        for place in count..len {
            self.place(place - count).store(self.place(place).load());
        }
        self.len.publish(len - count);
    }
}

/// Magazines that have a place for one more slot, and the guard of the lock that protects these magazines.
pub(super) struct FreePlace<'m, S: Item, K: Lock> {
    pub(super) magazines: &'m MagazinesOf<S>,
    pub(super) guard: K::Guard<'m>,
}

/// A lock that protects magazines.
pub(super) trait Lock {
    type Guard<'m>;
}

/// No lock, for magazines that only one thread uses.
impl Lock for () {
    type Guard<'m> = ();
}

/// Calls `find` with the slab of a slot, and puts the slot into the magazines that `find` returns. As soon as the slot is in the magazines,
/// the slab may be freed. Returns the slot as an error if `find` returns `None`.
#[inline(always)]
pub(super) fn return_slot<S: Item, K: Lock>(
    slot: Vacant<S>,
    find: impl for<'s> FnOnce(&'s S::Slab) -> Option<FreePlace<'s, S, K>>,
) -> Result<(), Vacant<S>> {
    // SAFETY: the slot keeps the slab allocated until the slot is in the magazines. If the magazines have a lock, the drop of the guard is
    // the last access to the slab, and the slab is not freed before this drop. (The slab may be freed before this function returns. So
    // `slab` is not an argument: a reference in an argument would have to be valid until the return.)
    let slab = unsafe { NonNull::from(slab_of::<S>(&slot)).as_ref() };
    let Some(FreePlace { magazines, guard }) = find(slab) else { return Err(slot) };
    let pushed = magazines.push(slot, Capacity::FULL);
    drop(guard);
    pushed
}

/// Prefetches the CPU cache line of a slot for writing. The line may be in the CPU cache of another core. Stores take effect in order. So
/// without the prefetch, the core would wait for the lines of several slots one after the other.
///
/// The function contains assembly, because `_mm_prefetch` compiles to a prefetch for reading unless the target CPU is known. A CPU that
/// does not have the instruction ignores it.
#[inline(always)]
pub(super) fn fetch<S>(slot: &Vacant<S>) {
    let slot: &S = slot;
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: the instruction changes neither registers nor the content of memory.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) slot, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = slot;
}
