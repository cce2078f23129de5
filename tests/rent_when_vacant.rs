//! `rent_when_vacant` waits for a slot of a bounded pool. Waiting futures get slots in order, and no wake-up is lost.

mod common;

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    ptr,
    rc::Rc,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Poll, RawWaker, RawWakerVTable, Waker},
    thread,
};

use common::{
    for_both_pools, panic_text, poll, poll_with, random::Random, task::Task, threads::SpinBarrier,
};
use futures::{executor::block_on, future::FusedFuture};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use value_future::{
    Completer, Completion, Pool,
    pool::{LocalRentWhenVacant, PoolBuilder, RentError, RentWhenVacant},
};

assert_impl_all!(RentWhenVacant<Option<u8>>: Send, Sync, Unpin, FusedFuture, std::fmt::Debug);
assert_impl_all!(LocalRentWhenVacant<Rc<u8>>: Unpin, FusedFuture, std::fmt::Debug);
assert_not_impl_any!(RentWhenVacant<Rc<u8>>: Send, Sync);
assert_not_impl_any!(LocalRentWhenVacant<u8>: Send, Sync);

/// Returns a future that is `'static`, so the future does not borrow the pool.
fn _is_static(pool: &Pool<Option<u8>>) -> impl Future + Send + 'static {
    pool.rent_when_vacant()
}

