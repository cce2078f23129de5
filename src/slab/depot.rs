//! The depot of a slab: its pages, and the slots that no thread has at hand.

use core::ptr::NonNull;

use super::{
    Item,
    list::{List, Node},
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

    /// Adds a page that was just allocated.
    pub(crate) fn add(&mut self, page: Node<Page<S>>) {
        self.empty.push(page);
        self.capacity += page.len();
        self.vacant += page.len();
    }

    /// A page with a vacant slot: one that is in use already, if there is one, and rather one whose next slot was taken
    /// before.
    fn page(&self) -> Option<Node<Page<S>>> {
        let is_old = |page: &Node<Page<S>>| !page.next_is_new();
        let some = self.some.iter().take(2).find(is_old);
        let old = some.or_else(|| self.empty.first().filter(is_old));
        old.or(self.some.first()).or(self.empty.first())
    }

    /// Takes a vacant slot out. `new` is how many that were never taken the caller may have.
    pub(crate) fn take(&mut self, new: &mut u32) -> Option<NonNull<S>> {
        let page = self.page()?;
        let (is_new, before) = (page.next_is_new(), page.fill());
        *new = new.checked_sub(is_new.into())?;
        let slot = Page::take(page, self.first_generation);
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
        let before = page.fill();
        // SAFETY: the caller's.
        unsafe { Page::put(page, slot) };
        self.vacant += 1;
        self.move_page(page, before);
    }

    /// Moves a page to the list that it belongs to now.
    fn move_page(&mut self, page: Node<Page<S>>, before: Fill) {
        let now = page.fill();
        if before != now {
            self.pages(before).remove(page);
            self.pages(now).push(page);
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
    pub(crate) fn surplus(&self, storage: &Storage<S>, any: bool) -> Option<Node<Page<S>>> {
        let page = self.empty.first()?;
        let kept = self.lent().saturating_mul(2).max(self.reserved).max(S::kept(storage.shape()));
        (any || self.capacity - page.len() >= kept).then_some(page)
    }

    /// Takes [that](Depot::surplus) out.
    pub(crate) fn remove_surplus(
        &mut self,
        storage: &Storage<S>,
        any: bool,
    ) -> Option<Node<Page<S>>> {
        let page = self.surplus(storage, any)?;
        self.empty.remove(page);
        self.capacity -= page.len();
        self.vacant -= page.len();
        self.made -= page.made();
        Some(page)
    }

    /// Takes any page out. For who frees them all.
    pub(crate) fn remove_page(&mut self) -> Option<Node<Page<S>>> {
        self.some.pop().or_else(|| self.empty.pop()).or_else(|| self.full.pop())
    }

    /// From now on, what is reserved is what is lent.
    pub(crate) fn forget_reserved(&mut self) {
        self.reserved = 0;
    }
}
