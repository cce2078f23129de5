//! Intrusive lists: the links are part of the nodes, so a list allocates nothing.

use core::{cell::Cell, iter};

/// A pointer to a node.
pub(super) trait Linked: Copy {
    fn links(&self) -> &Links<Self>;
}

/// The links of a node. A node is in at most one list.
pub(super) struct Links<P> {
    next: Cell<Option<P>>,
    previous: Cell<Option<P>>,
}

impl<P> Links<P> {
    pub(super) const fn new() -> Self {
        Links { next: Cell::new(None), previous: Cell::new(None) }
    }
}

/// A doubly linked list. One thread at a time accesses the list and the links of its nodes.
pub(super) struct List<P>(Cell<Option<P>>);

impl<P: Linked> List<P> {
    pub(super) const fn new() -> Self {
        List(Cell::new(None))
    }

    pub(super) fn first(&self) -> Option<P> {
        self.0.get()
    }

    /// Adds a node at the beginning. Before this call, the node is in no list.
    pub(super) fn push(&self, node: P) {
        let links = node.links();
        links.next.set(self.0.get());
        links.previous.set(None);
        if let Some(next) = self.0.replace(Some(node)) {
            next.links().previous.set(Some(node));
        }
    }

    /// Removes a node, which must be in this list.
    pub(super) fn remove(&self, node: P) {
        let links = node.links();
        let (next, previous) = (links.next.get(), links.previous.get());
        match previous {
            Some(previous) => previous.links().next.set(next),
            None => self.0.set(next),
        }
        if let Some(next) = next {
            next.links().previous.set(previous);
        }
    }

    /// Removes the first node.
    pub(super) fn pop(&self) -> Option<P> {
        let first = self.first()?;
        self.remove(first);
        Some(first)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = P> {
        iter::successors(self.first(), |node| node.links().next.get())
    }
}
