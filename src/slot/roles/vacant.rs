//! A slot that is vacant, and a slot that is borrowed from its owner.

use core::{marker::PhantomData, ops::Deref, ptr::NonNull};

/// A slot that is vacant, and that no list of its slab contains. Only the owner of this value uses the slot. (A producer with a late
/// key may read the state and the number of the slot at any time. They are atomics.)
///
/// The slab creates one when it takes a slot out of its lists. The last role of an operation creates one when it ends. A slab
/// consumes it to take the slot back.
#[must_use = "a slot that is not returned is lost"]
pub(crate) struct Vacant<S>(NonNull<S>);

impl<S> Vacant<S> {
    /// # Safety
    ///
    /// The slot is vacant and initialized, no other value of this type has it, and no list of the slab contains it. It stays
    /// allocated until it is returned. The pointer is valid for the whole object that contains the slot, as far as its owner uses that.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<S>) -> Self {
        Vacant(slot)
    }

    /// Gives up the right, and returns the address of the slot.
    #[inline(always)]
    pub(crate) fn into_pointer(self) -> NonNull<S> {
        self.0
    }
}

impl<S> Deref for Vacant<S> {
    type Target = S;

    #[inline(always)]
    fn deref(&self) -> &S {
        // SAFETY: the slot stays allocated as long as this value exists, by the contract of `new`.
        unsafe { self.0.as_ref() }
    }
}

/// A slot, vacant or not, of a slab or a source that is borrowed for `'a`. So the slot stays allocated for `'a`.
pub(crate) struct SlotRef<'a, S>(NonNull<S>, PhantomData<&'a S>);

impl<S> SlotRef<'_, S> {
    /// # Safety
    ///
    /// The slot is initialized, and stays allocated for the lifetime. The pointer is valid for the whole object that contains the slot,
    /// as far as its owner uses that.
    #[inline(always)]
    pub(crate) unsafe fn new(slot: NonNull<S>) -> Self {
        SlotRef(slot, PhantomData)
    }

    /// Returns the address of the slot.
    #[inline(always)]
    pub(crate) fn pointer(self) -> NonNull<S> {
        self.0
    }
}

impl<S> Clone for SlotRef<'_, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for SlotRef<'_, S> {}

impl<S> Deref for SlotRef<'_, S> {
    type Target = S;

    #[inline(always)]
    fn deref(&self) -> &S {
        // SAFETY: the slot is allocated, by the contract of `new`.
        unsafe { self.0.as_ref() }
    }
}
