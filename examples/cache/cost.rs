//! What a lookup costs, counted and timed; and which file is asked for next.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    array,
    cell::Cell,
    sync::LazyLock,
    time::Instant,
};

/// Nanoseconds, allocations and bytes allocated.
pub(crate) type Cost = [f64; 3];

// Each thread counts its own, so that counting costs next to nothing. Only the thread that looks up
// reads its counters: what tokio's reading threads allocate is in no figure.
thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn spent() -> Cost {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let nanoseconds = START.elapsed().as_nanos() as f64;
    let [allocations, bytes] = [&ALLOCATIONS, &BYTES].map(|counter| counter.get() as f64);
    [nanoseconds, allocations, bytes]
}

pub(crate) fn plus(a: Cost, b: Cost) -> Cost {
    array::from_fn(|i| a[i] + b[i])
}

pub(crate) fn minus(a: Cost, b: Cost) -> Cost {
    array::from_fn(|i| a[i] - b[i])
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to `System` with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + layout.size() as u64);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// File popularity is a Zipf distribution with this exponent.
const SKEW: f64 = 1.5;

/// Which file is asked for next; the same sequence in every run.
pub(crate) struct Popularity {
    /// For each file, its weight and those of all before it.
    sums: Vec<f64>,
    random: u64,
}

impl Popularity {
    pub(crate) fn new(files: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=files).map(|n| {
            sum += (n as f64).powf(-SKEW);
            sum
        });
        let (sums, random) = (sums.collect(), 1);
        Popularity { sums, random }
    }

    /// The file at this share of all weight.
    pub(crate) fn at(&self, share: f64) -> usize {
        let total = self.sums.last().expect("there are files");
        self.sums.partition_point(|sum| *sum <= share * total)
    }

    pub(crate) fn next(&mut self) -> usize {
        // Knuth's linear congruential generator; the upper half is the good one.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005);
        self.random = self.random.wrapping_add(1_442_695_040_888_963_407);
        self.at(f64::from((self.random >> 32) as u32) / 2_f64.powi(32))
    }
}
