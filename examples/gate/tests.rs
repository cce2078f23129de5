use std::{
    sync::{
        Arc,
        atomic::{
            AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    task::{Context, Wake, Waker},
    time::{Duration, Instant},
};

use super::*;
use crate::common::{allocated, exit_code_of_arguments};

type Acquire<'g> = ValueFuture<'g, Permit<'g>>;

/// Polls a future once. Returns the permit if the future is ready.
fn poll<'g>(future: &mut Acquire<'g>) -> Option<Permit<'g>> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(permit) => Some(permit),
        Poll::Pending => None,
    }
}

/// Checks that exactly `permits` permits are available, and that the queue is empty.
fn assert_available(gate: &Gate, permits: usize) {
    let all: Vec<_> =
        (0..permits).map(|_| gate.try_acquire().expect("a permit is available")).collect();
    assert!(gate.try_acquire().is_none());
    drop(all);
    assert_eq!(gate.available_permits(), permits);
}

#[test]
fn tasks_get_permits_in_the_order_of_their_calls() {
    let gate = Gate::new(2);
    let held = [gate.acquire(), gate.acquire()].map(|mut permit| poll(&mut permit).unwrap());
    let mut waiting: Vec<_> = (0..9).map(|_| Some(gate.acquire())).collect();
    for cancelled in [0, 3, 4, 8] {
        waiting[cancelled] = None;
    }
    // The first calls are polled last.
    assert!(waiting.iter_mut().rev().flatten().all(|future| poll(future).is_none()));
    let mut order = Vec::new();
    let mut permits: Vec<_> = held.into();
    while let Some(permit) = permits.pop() {
        drop(permit);
        for (n, future) in waiting.iter_mut().enumerate() {
            if let Some(permit) = future.as_mut().and_then(poll) {
                *future = None;
                order.push(n);
                permits.push(permit);
            }
        }
    }
    assert_eq!(order, [1, 2, 5, 6, 7]);
    assert_available(&gate, 2);
}

#[test]
fn a_new_call_does_not_overtake_a_queued_task() {
    let gate = Gate::new(1);
    let held = gate.try_acquire().unwrap();
    let mut first = gate.acquire();
    drop(held); // `first` gets the permit, although it was not polled.
    assert!(gate.try_acquire().is_none());
    let mut second = gate.acquire();
    assert!(poll(&mut second).is_none());
    assert!(poll(&mut first).is_some());
    assert!(poll(&mut second).is_some());
    assert_available(&gate, 1);
}

#[test]
fn gate_and_tokio_are_fair_and_async_lock_is_not() {
    for permits in [1, 2] {
        let count = permits.try_into().unwrap();
        let (gate, tokio, lock) =
            (Gate::new(count), TokioSemaphore::new(count), AsyncLockSemaphore::new(count));
        assert!(block_on(is_fair(|| gate.acquire(), permits)));
        assert!(block_on(is_fair(|| tokio.acquire(), permits)));
        assert!(!block_on(is_fair(|| lock.acquire(), permits)));
    }
}

#[test]
fn dropping_a_completed_future_releases_its_permit() {
    let gate = Gate::new(1);
    let held = gate.try_acquire().unwrap();
    let (mut first, mut second) = (gate.acquire(), gate.acquire());
    assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
    drop(held);
    drop(first); // The operation of `first` was completed with the permit.
    assert!(poll(&mut second).is_some());
    drop(gate.acquire()); // This future has an inline permit.
    assert_available(&gate, 1);
}

#[test]
fn many_cancelled_calls_neither_allocate_nor_overflow_the_stack() {
    let gate = Gate::new(1);
    let held = gate.try_acquire().unwrap();
    let cancel = |calls| (0..calls).for_each(|_| assert!(poll(&mut gate.acquire()).is_none()));
    cancel(1_000);
    let before = allocated();
    cancel(100_000);
    assert_eq!(allocated(), before);
    let many: Vec<_> = (0..100_000).map(|_| gate.acquire()).collect();
    drop(many);
    drop(held); // `assign_permits` finds 100,000 cancelled tasks.
    assert_available(&gate, 1);
}

#[test]
fn a_gate_allocates_nothing_after_warm_up() {
    let gate = Gate::new(1);
    let rounds = |rounds| {
        for _ in 0..rounds {
            let held = poll(&mut gate.acquire()).unwrap();
            let (cancelled, mut waiting) = (gate.acquire(), gate.acquire());
            assert!(poll(&mut waiting).is_none());
            drop((cancelled, held));
            drop(poll(&mut waiting).unwrap());
        }
    };
    rounds(10);
    let before = allocated();
    rounds(10_000);
    assert_eq!(allocated(), before);
    assert_available(&gate, 1);
}

#[test]
fn a_waker_may_use_the_gate() {
    struct Reenter(Gate, AtomicUsize);

    impl Wake for Reenter {
        fn wake(self: Arc<Self>) {
            // The permit is already assigned to `waiting`. So this call joins the queue, and is then cancelled.
            assert!(poll(&mut self.0.acquire()).is_none());
            self.1.fetch_add(1, Relaxed);
        }
    }

    let reenter = Arc::new(Reenter(Gate::new(1), AtomicUsize::new(0)));
    let gate = &reenter.0;
    let held = gate.try_acquire().unwrap();
    let mut waiting = gate.acquire();
    let waker = Waker::from(Arc::clone(&reenter));
    assert!(pin!(&mut waiting).poll(&mut Context::from_waker(&waker)).is_pending());
    drop(held);
    assert_eq!(reenter.1.load(Relaxed), 1);
    assert!(poll(&mut waiting).is_some());
    assert_available(gate, 1);
}

