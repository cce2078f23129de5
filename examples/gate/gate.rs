//! A fair semaphore: a counter of permits, and a queue of completers for the tasks that wait.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicIsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use Ordering::{AcqRel, Acquire, Relaxed};
use value_future::{Completer, Completion, Pool, ValueFuture};

/// The sign bit of the state. It is set while tasks are queued, so a new call sees no permit and cannot overtake them.
const QUEUED: isize = isize::MIN;

/// The output of a queued operation. `Some` means that `next` has taken a permit for the task.
type Turn = Option<()>;

/// A semaphore that gives permits to tasks in the order of their calls.
pub(crate) struct Gate {
    /// The number of vacant permits, and [`QUEUED`].
    state: AtomicIsize,
    /// [`QUEUED`] is set while this is not empty. Both change under the lock.
    queue: Mutex<VecDeque<Completer<Turn>>>,
    turns: Pool<Turn>,
}

impl Gate {
    pub(crate) fn new(permits: usize) -> Self {
        let state = AtomicIsize::new(permits.try_into().expect("at most `isize::MAX` permits"));
        Gate { state, queue: Mutex::default(), turns: Pool::new() }
    }

    /// Takes a permit, or a place in the queue. If the future is dropped, it releases the permit, or leaves the queue.
    #[inline]
    pub(crate) fn acquire(&self) -> ValueFuture<'_, Permit<'_>> {
        match self.try_acquire() {
            Some(permit) => ValueFuture::ready(permit),
            None => self.enqueue(),
        }
    }

    /// Takes a permit, if there is one and no task waits for it.
    #[inline]
    pub(crate) fn try_acquire(&self) -> Option<Permit<'_>> {
        let take = |state| (state > 0).then(|| state - 1);
        self.state.fetch_update(Acquire, Relaxed, take).ok().map(|_| Permit(self))
    }

    /// Returns the number of vacant permits.
    pub(crate) fn available_permits(&self) -> usize {
        (self.state.load(Acquire) & !QUEUED).unsigned_abs()
    }

    #[cold]
    fn enqueue(&self) -> ValueFuture<'_, Permit<'_>> {
        let (completer, turn) = self.turns.rent();
        let mut queue = self.queue.lock().expect("no panic under the lock");
        if queue.len() == queue.capacity() {
            // Cancelled tasks leave before the queue grows. Half of the new room is vacant, so calls rarely scan the queue.
            queue.retain(|waiter| !waiter.is_closed());
            let waiting = queue.len();
            queue.reserve(waiting + 1);
        }
        queue.push_back(completer);
        self.state.fetch_or(QUEUED, AcqRel);
        drop(queue);
        // If a waker panics in `serve`, its drop returns the permit.
        let waiting = Waiting { gate: self, turn: Some(turn) };
        // A thread that released a permit before the bit was set has not served the queue.
        self.serve();
        ValueFuture::pooled(waiting)
    }

    #[inline]
    fn release(&self) {
        if self.state.fetch_add(1, AcqRel) < 0 {
            self.serve();
        }
    }

    /// Gives the vacant permits to queued tasks. It wakes them without the lock, so a waker may use the gate.
    #[cold]
    fn serve(&self) {
        while let Some(waiter) = self.next() {
            if waiter.complete(Some(())).is_err() {
                // The task was cancelled, so the permit is for the next one.
                self.state.fetch_add(1, AcqRel);
            }
        }
    }

    /// Takes a permit and the completer of the first task in the queue.
    fn next(&self) -> Option<Completer<Turn>> {
        if self.available_permits() == 0 {
            return None; // most calls end here, without the lock
        }
        let mut queue = self.queue.lock().expect("no panic under the lock");
        if self.available_permits() == 0 {
            return None;
        }
        // While `QUEUED` is set, only this method takes permits.
        let first = queue.pop_front()?;
        self.state.fetch_sub(1, AcqRel);
        if queue.is_empty() {
            self.state.fetch_and(!QUEUED, AcqRel);
        }
        Some(first)
    }
}

/// A permit of a gate. Dropping it releases it.
#[must_use = "a permit that is dropped is released"]
pub(crate) struct Permit<'g>(&'g Gate);

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A place in the queue.
struct Waiting<'g> {
    gate: &'g Gate,
    /// `None` after `poll` has returned the permit.
    turn: Option<Completion<Turn>>,
}

impl<'g> Future for Waiting<'g> {
    type Output = Permit<'g>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'g>> {
        let turn = self.turn.as_mut().expect("a slot does not poll a future that has completed");
        ready!(Pin::new(turn).poll(cx));
        self.turn = None;
        Poll::Ready(Permit(self.gate))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // If the slot has a permit, this releases it. If not, `serve` will find the operation closed.
        if self.turn.take().and_then(Completion::close).is_some() {
            self.gate.release();
        }
    }
}
