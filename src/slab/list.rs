//! Lists whose links lie in what they link, so that nothing is allocated for them.

use core::{cell::Cell, iter, ptr, ptr::NonNull};

/// The links of something that is in one list at a time.
pub(crate) struct Links<N> {
    next: Cell<*mut N>,
    previous: Cell<*mut N>,
}

impl<N> Links<N> {
    pub(crate) const fn new() -> Self {
        Links { next: Cell::new(ptr::null_mut()), previous: Cell::new(ptr::null_mut()) }
    }
}

/// What can be in a list.
pub(crate) trait Linked: Sized {
    fn links(&self) -> &Links<Self>;
}

/// One thread uses it at a time, and what it links. That lives as long as it is in the list.
pub(crate) struct List<N>(Cell<*mut N>);

impl<N: Linked> List<N> {
    pub(crate) const fn new() -> Self {
        List(Cell::new(ptr::null_mut()))
    }

    pub(crate) fn first(&self) -> Option<NonNull<N>> {
        NonNull::new(self.0.get())
    }

    /// # Safety
    ///
    /// The node lives until it is removed, and is in no list.
    pub(crate) unsafe fn push(&self, node: NonNull<N>) {
        // SAFETY: the caller's.
        let links = unsafe { node.as_ref() }.links();
        links.next.set(self.0.get());
        links.previous.set(ptr::null_mut());
        if let Some(next) = self.first() {
            // SAFETY: it is in the list, so it lives.
            unsafe { next.as_ref() }.links().previous.set(node.as_ptr());
        }
        self.0.set(node.as_ptr());
    }

    /// # Safety
    ///
    /// The node is in this list.
    pub(crate) unsafe fn remove(&self, node: NonNull<N>) {
        // SAFETY: the caller's.
        let links = unsafe { node.as_ref() }.links();
        let (next, previous) = (links.next.get(), links.previous.get());
        match NonNull::new(previous) {
            // SAFETY: it is in the list, so it lives.
            Some(previous) => unsafe { previous.as_ref() }.links().next.set(next),
            None => self.0.set(next),
        }
        if let Some(next) = NonNull::new(next) {
            // SAFETY: as above.
            unsafe { next.as_ref() }.links().previous.set(previous);
        }
    }

    /// Takes the first one out.
    pub(crate) fn pop(&self) -> Option<NonNull<N>> {
        let first = self.first()?;
        // SAFETY: it is in this list.
        unsafe { self.remove(first) };
        Some(first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = NonNull<N>> {
        iter::successors(self.first(), |node| {
            // SAFETY: it is in the list, so it lives.
            NonNull::new(unsafe { node.as_ref() }.links().next.get())
        })
    }
}
