//! The depot of a slab: its pages, and the slots that no thread has at hand.

use core::ptr::NonNull;

use super::{
    Item,
    list::List,
    page::{Fill, Page},
    storage::Storage,
};

/// Its methods are called with the storage of the slab that it belongs to.
pub(crate) struct Depot<S: Item> {
    first_generation: u32,
    /// Pages by what they have of vacant slots, so that the next one is at hand: by [`Fill`].
    some: List<Page<S>>,
    empty: List<Page<S>>,
    full: List<Page<S>>,
    /// The number of slots of all pages.
    capacity: u32,
    /// The number of slots that are vacant here.
    vacant: u32,
    /// The number of slots that came back for the last time.
    retired: u32,
    /// As many slots stay here, even if they are not used.
    reserved: u32,
    /// The number of slots that were made, and that there are.
    made: u32,
    /// The most that this has been.
    most: u32,
}

// SAFETY: what it refers to is the slab's, and for whoever has the depot. The slab sees to it that it is sent to threads
// only if its slots may be.
unsafe impl<S: Item> Send for Depot<S> {}

impl<S: Item> Depot<S> {
    pub(crate) fn new(first_generation: u32) -> Self {
        Depot {
            first_generation,
            some: List::new(),
            empty: List::new(),
            full: List::new(),
            capacity: 0,
            vacant: 0,
            retired: 0,
            reserved: 0,
            made: 0,
            most: 0,
        }
    }

    pub(crate) fn capacity(&self) -> u32 {
        self.capacity
    }

    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    pub(crate) fn vacant(&self) -> u32 {
        self.vacant
    }

    pub(crate) fn retired(&self) -> u32 {
        self.retired
    }

    pub(crate) fn most(&self) -> u32 {
        self.most
    }

    /// The number of slots that are neither here nor retired.
    pub(crate) fn lent(&self) -> u32 {
        self.capacity - self.vacant - self.retired
    }

    /// A slot comes back that must not be taken again.
    pub(crate) fn retire(&mut self) {
        self.retired += 1;
    }

    pub(crate) fn reserve(&mut self, slots: u32) {
        self.reserved = self.reserved.max(slots);
    }

    /// Adds a page.
    ///
    /// # Safety
    ///
    /// It was just allocated by the storage.
    pub(crate) unsafe fn add(&mut self, page: NonNull<Page<S>>) {
        // SAFETY: the caller's.
        let slots = unsafe { page.as_ref() }.len();
        // SAFETY: it is in no list.
        unsafe { self.empty.push(page) };
        self.capacity += slots;
        self.vacant += slots;
    }

    /// A page with a vacant slot: one that is in use already, if there is one, and rather one whose next slot was taken
    /// before.
    fn page(&self) -> Option<NonNull<Page<S>>> {
        // SAFETY: a page of a list lives.
        let is_old = |page: &NonNull<Page<S>>| !unsafe { page.as_ref() }.next_is_new();
        let some = self.some.iter().take(2).find(is_old);
        let old = some.or_else(|| self.empty.first().filter(is_old));
        old.or(self.some.first()).or(self.empty.first())
    }

    /// Takes a vacant slot out. `new` is how many that were never taken the caller may have.
    pub(crate) fn take(&mut self, storage: &Storage<S>, new: &mut u32) -> Option<NonNull<S>> {
        let page = self.page()?;
        // SAFETY: a page of a list lives.
        let is_new = unsafe { page.as_ref() }.next_is_new();
        *new = new.checked_sub(is_new.into())?;
        // SAFETY: as above.
        let before = unsafe { page.as_ref() }.fill();
        // SAFETY: as above, and it is a page of the storage.
        let slot = unsafe { Page::take(page, storage.shape(), self.first_generation) };
        if is_new {
            self.made += 1;
            self.most = self.most.max(self.made);
        }
        self.vacant -= 1;
        self.move_page(page, before);
        Some(slot)
    }

    /// Takes a slot back.
    ///
    /// # Safety
    ///
    /// It is a slot of the slab, vacant, and nobody refers to it.
    pub(crate) unsafe fn put(&mut self, storage: &Storage<S>, slot: NonNull<S>) {
        // SAFETY: the caller's.
        let page = unsafe { S::page(slot, storage) };
        // SAFETY: a page lives as long as one of its slots is out.
        let before = unsafe { page.as_ref() }.fill();
        // SAFETY: as above; the rest is the caller's.
        unsafe { Page::put(page, storage.shape(), slot) };
        self.vacant += 1;
        self.move_page(page, before);
    }

    /// Moves a page to the list that it belongs to now.
    fn move_page(&mut self, page: NonNull<Page<S>>, before: Fill) {
        // SAFETY: a page lives that has been in a list.
        let now = unsafe { page.as_ref() }.fill();
        if before != now {
            // SAFETY: it was in that list.
            unsafe { self.pages(before).remove(page) };
            // SAFETY: it is in no other.
            unsafe { self.pages(now).push(page) };
        }
    }

    fn pages(&self, fill: Fill) -> &List<Page<S>> {
        match fill {
            Fill::Some => &self.some,
            Fill::Empty => &self.empty,
            Fill::Full => &self.full,
        }
    }

    /// An empty page that may be freed: any, or one that there are too many of. Those are what goes
    /// beyond twice what is lent, what is reserved, and [a few](Item::kept).
    pub(crate) fn surplus(&self, storage: &Storage<S>, any: bool) -> Option<NonNull<Page<S>>> {
        let page = self.empty.first()?;
        // SAFETY: a page of a list lives.
        let slots = unsafe { page.as_ref() }.len();
        let kept = self.lent().saturating_mul(2).max(self.reserved).max(S::kept(storage.shape()));
        (any || self.capacity - slots >= kept).then_some(page)
    }

    /// Takes [that](Depot::surplus) out.
    pub(crate) fn remove_surplus(
        &mut self,
        storage: &Storage<S>,
        any: bool,
    ) -> Option<NonNull<Page<S>>> {
        let page = self.surplus(storage, any)?;
        // SAFETY: it is in that list.
        unsafe { self.empty.remove(page) };
        // SAFETY: it was in a list, and is freed later.
        let page_of = unsafe { page.as_ref() };
        self.capacity -= page_of.len();
        self.vacant -= page_of.len();
        self.made -= page_of.made();
        Some(page)
    }

    /// Takes any page out. For who frees them all.
    pub(crate) fn remove_page(&mut self) -> Option<NonNull<Page<S>>> {
        self.some.pop().or_else(|| self.empty.pop()).or_else(|| self.full.pop())
    }

    /// From now on, what is reserved is what is lent.
    pub(crate) fn forget_reserved(&mut self) {
        self.reserved = 0;
    }
}
