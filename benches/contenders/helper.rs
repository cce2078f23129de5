//! A second thread that waits, asleep, until there is something to do.

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

/// Waits without sleeping, since waking a thread costs more than what is measured. It gives way
/// now and then, in case that what it waits for has no processor.
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
    /// Asleep here between the rounds.
    gate: Barrier,
    awake: AtomicBool,
    go: AtomicBool,
    busy: AtomicBool,
    end: AtomicBool,
}

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
        let theirs = Arc::clone(&shared);
        let rounds = move || loop {
            theirs.gate.wait();
            if theirs.end.load(Relaxed) {
                return;
            }
            theirs.awake.store(true, Release);
            spin_while(&theirs.go, false);
            black_box(work(theirs.operations.load(Relaxed)));
            theirs.busy.store(false, Release);
        };
        let thread = thread::spawn(move || {
            // The other thread would wait for ever.
            catch_unwind(AssertUnwindSafe(rounds)).unwrap_or_else(|_panic| abort());
        });
        Helper { shared, thread: Some(thread) }
    }

    /// Does so many operations there and the work here, both from the same moment on, which is when
    /// the clock starts. Returns when both are done.
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
        assert!(matches!(ended, Some(Ok(()))), "it aborts when it panics");
    }
}
