//! The allocation of a slab, and the references and handles that keep the slab allocated.
//!
//! Invariants:
//!
//! * A [`SlabRef`] keeps its slab allocated. All handles together own one reference. The drop of the last reference frees the slab.
//! * After the last handle was dropped, the slab owns a reference to itself, in a [`Closed`], until all its slots are vacant or retired. So
//!   a rented slot keeps its slab allocated.
//! * The pointer in a [`SlabHandle`], a [`SlabRef`] or a [`OnceSlab`] points to an [`Allocation`]. It has the provenance of the whole
//!   allocation. (In a `OnceSlab`, the pointer is null until the slab is created.)

use alloc::boxed::Box;
use core::{
    cell::Cell,
    marker::PhantomData,
    mem::{self, ManuallyDrop},
    ops::Deref,
    ptr::{self, NonNull},
};

use super::{count::Count, item::Item};
use crate::slot::{ForThreads, Pointer};
#[cfg(all(feature = "std", target_has_atomic = "64"))]
use crate::sync::AtomicPtr;

/// A slab whose references and handles are counted.
pub(crate) trait Counted: Sized {
    type Slot: Item<Slab = Self>;
    type Count: Count;

    /// Closes the slab, which has no handle any more. The slab stores `closed` until all its slots are vacant or retired.
    fn close(&self, closed: Closed<Self>);
}

/// The address of a slab of type `L`, with the provenance of its allocation. Only the parts of this slab contain its
/// `SlabAddress`.
pub(crate) struct SlabAddress<L>(NonNull<L>);

impl<L> SlabAddress<L> {
    #[inline(always)]
    pub(super) fn get(self) -> NonNull<()> {
        self.0.cast()
    }
}

impl<L> Clone for SlabAddress<L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for SlabAddress<L> {}

/// The proof that a slab has no handle, and the reference of the slab to itself. If this value is dropped, the slab is leaked.
pub(crate) struct Closed<L: Counted>(ManuallyDrop<SlabRef<L>>);

impl<L: Counted> Closed<L> {
    /// Returns the reference of the slab to itself, which may be the last reference.
    pub(super) fn into_reference(self, AllVacant(slab): AllVacant) -> SlabRef<L> {
        assert!(self.is_of(slab), "the proof is one for this slab");
        ManuallyDrop::into_inner(self.0)
    }

    /// Returns `true` if this is the proof for the slab at an address.
    pub(super) fn is_of(&self, slab: NonNull<()>) -> bool {
        ptr::addr_eq(slab.as_ptr(), &raw const **self.0)
    }
}

/// The proof that all slots of a slab are vacant or retired. Contains the address of the slab.
pub(super) struct AllVacant(NonNull<()>);

impl AllVacant {
    /// # Safety
    ///
    /// The slab at this address is closed. Each of its slots is vacant in its page, or retired.
    pub(super) unsafe fn new(slab: NonNull<()>) -> Self {
        AllVacant(slab)
    }
}

/// The allocation of a slab: the slab and its counts. The slab is the first field, so it has the address of the allocation.
#[repr(C)]
struct Allocation<L: Counted> {
    slab: L,
    references: L::Count,
    handles: L::Count,
}

/// A pointer to the allocation of a slab. The owner of this value has a reference or a handle.
struct Owned<L: Counted>(NonNull<Allocation<L>>);

// SAFETY: any thread that owns this value may use the slab and free it. By the contract of `ForThreads`, the slab is `Send` and `Sync`,
// except for the values in its slots. These values are `Send`, because `Content` is. (The slab does not access the values in blocks.)
unsafe impl<L: Counted> Send for Owned<L> where L::Slot: Item<Recycler: ForThreads, Content: Send> {}
// SAFETY: for the same reasons as `Send`, directly above.
unsafe impl<L: Counted> Sync for Owned<L> where L::Slot: Item<Recycler: ForThreads, Content: Send> {}

impl<L: Counted> Deref for Owned<L> {
    type Target = Allocation<L>;

    #[inline(always)]
    fn deref(&self) -> &Allocation<L> {
        // SAFETY: the reference or the handle keeps the slab allocated.
        unsafe { self.0.as_ref() }
    }
}

