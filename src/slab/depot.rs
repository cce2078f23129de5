//! The depot of a slab: its pages, and the vacant slots that are in no magazine.

use core::ptr::NonNull;

use super::{
    Item,
    list::{List, Node},
    page::{Fill, Page},
    storage::Storage,
};

/// The pages of a slab. Its methods take the storage of the same slab.
pub(crate) struct Depot<S: Item> {
    first_generation: u32,
    /// The pages, by [`Fill`].
    some: List<Page<S>>,
    empty: List<Page<S>>,
    full: List<Page<S>>,
    pub(crate) counts: Counts,
}

/// The numbers of slots in a depot.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// In all pages.
    pub(crate) capacity: u32,
    /// Vacant, in the pages.
    pub(crate) vacant: u32,
    /// Never used again.
    pub(crate) retired: u32,
    /// In empty pages.
    idle: u32,
    /// The number of pages that are not empty.
    occupied: u32,
    /// Reserved. They are not freed before a trim.
    pub(crate) reserved: u32,
    /// Initialized.
    made: u32,
    /// The maximum of `made`.
    pub(crate) most: u32,
}

impl Counts {
    /// Returns the number of slots that are neither vacant in a page nor retired.
    pub(crate) fn in_use(self) -> u32 {
        self.capacity - self.vacant - self.retired
    }
}

/// The empty pages that a slab keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    None,
    /// Those whose slots are reserved.
    Reserved,
    /// Those too that will probably be used: at least as many slots as are in use, and as many as [are retained](Item::retained).
    Useful,
}

/// The slots that a slab can do without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spare {
    /// The number of slots in empty pages that are not reserved.
    pub(crate) idle: u32,
    /// The number of slots in use beyond one for each page. If more cached slots than that come back to the depot, each of them
    /// beyond this number makes a page empty, wherever it is.
    pub(crate) excess: u32,
}

// SAFETY: the pages belong to the depot. Only a slab whose slots may be used by several threads is shared.
unsafe impl<S: Item> Send for Depot<S> {}

impl<S: Item> Depot<S> {
    pub(crate) fn new(first_generation: u32) -> Self {
        Depot {
            first_generation,
            some: List::new(),
            empty: List::new(),
            full: List::new(),
            counts: Counts::default(),
        }
    }

    /// Adds a new page.
    pub(crate) fn add(&mut self, page: Node<Page<S>>) {
        self.empty.push(page);
        self.counts.capacity += page.len();
        self.counts.vacant += page.len();
        self.counts.idle += page.len();
    }

    /// Returns a page with a vacant slot. Prefers initialized slots, and then pages that are in use.
    fn page(&self) -> Option<Node<Page<S>>> {
        let is_old = |page: &Node<Page<S>>| !page.next_is_new();
        let some = self.some.iter().take(2).find(is_old);
        let old = some.or_else(|| self.empty.first().filter(is_old));
        old.or(self.some.first()).or(self.empty.first())
    }

    /// Takes out a vacant slot. `new` is the number of slots that may be initialized for the caller.
    pub(crate) fn take(&mut self, new: &mut u32) -> Option<NonNull<S>> {
        let page = self.page()?;
        let (is_new, before) = (page.next_is_new(), page.fill());
        *new = new.checked_sub(is_new.into())?;
        let slot = Page::take(page, self.first_generation);
        if is_new {
            self.counts.made += 1;
            self.counts.most = self.counts.most.max(self.counts.made);
        }
        self.counts.vacant -= 1;
        self.move_page(page, before);
        Some(slot)
    }

    /// Puts a slot back into its page.
    ///
    /// # Safety
    ///
    /// The slot belongs to this slab, and nobody refers to it.
    pub(crate) unsafe fn put(&mut self, storage: &Storage<S>, slot: NonNull<S>) {
        // SAFETY: the caller's.
        let page = unsafe { S::page(slot, storage) };
        let before = page.fill();
        // SAFETY: the caller's.
        unsafe { Page::put(page, slot) };
        self.counts.vacant += 1;
        self.move_page(page, before);
    }

    /// Moves a page to the list for its vacant slots, from the one for `before`.
    fn move_page(&mut self, page: Node<Page<S>>, before: Fill) {
        let now = page.fill();
        if before != now {
            self.pages(before).remove(page);
            self.pages(now).push(page);
            if before == Fill::Empty {
                self.counts.idle -= page.len();
                self.counts.occupied += 1;
            } else if now == Fill::Empty {
                self.counts.idle += page.len();
                self.counts.occupied -= 1;
            }
        }
    }

    fn pages(&self, fill: Fill) -> &List<Page<S>> {
        match fill {
            Fill::Some => &self.some,
            Fill::Empty => &self.empty,
            Fill::Full => &self.full,
        }
    }

    /// Returns an empty page that may be freed.
    pub(crate) fn surplus(&self, storage: &Storage<S>, keep: Keep) -> Option<Node<Page<S>>> {
        let page = self.empty.first()?;
        let Counts { reserved, capacity, .. } = self.counts;
        let kept = match keep {
            Keep::None => 0,
            Keep::Reserved => reserved,
            Keep::Useful => {
                let useful = self.counts.in_use().saturating_mul(2);
                useful.max(reserved).max(S::retained(storage.shape()))
            }
        };
        (capacity - page.len() >= kept).then_some(page)
    }

    /// Returns the slots that another slab may have the memory of.
    pub(crate) fn spare(&self, storage: &Storage<S>) -> Spare {
        let Counts { capacity, idle, occupied, reserved, .. } = self.counts;
        if reserved == 0 {
            return Spare { idle, excess: self.counts.in_use() - occupied };
        }
        // Whole pages, and none that would have to come back from caches.
        let unreserved = capacity.saturating_sub(reserved);
        let page = storage.shape().slots;
        Spare { idle: idle.min(unreserved - unreserved % page), excess: u32::MAX }
    }

    /// Removes the page that [`surplus`](Depot::surplus) returns.
    pub(crate) fn remove_surplus(
        &mut self,
        storage: &Storage<S>,
        keep: Keep,
    ) -> Option<Node<Page<S>>> {
        let page = self.surplus(storage, keep)?;
        self.empty.remove(page);
        self.counts.capacity -= page.len();
        self.counts.vacant -= page.len();
        self.counts.idle -= page.len();
        self.counts.made -= page.made();
        Some(page)
    }

    /// Removes any page. For a slab that frees them all.
    pub(crate) fn remove_page(&mut self) -> Option<Node<Page<S>>> {
        self.some.pop().or_else(|| self.empty.pop()).or_else(|| self.full.pop())
    }
}
