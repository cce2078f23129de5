//! An allocator that counts the allocations of a closure: on one thread with [`counted`], or on several threads with a [`Balance`].
//!
//! This module is not a part of `common`, because it sets the global allocator. Most test programs do not need this allocator.

#![allow(dead_code, reason = "each test file uses some of these")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst},
};

struct Counting;

thread_local! {
    static COUNTED: Cell<Option<&'static Balance>> = const { Cell::new(None) };
    static OF_THREAD: Cell<Counts> = const { Cell::new(Counts { allocations: 0, live: 0, bytes: 0 }) };
}

/// Counters of the allocations of one thread.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Counts {
    /// The number of allocations.
    pub(crate) allocations: usize,
    /// The number of allocations minus the number of deallocations.
    pub(crate) live: isize,
    /// The number of allocated bytes minus the number of deallocated bytes.
    pub(crate) bytes: isize,
}

/// Runs `action`, and returns its result and the counters of its allocations on this thread.
pub(crate) fn counted<R>(action: impl FnOnce() -> R) -> (R, Counts) {
    let before = OF_THREAD.get();
    let result = action();
    let after = OF_THREAD.get();
    let counts = Counts {
        allocations: after.allocations - before.allocations,
        live: after.live - before.live,
        bytes: after.bytes - before.bytes,
    };
    (result, counts)
}

/// Returns the number of allocations of `action` on this thread.
pub(crate) fn allocations(action: impl FnOnce()) -> usize {
    counted(action).1.allocations
}

/// Counters of the allocations in calls of [`count`](Balance::count), and after a call of [`count_from_here`](Balance::count_from_here).
#[derive(Debug)]
pub(crate) struct Balance {
    made: AtomicUsize,
    live: AtomicIsize,
    bytes: AtomicIsize,
}

impl Balance {
    pub(crate) const fn new() -> Self {
        Balance { made: AtomicUsize::new(0), live: AtomicIsize::new(0), bytes: AtomicIsize::new(0) }
    }

    /// Runs `action`, and counts its allocations on this thread.
    pub(crate) fn count<R>(&'static self, action: impl FnOnce() -> R) -> R {
        struct Restore(Option<&'static Balance>);
        impl Drop for Restore {
            fn drop(&mut self) {
                COUNTED.set(self.0);
            }
        }
        let _restore = Restore(COUNTED.replace(Some(self)));
        action()
    }

    /// Counts all allocations of this thread from now on, including those of its thread-local destructors.
    pub(crate) fn count_from_here(&'static self) {
        COUNTED.set(Some(self));
    }

    /// Returns the number of allocations.
    pub(crate) fn made(&self) -> usize {
        self.made.load(SeqCst)
    }

    /// Returns the number of allocations of `action` on this thread. Meanwhile, no other thread counts its allocations in this `Balance`.
    pub(crate) fn made_by(&'static self, action: impl FnOnce()) -> usize {
        let before = self.made.load(SeqCst);
        self.count(action);
        self.made.load(SeqCst) - before
    }

    /// Returns the number of allocations minus the number of deallocations.
    pub(crate) fn live(&self) -> isize {
        self.live.load(SeqCst)
    }

    /// Returns the number of allocated bytes minus the number of deallocated bytes.
    pub(crate) fn bytes(&self) -> isize {
        self.bytes.load(SeqCst)
    }
}

fn add(count: isize, layout: Layout) {
    let bytes = count * isize::try_from(layout.size()).expect("the size of a layout fits");
    let allocations = usize::from(count > 0);
    // If the thread is ending, its thread-locals may already be destroyed.
    let _ = OF_THREAD.try_with(|counts| {
        let before = counts.get();
        counts.set(Counts {
            allocations: before.allocations + allocations,
            live: before.live + count,
            bytes: before.bytes + bytes,
        });
    });
    if let Ok(Some(balance)) = COUNTED.try_with(Cell::get) {
        balance.made.fetch_add(allocations, SeqCst);
        balance.live.fetch_add(count, SeqCst);
        balance.bytes.fetch_add(bytes, SeqCst);
    }
}

// SAFETY: each call is forwarded to `System` with its arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(1, layout);
        // SAFETY: the caller fulfils the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-1, layout);
        // SAFETY: the caller fulfils the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
