//! [`Gate`], a fair semaphore: a counter of available permits, and a queue with the completers of waiting tasks.

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

/// The sign bit of `state`. It is set while the queue is not empty. A new call then finds no permit, and cannot overtake the queued tasks.
const QUEUED: isize = isize::MIN;

/// The output of a queued operation. `Some` assigns a permit to the task.
type Assignment = Option<()>;

/// A semaphore that assigns permits to tasks in the order of their calls.
pub(crate) struct Gate {
    /// The number of available permits, and [`QUEUED`].
    state: AtomicIsize,
    /// The completers of the waiting tasks, and of cancelled tasks that were not removed yet. The flag [`QUEUED`] is set while this queue
    /// is not empty. The flag and the queue change only under the lock.
    queue: Mutex<VecDeque<Completer<Assignment>>>,
    assignments: Pool<Assignment>,
}

impl Gate {
    /// Creates a gate with a number of permits.
    pub(crate) fn new(permits: usize) -> Self {
        let state = AtomicIsize::new(permits.try_into().expect("at most `isize::MAX` permits"));
        Gate { state, queue: Mutex::default(), assignments: Pool::new() }
    }

    /// Acquires a permit. If no permit is available, or if other tasks are queued, the call joins the queue before it returns its future.
    ///
    /// Dropping the future releases its permit. If the future has no permit yet, its completer remains in the queue, and is skipped later.
    #[inline]
    pub(crate) fn acquire(&self) -> ValueFuture<'_, Permit<'_>> {
        match self.try_acquire() {
            Some(permit) => ValueFuture::ready(permit),
            None => self.enqueue(),
        }
    }

    /// Acquires a permit if one is available and the queue is empty.
    #[inline]
    pub(crate) fn try_acquire(&self) -> Option<Permit<'_>> {
        let take = |state| (state > 0).then(|| state - 1);
        self.state.fetch_update(Acquire, Relaxed, take).ok().map(|_| Permit(self))
    }

    /// Returns the number of available permits.
    pub(crate) fn available_permits(&self) -> usize {
        (self.state.load(Acquire) & !QUEUED).unsigned_abs()
    }

    #[cold]
    fn enqueue(&self) -> ValueFuture<'_, Permit<'_>> {
        let (completer, assignment) = self.assignments.rent();
        let mut queue = self.queue.lock().expect("no panic under the lock");
        if queue.len() == queue.capacity() {
            // Remove cancelled tasks before the queue grows. After a scan, at least half of the capacity is vacant, so scans are rare.
            queue.retain(|waiter| !waiter.is_closed());
            let waiting = queue.len();
            queue.reserve(waiting + 1);
        }
        queue.push_back(completer);
        self.state.fetch_or(QUEUED, AcqRel);
        drop(queue);
        // The future is created before `assign_permits` is called. If a waker panics in that call, the future is dropped, and releases its
        // permit if it has one.
        let future = QueuedAcquire { gate: self, assignment: Some(assignment) };
        // Another thread may have released a permit before `QUEUED` was set. That thread has not assigned the permit to a task, so this
        // thread does.
        self.assign_permits();
        ValueFuture::pooled(future)
    }

    #[inline]
    fn release(&self) {
        if self.state.fetch_add(1, AcqRel) < 0 {
            self.assign_permits();
        }
    }

    /// Assigns the available permits to queued tasks. Wakes the tasks without holding the lock, so a waker may use the gate.
    #[cold]
    fn assign_permits(&self) {
        while let Some(waiter) = self.next_waiter() {
            if waiter.complete(Some(())).is_err() {
                // The task was cancelled. Make its permit available to the next task.
                self.state.fetch_add(1, AcqRel);
            }
        }
    }

    /// Acquires a permit for the first task in the queue. Returns the completer of that task.
    fn next_waiter(&self) -> Option<Completer<Assignment>> {
        if self.available_permits() == 0 {
            return None; // Most calls return here, without the lock.
        }
        let mut queue = self.queue.lock().expect("no panic under the lock");
        if self.available_permits() == 0 {
            return None;
        }
        // While the queue is not empty, `QUEUED` is set. Only this method then acquires permits, so a permit is still available.
        let first = queue.pop_front()?;
        self.state.fetch_sub(1, AcqRel);
        if queue.is_empty() {
            self.state.fetch_and(!QUEUED, AcqRel);
        }
        Some(first)
    }
}

/// A permit of a gate. Dropping it releases the permit.
#[must_use = "dropping a permit releases it"]
pub(crate) struct Permit<'g>(&'g Gate);

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The future of a call that has joined the queue.
struct QueuedAcquire<'g> {
    gate: &'g Gate,
    /// `None` after `poll` has returned the permit.
    assignment: Option<Completion<Assignment>>,
}

impl<'g> Future for QueuedAcquire<'g> {
    type Output = Permit<'g>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'g>> {
        let assignment = self.assignment.as_mut().expect("not polled after completion");
        ready!(Pin::new(assignment).poll(cx));
        self.assignment = None;
        Poll::Ready(Permit(self.gate))
    }
}

impl Drop for QueuedAcquire<'_> {
    fn drop(&mut self) {
        // If the operation was completed, its permit is released here. If not, `assign_permits` finds the operation closed.
        if self.assignment.take().and_then(Completion::close).is_some() {
            self.gate.release();
        }
    }
}
