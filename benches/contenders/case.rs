//! A contender at work, and what all of them need.

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

/// A contender at work: `run` does the operation so many times on each of its threads, and returns
/// what it consumed.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) threads: u64,
    pub(crate) run: Box<dyn Fn(u64) -> u64>,
}

/// Two addresses with the same low 12 bits are one to a core until it has looked at the rest. That costs up to 9 ns an
/// operation. So a case whose task and stack were always at the same place would be lucky or not: each run has
/// them elsewhere in a page.
fn elsewhere(run: &mut dyn FnMut()) {
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

/// What a case did up to here was to get ready, and is not measured.
pub(crate) fn start_clock() {
    START.set(Some(Instant::now()));
}

impl Case {
    pub(crate) fn new(name: &'static str, run: impl Fn(u64) -> u64 + 'static) -> Self {
        Case { name, threads: 1, run: Box::new(run) }
    }

    pub(crate) fn time(&self, operations: u64) -> Duration {
        let mut taken = Duration::ZERO;
        elsewhere(&mut || {
            start_clock();
            black_box((self.run)(black_box(operations)));
            taken = START.get().expect("the clock runs").elapsed();
        });
        taken
    }
}

/// The async block of a case, driven to its end.
pub(crate) fn drive<'a>(task: impl Future<Output = u64> + 'a) -> u64 {
    drive_and(task, || ())
}

/// [`drive`], which calls `complete` whenever the block is pending.
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

/// Wakes the waker and gives way, once.
#[derive(Default)]
pub(crate) struct GiveWay {
    polled: bool,
}

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A waker that the compiler cannot see through.
pub(crate) fn opaque_waker() -> Waker {
    static VTABLE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), |_| {}, |_| {}, |_| {});
    let raw = RawWaker::new(std::ptr::null(), black_box(&VTABLE));
    // SAFETY: the functions ignore their argument, so the contract of `RawWaker` holds trivially.
    black_box(unsafe { Waker::from_raw(raw) })
}

/// Counts what the operations ask of the allocator in it.
pub(crate) struct Counting<A = System>(pub(crate) A);

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static COUNT: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

// SAFETY: every call goes to the allocator with the arguments it came with.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNT.load(Relaxed) {
            ALLOCATIONS.fetch_add(1, Relaxed);
            BYTES.fetch_add(layout.size() as u64, Relaxed);
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

/// Allocations and bytes per operation, on all threads. The task's own box is counted in a run of
/// no operations and taken off.
pub(crate) fn allocations(case: &Case) -> (f64, f64) {
    const OPERATIONS: u64 = 1_000;
    let counted = |operations| {
        ALLOCATIONS.store(0, Relaxed);
        BYTES.store(0, Relaxed);
        COUNT.store(true, Relaxed);
        black_box((case.run)(black_box(operations)));
        COUNT.store(false, Relaxed);
        (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed))
    };
    let (base_allocations, base_bytes) = counted(0);
    let (allocations, bytes) = counted(OPERATIONS);
    let operations = OPERATIONS * case.threads;
    let per_operation = |n: u64, base: u64| n.saturating_sub(base) as f64 / operations as f64;
    (per_operation(allocations, base_allocations), per_operation(bytes, base_bytes))
}
