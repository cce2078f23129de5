//! Vacant slots: in lists that are linked through the slots themselves, or in arrays.

#[cfg(all(feature = "std", target_has_atomic = "64"))]
use alloc::vec::Vec;
use core::{marker::PhantomData, ptr, ptr::NonNull};

use super::Storage;
use crate::slot::{IndexLayout, Pointer};

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

    /// Begins the next epoch of a slot that came back [exhausted](crate::slot::End::exhausted). Returns `false` if
    /// there is none.
    ///
    /// # Safety
    ///
    /// The slot came back so, and nobody else refers to it.
    unsafe fn begin_epoch(this: NonNull<Self>, layout: IndexLayout) -> bool;
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
}

/// Where the vacant slots of the middle lie, the last one on top.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
pub(crate) trait Stack<S> {
    fn new() -> Self;

    /// Makes room for all slots that there are, so that a return allocates nothing. Tells whether the
    /// allocator was called.
    fn reserve(&mut self, capacity: u32) -> bool;

    /// Gives back the room for more than there are now.
    fn shrink(&mut self, capacity: u32);

    /// # Safety
    ///
    /// The slot is vacant, and in no list. It lives as long as the stack.
    unsafe fn push(&mut self, slot: NonNull<S>);

    fn pop(&mut self) -> Option<NonNull<S>>;
}

/// Takes no memory, but whoever pops has to read what another thread has written to the slot, before the
/// next one is known.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<S: Linked> Stack<S> for List<S> {
    fn new() -> Self {
        List::new()
    }

    fn reserve(&mut self, _: u32) -> bool {
        false
    }

    fn shrink(&mut self, _: u32) {}

    unsafe fn push(&mut self, slot: NonNull<S>) {
        // SAFETY: the caller's.
        unsafe { List::push(self, slot) };
    }

    fn pop(&mut self) -> Option<NonNull<S>> {
        List::pop(self)
    }
}

/// Takes 8 bytes for each slot, and touches none of them.
#[cfg(all(feature = "std", target_has_atomic = "64"))]
impl<S> Stack<S> for Vec<NonNull<S>> {
    fn new() -> Self {
        Vec::new()
    }

    fn reserve(&mut self, capacity: u32) -> bool {
        let before = self.capacity();
        self.reserve(capacity as usize - self.len());
        self.capacity() != before
    }

    fn shrink(&mut self, capacity: u32) {
        self.shrink_to(capacity as usize);
    }

    unsafe fn push(&mut self, slot: NonNull<S>) {
        debug_assert!(self.len() < self.capacity());
        self.push(slot);
    }

    fn pop(&mut self) -> Option<NonNull<S>> {
        self.pop()
    }
}
