//! What an operation is to those who wait, whatever its result: who they are, the waker that wakes
//! them all, and the end of the memory.

use core::{
    mem::ManuallyDrop,
    ptr::NonNull,
    task::{RawWaker, RawWakerVTable, Waker},
};

use super::{
    counts::Counts,
    waiters::{Waiter, Waiters},
};
use crate::sync::{
    AtomicBool, Mutex, MutexGuard,
    Ordering::{Acquire, Release},
    lock,
};

/// The first field of what the handles share.
pub(super) struct Hub {
    pub(super) counts: Counts,
    /// There is a result, or there will be none.
    done: AtomicBool,
    waiting: Mutex<Waiting>,
    free: unsafe fn(NonNull<Hub>),
}

struct Waiting {
    waiters: Waiters,
    /// A handle polls the future.
    polling: bool,
    /// The future has to be polled: it was woken since the last poll, or was not polled with the waker
    /// that wakes all.
    woken: bool,
}

#[cfg(loom)]
impl Drop for Hub {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: nobody else refers to it.
            unsafe { self.done.unsync_load() };
            assert_eq!(lock(&self.waiting).waiters.len(), 0, "somebody waits still");
        }
    }
}

/// What a handle is to do that waits.
pub(super) enum Turn {
    /// There is a result, or there will be none.
    Done,
    /// Its waker will be woken.
    Wait,
    /// It polls the future, and then ends the [turn](Hub::end_turn).
    Poll,
}

impl Hub {
    /// `free` frees the memory that this is in.
    pub(super) fn new(free: unsafe fn(NonNull<Hub>)) -> Self {
        let waiting = Waiting { waiters: Waiters::default(), polling: false, woken: true };
        Hub {
            counts: Counts::new(),
            done: AtomicBool::new(false),
            waiting: Mutex::new(waiting),
            free,
        }
    }

    #[inline(always)]
    pub(super) fn is_done(&self) -> bool {
        // ORDERING: Acquire, with `end_turn`: the result is there.
        self.done.load(Acquire)
    }

    /// Sees to it that `waker` is woken, and tells whether the caller has to poll the future.
    ///
    /// # Safety
    ///
    /// The waiter is the caller's, and does not move before it is [removed](Hub::remove).
    pub(super) unsafe fn take_turn(&self, waiter: &Waiter, waker: &Waker) -> Turn {
        if self.is_done() {
            return Turn::Done;
        }
        let listed = waiter.is_listed().then(|| lock(&self.waiting));
        // SAFETY: the list is locked, and the waiter is in it, or in none.
        let listed = listed.filter(|waiting| unsafe { waiting.waiters.has(waiter, waker) });
        let mut waiting = if let Some(waiting) = listed {
            waiting
        } else {
            // What is foreign comes before the turn is taken: nobody has it who has panicked.
            let fresh = waker.clone();
            // SAFETY: the caller's.
            drop(unsafe { self.remove(waiter) });
            let mut waiting = lock(&self.waiting);
            if self.is_done() {
                drop(waiting);
                return Turn::Done;
            }
            // SAFETY: the list is locked, the waiter is in none, and the caller's.
            unsafe { waiting.waiters.push(waiter, fresh) };
            waiting
        };
        if self.is_done() {
            return Turn::Done;
        }
        let turn = if waiting.polling || !waiting.woken { Turn::Wait } else { Turn::Poll };
        if let Turn::Poll = turn {
            waiting.polling = true;
            waiting.woken = false;
        }
        turn
    }

    /// The future was polled, and if it is `done`, nobody polls it again. Those who have to know are
    /// woken, but for the caller if it is done.
    ///
    /// # Safety
    ///
    /// It was the caller's [turn](Turn::Poll), with this waiter.
    pub(super) unsafe fn end_turn(&self, waiter: &Waiter, done: bool) {
        let mut own = None;
        let mut waiting = lock(&self.waiting);
        waiting.polling = false;
        if done {
            // ORDERING: Release, with `is_done`: the result was put there.
            self.done.store(true, Release);
            // SAFETY: the list is locked, and the waiter is in it, or in none.
            own = unsafe { waiting.waiters.remove(NonNull::from(waiter)) };
        }
        if done || waiting.woken {
            self.wake_all(waiting);
        } else {
            drop(waiting);
        }
        drop(own);
    }

    /// The future was woken: whoever is polled first polls it.
    fn wake(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.woken = true;
        // Who polls the future meanwhile tells the others.
        if !waiting.polling {
            self.wake_all(waiting);
        }
    }