/// A reference to a slab. It keeps the slab allocated.
pub(crate) struct SlabRef<L: Counted>(Owned<L>);

impl<L: Counted> SlabRef<L> {
    /// Creates a reference to a slab. The slab was created with this address.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) fn of(slab: &L, address: SlabAddress<L>) -> Self {
        let address = address.get().cast::<Allocation<L>>();
        assert!(ptr::addr_eq(address.as_ptr(), slab), "a slab stays where it was created");
        // SAFETY: `address` is the address of an allocation, and the slab is at the same address. So the slab is in this allocation. The
        // slab is borrowed, so it is allocated.
        unsafe { SlabRef::add(address) }
    }

    /// Creates a reference to the slab of a slot.
    #[inline]
    pub(super) fn of_slot(slot: &L::Slot) -> Self {
        // SAFETY: `slot.slab()` is the address of the slab, by the contracts of `Item` and `Slot::make`. The slot keeps the slab allocated.
        unsafe { SlabRef::add(slot.slab().cast()) }
    }

    /// Recreates a reference that was forgotten.
    ///
    /// # Safety
    ///
    /// The caller owns the forgotten reference, and recreates it only once. It is a reference to the slab at this address, which has the
    /// type `L`. The address is from [`SlabAddress::get`].
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(super) unsafe fn from_address(slab: NonNull<()>) -> Self {
        SlabRef(Owned(slab.cast()))
    }

    /// Adds a reference to the slab in this allocation.
    ///
    /// # Safety
    ///
    /// The slab stays allocated during this call.
    #[inline]
    unsafe fn add(allocation: NonNull<Allocation<L>>) -> Self {
        let slab = Owned(allocation);
        slab.references.add();
        SlabRef(slab)
    }
}

impl<L: Counted> Deref for SlabRef<L> {
    type Target = L;

    #[inline(always)]
    fn deref(&self) -> &L {
        &self.0.slab
    }
}

impl<L: Counted> Clone for SlabRef<L> {
    fn clone(&self) -> Self {
        self.0.references.add();
        SlabRef(Owned(self.0.0))
    }
}

impl<L: Counted> Drop for SlabRef<L> {
    #[inline]
    fn drop(&mut self) {
        if self.0.references.subtract() {
            // SAFETY: the slab was allocated as a box, and this was the last reference.
            drop(unsafe { Box::from_raw(self.0.0.as_ptr()) });
        }
    }
}

#[cfg(loom)]
impl<L: Counted> Drop for Allocation<L> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.references.touch();
            self.handles.touch();
        }
    }
}

/// Returns the slab of a slot.
#[inline(always)]
pub(super) fn slab_of<S: Item>(slot: &S) -> &S::Slab {
    // SAFETY: `slot.slab()` is the address of the slab, by the contracts of `Item` and `Slot::make`. The slot keeps the slab allocated.
    unsafe { slot.slab().cast().as_ref() }
}

/// A handle of a slab. While the slab has a handle, slots can be rented, and slots that are found by [indices](Item::INDEXED) stay
/// allocated. The drop of the last handle calls [`before_close`](BeforeClose::before_close) of `B`, and then closes the slab.
pub(crate) struct SlabHandle<L: Counted, B: BeforeClose<L> = ()>(Owned<L>, PhantomData<fn() -> B>);

/// The action that the drop of the last handle runs before it closes the slab.
pub(crate) trait BeforeClose<L> {
    /// Runs before the slab is closed. If this function panics, the slab is closed nevertheless.
    fn before_close(slab: OpenSlab<'_, L>);
}

impl<L> BeforeClose<L> for () {
    fn before_close(_: OpenSlab<'_, L>) {}
}

/// A reference to a slab that is not closed during `'s`. Slots are rented only from an open slab.
pub(crate) struct OpenSlab<'s, L>(&'s L);

impl<L> Clone for OpenSlab<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for OpenSlab<'_, L> {}

impl<'s, L> OpenSlab<'s, L> {
    #[inline(always)]
    pub(crate) fn get(self) -> &'s L {
        self.0
    }
}

