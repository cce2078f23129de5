//! The right to use a vacant slot.

use core::{ops::Deref, ptr::NonNull};

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
    /// allocated until it is returned.
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