for_both_pools! {
    type Value = Option<u32>;
    type Handles = (Completer<Value>, Completion<Value>);

    fn bounded(slots: u32) -> Pool<Value> {
        PoolBuilder::default().max_slots(slots).build()
    }

    /// Checks that all slots are vacant and no future waits.
    #[track_caller]
    fn assert_idle(pool: &Pool<Value>, slots: u64) {
        let stats = pool.stats();
        assert_eq!((stats.live, stats.returned), (0, stats.rented));
        assert_eq!(stats.capacity, slots);
        let operations: Vec<_> = (0..slots).map(|_| pool.try_rent().unwrap()).collect();
        assert!(pool.try_rent().is_err());
        drop(operations);
        }

    #[test]
    fn a_vacant_slot_is_rented_by_the_first_poll() {
        let (pool, task) = (bounded(2), Task::new());
        let mut future = pool.rent_when_vacant();
        assert_eq!((pool.stats().rented, future.is_terminated()), (0, false));
        let waker = task.waker();
        let Poll::Ready(Ok((completer, mut completion))) = poll_with(&mut future, &waker) else {
            panic!("no slot was returned")
        };
        assert!(future.is_terminated());
        drop((waker, future));
        assert_eq!((task.cloned.get(), task.wakers.get()), (0, 0));
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        assert_idle(&pool, 2);
    }

    #[test]
    fn a_future_of_an_unbounded_pool_is_ready_at_once() {
        let pool = Pool::<Value>::new();
        let all: Vec<Handles> = (0..100).map(|_| {
            let Poll::Ready(handles) = poll(&mut pool.rent_when_vacant()) else { panic!("the future is pending") };
            handles.unwrap()
        }).collect();
        assert_eq!(pool.stats().live, 100);
        drop(all);
        pool.close();
        let Poll::Ready(closed) = poll(&mut pool.rent_when_vacant()) else { panic!("the future is pending") };
        assert_eq!(closed.unwrap_err(), RentError::Closed);
    }

    /// In each round, the operation ends in another way. Each time, the future is woken once, and gets the slot.
    #[test]
    fn a_future_is_woken_when_completer_and_completion_are_dropped() {
        let finish: [fn(&Pool<Value>, Handles); 9] = [
            |_, (completer, completion)| {
                drop(completer);
                drop(completion);
            },
            |_, (completer, completion)| {
                drop(completion);
                drop(completer);
            },
            |_, (completer, completion)| {
                drop(completion);
                completer.complete(Some(1)).unwrap_err();
            },
            |_, (completer, mut completion)| {
                completer.complete(Some(1)).unwrap();
                assert_eq!(poll(&mut completion), Poll::Ready(Some(1)));
            },
            |_, (completer, completion)| {
                completer.complete(Some(1)).unwrap();
                assert_eq!(completion.try_take().unwrap(), Some(1));
            },
            |pool, (completer, mut completion)| {
                assert!(poll(&mut completion).is_pending());
                pool.complete_key(completer.into_key(), Some(1)).unwrap();
                assert_eq!(poll(&mut completion), Poll::Ready(Some(1)));
            },
            |pool, (completer, completion)| {
                let mut future = ValueFuture::from(completion);
                pool.complete_key(completer.into_key(), Some(1)).unwrap();
                assert_eq!(poll(&mut future), Poll::Ready(Some(1)));
            },
            |_, (completer, completion)| {
                let _key = completer.into_key();
                drop(completion);
            },
            |_, (completer, completion)| {
                drop(completion);
                let _key = completer.into_key();
            },
        ];
        let pool = bounded(1);
        for finish in finish {
            let handles = pool.rent();
            let task = Task::new();
            let mut future = pool.rent_when_vacant();
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            assert_eq!((task.woken.get(), task.wakers.get()), (0, 1));
            finish(&pool, handles);
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            assert!(pool.try_rent().is_err(), "the slot belongs to the future");
            let Poll::Ready(Ok((completer, mut completion))) = poll(&mut future) else {
                panic!("no slot was returned")
            };
            completer.complete(Some(2)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(2)));
            assert_idle(&pool, 1);
        }
    }

    #[test]
    fn a_slot_is_in_use_until_both_handles_are_dropped() {
        let pool = bounded(1);
        let (completer, completion) = pool.rent();
        let (task, mut future) = (Task::new(), pool.rent_when_vacant());
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        drop(completion);
        assert_eq!(task.woken.get(), 0);
        assert!(poll_with(&mut future, &task.waker()).is_pending());
        drop(completer);
        assert_eq!(task.woken.get(), 1);
        assert!(poll(&mut future).is_ready());
    }

    #[test]
    fn futures_get_slots_in_the_order_of_their_first_poll() {
        let pool = bounded(2);
        let mut out = vec![pool.rent(), pool.rent()];
        let tasks = [(); 5].map(|()| Task::new());
        let mut futures = [(); 5].map(|()| pool.rent_when_vacant());
        let order = [3, 0, 4, 1, 2];
        for n in order {
            assert!(poll_with(&mut futures[n], &tasks[n].waker()).is_pending());
        }
        // Another poll does not change the order.
        assert!(poll_with(&mut futures[3], &tasks[3].waker()).is_pending());
        for (served, n) in (1..).zip(order) {
            drop(out.remove(0));
            assert_eq!(tasks[n].woken.get(), 1);
            assert_eq!(tasks.iter().map(|task| task.woken.get()).sum::<usize>(), served);
            let Poll::Ready(Ok(handles)) = poll(&mut futures[n]) else { panic!("no slot was returned") };
            out.push(handles);
        }
        drop(out);
        assert_idle(&pool, 2);
    }

    #[test]
    fn a_later_future_does_not_overtake_a_woken_future() {
        let pool = bounded(2);
        let (first_operation, second_operation) = (pool.rent(), pool.rent());
        let (task, mut first) = (Task::new(), pool.rent_when_vacant());
        assert!(poll_with(&mut first, &task.waker()).is_pending());
        drop(first_operation);
        // The first future has got the slot, but has not been polled since then.
        assert_eq!(task.woken.get(), 1);
        let mut second = pool.rent_when_vacant();
        assert!(poll(&mut second).is_pending());
        assert!(pool.try_rent().is_err());
        drop(second_operation);
        assert!(poll(&mut second).is_ready());
        assert!(poll(&mut first).is_ready());
        assert_idle(&pool, 2);
    }

    #[test]
    fn an_unpolled_future_is_not_in_the_queue() {
        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        drop(handles);
        let handles = pool.try_rent().unwrap();
        assert!(poll(&mut future).is_pending());
        drop(handles);
        assert!(poll(&mut future).is_ready());
    }

    #[test]
    fn close_wakes_all_futures() {
        let pool = bounded(2);
        let (first, _second) = (pool.rent(), pool.rent());
        let task = Task::new();
        let mut futures = [(); 4].map(|()| pool.rent_when_vacant());
        let mut unpolled = pool.rent_when_vacant();
        for future in &mut futures {
            assert!(poll_with(future, &task.waker()).is_pending());
        }
        drop(first); // The first future gets the slot.
        assert_eq!(task.woken.get(), 1);
        pool.clone().close();
        assert_eq!((task.woken.get(), task.wakers.get()), (4, 0));
        for future in futures.iter_mut().chain([&mut unpolled]) {
            let Poll::Ready(closed) = poll(future) else { panic!("the future is pending") };
            assert_eq!(closed.unwrap_err(), RentError::Closed);
            assert!(future.is_terminated());
        }
        let stats = pool.stats();
        assert_eq!((stats.live, stats.rented), (1, 2));
    }

    #[test]
    fn a_waiting_future_that_is_dropped_leaves_the_queue() {
        for dropped in 0..3 {
            let pool = bounded(1);
            let handles = pool.rent();
            let tasks = [(); 3].map(|()| Task::new());
            let mut futures: Vec<_> = tasks.iter().map(|task| {
                let mut future = pool.rent_when_vacant();
                assert!(poll_with(&mut future, &task.waker()).is_pending());
                future
            }).collect();
            drop(futures.remove(dropped));
            assert_eq!((tasks[dropped].woken.get(), tasks[dropped].wakers.get()), (0, 0));
            // This future waits behind the other futures.
            let mut last = pool.rent_when_vacant();
            assert!(poll(&mut last).is_pending());
            futures.push(last);
            drop(handles);
            for (n, mut future) in futures.into_iter().enumerate() {
                assert!(poll(&mut future).is_ready(), "{dropped} {n}");
            }
            assert_idle(&pool, 1);
        }
    }

    #[test]
    fn a_dropped_future_passes_its_slot_to_the_next_future() {
        let pool = bounded(1);
        let handles = pool.rent();
        let tasks = [(); 3].map(|()| Task::new());
        let mut futures = tasks.clone().map(|task| {
            let mut future = pool.rent_when_vacant();
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            Some(future)
        });
        drop(handles);
        for (n, future) in futures.iter_mut().enumerate() {
            assert_eq!([0, 1, 2].map(|n| tasks[n].woken.get()), [1, usize::from(n > 0), usize::from(n > 1)]);
            assert_eq!((pool.stats().live, pool.stats().rented), (0, 1));
            *future = None;
        }
        assert!(tasks.iter().all(|task| task.wakers.get() == 0));
        assert_idle(&pool, 1);
    }

    #[test]
    fn only_the_waker_of_the_latest_poll_is_woken() {
        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        let tasks = [Task::new(), Task::new()];
        for task in &tasks {
            assert!(poll_with(&mut future, &task.waker()).is_pending());
        }
        assert_eq!([0, 1].map(|n| tasks[n].wakers.get()), [0, 1]);
        let waker = tasks[1].waker();
        let cloned = tasks[1].cloned.get();
        assert!(poll_with(&mut future, &waker).is_pending());
        assert_eq!(tasks[1].cloned.get(), cloned, "the same waker is not cloned again");
        drop((waker, handles));
        assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [0, 1]);
        assert_eq!([0, 1].map(|n| tasks[n].wakers.get()), [0, 0]);
    }

    #[test]
    fn a_future_that_returned_its_result_is_terminated() {
        let pool = bounded(1);
        let mut future = pool.rent_when_vacant();
        assert!(format!("{future:?}").ends_with("RentWhenVacant(\"new\")"), "{future:?}");
        let handles = poll(&mut future);
        assert!(handles.is_ready() && future.is_terminated());
        assert!(format!("{future:?}").ends_with("RentWhenVacant(\"taken\")"), "{future:?}");
        let text = panic_text(|| poll(&mut future));
        assert!(text.starts_with("`rent_when_vacant` polled after completion: "), "{text}");
        pool.close();
        assert_eq!(panic_text(|| poll(&mut future)), text);
        let pool = bounded(1);
        let _ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(poll(&mut future).is_pending() && !future.is_terminated());
        assert!(format!("{future:?}").ends_with("RentWhenVacant(\"waiting\")"), "{future:?}");
    }

    #[test]
    fn a_future_counts_as_a_handle_of_the_pool() {
        let pool = bounded(1);
        let (completer, mut completion) = pool.rent();
        let _key = completer.into_key();
        let mut futures = [pool.rent_when_vacant(), pool.rent_when_vacant()];
        assert!(futures.iter_mut().all(|future| poll(future).is_pending()));
        drop(pool);
        assert!(poll(&mut completion).is_pending());
        drop(completion);
        let [first, mut second] = futures;
        drop(first);
        let Poll::Ready(Ok((completer, mut completion))) = poll(&mut second) else {
            panic!("no slot was returned")
        };
        let _key = completer.into_key();
        assert!(poll(&mut completion).is_pending());
        drop(second);
        assert_eq!(poll(&mut completion), Poll::Ready(None), "the last handle was dropped");
    }

    /// The pool holds no lock during a call of a waker.
    #[test]
    fn a_waker_can_use_the_pool_in_clone_wake_and_drop() {
        let pool = bounded(1);
        let uses_pool = || {
            let pool = pool.clone();
            move || {
                assert!(pool.try_rent().is_err());
                let mut other = pool.rent_when_vacant();
                assert!(poll(&mut other).is_pending());
                drop(other);
                assert_eq!(pool.stats().rented, pool.stats().returned + pool.stats().live);
            }
        };
        for close in [false, true] {
            let handles = pool.rent();
            let task = Task::new();
            let mut future = pool.rent_when_vacant();
            task.on_clone(uses_pool());
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            task.on_drop(uses_pool());
            let other = Task::new();
            assert!(poll_with(&mut future, &other.waker()).is_pending());
            assert!(task.hooks_ran());
            if close {
                let clone = pool.clone();
                other.on_wake(move || {
                    assert!(clone.is_closed());
                    drop(future);
                    let Poll::Ready(Err(RentError::Closed)) = poll(&mut clone.rent_when_vacant()) else {
                        panic!("no error")
                    };
                });
                pool.close();
                drop(handles);
            } else {
                // In `wake`, the waker polls the future, and ends the operation that the future returns.
                let uses_pool = uses_pool();
                other.on_wake(move || {
                    uses_pool();
                    let Poll::Ready(Ok(handles)) = poll(&mut future) else { panic!("no slot was returned") };
                    drop(handles);
                });
                drop(handles);
                assert_idle(&pool, 1);
            }
            assert!(other.hooks_ran());
            assert_eq!((task.wakers.get(), other.wakers.get()), (0, 0));
        }
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_waker_that_drops_its_future_passes_the_slot_on() {
        let pool = bounded(1);
        let handles = pool.rent();
        let tasks = [(); 3].map(|()| Task::new());
        for task in &tasks {
            let future = Rc::new(RefCell::new(Some(pool.rent_when_vacant())));
            let clone = Rc::clone(&future);
            task.on_wake(move || *clone.borrow_mut() = None);
            let polled = poll_with(future.borrow_mut().as_mut().unwrap(), &task.waker());
            assert!(polled.is_pending());
        }
        drop(handles);
        assert!(tasks.iter().all(|task| task.woken.get() == 1 && task.hooks_ran()));
        assert_idle(&pool, 1);
    }

    /// The future of the waker already has the slot when the waker panics.
    #[test]
    fn a_waker_that_panics_in_wake_leaves_the_pool_consistent() {
        let finish: [fn(&Pool<Value>, Handles); 4] = [
            |_, handles| drop(handles),
            |_, (completer, mut completion)| {
                completer.complete(Some(1)).unwrap();
                let _ = poll(&mut completion);
            },
            |pool, (completer, completion)| {
                let mut future = ValueFuture::from(completion);
                pool.complete_key(completer.into_key(), Some(1)).unwrap();
                let _ = poll(&mut future);
            },
            |_, (completer, completion)| {
                drop(completion);
                completer.complete(Some(1)).unwrap_err();
            },
        ];
        let pool = bounded(1);
        for finish in finish {
            let handles = pool.rent();
            let tasks = [Task::new(), Task::new()];
            let mut futures = [pool.rent_when_vacant(), pool.rent_when_vacant()];
            for (future, task) in futures.iter_mut().zip(&tasks) {
                assert!(poll_with(future, &task.waker()).is_pending());
            }
            tasks[0].on_wake(|| panic!("the waker panics"));
            assert_eq!(panic_text(|| finish(&pool, handles)), "the waker panics");
            assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [1, 0]);
            // The second waker panics when the first future is dropped.
            tasks[1].on_wake(|| panic!("the waker panics"));
            let [first, mut second] = futures;
            assert_eq!(panic_text(|| drop(first)), "the waker panics");
            assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [1, 1]);
            let Poll::Ready(Ok(handles)) = poll(&mut second) else { panic!("no slot was returned") };
            drop((handles, second));
            assert!(tasks.iter().all(|task| task.wakers.get() == 0 && Rc::strong_count(task) == 1));
            assert_idle(&pool, 1);
        }
    }

    #[test]
    fn a_waker_that_panics_in_clone_does_not_change_the_future() {
        let pool = bounded(1);
        let handles = pool.rent();
        let task = Task::new();
        let mut future = pool.rent_when_vacant();
        for _ in 0..2 {
            let panicking = Task::new();
            panicking.on_clone(|| panic!("the waker panics"));
            let text = panic_text(|| poll_with(&mut future, &panicking.waker()));
            assert_eq!((text.as_str(), panicking.wakers.get()), ("the waker panics", 0));
            assert!(poll_with(&mut future, &task.waker()).is_pending());
        }
        drop(handles);
        assert_eq!(task.woken.get(), 1);
        assert!(poll(&mut future).is_ready());
        assert_idle(&pool, 1);
    }

    #[test]
    fn close_wakes_all_futures_although_a_waker_panics() {
        let pool = bounded(2);
        let (completer, mut detached) = pool.rent();
        let _key = completer.into_key();
        let _ends = pool.rent();
        let tasks = [(); 3].map(|()| Task::new());
        let mut futures = [(); 3].map(|()| pool.rent_when_vacant());
        for (future, task) in futures.iter_mut().zip(&tasks) {
            assert!(poll_with(future, &task.waker()).is_pending());
        }
        tasks[0].on_wake(|| panic!("the waker panics"));
        assert_eq!(panic_text(|| pool.close()), "the waker panics");
        assert!(tasks.iter().all(|task| task.woken.get() == 1 && task.wakers.get() == 0));
        assert_eq!(poll(&mut detached), Poll::Ready(None), "the operation was abandoned");
        for future in &mut futures {
            let Poll::Ready(closed) = poll(future) else { panic!("the future is pending") };
            assert_eq!(closed.unwrap_err(), RentError::Closed);
        }
    }

    /// The queue keeps its memory when futures leave. So the queue allocates only while it grows.
    #[test]
    fn the_queue_allocates_while_it_grows() {
        let pool = bounded(1);
        let before = pool.stats().allocations;
        let handles = pool.rent();
        for _ in 0..100 {
            let mut futures = [(); 4].map(|()| pool.rent_when_vacant());
            assert!(futures.iter_mut().all(|future| poll(future).is_pending()));
        }
        let grown = pool.stats().allocations;
        assert!((before + 1..=before + 5).contains(&grown), "{before} {grown}");
        drop(handles);
    }

    #[test]
    fn a_waiting_future_or_an_operation_can_outlive_the_handles_of_the_pool() {
        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(poll(&mut future).is_pending());
        drop(pool);
        drop(handles); // The future gets the slot.
        drop(future);

        let pool = bounded(1);
        let handles = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(poll(&mut future).is_pending());
        drop((pool, future));
        drop(handles);
    }

    #[test]
    fn tasks_that_share_two_slots_all_finish() {
        let pool = bounded(2);
        let rounds = if cfg!(miri) { 5 } else { 200 };
        let work = |pool: Pool<Value>| async move {
            for n in 0..rounds {
                let (completer, completion) = pool.rent_when_vacant().await.unwrap();
                common::Yield::default().await;
                completer.complete(Some(n)).unwrap();
                assert_eq!(completion.await, Some(n));
            }
        };
        let all = [(); 5].map(|()| work(pool.clone()));
        block_on(futures::future::join_all(all));
        assert_idle(&pool, 2);
        assert_eq!(pool.stats().high_water, 2);
    }
}

