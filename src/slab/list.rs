//! Lists of vacant slots, linked through the slots themselves.

use core::{marker::PhantomData, ptr, ptr::NonNull};

use super::{Storage, cells::Pointer};

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

    /// Where the slots of a slab lie.
    type Storage: Storage<Self>;

    /// Links a slot to the next one of the list, or to none.
    ///
    /// # Safety
    ///
    /// The slot is in the list, or about to be.
    unsafe fn set_link(this: NonNull<Self>, next: *mut ());

    /// # Safety
    ///
    /// The slot is in a list.
    unsafe fn link(this: NonNull<Self>) -> *mut ();

    /// Links the first slot of a list to the first slot of another one, or to none.
    ///
    /// # Safety
    ///
    /// The slot is the first of a list, which is in a list of lists, or about to be.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    unsafe fn set_list_link(this: NonNull<Self>, next: *mut ());

    /// # Safety
    ///
    /// The slot is the first of a list, which is in a list of lists.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    unsafe fn list_link(this: NonNull<Self>) -> *mut ();
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
        // SAFETY: it is about to be in the list.
        unsafe { S::set_link(slot, self.head.load()) };
        self.head.store(slot.as_ptr().cast());
    }

    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<NonNull<S>> {
        let slot = NonNull::new(self.head.load())?.cast::<S>();
        // SAFETY: it is in the list.
        self.head.store(unsafe { S::link(slot) });
        Some(slot)
    }

    /// Counted by going through it.
    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn len(&self) -> u32 {
        let (mut len, mut next) = (0, self.first());
        while let Some(slot) = next {
            len += 1;
            // SAFETY: it is in the list.
            next = NonNull::new(unsafe { S::link(slot) }.cast());
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
        // SAFETY: its list is about to be in this one.
        unsafe { S::set_list_link(first, self.0.head.load()) };
        self.0.head.store(first.as_ptr().cast());
    }

    pub(crate) fn pop(&self) -> Option<List<S>> {
        let first = self.0.first()?;
        // SAFETY: its list is in this one.
        self.0.head.store(unsafe { S::list_link(first) });
        Some(List { head: S::Pointer::new(first.as_ptr().cast()), slots: PhantomData })
    }
}
