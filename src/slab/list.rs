//! Lists whose links lie in what they link, so that nothing is allocated for them.

use core::{cell::Cell, iter, ops::Deref, ptr::NonNull};

/// A pointer to something that can be in a list. It lives as long as there is one: who [made](Node::new) the first sees to
/// that, and frees it only when none is used any more.
pub(crate) struct Node<N>(NonNull<N>);

impl<N> Node<N> {
    /// # Safety
    ///
    /// It is not freed before the last use of a copy of this.
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
        // SAFETY: it lives, by `new`.
        unsafe { self.0.as_ref() }
    }
}

/// The links of something that is in one list at a time.
pub(crate) struct Links<N> {
    next: Cell<Option<Node<N>>>,
    previous: Cell<Option<Node<N>>>,
}

impl<N> Links<N> {
    pub(crate) const fn new() -> Self {
        Links { next: Cell::new(None), previous: Cell::new(None) }
    }
}

/// What can be in a list.
pub(crate) trait Linked: Sized {
    fn links(&self) -> &Links<Self>;
}

/// One thread uses it at a time, and what it links.
pub(crate) struct List<N>(Cell<Option<Node<N>>>);

impl<N: Linked> List<N> {
    pub(crate) const fn new() -> Self {
        List(Cell::new(None))
    }

    pub(crate) fn first(&self) -> Option<Node<N>> {
        self.0.get()
    }

    /// Puts a node in that is in no list.
    pub(crate) fn push(&self, node: Node<N>) {
        let links = node.links();
        links.next.set(self.0.get());
        links.previous.set(None);
        if let Some(next) = self.0.replace(Some(node)) {
            next.links().previous.set(Some(node));
        }
    }

    /// Takes a node out that is in this list.
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

    /// Takes the first one out.
    pub(crate) fn pop(&self) -> Option<Node<N>> {
        let first = self.first()?;
        self.remove(first);
        Some(first)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Node<N>> {
        iter::successors(self.first(), |node| node.links().next.get())
    }
}
