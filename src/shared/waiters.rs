//! Who waits: a list of nodes that lie in the handles themselves, so that it takes no memory.
//!
//! The list belongs to whoever has the lock of the operation, and the nodes in it with it. A node that
//! is not in it belongs to its handle. It is taken out before the handle goes; until then it stays
//! where it is, because the handle is pinned.

use core::{marker::PhantomPinned, ptr::NonNull, task::Waker};

use crate::sync::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
    UnsafeCell,
};

/// A handle's place in the list.
pub(super) struct Waiter {
    node: UnsafeCell<Node>,
    /// Set and cleared by the owner of the list. Only the handle puts its node in, so that what it
    /// sees cleared stays so.
    listed: AtomicBool,
    _pin: PhantomPinned,
}

struct Node {
    previous: Option<NonNull<Waiter>>,
    next: Option<NonNull<Waiter>>,
    waker: Option<Waker>,
}

impl Waiter {
    pub(super) fn new() -> Self {
        Waiter {
            node: UnsafeCell::new(Node { previous: None, next: None, waker: None }),
            listed: AtomicBool::new(false),
            _pin: PhantomPinned,
        }
    }

    #[inline(always)]
    pub(super) fn is_listed(&self) -> bool {
        // ORDERING: Acquire, with the store in `remove`: who has taken the node out is done with it.
        self.listed.load(Acquire)
    }

    /// # Safety
    ///
    /// The node is the caller's, and is used by nobody else meanwhile.
    unsafe fn node<R>(&self, f: impl FnOnce(&mut Node) -> R) -> R {
        self.node.with_mut(|node| {
            // SAFETY: the caller's.
            f(unsafe { &mut *node })
        })
    }
}

/// For loom, which does not see a release: a handle goes after all that others did with its node.
#[cfg(loom)]
impl Drop for Waiter {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.node.with_mut(|_| ());
            // SAFETY: nobody else refers to it.
            assert!(!unsafe { self.listed.unsync_load() }, "a handle goes that is listed");
        }
    }
}

/// First in, first out.
#[derive(Default)]
pub(super) struct Waiters {
    first: Option<NonNull<Waiter>>,
    last: Option<NonNull<Waiter>>,
    len: usize,
}

impl Waiters {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts a waiter in, with its waker.
    ///
    /// # Safety
    ///
    /// The caller owns the list and the waiter, which is not in a list, and does not move before it is
    /// [removed](Waiters::remove).
    pub(super) unsafe fn push(&mut self, waiter: &Waiter, waker: Waker) {
        let new = NonNull::from(waiter);
        let previous = self.last.replace(new);
        // SAFETY: the caller owns it.
        unsafe { waiter.node(|node| *node = Node { previous, next: None, waker: Some(waker) }) };
        // SAFETY: it is in the list.
        unsafe { self.set_next(previous, Some(new)) };
        self.len += 1;
        // ORDERING: Relaxed. The handle itself reads it, or the owner of the list.
        waiter.listed.store(true, Relaxed);
    }

    /// Takes a waiter out; its waker is what is left of it. From then on the handle may go, on another thread:
    /// so no reference to it is an argument, which would have to be good to the end.
    ///
    /// # Safety
    ///
    /// The caller owns the list, and the waiter is in it, or in none.
    pub(super) unsafe fn remove(&mut self, waiter: NonNull<Waiter>) -> Option<Waker> {
        // SAFETY: who is in the list has not moved, and lives; otherwise it is the caller's.
        let there = unsafe { waiter.as_ref() };
        if !there.is_listed() {
            return None;
        }
        // SAFETY: the owner of the list owns the nodes in it.
        let (previous, next, waker) = unsafe {
            there.node(|node| (node.previous.take(), node.next.take(), node.waker.take()))
        };
        // SAFETY: the neighbours are in the list.
        unsafe { self.set_next(previous, next) };
        // SAFETY: as above.
        unsafe { self.set_previous(next, previous) };
        self.len -= 1;
        // ORDERING: Release, with `is_listed`: what was done with the node was done before.
        there.listed.store(false, Release);
        waker
    }

    /// Takes out who waits longest.
    ///
    /// # Safety
    ///
    /// The caller owns the list.
    pub(super) unsafe fn pop(&mut self) -> Option<Waker> {
        // SAFETY: the caller owns the list.
        unsafe { self.remove(self.first?) }
    }

    /// Whether a waiter is in the list with this waker.
    ///
    /// # Safety
    ///
    /// As [`remove`](Waiters::remove).
    #[expect(clippy::unused_self, reason = "the list is what the caller has to own")]
    pub(super) unsafe fn has(&self, waiter: &Waiter, waker: &Waker) -> bool {
        let will_wake = |node: &mut Node| node.waker.as_ref().is_some_and(|w| w.will_wake(waker));
        // SAFETY: the owner of the list owns the nodes in it.
        waiter.is_listed() && unsafe { waiter.node(will_wake) }
    }

    /// # Safety
    ///
    /// `waiter` is in the list.
    unsafe fn set_next(&mut self, waiter: Option<NonNull<Waiter>>, next: Option<NonNull<Waiter>>) {
        match waiter {
            None => self.first = next,
            Some(waiter) => {
                // SAFETY: who is in the list has not moved, and lives.
                let waiter = unsafe { waiter.as_ref() };
                // SAFETY: the owner of the list owns the nodes in it.
                unsafe { waiter.node(|node| node.next = next) };
            }
        }
    }

    /// # Safety
    ///
    /// `waiter` is in the list.
    unsafe fn set_previous(
        &mut self,
        waiter: Option<NonNull<Waiter>>,
        previous: Option<NonNull<Waiter>>,
    ) {
        match waiter {
            None => self.last = previous,
            Some(waiter) => {
                // SAFETY: who is in the list has not moved, and lives.
                let waiter = unsafe { waiter.as_ref() };
                // SAFETY: the owner of the list owns the nodes in it.
                unsafe { waiter.node(|node| node.previous = previous) };
            }
        }
    }
}
