//! An allocator that counts the allocations of a closure, on all threads of a test.
//!
//! It is not a part of `common`, because a program has one global allocator.

#![allow(dead_code, reason = "each test file uses some of these")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst},
};

struct Counting;

thread_local! {
    static COUNTED: Cell<Option<&'static Balance>> = const { Cell::new(None) };
}

/// Counters of the allocations in calls of [`count`](Balance::count).
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

    /// Counts all allocations of this thread from now on, also in its thread-local destructors.
    pub(crate) fn count_from_here(&'static self) {
        COUNTED.set(Some(self));
    }

    /// Returns the number of allocations.
    pub(crate) fn made(&self) -> usize {
        self.made.load(SeqCst)
    }

    /// Returns the number of allocations of `action` on this thread.
    pub(crate) fn made_by(&'static self, action: impl FnOnce()) -> usize {
        let before = self.made.load(SeqCst);
        self.count(action);
        self.made.load(SeqCst) - before
    }

    /// Returns the number of allocations that were not freed.
    pub(crate) fn live(&self) -> isize {
        self.live.load(SeqCst)
    }

    /// Returns the number of bytes that were not freed.
    pub(crate) fn bytes(&self) -> isize {
        self.bytes.load(SeqCst)
    }
}

fn add(count: isize, layout: Layout) {
    // The thread-local may be destroyed already, if the thread ends.
    if let Ok(Some(balance)) = COUNTED.try_with(Cell::get) {
        balance.live.fetch_add(count, SeqCst);
        balance
            .bytes
            .fetch_add(count * isize::try_from(layout.size()).expect("a layout fits"), SeqCst);
        if count > 0 {
            balance.made.fetch_add(1, SeqCst);
        }
    }
}

// SAFETY: each call is forwarded to `System` with its arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(1, layout);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-1, layout);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
