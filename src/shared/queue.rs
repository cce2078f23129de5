//! A queue of waiters, first in, first out. It is a list whose nodes are in the waiters, so it never allocates.
//!
//! Invariants, which only this file can break:
//!
//! 1. A waiter in a list is pinned and alive. Its queue is pinned and alive, too. (The drop of a waiter that is in a list aborts the
//!    process. The drop of a queue removes all waiters from its list.)
//! 2. The code that has the `Pin<&mut Locked>` of a list owns the list: it may access the nodes of the waiters in the list. The node of a
//!    waiter that is in no list may be accessed through its `Pin<&mut Waiter>`.
//! 3. `Waiter::list` is the address of the list that contains the waiter, or 0 if no list contains it. Only the owner of the list changes
//!    this address. By invariant 1, two lists with waiters never have the same address.
//! 4. A [`Link`] is used only by the owner of the list that contains its waiter.

use core::{marker::PhantomPinned, pin::Pin, ptr, ptr::NonNull, task::Waker};
use std::{process, sync::PoisonError};

use pin_project_lite::pin_project;

use crate::sync::{
    AtomicUsize, Mutex, MutexGuard,
    Ordering::{Acquire, Relaxed, Release},
    UnsafeCell, lock,
};

/// An element of a queue, with the waker of a task. [Remove](Locked::remove) a waiter from its queue before it
/// is dropped: the drop of a queued waiter aborts the process.
pub(super) struct Waiter {
    node: UnsafeCell<Node>,
    list: AtomicUsize,
    _pin: PhantomPinned,
}

struct Node {
    previous: Option<Link>,
    next: Option<Link>,
    waker: Option<Waker>,
}

// SAFETY: a shared reference gives access to `list` only, which is an atomic (invariant 2).
unsafe impl Sync for Waiter {}

impl Waiter {
    pub(super) fn new() -> Self {
        Waiter {
            node: UnsafeCell::new(Node { previous: None, next: None, waker: None }),
            list: AtomicUsize::new(0),
            _pin: PhantomPinned,
        }
    }

    /// Returns `true` if the waiter is in a queue. If this returns `false`, the waiter stays outside of queues until its owner pushes it.
    #[inline(always)]
    pub(super) fn is_queued(&self) -> bool {
        // ORDERING: Acquire. It pairs with the Release in `unlink`: if this returns `false`, the owner of the list does not use the node
        // any more.
        self.list.load(Acquire) != 0
    }
}

impl Drop for Waiter {
    #[inline(always)]
    fn drop(&mut self) {
        // Without the abort, the list would have a dangling link.
        if self.is_queued() {
            process::abort();
        }
        // In a loom model, checks that every other access happens-before this drop.
        #[cfg(loom)]
        if !std::thread::panicking() {
            self.node.with_mut(|_| ());
            self.list.with_mut(|_| ());
        }
    }
}

/// The address of a waiter that is in a list.
#[derive(Clone, Copy)]
struct Link(NonNull<Waiter>);

// SAFETY: only the owner of the list uses a link (invariant 4). A waiter is `Sync`, and its node is `Send`.
unsafe impl Send for Link {}

impl Link {
    fn new(waiter: Pin<&mut Waiter>) -> Self {
        Link(NonNull::from(waiter.into_ref().get_ref()))
    }

    fn waiter(&self) -> &Waiter {
        // SAFETY: the waiter is in a list, so it is alive (invariant 1).
        unsafe { self.0.as_ref() }
    }

    fn with_node<R>(self, f: impl FnOnce(&mut Node) -> R) -> R {
        self.waiter().node.with_mut(|node| {
            // SAFETY: the caller owns the list (invariant 4). So it may access the node (invariant 2).
            f(unsafe { &mut *node })
        })
    }
}

/// A queue, and a state that is protected by the same lock.
pub(super) struct Queue<S>(Mutex<Locked<S>>);

static_assertions::assert_not_impl_any!(Queue<()>: Unpin);

impl<S> Queue<S> {
    pub(super) fn new(state: S) -> Self {
        Queue(Mutex::new(Locked { first: None, last: None, len: 0, state, _pin: PhantomPinned }))
    }

    pub(super) fn lock(self: Pin<&Self>) -> Pin<MutexGuard<'_, Locked<S>>> {
        // SAFETY: the content is pinned with the queue: no function of this file moves it.
        unsafe { Pin::new_unchecked(lock(&self.get_ref().0)) }
    }

    /// Returns the content without locking, because the caller has borrowed the queue mutably.
    pub(super) fn content_mut(self: Pin<&mut Self>) -> Pin<&mut Locked<S>> {
        // SAFETY: the content is pinned with the queue: no function of this file moves it.
        unsafe {
            self.map_unchecked_mut(|queue| {
                queue.0.get_mut().unwrap_or_else(PoisonError::into_inner)
            })
        }
    }
}

pin_project! {
    /// The content of a queue. A pinned mutable reference to this type proves that the caller has locked the queue, or has borrowed it
    /// mutably.
    pub(super) struct Locked<S> {
        first: Option<Link>,
        last: Option<Link>,
        len: usize,
        state: S,
        #[pin]
        _pin: PhantomPinned,
    }

    impl<S> PinnedDrop for Locked<S> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if this.first.is_some() {
                this.clear();
            }
        }
    }
}

