//! Intrusive lists: the links are part of the nodes, so a list allocates nothing.

use core::{cell::Cell, iter, ops::Deref, ptr::NonNull};

/// A pointer to a list node that is valid: whoever creates the first copy frees the node after the last use of any copy.
pub(crate) struct Node<N>(NonNull<N>);

impl<N> Node<N> {
    /// # Safety
    ///
    /// The node is valid until the last use of a copy of this pointer.
    #[inline(always)]
    pub(crate) unsafe fn new(node: NonNull<N>) -> Self {
        Node(node)
    }

    #[inline(always)]
    pub(crate) fn pointer(self) -> NonNull<N> {
        self.0
    }
}

impl<N> Clone for Node<N> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Node<N> {}

impl<N> Deref for Node<N> {
    type Target = N;

    #[inline(always)]
    fn deref(&self) -> &N {
        // SAFETY: the pointer is valid, by the contract of `new`.
        unsafe { self.0.as_ref() }
    }
}

/// The links of a node, which is in at most one list.
pub(crate) struct Links<N> {
    next: Cell<Option<Node<N>>>,
    previous: Cell<Option<Node<N>>>,
}

impl<N> Links<N> {
    pub(crate) const fn new() -> Self {
        Links { next: Cell::new(None), previous: Cell::new(None) }
    }
}

/// A node.
pub(crate) trait Linked: Sized {
    fn links(&self) -> &Links<Self>;
}

/// A doubly linked list. One thread at a time accesses it and its nodes.
pub(crate) struct List<N>(Cell<Option<Node<N>>>);

impl<N: Linked> List<N> {
    pub(crate) const fn new() -> Self {
        List(Cell::new(None))
    }

    pub(crate) fn first(&self) -> Option<Node<N>> {
        self.0.get()
    }

    /// Adds a node, which is in no list.
    pub(crate) fn push(&self, node: Node<N>) {
        let links = node.links();
        links.next.set(self.0.get());
        links.previous.set(None);
        if let Some(next) = self.0.replace(Some(node)) {
            next.links().previous.set(Some(node));
        }
    }

    /// Removes a node, which is in this list.
    pub(crate) fn remove(&self, node: Node<N>) {
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
    pub(crate) fn pop(&self) -> Option<Node<N>> {
        let first = self.first()?;
        self.remove(first);
        Some(first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Node<N>> {
        iter::successors(self.first(), |node| node.links().next.get())
    }
}
