//! `Notifier`: it records which handles wait, which handle polls the future, and whether the operation is done.

use core::{pin::Pin, task::Waker};

use pin_project_lite::pin_project;

use super::queue::{Locked, Queue, Waiter};
use crate::sync::{
    AtomicBool, MutexGuard,
    Ordering::{Acquire, Release},
};

pin_project! {
    /// The part of a shared operation that does not depend on the type of its result.
    pub(super) struct Notifier {
        // `true` if the operation has its result, or has failed.
        done: AtomicBool,
        #[pin]
        queue: Queue<State>,
    }
}

struct State {
    /// `true` if a handle has the [`Permit`].
    is_polled: bool,
    /// `true` if the next handle that is polled must poll the future. There are three cases: the future was not polled yet, it was woken
    /// since its last poll began, or its last poll used the waker of a single handle.
    is_woken: bool,
}

type Guard<'n> = Pin<MutexGuard<'n, Locked<State>>>;

/// The next step of a pending handle.
pub(super) enum Step<P> {
    /// The handle returns the result, or panics with the failure.
    Done,
    /// The handle waits. Its waker is in the queue.
    Wait,
    /// The handle polls the future.
    Poll(P),
}

impl<P> Step<P> {
    #[inline(always)]
    pub(super) fn map<Q>(self, f: impl FnOnce(P) -> Q) -> Step<Q> {
        match self {
            Step::Done => Step::Done,
            Step::Wait => Step::Wait,
            Step::Poll(permit) => Step::Poll(f(permit)),
        }
    }
}

/// The right to poll the future. A notifier gives the permit to one handle at a time, and to no handle after the operation is done.
pub(super) struct Permit<'n> {
    notifier: Pin<&'n Notifier>,
    waiter: Pin<&'n mut Waiter>,
    is_done: bool,
}

impl Permit<'_> {
    /// Records that the operation is done. The drop of the permit makes this visible to all handles.
    pub(super) fn set_done(&mut self) {
        self.is_done = true;
    }
}

impl Drop for Permit<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.notifier.end_poll(self.waiter.as_mut(), self.is_done);
    }
}

impl Notifier {
    pub(super) fn new() -> Self {
        Notifier {
            done: AtomicBool::new(false),
            queue: Queue::new(State { is_polled: false, is_woken: true }),
        }
    }

    /// Returns `true` if the operation has its result, or has failed.
    #[inline(always)]
    pub(super) fn is_done(&self) -> bool {
        // ORDERING: Acquire. It pairs with the Release in `end_poll`, so the result is visible.
        self.done.load(Acquire)
    }

