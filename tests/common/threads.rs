//! A barrier that spins, a cleanup guard, and a thread that lives while a closure runs.

use std::{
    hint,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

/// A barrier whose threads spin while they wait, so that they continue at nearly the same time.
pub(crate) struct SpinBarrier {
    threads: usize,
    arrived: AtomicUsize,
}

impl SpinBarrier {
    pub(crate) const fn new(threads: usize) -> Self {
        SpinBarrier { threads, arrived: AtomicUsize::new(0) }
    }

    /// Waits until all threads have called `wait` for this round.
    pub(crate) fn wait(&self, round: usize) {
        self.arrived.fetch_add(1, SeqCst);
        let mut spins = 0;
        while self.arrived.load(SeqCst) < self.threads * (round + 1) {
            spins += 1;
            if cfg!(miri) || spins % 100 == 0 { thread::yield_now() } else { hint::spin_loop() }
        }
    }

    /// Opens the barrier for all rounds.
    pub(crate) fn open(&self) {
        self.arrived.store(usize::MAX / 2, SeqCst);
    }
}

/// A guard that calls a function when it is dropped. If a test panics, the function ends the other threads of the test.
pub(crate) struct Finally<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs `there` on another thread, and then `here` on this thread while the other thread lives.
pub(crate) fn while_a_thread_lives<R>(there: impl FnOnce() + Send, here: impl FnOnce() -> R) -> R {
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        let (end, is_over) = mpsc::channel::<()>();
        let thread = scope.spawn(move || {
            there();
            done.send(()).unwrap();
            is_over.recv().unwrap();
        });
        is_done.recv().unwrap();
        let result = here();
        end.send(()).unwrap();
        thread.join().unwrap();
        result
    })
}
