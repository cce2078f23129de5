//! The implementation of `RentWhenVacant` and `LocalRentWhenVacant`: futures that wait for a vacant slot.

use core::{
    mem,
    task::{Context, Poll},
};

use super::{
    RentError,
    handle::{Ends, Handle, begin},
};
use crate::{
    origin::Origin,
    slab::{Progress, Slab, SlabRecycler, Ticket, Unlimited, waiting},
    slot::{Slot, Vacant},
};

/// The state of a `RentWhenVacant` or a `LocalRentWhenVacant`.
pub(super) struct Renting<T, H: SlabRecycler> {
    pool: Handle<T, H>,
    step: Step,
    pub(super) origin: Origin,
}

#[derive(Clone, Copy)]
enum Step {
    /// The future was not polled yet.
    New,
    /// The future is in the queue of the slab.
    Queued(Ticket),
    /// The future is in no queue. It has returned its result, is about to return its result, or is being dropped.
    Taken,
}

impl<T, H: SlabRecycler> Renting<T, H> {
    pub(super) fn new(pool: Handle<T, H>, origin: Origin) -> Self {
        Renting { pool, step: Step::New, origin }
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self.step, Step::Taken)
    }

    /// Returns the name of the step, for `Debug`.
    pub(super) fn progress(&self) -> &'static str {
        match self.step {
            Step::New => "new",
            Step::Queued(_) => "waiting",
            Step::Taken => "taken",
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ends<T, H>, RentError>> {
        match self.step {
            Step::Taken => polled_after_its_end(),
            _ if self.pool.is_closed() => self.fail(RentError::Closed),
            Step::New => self.poll_first(cx),
            Step::Queued(ticket) => self.poll_queued(ticket, cx),
        }
    }

    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<Result<Ends<T, H>, RentError>> {
        let slab = self.pool.slab();
        // Futures that already wait in the queue get a slot before this future.
        let slot = if slab.has_waiters() { None } else { slab.rent(Unlimited) };
        if let Some(slot) = slot {
            return self.succeed(slot);
        }
        if slab.base().settings.limit.is_none() {
            return self.fail_full();
        }
        let ticket = waiting::queue(slab, cx.waker().clone());
        self.step = Step::Queued(ticket);
        // After the two checks below, another thread may close the pool or retire its last usable slot. That thread finds this future in
        // the queue, and wakes it.
        if self.pool.is_closed() {
            return self.fail(RentError::Closed);
        }
        if waiting::is_retired(self.pool.slab().get()) {
            return self.fail_full();
        }
        waiting::serve(self.pool.slab(), ticket);
        self.poll_queued(ticket, cx)
    }

    fn poll_queued(
        &mut self,
        ticket: Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Ends<T, H>, RentError>> {
        let mut replaced = None;
        let polled = match waiting::poll(self.pool.slab().get(), ticket, cx.waker(), &mut replaced)
        {
            Progress::Waits | Progress::NeedsWaker => Poll::Pending,
            Progress::Slot(slot) => self.succeed(slot),
            Progress::Ended => {
                self.step = Step::Taken;
                if self.pool.is_closed() {
                    self.fail(RentError::Closed)
                } else {
                    // All slots are retired. So the next future in the queue must not wait any longer either.
                    drop(waiting::end_first(self.pool.slab().get()));
                    self.fail_full()
                }
            }
        };
        // The destructor of the replaced waker is code of an executor, which may panic. So the waker is dropped last. If its destructor
        // panics, the result in `polled` is dropped. If `polled` is `Pending`, the future stays in the queue.
        drop(replaced);
        polled
    }

    /// Ends the wait with a slot: begins an operation in the slot, and returns the two ends.
    fn succeed(&mut self, slot: Vacant<Slot<T, H>>) -> Poll<Result<Ends<T, H>, RentError>> {
        self.step = Step::Taken;
        Poll::Ready(Ok(begin(slot, self.origin)))
    }

    fn fail(&mut self, error: RentError) -> Poll<Result<Ends<T, H>, RentError>> {
        self.leave();
        Poll::Ready(Err(error))
    }

    fn fail_full(&mut self) -> Poll<Result<Ends<T, H>, RentError>> {
        let max_slots = self.pool.slab().base().settings.limit();
        self.fail(RentError::Full { max_slots })
    }

    fn leave(&mut self) {
        if let Step::Queued(ticket) = mem::replace(&mut self.step, Step::Taken) {
            waiting::leave(self.pool.slab().get(), ticket);
        }
    }
}

impl<T, H: SlabRecycler> Drop for Renting<T, H> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cold]
#[inline(never)]
fn polled_after_its_end() -> ! {
    panic!(
        "`rent_when_vacant` polled after completion: its result was already returned, and a result is returned once"
    )
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use core::{
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
        task::Waker,
    };
    use std::task::Wake;

    use super::*;
    use crate::affinity::OneThread;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// Checks that the wait of all futures ends when the only slot is retired. The end of the first operation retires the slot, so none of
    /// the waiting futures gets it. Each future that is woken wakes the next one, even if the woken future is dropped instead of polled.
    fn check_that_a_retired_pool_ends_all_waits<H: SlabRecycler>() {
        let pool = Handle::<Option<u32>, H>::with_one_generation(|| None);
        let ends = pool.try_rent(Origin::caller()).unwrap();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let poll_now = |future: &mut Renting<_, H>| future.poll(&mut Context::from_waker(&waker));
        let full =
            |polled| matches!(polled, Poll::Ready(Err(RentError::Full { max_slots: 1, .. })));
        let [mut first, mut second, mut third] =
            [(); 3].map(|()| Renting::new(pool.clone(), Origin::caller()));
        for future in [&mut first, &mut second, &mut third] {
            assert!(poll_now(future).is_pending());
        }
        drop(ends);
        assert_eq!(count.0.load(Relaxed), 1);
        assert!(full(poll_now(&mut first)));
        assert_eq!(count.0.load(Relaxed), 2);
        drop(second);
        assert_eq!(count.0.load(Relaxed), 3);
        assert!(full(poll_now(&mut third)));
        assert!(full(poll_now(&mut Renting::new(pool.clone(), Origin::caller()))));
    }

    #[cfg(all(feature = "std", target_has_atomic = "64"))]
    #[test]
    fn a_pool_whose_slots_are_retired_ends_the_wait_of_all_futures() {
        check_that_a_retired_pool_ends_all_waits::<crate::future::AnyThread>();
    }

    #[test]
    fn a_local_pool_whose_slots_are_retired_ends_the_wait_of_all_futures() {
        check_that_a_retired_pool_ends_all_waits::<OneThread>();
    }
}
