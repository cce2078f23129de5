//! An allocator that counts what a test says it is to count, on all threads of the test.
//!
//! Not a part of `common`, because it is that of the whole program.

#![allow(dead_code, reason = "each test uses its part")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst},
};

struct Counting;

thread_local! {
    static COUNTED: Cell<Option<&'static Balance>> = const { Cell::new(None) };
}

/// What was allocated and freed in calls of [`count`](Balance::count).
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

    /// Counts what `action` does on this thread.
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

    /// Counts what this thread does from now on: for the end of a thread.
    pub(crate) fn count_from_here(&'static self) {
        COUNTED.set(Some(self));
    }

    /// How many allocations were made in all.
    pub(crate) fn made(&self) -> usize {
        self.made.load(SeqCst)
    }

    /// How many allocations `action` makes on this thread.
    pub(crate) fn made_by(&'static self, action: impl FnOnce()) -> usize {
        let before = self.made.load(SeqCst);
        self.count(action);
        self.made.load(SeqCst) - before
    }

    /// So many allocations were not freed.
    pub(crate) fn live(&self) -> isize {
        self.live.load(SeqCst)
    }

    /// So large are they together.
    pub(crate) fn bytes(&self) -> isize {
        self.bytes.load(SeqCst)
    }
}

fn add(count: isize, layout: Layout) {
    // A thread that is ending counts nothing.
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

// SAFETY: every call goes to `System` with the arguments it came with.
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