const ROUNDS: usize = if cfg!(miri) { 5 } else { 2_000 };

fn bounded(slots: u32) -> Pool<Option<usize>> {
    PoolBuilder::default().max_slots(slots).build()
}

#[test]
fn a_slot_that_another_thread_releases_wakes_the_future() {
    let pool = bounded(1);
    for round in 0..ROUNDS {
        let (completer, completion) = pool.try_rent().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || drop(completer));
            scope.spawn(move || drop(completion));
            let (completer, completion) = block_on(pool.rent_when_vacant()).unwrap();
            completer.complete(Some(round)).unwrap();
            assert_eq!(completion.wait(), Some(round));
        });
    }
}

/// If the completion is dropped while the producer is inside `complete_key`, the producer releases the slot.
#[test]
fn a_slot_that_complete_key_releases_wakes_the_future() {
    let pool = bounded(1);
    let start = SpinBarrier::new(2);
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let pool = &pool;
        let start = &start;
        scope.spawn(move || {
            for (round, key) in receiver.into_iter().enumerate() {
                start.wait(round);
                let _ = pool.complete_key(key, Some(round));
            }
        });
        let mut handles = pool.try_rent().unwrap();
        for round in 0..ROUNDS {
            let (completer, completion) = handles;
            let mut next = pool.rent_when_vacant();
            assert!(poll(&mut next).is_pending());
            sender.send(completer.into_key()).unwrap();
            start.wait(round);
            drop(completion);
            handles = block_on(next).unwrap();
        }
        drop(sender);
    });
    assert_eq!(pool.stats().live, 0);
}