impl<L> Deref for OpenSlab<'_, L> {
    type Target = L;

    #[inline(always)]
    fn deref(&self) -> &L {
        self.0
    }
}

impl<L: Counted, B: BeforeClose<L>> SlabHandle<L, B> {
    /// Allocates a slab, and returns its first handle. `create` gets the address of the slab, and returns the slab.
    pub(super) fn allocate(create: impl FnOnce(SlabAddress<L>) -> L) -> Self {
        let place = NonNull::from(Box::leak(Box::<Allocation<L>>::new_uninit()));
        let place = place.cast::<Allocation<L>>();
        let slab = create(SlabAddress(place.cast()));
        let one = || L::Count::new(1);
        // SAFETY: `place` is the memory of a box, and nothing else refers to this memory.
        unsafe { place.write(Allocation { slab, references: one(), handles: one() }) };
        SlabHandle(Owned(place), PhantomData)
    }

    #[inline(always)]
    pub(crate) fn open(&self) -> OpenSlab<'_, L> {
        OpenSlab(&self.0.slab)
    }
}

impl<L: Counted, B: BeforeClose<L>> Clone for SlabHandle<L, B> {
    fn clone(&self) -> Self {
        self.0.handles.add();
        SlabHandle(Owned(self.0.0), PhantomData)
    }
}

impl<L: Counted, B: BeforeClose<L>> Drop for SlabHandle<L, B> {
    fn drop(&mut self) {
        /// A guard whose drop closes the slab, even if `before_close` panics.
        struct Close<L: Counted>(SlabRef<L>);

        impl<L: Counted> Drop for Close<L> {
            fn drop(&mut self) {
                self.0.close(Closed(ManuallyDrop::new(self.0.clone())));
            }
        }

        if self.0.handles.subtract() {
            // The guard `close` gets the reference that all handles together own.
            let close = Close(SlabRef(Owned(self.0.0)));
            B::before_close(OpenSlab(&close.0));
        }
    }
}

/// An optional [`SlabHandle`]. The slab and the handle are created when they are first needed.
pub(crate) struct OnceSlab<P: Pointer, L: Counted>(P, PhantomData<SlabHandle<L>>);

pub(crate) type LocalOnceSlab<L> = OnceSlab<Cell<*mut ()>, L>;

#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) type SharedOnceSlab<L> = OnceSlab<AtomicPtr<()>, L>;

impl<L: Counted> LocalOnceSlab<L> {
    pub(crate) const fn new() -> Self {
        OnceSlab(Cell::new(ptr::null_mut()), PhantomData)
    }
}

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<L: Counted> SharedOnceSlab<L> {
    crate::sync::const_unless_loom! {
        pub(crate) fn new() -> Self {
            OnceSlab(AtomicPtr::new(ptr::null_mut()), PhantomData)
        }
    }
}

impl<P: Pointer, L: Counted> OnceSlab<P, L> {
    /// Returns the slab, if it was created.
    #[inline(always)]
    pub(crate) fn get(&self) -> Option<OpenSlab<'_, L>> {
        let slab = NonNull::new(self.0.observe())?.cast();
        // SAFETY: `self` owns a handle of this slab, and does not drop the handle while `self` is borrowed.
        Some(OpenSlab(unsafe { slab.as_ref() }))
    }

    /// Returns the slab, and creates it if needed.
    pub(crate) fn get_or_create(&self, create: impl FnOnce() -> SlabHandle<L>) -> OpenSlab<'_, L> {
        if self.0.observe().is_null() {
            let handle = create();
            if self.0.publish_first(handle.0.0.as_ptr().cast()).is_ok() {
                // `self` owns the handle now. (If another thread has already stored its handle, `handle` is dropped instead.)
                mem::forget(handle);
            }
        }
        self.get().expect("the slab was created")
    }
}

impl<P: Pointer, L: Counted> Drop for OnceSlab<P, L> {
    fn drop(&mut self) {
        let handle = NonNull::new(self.0.observe());
        drop(handle.map(|handle| SlabHandle::<L>(Owned(handle.cast()), PhantomData)));
    }
}