    /// Wakes those who are there now. All of them, because one who was woken need not poll.
    fn wake_all(&self, waiting: MutexGuard<'_, Waiting>) {
        let left = waiting.waiters.len();
        if left > 0 {
            let mut waking = Waking { hub: self, left, batch: [const { None }; BATCH] };
            waking.fill(waiting);
            waking.run();
        }
    }

    /// The handle leaves the list, if it is in there; its waker is what is left of it.
    ///
    /// # Safety
    ///
    /// If it is, it is in this one.
    pub(super) unsafe fn remove(&self, waiter: &Waiter) -> Option<Waker> {
        if !waiter.is_listed() {
            return None;
        }
        // SAFETY: the list is locked, and the waiter is in it, or in none.
        unsafe { lock(&self.waiting).waiters.remove(NonNull::from(waiter)) }
    }

    /// [`take_turn`](Hub::take_turn) of the only handle, which has polled the future with its own
    /// waker: in case that it is not the only one when the future is woken.
    ///
    /// # Safety
    ///
    /// As there, and nobody else refers to the hub.
    pub(super) unsafe fn wait_alone(&mut self, waiter: &Waiter, waker: &Waker) {
        let waiting = self.waiting.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        waiting.woken = true;
        // SAFETY: the list is the caller's, and so is the waiter.
        if !unsafe { waiting.waiters.has(waiter, waker) } {
            let fresh = waker.clone();
            // SAFETY: as above.
            let _old = unsafe { waiting.waiters.remove(NonNull::from(waiter)) };
            // SAFETY: as above, and the caller's.
            unsafe { waiting.waiters.push(waiter, fresh) };
        }
    }

    /// Gives a count on the memory up.
    ///
    /// # Safety
    ///
    /// The caller has one, which is not used again.
    pub(super) unsafe fn remove_memory(this: NonNull<Hub>) {
        // SAFETY: it lives as long as there is a count.
        let hub = unsafe { this.as_ref() };
        if hub.counts.remove_memory() {
            let free = hub.free;
            // SAFETY: that was the last.
            unsafe { free(this) };
        }
    }

    /// The waker that wakes all. It has no count on the memory, so it is not dropped; its clones have
    /// one.
    ///
    /// # Safety
    ///
    /// There is a count on the memory as long as this is used. `this` may be used to free it.
    pub(super) unsafe fn waker(this: NonNull<Hub>) -> ManuallyDrop<Waker> {
        // SAFETY: the functions keep the contract of a waker, for as long as there is a count.
        ManuallyDrop::new(unsafe { Waker::from_raw(raw(this)) })
    }
}

/// So many are woken between two locks.
const BATCH: usize = 16;

/// Wakers that have to be woken, with nothing held. If one panics, the others are woken all the same.
struct Waking<'h> {
    hub: &'h Hub,
    /// In the list. Those who come while others are woken are not meant.
    left: usize,
    batch: [Option<Waker>; BATCH],
}

impl Waking<'_> {
    fn fill(&mut self, mut waiting: MutexGuard<'_, Waiting>) {
        for waker in &mut self.batch {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            // SAFETY: the list is locked.
            *waker = unsafe { waiting.waiters.pop() };
        }
    }

    fn run(&mut self) {
        loop {
            for waker in self.batch.iter_mut().filter_map(Option::take) {
                waker.wake();
            }
            if self.left == 0 {
                return;
            }
            self.fill(lock(&self.hub.waiting));
        }
    }
}

impl Drop for Waking<'_> {
    fn drop(&mut self) {
        self.run();
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

fn raw(hub: NonNull<Hub>) -> RawWaker {
    RawWaker::new(hub.as_ptr().cast(), &VTABLE)
}

fn hub(data: *const ()) -> NonNull<Hub> {
    NonNull::new(data.cast_mut().cast()).expect("a waker has a hub")
}

/// # Safety
///
/// As the other three: `data` is that of [`raw`], and there is a count on the memory.
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: it lives as long as there is a count.
    unsafe { hub(data).as_ref() }.counts.add_memory();
    raw(hub(data))
}

unsafe fn wake(data: *const ()) {
    /// Gives the count up, even if somebody's waker panics.
    struct Count(NonNull<Hub>);
    impl Drop for Count {
        fn drop(&mut self) {
            // SAFETY: this waker had one, and is used up.
            unsafe { Hub::remove_memory(self.0) };
        }
    }
    let _count = Count(hub(data));
    // SAFETY: the caller's.
    unsafe { wake_by_ref(data) };
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: it lives as long as there is a count.
    unsafe { hub(data).as_ref() }.wake();
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: this waker had a count, and is used up.
    unsafe { Hub::remove_memory(hub(data)) };
}