/// Ends an operation in a random way.
fn end_operation(
    random: &mut Random,
    pool: &Pool<Option<usize>>,
    handles: (Completer<Option<usize>>, Completion<Option<usize>>),
) {
    let (completer, completion) = handles;
    match random.below(5) {
        0 => drop((completer, completion)),
        1 => drop((completion, completer)),
        2 => {
            completer.complete(Some(1)).unwrap();
            assert_eq!(completion.wait(), Some(1));
        }
        3 => {
            pool.complete_key(completer.into_key(), Some(1)).unwrap();
            drop(completion);
        }
        _ => {
            drop(completion);
            assert_eq!(completer.complete(Some(1)).unwrap_err().into_value(), Some(1));
        }
    }
}

/// Threads wait for slots, and drop many futures: futures that were never polled, that wait, or that were woken. Each future that is
/// awaited gets a slot.
#[test]
fn no_wake_up_is_lost_if_many_futures_are_dropped() {
    const THREADS: usize = 6;
    for slots in [1, 2, 3] {
        let pool = bounded(slots);
        let barrier = Barrier::new(THREADS);
        let served = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 1..=THREADS {
                let (pool, barrier, served) = (&pool, &barrier, &served);
                scope.spawn(move || {
                    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ thread as u64);
                    barrier.wait();
                    for _ in 0..ROUNDS {
                        let mut cancelled: Vec<_> =
                            (0..random.below(4)).map(|_| pool.rent_when_vacant()).collect();
                        for future in &mut cancelled {
                            if random.below(4) == 0 {
                                continue;
                            }
                            if let Poll::Ready(handles) = poll(future) {
                                end_operation(&mut random, pool, handles.unwrap());
                            }
                        }
                        // The futures in `cancelled` are before `future` in the queue. They are dropped while `future` waits, or when
                        // `future` has its slot.
                        let mut cancelled = Some(cancelled);
                        let mut future = pool.rent_when_vacant();
                        let mut polls = random.below(3);
                        let handles = block_on(std::future::poll_fn(|cx| {
                            let polled = Pin::new(&mut future).poll(cx);
                            if polls == 0 || polled.is_ready() {
                                drop(cancelled.take());
                            } else {
                                polls -= 1;
                                cx.waker().wake_by_ref();
                            }
                            polled
                        }));
                        end_operation(&mut random, pool, handles.unwrap());
                        served.fetch_add(1, SeqCst);
                    }
                });
            }
        });
        assert_eq!(served.load(SeqCst), THREADS * ROUNDS);
        let stats = pool.stats();
        assert_eq!((stats.live, stats.capacity), (0, slots.into()));
        let all: Vec<_> = (0..slots).map(|_| pool.try_rent().unwrap()).collect();
        assert!(pool.try_rent().is_err());
        drop(all);
    }
}

