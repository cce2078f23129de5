//! Numbers for threads: small, one for each that lives, and given to another when it ends. What a
//! slab keeps for a number belongs to the thread that has it.

use crate::sync::{Mutex, MutexGuard};

use super::limbo;

/// Of threads that have no number: yet, or any more.
const NONE: u32 = u32::MAX;

/// The numbers that no living thread has.
pub(crate) struct Numbers {
    /// All from here on were never given.
    next: u32,
    free: std::collections::BTreeSet<u32>,
}

impl Numbers {
    const fn new() -> Self {
        Numbers { next: 0, free: std::collections::BTreeSet::new() }
    }

    /// The lowest one, so that there are never more than there were threads at a time.
    fn take(&mut self) -> u32 {
        self.free.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// Those that nobody has, in order. While `self` is locked, nobody gets one either: what is kept
    /// for them is the caller's.
    pub(crate) fn without_thread(&self) -> impl Iterator<Item = u32> {
        self.free.iter().copied().chain(self.next..)
    }
}

/// The number of the thread, and what gives it back at its end.
struct Number(u32);

impl Drop for Number {
    fn drop(&mut self) {
        // A model that has failed is over before its threads are.
        #[cfg(loom)]
        if std::thread::panicking() {
            return;
        }
        let _ = CURRENT.try_with(|current| current.set(NONE));
        numbers().free.insert(self.0);
        limbo::sweep();
    }
}

/// Locks. A panic elsewhere does not matter: what the lock protects is always in order.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(not(loom))]
static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers::new());
#[cfg(not(loom))]
use std::thread_local;

#[cfg(loom)]
crate::sync::model_static! {
    static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers::new());
}
#[cfg(loom)]
use loom::thread_local;

/// Who is alive. What a thread did before it ended is visible to those who lock this after.
pub(crate) fn numbers() -> MutexGuard<'static, Numbers> {
    lock(&NUMBERS)
}

#[cfg(not(loom))]
thread_local! {
    // Apart from the number that has to be given back, because this one has no destructor, and is
    // read with one instruction.
    static CURRENT: std::cell::Cell<u32> = const { std::cell::Cell::new(NONE) };
    static NUMBER: Number = Number(numbers().take());
}
#[cfg(loom)]
thread_local! {
    static CURRENT: std::cell::Cell<u32> = std::cell::Cell::new(NONE);
    static NUMBER: Number = {
        limbo::begin();
        Number(numbers().take())
    };
}

/// The number of this thread, or one that nobody has if it has none.
#[inline(always)]
pub(crate) fn number() -> u32 {
    CURRENT.try_with(std::cell::Cell::get).unwrap_or(NONE)
}

/// The number of this thread, which takes one if it has none; `None` if the thread is about to end,
/// and has given it back.
pub(crate) fn take_number() -> Option<u32> {
    let number = number();
    if number != NONE {
        return Some(number);
    }
    let number = NUMBER.try_with(|number| number.0).ok()?;
    CURRENT.try_with(|current| current.set(number)).ok()?;
    Some(number)
}
