//! Numbers for threads: one and up, one for each that lives, and given to another when it ends. What a
//! slab keeps for a number belongs to the thread that has it.

use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering::Relaxed};

use super::{limbo, shard::Shard};

/// Of threads that have no number: yet, or any more.
pub(crate) const NONE: u32 = 0;

/// Threads with a number below this are *near*: a slab has their shards in one piece.
pub(crate) const NEAR: u32 = if cfg!(loom) { 2 } else { 16 };

/// The numbers that no living thread has.
pub(crate) struct Numbers {
    /// All from here on were never given.
    next: u32,
    free: std::collections::BTreeSet<u32>,
}

impl Numbers {
    const fn new() -> Self {
        Numbers { next: NONE + 1, free: std::collections::BTreeSet::new() }
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
        set(NONE);
        let mut numbers = numbers();
        numbers.free.insert(self.0);
        // ORDERING: Relaxed: all who store hold the lock.
        ENDED.store(ENDED.load(Relaxed) + 1, Relaxed);
        drop(numbers);
        limbo::sweep();
    }
}

/// Locks. A panic elsewhere does not matter: what the lock protects is always in order.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What [`ended`] begins with.
pub(crate) const NONE_ENDED: u64 = 2;

#[cfg(not(loom))]
static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers::new());
#[cfg(not(loom))]
static ENDED: AtomicU64 = AtomicU64::new(NONE_ENDED);
#[cfg(not(loom))]
use std::thread_local;

#[cfg(loom)]
crate::sync::model_static! {
    static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers::new());
}
#[cfg(loom)]
crate::sync::model_static! {
    static ENDED: AtomicU64 = AtomicU64::new(NONE_ENDED);
}
#[cfg(loom)]
use loom::thread_local;

/// Who is alive. What a thread did before it ended is visible to those who lock this after.
pub(crate) fn numbers() -> MutexGuard<'static, Numbers> {
    lock(&NUMBERS)
}

/// Another number, each time a thread has given its own back.
#[inline(always)]
pub(crate) fn ended() -> u64 {
    // ORDERING: Relaxed: who waits for the end of a thread sees what it did, and for others there is no
    // before and after.
    ENDED.load(Relaxed)
}

#[cfg(not(loom))]
thread_local! {
    // Apart from the number that has to be given back, because these have no destructor, and are
    // read with one instruction.
    static CURRENT: std::cell::Cell<u32> = const { std::cell::Cell::new(NONE) };
    static PLACE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    static NUMBER: Number = Number(numbers().take());
}
#[cfg(loom)]
thread_local! {
    static CURRENT: std::cell::Cell<u32> = std::cell::Cell::new(NONE);
    static PLACE: std::cell::Cell<usize> = std::cell::Cell::new(0);
    static NUMBER: Number = {
        limbo::begin();
        let _: &AtomicU64 = &ENDED;
        Number(numbers().take())
    };
}

/// How far into the near shards that of this thread stands, in bytes. Zero if it is not near: that is
/// the shard of [`NONE`].
#[inline(always)]
pub(crate) fn place() -> usize {
    PLACE.try_with(std::cell::Cell::get).unwrap_or(0)
}

/// The thread has a number, and a low one.
#[inline(always)]
pub(crate) fn is_near() -> bool {
    place() != 0
}

/// Gives the thread this number. False if it is about to end, and has nothing of its own any more.
fn set(number: u32) -> bool {
    let place = if number < NEAR { number as usize * size_of::<Shard>() } else { 0 };
    let set = PLACE.try_with(|current| current.set(place));
    set.and_then(|()| CURRENT.try_with(|current| current.set(number))).is_ok()
}

/// The number of this thread, or [`NONE`].
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
    set(number).then_some(number)
}