#[test]
fn close_on_another_thread_wakes_the_future() {
    for _ in 0..=(ROUNDS / 4) {
        let pool = bounded(1);
        let _ends = pool.rent();
        thread::scope(|scope| {
            let waiting = [(); 2].map(|()| {
                let future = pool.rent_when_vacant();
                scope.spawn(move || block_on(future).map(drop))
            });
            pool.close();
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), Err(RentError::Closed));
            }
        });
    }
}

/// The waker releases the slot when it is cloned. The clone panics when it is dropped.
#[test]
fn a_waker_that_panics_in_drop_leaves_the_queue_consistent() {
    type Value = Option<u32>;
    type Handles = (Completer<Value>, Completion<Value>);
    thread_local!(static ENDS: RefCell<Option<Handles>> = const { RefCell::new(None) });

    unsafe fn clone(_: *const ()) -> RawWaker {
        ENDS.take();
        RawWaker::new(ptr::null(), &CLONE)
    }
    unsafe fn nothing(_: *const ()) {}
    unsafe fn panics(_: *const ()) {
        panic!("destructor")
    }
    static ORIGINAL: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, nothing);
    static CLONE: RawWakerVTable = RawWakerVTable::new(clone, nothing, nothing, panics);

    let pool = Pool::<Value>::builder().max_slots(1).build();
    ENDS.set(Some(pool.rent()));
    let mut first = pool.rent_when_vacant();
    assert!(poll(&mut first).is_pending());
    // SAFETY: the functions fulfil the contract of a waker, and use no data.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &ORIGINAL)) };
    assert_eq!(panic_text(|| poll_with(&mut first, &waker).is_ready()), "destructor");
    assert_eq!(pool.stats().live, 0);
    let mut others = [(); 2].map(|()| pool.rent_when_vacant());
    drop(first);
    for other in &mut others {
        let Poll::Ready(handles) = poll(other) else { panic!("the slot was lost") };
        drop(handles);
    }
    assert!(pool.try_rent().is_ok());
}
