//! A global allocator that counts the allocations of each thread.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ops::{Add, Sub},
};

/// A number of allocations, and the sum of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Allocated {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

impl Add for Allocated {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Allocated { count: self.count + other.count, bytes: self.bytes + other.bytes }
    }
}

impl Sub for Allocated {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Allocated { count: self.count - earlier.count, bytes: self.bytes - earlier.bytes }
    }
}

// Each thread has its own counters, because shared counters would slow down the programs.
thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { count: 0, bytes: 0 }) };
}

/// Returns the allocations of the calling thread so far.
pub(crate) fn allocated() -> Allocated {
    ALLOCATED.get()
}

/// Counts an allocation. On some targets, the counters of a thread are destroyed before the thread ends. Later allocations of this thread
/// are then not counted.
fn count(size: usize) {
    let _ = ALLOCATED.try_with(|allocated| {
        allocated.set(allocated.get() + Allocated { count: 1, bytes: size as u64 });
    });
}

struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

// SAFETY: each method forwards its arguments to `System`, which implements the contract of `GlobalAlloc`.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, and `System` has the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, and `System` has the same contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, and `System` has the same contract.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `GlobalAlloc`, and `System` has the same contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}