    fn lock(self: Pin<&Self>) -> Guard<'_> {
        self.project_ref().queue.lock()
    }

    /// Queues a handle unless the operation is done. Returns the next step of the handle.
    #[inline(always)]
    pub(super) fn take_turn<'n>(
        self: Pin<&'n Self>,
        mut waiter: Pin<&'n mut Waiter>,
        waker: &Waker,
    ) -> Step<Permit<'n>> {
        self.queue(waiter.as_mut(), waker).map(|()| Permit {
            notifier: self,
            waiter,
            is_done: false,
        })
    }

    /// Queues a handle unless the operation is done. If this returns [`Step::Poll`], the handle has the permit.
    fn queue(self: Pin<&Self>, mut waiter: Pin<&mut Waiter>, waker: &Waker) -> Step<()> {
        if self.is_done() {
            return Step::Done;
        }
        let locked = waiter.is_queued().then(|| self.lock());
        let locked = locked
            .and_then(|mut locked| locked.as_mut().has(waiter.as_mut(), waker).then_some(locked));
        let mut locked = if let Some(locked) = locked {
            locked
        } else {
            // Wakers are cloned and dropped before the handle gets the permit, because the code of a waker may panic.
            let fresh = waker.clone();
            drop(self.remove(waiter.as_mut()));
            let mut locked = self.lock();
            if self.is_done() {
                drop(locked);
                return Step::Done;
            }
            locked.as_mut().push(waiter, fresh);
            locked
        };
        if self.is_done() {
            return Step::Done;
        }
        let state = locked.as_mut().state();
        if state.is_polled || !state.is_woken {
            return Step::Wait;
        }
        *state = State { is_polled: true, is_woken: false };
        Step::Poll(())
    }

    /// Ends the poll of the future. The drop of the permit calls this function. If the operation is done, or if the future was woken during
    /// the poll, the function wakes all queued handles. (If the operation is done, the handle that had the permit is not woken.)
    fn end_poll(self: Pin<&Self>, waiter: Pin<&mut Waiter>, is_done: bool) {
        let mut own_waker = None;
        let mut locked = self.lock();
        let state = locked.as_mut().state();
        state.is_polled = false;
        let wakes = is_done || state.is_woken;
        if is_done {
            // ORDERING: Release. It pairs with the Acquire in `is_done`: a handle that sees `true` also sees the result.
            self.done.store(true, Release);
            own_waker = locked.as_mut().remove(waiter);
        }
        if wakes {
            self.wake_all(locked);
        } else {
            drop(locked);
        }
        drop(own_waker);
    }

    /// Queues the only handle, which has polled the future with its own waker. The next poll may come from another handle. That handle must
    /// then poll the future again, with the waker that wakes all handles. So this function records that the future was woken.
    pub(super) fn wait_alone(self: Pin<&mut Self>, mut waiter: Pin<&mut Waiter>, waker: &Waker) {
        let mut queue = self.project().queue.content_mut();
        queue.as_mut().state().is_woken = true;
        if !queue.as_mut().has(waiter.as_mut(), waker) {
            let fresh = waker.clone();
            let _old = queue.as_mut().remove(waiter.as_mut());
            queue.push(waiter, fresh);
        }
    }

    /// Removes a handle from the queue. Returns its waker if it was queued.
    pub(super) fn remove(self: Pin<&Self>, waiter: Pin<&mut Waiter>) -> Option<Waker> {
        if waiter.is_queued() { self.lock().as_mut().remove(waiter) } else { None }
    }

    /// Records that the future was woken, and wakes the handles. The first handle that is polled then polls the future.
    pub(super) fn wake(self: Pin<&Self>) {
        let mut locked = self.lock();
        let state = locked.as_mut().state();
        state.is_woken = true;
        // If a handle polls the future now, that handle wakes all handles when its poll ends.
        if !state.is_polled {
            self.wake_all(locked);
        }
    }

    /// Wakes all handles that are queued now. It is not enough to wake one handle, because a task need not poll
    /// its handle after a wake-up.
    fn wake_all(self: Pin<&Self>, locked: Guard<'_>) {
        let left = locked.len();
        if left > 0 {
            let mut all = WakeAll { notifier: self, left, batch: [const { None }; BATCH] };
            all.fill(locked);
            all.run();
        }
    }

    /// In a loom model, checks that every other access to `done` happens-before the drop of the notifier.
    #[cfg(loom)]
    pub(super) fn end_model(&mut self) {
        let done = core::mem::replace(&mut self.done, AtomicBool::new(true));
        let _ = done.into_inner();
    }
}

/// The greatest number of handles that are removed from the queue at a time. The queue is then unlocked, and these handles are woken.
const BATCH: usize = 16;

/// The handles that are being woken, while the queue is not locked. If a waker panics, the destructor wakes the remaining handles.
struct WakeAll<'n> {
    notifier: Pin<&'n Notifier>,
    /// The number of handles in the queue that are still to be woken. A handle that is queued later is not woken.
    left: usize,
    batch: [Option<Waker>; BATCH],
}

impl WakeAll<'_> {
    fn fill(&mut self, mut locked: Guard<'_>) {
        for waker in &mut self.batch {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            *waker = locked.as_mut().pop();
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
            self.fill(self.notifier.lock());
        }
    }
}

impl Drop for WakeAll<'_> {
    fn drop(&mut self) {
        self.run();
    }
}
