//! The numbers of threads. The first thread that needs a number has the number 1, the next thread 2, and so on.

use core::cell::Cell;

#[cfg(loom)]
use loom::thread_local;
#[cfg(not(loom))]
use std::thread_local;

use crate::sync::{AtomicUsize, Ordering::Relaxed};

// `NUMBER` has no destructor. So with native thread-local storage, an access need not check whether it was destroyed.
#[cfg(not(loom))]
thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}
#[cfg(loom)]
thread_local! {
    static NUMBER: Cell<usize> = Cell::new(0);
}

/// Returns the number of this thread. Returns 0 if `NUMBER` is destroyed, which happens only in loom and on targets without native
/// thread-local storage.
#[inline(always)]
pub(super) fn thread_number() -> usize {
    let number = NUMBER.try_with(|number| {
        if number.get() == 0 {
            number.set(next());
        }
        number.get()
    });
    number.unwrap_or(0)
}

#[cold]
fn next() -> usize {
    #[cfg(not(loom))]
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    #[cfg(loom)]
    crate::sync::model_static! {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
    }
    // ORDERING: Relaxed: the number orders nothing.
    NEXT.fetch_add(1, Relaxed)
}
