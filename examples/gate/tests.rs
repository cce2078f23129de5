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
use crate::common::{allocated, refusal};

type Acquire<'g> = ValueFuture<'g, Permit<'g>>;

/// Polls a future once.
fn poll<'g>(future: &mut Acquire<'g>) -> Option<Permit<'g>> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(permit) => Some(permit),
        Poll::Pending => None,
    }
}

/// Checks that exactly these permits are vacant, and that no task is queued.
fn assert_vacant(gate: &Gate, permits: usize) {
    let all: Vec<_> = (0..permits).map(|_| gate.try_acquire().expect("it is vacant")).collect();
    assert!(gate.try_acquire().is_none());
    drop(all);
    assert_eq!(gate.available_permits(), permits);
}

#[test]
fn tasks_are_served_in_the_order_of_their_calls() {
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
        for (n, place) in waiting.iter_mut().enumerate() {
            if let Some(permit) = place.as_mut().and_then(poll) {
                *place = None;
                order.push(n);
                permits.push(permit);
            }
        }
    }
    assert_eq!(order, [1, 2, 5, 6, 7]);
    assert_vacant(&gate, 2);
}

#[test]
fn a_call_does_not_overtake_a_task() {
    let gate = Gate::new(1);
    let held = gate.try_acquire().unwrap();
    let mut first = gate.acquire();
    drop(held); // The permit is for `first`, which is not polled yet.
    assert!(gate.try_acquire().is_none());
    let mut second = gate.acquire();
    assert!(poll(&mut second).is_none());
    assert!(poll(&mut first).is_some());
    assert!(poll(&mut second).is_some());
    assert_vacant(&gate, 1);
}

#[test]
fn the_contenders_are_as_fair_as_the_table_says() {
    for permits in [1, 2] {
        let count = permits.try_into().unwrap();
        let (gate, tokio, lock) = (Gate::new(count), Tokio::new(count), AsyncLock::new(count));
        assert!(block_on(is_fair(|| gate.acquire(), permits)));
        assert!(block_on(is_fair(|| tokio.acquire(), permits)));
        assert!(!block_on(is_fair(|| lock.acquire(), permits)));
    }
}

#[test]
fn a_permit_that_was_given_and_not_taken_goes_on() {
    let gate = Gate::new(1);
    let held = gate.try_acquire().unwrap();
    let (mut first, mut second) = (gate.acquire(), gate.acquire());
    assert!(poll(&mut first).is_none() && poll(&mut second).is_none());
    drop(held);
    drop(first); // Its slot has the permit.
    assert!(poll(&mut second).is_some());
    drop(gate.acquire()); // an inline permit
    assert_vacant(&gate, 1);
}

#[test]
fn cancelled_tasks_take_neither_memory_nor_stack() {
    let gate = Gate::new(1);
    let held = gate.try_acquire().unwrap();
    let cancel = |calls| (0..calls).for_each(|_| assert!(poll(&mut gate.acquire()).is_none()));
    cancel(1_000);
    let before = allocated();
    cancel(100_000);
    assert_eq!(allocated(), before);
    let many: Vec<_> = (0..100_000).map(|_| gate.acquire()).collect();
    drop(many);
    drop(held); // `serve` finds all tasks cancelled.
    assert_vacant(&gate, 1);
}

#[test]
fn a_warm_gate_allocates_nothing() {
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
    assert_vacant(&gate, 1);
}

