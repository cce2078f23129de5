//! Threads that begin together, and threads that stay.

use std::{
    hint,
    sync::{
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

/// Where two threads begin a round, as close together as may be.
#[derive(Default)]
pub(crate) struct Start(AtomicUsize);

impl Start {
    pub(crate) fn round(&self, round: usize) {
        self.0.fetch_add(1, SeqCst);
        let mut spins = 0;
        while self.0.load(SeqCst) < 2 * (round + 1) {
            spins += 1;
            if cfg!(miri) || spins % 100 == 0 { thread::yield_now() } else { hint::spin_loop() }
        }
    }

    /// Nobody waits from now on.
    pub(crate) fn open(&self) {
        self.0.store(usize::MAX / 2, SeqCst);
    }
}

/// Calls a function at the end, also if the test fails: so other threads run to their end.
pub(crate) struct Finally<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs `here` while a thread lives that has run `there`.
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
