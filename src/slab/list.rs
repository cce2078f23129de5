//! Lists of vacant slots, linked through the slots themselves.

use core::{marker::PhantomData, ptr, ptr::NonNull};

use super::cells::Pointer;

/// Something that can be in a list.
///
/// # Safety
///
/// From [`List::push`] to [`List::pop`] the links of a slot are its list's, and the slot stays where
/// it is.
pub(crate) unsafe trait Linked: Sized {
    type Pointer: Pointer;

    /// What the slab begins with, for its slots to refer to.
    type Table;

    /// To the next slot of the list.
    fn link(&self) -> &Self::Pointer;

    /// From the first slot of a list to the first slot of another one.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    fn list_link(&self) -> &Self::Pointer;

    /// The number of its last use.
    fn uses(&self) -> u32;
}

/// A stack of vacant slots, which one thread uses at a time.
pub(crate) struct List<S: Linked> {
    head: S::Pointer,
    slots: PhantomData<S>,
}

impl<S: Linked> List<S> {
    pub(crate) fn new() -> Self {
        List { head: S::Pointer::new(ptr::null_mut()), slots: PhantomData }
    }

    /// # Safety
    ///
    /// The slot is vacant, and in no other list. It lives as long as the list.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, slot: NonNull<S>) {
        // SAFETY: the slot lives.
        let link = unsafe { slot.as_ref() }.link();
        link.store(self.head.load());
        self.head.store(slot.as_ptr().cast());
    }

    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<NonNull<S>> {
        let slot = NonNull::new(self.head.load())?.cast::<S>();
        // SAFETY: a slot in the list lives.
        let link = unsafe { slot.as_ref() }.link();
        self.head.store(link.load());
        Some(slot)
    }

    /// Counted by going through it.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn len(&self) -> u32 {
        let (mut len, mut next) = (0, self.first());
        while let Some(slot) = next {
            len += 1;
            // SAFETY: a slot in the list lives.
            next = NonNull::new(unsafe { slot.as_ref() }.link().load().cast());
        }
        len
    }

    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    fn first(&self) -> Option<NonNull<S>> {
        NonNull::new(self.head.load().cast())
    }
}

/// A stack of lists.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) struct Lists<S: Linked>(List<S>);

#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<S: Linked> Lists<S> {
    pub(crate) fn new() -> Self {
        Lists(List::new())
    }

    pub(crate) fn push(&self, list: &List<S>) {
        let Some(first) = list.first() else { return };
        // SAFETY: a slot in a list lives.
        let link = unsafe { first.as_ref() }.list_link();
        link.store(self.0.head.load());
        self.0.head.store(first.as_ptr().cast());
    }

    pub(crate) fn pop(&self) -> Option<List<S>> {
        let first = self.0.first()?;
        // SAFETY: a slot in a list lives.
        let link = unsafe { first.as_ref() }.list_link();
        self.0.head.store(link.load());
        Some(List { head: S::Pointer::new(first.as_ptr().cast()), slots: PhantomData })
    }
}
