//! The cache that a thread has of a slab, from the first slot that it rents there: its magazines.
//!
//! Two refer to it: the thread, which frees it, and the slab, which has it in a list. Each may be the first to let go,
//! and whoever swaps the room to 0 is. A thread that lets go hands its slots to the depot. A slab that lets go, because it
//! is closed, counts them where they are, and is free to go.

use alloc::boxed::Box;
use core::ptr::NonNull;

use super::{
    list::{Linked, Links, Node},
    magazines::{Magazines, ROOM},
};
use crate::sync::{
    AtomicPtr, AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

/// On cache lines of its own, and not beside those that the prefetcher brings along. What each rent needs is in the
/// first one.
#[repr(C, align(128))]
pub(crate) struct Cache {
    /// [`ROOM`], or 0 since one of the two has let go.
    room: AtomicU64,
    /// The number of slots that were rented from here, where slots do not count that.
    rents: AtomicU64,
    pub(crate) magazines: Magazines<AtomicU64, AtomicPtr<()>>,
    /// The number of slots that the slab has counted when it let go.
    counted: AtomicU64,
    slab: NonNull<()>,
    leave: unsafe fn(Node<Cache>),
    /// For who has the lock of the depot.
    links: Links<Cache>,
    /// A model fails if this is left.
    #[cfg(loom)]
    lives: loom::alloc::Track<()>,
}

impl Linked for Cache {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

/// What a thread finds when it lets go.
pub(crate) enum Leaving {
    /// It was the first: the slab lives, and has the cache in its list.
    First,
    /// The slab has let go before, and counted all slots but so many. If there are any, the slab lives.
    Second { uncounted: u64 },
}

impl Cache {
    /// `leave` is what [`leave`](Cache::leave) does.
    pub(crate) fn new(slab: NonNull<()>, leave: unsafe fn(Node<Cache>)) -> Node<Self> {
        let cache = Box::new(Cache {
            room: AtomicU64::new(ROOM),
            rents: AtomicU64::new(0),
            magazines: Magazines::new(),
            counted: AtomicU64::new(0),
            slab,
            leave,
            links: Links::new(),
            #[cfg(loom)]
            lives: loom::alloc::Track::new(()),
        });
        // SAFETY: `free` frees it.
        unsafe { Node::new(NonNull::from(Box::leak(cache))) }
    }

    /// The thread gives its cache up.
    ///
    /// # Safety
    ///
    /// It is the cache of this thread, which does not use it again.
    pub(crate) unsafe fn leave(this: Node<Self>) {
        // SAFETY: the caller's.
        unsafe { (this.leave)(this) };
    }

    /// # Safety
    ///
    /// Both have let go.
    pub(crate) unsafe fn free(this: Node<Self>) {
        // SAFETY: it is from `Box::leak`, and this is the end of it.
        drop(unsafe { Box::from_raw(this.pointer().as_ptr()) });
    }

    pub(crate) fn slab(&self) -> NonNull<()> {
        self.slab
    }

    #[inline(always)]
    pub(crate) fn pop<S>(&self) -> Option<NonNull<S>> {
        // ORDERING: Relaxed. Who rents has a handle of an open slab, and knows if another one was closed that had the
        // same address.
        self.magazines.pop(self.room.load(Relaxed))
    }

    /// Nothing is done to the slab afterwards, which may be gone.
    #[inline(always)]
    pub(crate) fn push<S>(&self, slot: NonNull<S>) -> bool {
        // ORDERING: Relaxed. If it is missed that the slab has let go, the slot is uncounted until the thread does.
        self.magazines.push(slot, self.room.load(Relaxed))
    }

    /// The slab has let go.
    pub(crate) fn is_left(&self) -> bool {
        // ORDERING: Relaxed, as above.
        self.room.load(Relaxed) == 0
    }

    /// Counts a slot that was rented from here.
    #[inline(always)]
    pub(crate) fn count(&self) {
        // ORDERING: Relaxed. Nobody else stores here; others read it for reports.
        self.rents.store(self.rents.load(Relaxed) + 1, Relaxed);
    }

    pub(crate) fn rents(&self) -> u64 {
        // ORDERING: Relaxed, as above.
        self.rents.load(Relaxed)
    }

    /// The thread lets go.
    pub(crate) fn leave_by_thread(&self) -> Leaving {
        // ORDERING: AcqRel, with the swap in `leave_by_slab`: what that has counted is visible.
        if self.room.swap(0, AcqRel) != 0 {
            return Leaving::First;
        }
        Leaving::Second { uncounted: self.magazines.len() - self.counted.load(Relaxed) }
    }

    /// For another thread. The slab has the cache, which is empty, in its list no more.
    pub(crate) fn renew(&self) {
        self.rents.store(0, Relaxed);
        // ORDERING: Relaxed: the next thread gets it from who has the lock of the depot.
        self.room.store(ROOM, Relaxed);
    }

    /// The slab lets go, and has the lock of the depot. Returns the number of slots that are here, which the slab
    /// counts; `None` if the thread was first, which then waits for the lock. Otherwise the thread may free it from then on,
    /// so it is in no list.
    pub(crate) fn leave_by_slab(this: Node<Self>) -> Option<u64> {
        // Nobody rents from a slab that is being closed, so there will not be fewer.
        let len = this.magazines.len();
        this.counted.store(len, Relaxed);
        // ORDERING: AcqRel, with the swap in `leave_by_thread`.
        (this.room.swap(0, AcqRel) != 0).then_some(len)
    }
}

/// As for a [`Slot`](crate::slot::Slot).
#[cfg(loom)]
impl Drop for Cache {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.room.with_mut(|_| ());
            self.rents.with_mut(|_| ());
            self.counted.with_mut(|_| ());
            self.magazines.touch();
        }
    }
}
