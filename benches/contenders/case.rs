//! `Case`, the work of one contender. This file also has the task, the waker and the counting allocator for the cases.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    future::Future,
    hint::black_box,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
    time::{Duration, Instant},
};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The work of one contender. `run` does the given number of operations on each of its threads, and returns a checksum of the results.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) threads: u64,
    pub(crate) run: Box<dyn Fn(u64) -> u64>,
}

/// Calls `run`. Each call shifts the heap and the stack to other offsets within a page.
///
/// For a load, the CPU first compares only the low 12 bits of the address with those of the addresses of earlier stores. If these bits are
/// equal although the addresses differ, the load waits, and an operation takes up to 9 ns more. So the task and the stack of a case get
/// other addresses in each run.
fn at_other_addresses(run: &mut dyn FnMut()) {
    fn below(levels: u64, run: &mut dyn FnMut()) {
        let mut frame = [0_u8; 256];
        black_box(&mut frame);
        if levels == 0 {
            run();
        } else {
            below(levels - 1, run);
        }
        black_box(&mut frame);
    }

    static RUNS: AtomicU64 = AtomicU64::new(0);

    let runs = RUNS.fetch_add(1, Relaxed);
    let before = black_box(Vec::<u8>::with_capacity(1024 + runs as usize * 272 % 4096));
    below(runs % 16, run);
    drop(before);
}

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Starts the clock. A case calls this function after its setup, so that the setup is not measured.
pub(crate) fn start_clock() {
    START.set(Some(Instant::now()));
}

impl Case {
    pub(crate) fn new(name: &'static str, run: impl Fn(u64) -> u64 + 'static) -> Self {
        Case { name, threads: 1, run: Box::new(run) }
    }

    /// Returns how long the given number of operations takes.
    pub(crate) fn time(&self, operations: u64) -> Duration {
        let mut taken = Duration::ZERO;
        at_other_addresses(&mut || {
            start_clock();
            black_box((self.run)(black_box(operations)));
            taken = START.get().expect("the clock was started").elapsed();
        });
        taken
    }
}

/// Polls the async block of a case until it is ready.
pub(crate) fn drive<'a>(task: impl Future<Output = u64> + 'a) -> u64 {
    drive_and(task, || ())
}

/// Does the same as [`drive`], and calls `complete` each time the block is pending.
pub(crate) fn drive_and<'a>(
    task: impl Future<Output = u64> + 'a,
    mut complete: impl FnMut() + 'a,
) -> u64 {
    let mut task: Pin<Box<dyn Future<Output = u64> + 'a>> = black_box(Box::pin(task));
    let waker = opaque_waker();
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(consumed) = task.as_mut().poll(&mut cx) {
            return consumed;
        }
        complete();
    }
}

/// A future whose first poll wakes the waker, and returns `Pending`. The next poll is ready.
#[derive(Default)]
pub(crate) struct PendingOnce {
    polled: bool,
}

impl Future for PendingOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Returns a waker whose functions the compiler does not know.
pub(crate) fn opaque_waker() -> Waker {
    static VTABLE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), |_| {}, |_| {}, |_| {});
    let raw = RawWaker::new(std::ptr::null(), black_box(&VTABLE));
    // SAFETY: the functions of the table ignore their argument, so they are thread-safe and valid for any pointer.
    black_box(unsafe { Waker::from_raw(raw) })
}

/// An allocator that counts allocations, and forwards each call to `A`.
pub(crate) struct Counting<A = System>(pub(crate) A);

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static COUNT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Counts one allocation. A reallocation counts as an allocation of the new size.
#[inline]
fn count(size: usize) {
    if COUNT.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
    }
}

// SAFETY: each call is forwarded to the inner allocator with unchanged arguments.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { self.0.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`. The call is forwarded with the same arguments.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

/// Calls `work`. Returns the number of allocations that all threads make meanwhile, and the bytes of these allocations.
pub(crate) fn counted<R>(work: impl FnOnce() -> R) -> (u64, u64) {
    ALLOCATIONS.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    COUNT.store(true, Relaxed);
    let result = work();
    COUNT.store(false, Relaxed);
    drop(black_box(result));
    (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed))
}

/// Returns the number of allocations of an operation, and their bytes. The allocations of all threads are counted.
///
/// A run without operations also allocates, for example for the task. These allocations are subtracted.
pub(crate) fn allocations(case: &Case) -> (f64, f64) {
    const OPERATIONS: u64 = 1_000;
    let run = |operations| counted(|| (case.run)(black_box(operations)));
    let (base_allocations, base_bytes) = run(0);
    let (allocations, bytes) = run(OPERATIONS);
    let operations = OPERATIONS * case.threads;
    let per_operation = |n: u64, base: u64| n.saturating_sub(base) as f64 / operations as f64;
    (per_operation(allocations, base_allocations), per_operation(bytes, base_bytes))
}