#[test]
fn a_waker_may_use_the_gate() {
    struct Reenter(Gate, AtomicUsize);

    impl Wake for Reenter {
        fn wake(self: Arc<Self>) {
            // The permit is for the task. This call is queued, and is then cancelled.
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
    assert_vacant(gate, 1);
}

/// Tasks on several threads acquire permits, hold them for a while, and cancel calls at random points.
#[test]
fn a_storm_of_cancellations_loses_and_doubles_no_permit() {
    const TASKS: usize = 32;
    const CALLS: u32 = 1_000;

    struct Storm {
        gate: Gate,
        holders: AtomicUsize,
        acquired: AtomicUsize,
        cancelled: AtomicUsize,
    }

    async fn yields(times: u32) {
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }

    async fn task(storm: Arc<Storm>, permits: usize) {
        for _ in 0..CALLS {
            let mut call = storm.gate.acquire();
            let permit = tokio::select! {
                biased;
                // 0 drops the call before it is polled. Others drop it before or after its permit has come.
                () = yields(fastrand::u32(0..4)), if fastrand::bool() => None,
                permit = &mut call => Some(permit),
            };
            drop(call);
            let Some(permit) = permit else {
                storm.cancelled.fetch_add(1, Relaxed);
                continue;
            };
            assert!(storm.holders.fetch_add(1, SeqCst) < permits, "there are too many holders");
            yields(fastrand::u32(0..2)).await;
            storm.holders.fetch_sub(1, SeqCst);
            storm.acquired.fetch_add(1, Relaxed);
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
        let storm = Arc::new(Storm { gate: Gate::new(permits), holders, acquired, cancelled });
        let spawn = |_| runtime.spawn(task(Arc::clone(&storm), permits));
        let tasks = join_all((0..TASKS).map(spawn));
        // Without the permits that a bug loses, the tasks would wait forever.
        let limit = async { tokio::time::timeout(Duration::from_secs(20), tasks).await };
        for done in runtime.block_on(limit).expect("no permit is lost") {
            done.unwrap();
        }
        assert_vacant(&storm.gate, permits);
        let [acquired, cancelled] = [&storm.acquired, &storm.cancelled].map(|n| n.load(Relaxed));
        assert_eq!(acquired + cancelled, TASKS * CALLS as usize);
        assert!(acquired > 1_000 && cancelled > 1_000, "{acquired} and {cancelled}");
    }
}

/// As above, without a runtime, so that most calls are dropped at the instant at which a permit is released.
#[test]
fn a_storm_of_drops_loses_and_doubles_no_permit() {
    const CALLS: u32 = 100_000;

    fn spin(most: u32) {
        (0..fastrand::u32(0..most)).for_each(|_| std::hint::spin_loop());
    }

    for permits in [1, 2] {
        let (gate, holders) = (Gate::new(permits), AtomicUsize::new(0));
        let thread = || {
            for _ in 0..CALLS {
                let mut call = gate.acquire();
                // Sometimes there is no poll, and sometimes the permit comes after the last one.
                let permit = (0..fastrand::u32(0..4)).find_map(|_| {
                    spin(20);
                    poll(&mut call)
                });
                if let Some(permit) = permit {
                    assert!(holders.fetch_add(1, SeqCst) < permits, "there are too many holders");
                    spin(20);
                    holders.fetch_sub(1, SeqCst);
                    drop(permit);
                }
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(thread))));
        assert_vacant(&gate, permits);
    }
}

/// If a thread releases a permit while another is about to enter the queue, the permit is not lost.
#[test]
fn threads_that_take_turns_do_not_hang() {
    let gate = Gate::new(1);
    let thread = || {
        for _ in 0..20_000 {
            let (mut call, begun) = (gate.acquire(), Instant::now());
            let permit = (0..).find_map(|tries| {
                if tries > 1_000 {
                    thread::yield_now();
                    assert!(
                        begun.elapsed() < Duration::from_secs(60),
                        "nobody releases the permit"
                    );
                }
                poll(&mut call)
            });
            drop(permit);
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(thread))));
    assert_vacant(&gate, 1);
}

#[test]
fn every_part_ends_with_all_permits() {
    for threads in [1, 2] {
        for every in [1, 7, u64::MAX] {
            assert_eq!(part("test", 1, [threads, 500, every]).unwrap().len(), 6);
        }
    }
}

#[test]
fn bad_arguments_are_refused_with_code_2() {
    for arguments in [["--calls", "0"], ["--rounds", "0"], ["--every", "0"], ["--every", "x"]] {
        assert_eq!(refusal::<Options>(&arguments), Some(2));
    }
    assert_eq!(refusal::<Options>(&["file"]), Some(2));
    assert_eq!(refusal::<Options>(&[]), None);
}
