//! Numbers for threads that live, so that each has a line of its own where many count or look.

use core::cell::Cell;

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use crate::sync::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Release},
};

/// The line of threads that have none of their own.
pub(crate) const SHARED: usize = 0;

/// A bit for each line that a thread has.
#[cfg(not(loom))]
static TAKEN: AtomicU64 = AtomicU64::new(1 << SHARED);
#[cfg(loom)]
crate::sync::model_static! {
    static TAKEN: AtomicU64 = AtomicU64::new(1 << SHARED);
}

/// Gives the line back at the end of the thread.
struct Line(usize);

impl Line {
    fn take() -> Self {
        let mut line = SHARED;
        // ORDERING: Acquire, with the Release below: what the last thread with this line stored there is visible.
        let _taken = TAKEN.fetch_update(AcqRel, Acquire, |taken| {
            line = taken.trailing_ones() as usize;
            (line < 64).then(|| taken | 1 << line)
        });
        Line(if line < 64 { line } else { SHARED })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        #[cfg(loom)]
        if std::thread::panicking() {
            return;
        }
        let _ended = NUMBER.try_with(|number| number.set(Some(SHARED)));
        if self.0 != SHARED {
            // ORDERING: Release, as above.
            TAKEN.fetch_and(!(1 << self.0), Release);
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    // Apart from what has to be given back, because this is read without asking whether it is there.
    static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
    static LINE: Line = Line::take();
}
#[cfg(loom)]
thread_local! {
    static NUMBER: Cell<Option<usize>> = Cell::new(None);
    static LINE: Line = Line::take();
}

/// The line of this thread, below 64, which it keeps until it ends.
#[inline(always)]
pub(crate) fn line() -> usize {
    match NUMBER.try_with(Cell::get) {
        Ok(Some(line)) => line,
        Ok(None) => take(),
        Err(_) => SHARED,
    }
}

#[cold]
#[inline(never)]
fn take() -> usize {
    let line = LINE.try_with(|line| line.0).unwrap_or(SHARED);
    let _ended = NUMBER.try_with(|number| number.set(Some(line)));
    line
}
