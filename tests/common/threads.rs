//! A barrier for two threads, a cleanup guard, and a thread that lives while a closure runs.

use std::{
    hint,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

/// A barrier for two threads. It spins, so both threads continue at nearly the same time.
#[derive(Default)]
pub(crate) struct SpinBarrier(AtomicUsize);

impl SpinBarrier {
    /// Waits until both threads are in this round.
    pub(crate) fn wait(&self, round: usize) {
        self.0.fetch_add(1, SeqCst);
        let mut spins = 0;
        while self.0.load(SeqCst) < 2 * (round + 1) {
            spins += 1;
            if cfg!(miri) || spins % 100 == 0 { thread::yield_now() } else { hint::spin_loop() }
        }
    }

    /// Opens the barrier for all rounds.
    pub(crate) fn open(&self) {
        self.0.store(usize::MAX / 2, SeqCst);
    }
}

/// Calls a function when it is dropped. If a test panics, this ends the other threads.
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
