//! A second thread that works at the same time as the first thread. It sleeps between two rounds.

use std::{
    hint::{black_box, spin_loop},
    panic::{AssertUnwindSafe, catch_unwind},
    process::abort,
    sync::{
        Arc, Barrier,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread::{self, JoinHandle},
};

use super::start_clock;

/// Calls `attempt` until the call returns `Some`. The thread does not sleep meanwhile, because waking the thread would take longer than the
/// measured work. The thread yields from time to time, because the other thread may need the same CPU core.
pub(crate) fn spin_until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        for _ in 0..10_000 {
            if let Some(result) = attempt() {
                return result;
            }
            spin_loop();
        }
        thread::yield_now();
    }
}

fn spin_while(flag: &AtomicBool, value: bool) {
    spin_until(|| (flag.load(Acquire) != value).then_some(()));
}

struct Shared {
    operations: AtomicU64,
    /// The helper thread sleeps at this barrier between two rounds.
    gate: Barrier,
    awake: AtomicBool,
    go: AtomicBool,
    busy: AtomicBool,
    end: AtomicBool,
}

/// The second thread. Dropping a `Helper` ends its thread.
pub(crate) struct Helper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    pub(crate) fn new(mut work: impl FnMut(u64) -> u64 + Send + 'static) -> Self {
        let flag = || AtomicBool::new(false);
        let (operations, gate) = (AtomicU64::new(0), Barrier::new(2));
        let shared =
            Shared { operations, gate, awake: flag(), go: flag(), busy: flag(), end: flag() };
        let shared = Arc::new(shared);
        let of_helper = Arc::clone(&shared);
        let rounds = move || loop {
            of_helper.gate.wait();
            if of_helper.end.load(Relaxed) {
                return;
            }
            of_helper.awake.store(true, Release);
            spin_while(&of_helper.go, false);
            black_box(work(of_helper.operations.load(Relaxed)));
            of_helper.busy.store(false, Release);
        };
        let thread = thread::spawn(move || {
            // If this thread ended with a panic, the other thread would wait forever.
            catch_unwind(AssertUnwindSafe(rounds)).unwrap_or_else(|_panic| abort());
        });
        Helper { shared, thread: Some(thread) }
    }

    /// Runs the given number of operations on the helper thread, and `work` on this thread. Both threads and the clock start at the same
    /// time. Returns when both threads have finished.
    pub(crate) fn alongside(&self, operations: u64, work: impl FnOnce() -> u64) -> u64 {
        let shared = &*self.shared;
        shared.operations.store(operations, Relaxed);
        shared.awake.store(false, Relaxed);
        shared.go.store(false, Relaxed);
        shared.busy.store(true, Relaxed);
        shared.gate.wait();
        spin_while(&shared.awake, false);
        start_clock();
        shared.go.store(true, Release);
        let consumed = work();
        spin_while(&shared.busy, true);
        consumed
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.shared.end.store(true, Relaxed);
        self.shared.gate.wait();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))), "a panic aborts the process");
    }
}