/// Tasks on several threads acquire permits, hold them for a while, and cancel calls at random points.
#[test]
fn random_cancellations_neither_lose_nor_duplicate_permits() {
    const TASKS: usize = 32;
    const CALLS: u32 = 1_000;

    struct Shared {
        gate: Gate,
        holders: AtomicUsize,
        acquired: AtomicUsize,
        cancelled: AtomicUsize,
    }

    async fn yield_times(times: u32) {
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    async fn task(shared: Arc<Shared>, permits: usize) {
        for _ in 0..CALLS {
            let mut call = shared.gate.acquire();
            let permit = tokio::select! {
                biased;
                // With 0 yields, the call is dropped before its first poll. With more yields, it may be dropped before or after a permit
                // was assigned to it.
                () = yield_times(fastrand::u32(0..4)), if fastrand::bool() => None,
                permit = &mut call => Some(permit),
            };
            drop(call);
            let Some(permit) = permit else {
                shared.cancelled.fetch_add(1, Relaxed);
                continue;
            };
            assert!(shared.holders.fetch_add(1, SeqCst) < permits, "too many tasks hold a permit");
            yield_times(fastrand::u32(0..2)).await;
            shared.holders.fetch_sub(1, SeqCst);
            shared.acquired.fetch_add(1, Relaxed);
            drop(permit);
        }
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_time()
        .build()
        .unwrap();
    for permits in [1, 3] {
        let counters = || [const { AtomicUsize::new(0) }; 3];
        let [holders, acquired, cancelled] = counters();
        let shared = Arc::new(Shared { gate: Gate::new(permits), holders, acquired, cancelled });
        let spawn = |_| runtime.spawn(task(Arc::clone(&shared), permits));
        let tasks = join_all((0..TASKS).map(spawn));
        // If a bug lost a permit, the tasks would wait forever.
        let limit = async { tokio::time::timeout(Duration::from_secs(20), tasks).await };
        for done in runtime.block_on(limit).expect("no task waits forever") {
            done.unwrap();
        }
        assert_available(&shared.gate, permits);
        let [acquired, cancelled] = [&shared.acquired, &shared.cancelled].map(|n| n.load(Relaxed));
        assert_eq!(acquired + cancelled, TASKS * CALLS as usize);
        assert!(acquired > 1_000 && cancelled > 1_000, "{acquired} and {cancelled}");
    }
}

/// Like `random_cancellations_neither_lose_nor_duplicate_permits`, but on threads that do not wait. So more drops race with the release of
/// a permit.
#[test]
fn racing_drops_neither_lose_nor_duplicate_permits() {
    const CALLS: u32 = 100_000;

    fn spin(max: u32) {
        (0..fastrand::u32(0..max)).for_each(|_| std::hint::spin_loop());
    }

    for permits in [1, 2] {
        let (gate, holders) = (Gate::new(permits), AtomicUsize::new(0));
        let thread = || {
            for _ in 0..CALLS {
                let mut call = gate.acquire();
                // Some calls are never polled. Other calls get their permit after their last poll.
                let permit = (0..fastrand::u32(0..4)).find_map(|_| {
                    spin(20);
                    poll(&mut call)
                });
                if let Some(permit) = permit {
                    assert!(holders.fetch_add(1, SeqCst) < permits, "too many tasks hold a permit");
                    spin(20);
                    holders.fetch_sub(1, SeqCst);
                    drop(permit);
                }
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(thread))));
        assert_available(&gate, permits);
    }
}

/// A thread may release a permit while another thread joins the queue. That permit must not be lost.
#[test]
fn two_threads_that_share_one_permit_do_not_hang() {
    let gate = Gate::new(1);
    let thread = || {
        for _ in 0..20_000 {
            let (mut call, start) = (gate.acquire(), Instant::now());
            let permit = (0..).find_map(|tries| {
                if tries > 1_000 {
                    thread::yield_now();
                    assert!(start.elapsed() < Duration::from_secs(60), "the permit was lost");
                }
                poll(&mut call)
            });
            drop(permit);
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(thread))));
    assert_available(&gate, 1);
}

#[test]
fn all_rows_are_measured_without_losing_a_permit() {
    for threads in [1, 2] {
        for every in [1, 7, u64::MAX] {
            assert_eq!(measure_rows("test", 1, [threads, 500, every]).unwrap().len(), 6);
        }
    }
}

#[test]
fn invalid_arguments_exit_with_code_2() {
    for arguments in [["--calls", "0"], ["--rounds", "0"], ["--every", "0"], ["--every", "x"]] {
        assert_eq!(exit_code_of_arguments::<Options>(&arguments), Some(2));
    }
    assert_eq!(exit_code_of_arguments::<Options>(&["file"]), Some(2));
    assert_eq!(exit_code_of_arguments::<Options>(&[]), None);
}