impl<S> Locked<S> {
    /// Returns the number of waiters.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn state(self: Pin<&mut Self>) -> &mut S {
        self.project().state
    }

    /// Adds a waiter at the end of the queue. The waiter must not be in a queue yet.
    pub(super) fn push(mut self: Pin<&mut Self>, waiter: Pin<&mut Waiter>, waker: Waker) {
        assert!(!waiter.is_queued(), "a waiter is in one queue at a time");
        let link = Link::new(waiter);
        let address = self.address();
        let this = self.as_mut().project();
        let previous = this.last.replace(link);
        *this.len += 1;
        link.with_node(|node| *node = Node { previous, next: None, waker: Some(waker) });
        self.set_next(previous, Some(link));
        // ORDERING: Relaxed. The owner of the waiter calls this function, and so sees this store. Later owners of the list see this store
        // because of the lock of the list.
        link.waiter().list.store(address, Relaxed);
    }

    /// Removes a waiter if it is in this queue. Returns its waker.
    pub(super) fn remove(self: Pin<&mut Self>, waiter: Pin<&mut Waiter>) -> Option<Waker> {
        if self.contains(&waiter) { self.unlink(Link::new(waiter)) } else { None }
    }

    /// Removes the first waiter, and returns its waker.
    pub(super) fn pop(self: Pin<&mut Self>) -> Option<Waker> {
        let first = self.first?;
        self.unlink(first)
    }

    /// Returns `true` if a waiter is in this queue, and its waker wakes the same task as `waker`.
    pub(super) fn has(self: Pin<&mut Self>, waiter: Pin<&mut Waiter>, waker: &Waker) -> bool {
        let will_wake = |node: &mut Node| node.waker.as_ref().is_some_and(|w| w.will_wake(waker));
        self.contains(&waiter) && Link::new(waiter).with_node(will_wake)
    }

    #[cold]
    fn clear(mut self: Pin<&mut Self>) {
        // Each handle should have removed its waiter before the queue is dropped. Only loom models check this.
        assert!(!cfg!(loom) || std::thread::panicking(), "the dropped queue still has a waiter");
        while self.as_mut().pop().is_some() {}
    }

    fn contains(&self, waiter: &Waiter) -> bool {
        // ORDERING: Relaxed. If the waiter is in this list, the caller owns the list, and only the owner changes `Waiter::list`.
        waiter.list.load(Relaxed) == self.address()
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Removes a waiter that is in this list. Another thread may drop the waiter as soon as this function has
    /// stored 0. So no argument is a reference to the waiter.
    fn unlink(mut self: Pin<&mut Self>, link: Link) -> Option<Waker> {
        let (previous, next, waker) =
            link.with_node(|node| (node.previous.take(), node.next.take(), node.waker.take()));
        self.as_mut().set_next(previous, next);
        self.as_mut().set_previous(next, previous);
        *self.project().len -= 1;
        // ORDERING: Release. It pairs with the Acquire in `is_queued`: this thread does not use the node any more.
        link.waiter().list.store(0, Release);
        waker
    }

    fn set_next(self: Pin<&mut Self>, of: Option<Link>, next: Option<Link>) {
        match of {
            None => *self.project().first = next,
            Some(link) => link.with_node(|node| node.next = next),
        }
    }

    fn set_previous(self: Pin<&mut Self>, of: Option<Link>, previous: Option<Link>) {
        match of {
            None => *self.project().last = previous,
            Some(link) => link.with_node(|node| node.previous = previous),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use alloc::boxed::Box;
    use core::pin::pin;

    use super::*;

    #[test]
    fn a_waiter_of_another_queue_is_not_removed() {
        let (queue, other) = (pin!(Queue::new(())), pin!(Queue::new(())));
        let mut waiter = pin!(Waiter::new());
        // All wakers of this test are clones of this clone. The program may contain the vtable of `Waker::noop` twice, and `will_wake`
        // compares addresses.
        let waker = &Waker::noop().clone();
        queue.as_ref().lock().as_mut().push(waiter.as_mut(), waker.clone());
        let mut locked = other.as_ref().lock();
        assert!(!locked.as_mut().has(waiter.as_mut(), waker));
        assert!(locked.as_mut().remove(waiter.as_mut()).is_none() && waiter.is_queued());
        let mut locked = queue.as_ref().lock();
        assert!(locked.as_mut().has(waiter.as_mut(), waker));
        assert!(locked.as_mut().remove(waiter.as_mut()).is_some() && !waiter.is_queued());
        assert_eq!(locked.len(), 0);
    }

    #[test]
    #[should_panic(expected = "a waiter is in one queue at a time")]
    fn a_queued_waiter_is_not_queued_again() {
        // The queue is declared after the waiter, so it is dropped first. The drop of the queue removes the waiter.
        let mut waiter = pin!(Waiter::new());
        let queue = pin!(Queue::new(()));
        queue.as_ref().lock().as_mut().push(waiter.as_mut(), Waker::noop().clone());
        queue.as_ref().lock().as_mut().push(waiter.as_mut(), Waker::noop().clone());
    }

    #[test]
    fn the_drop_of_a_queue_removes_its_waiters() {
        let mut waiters = [(); 3].map(|()| Box::pin(Waiter::new()));
        let queue = Box::pin(Queue::new(()));
        for waiter in &mut waiters {
            queue.as_ref().lock().as_mut().push(waiter.as_mut(), Waker::noop().clone());
        }
        drop(queue);
        assert!(waiters.iter().all(|waiter| !waiter.is_queued()));
    }
}
