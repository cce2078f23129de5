//! `rent_when_vacant` waits for a slot of a bounded pool. Futures are served in order, and none is forgotten, whatever
//! the others do.

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

use common::{for_both_pools, panic_text, poll, poll_with, task::Task, threads::SpinBarrier};
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

/// A future that does not borrow the pool.
fn _is_static(pool: &Pool<Option<u8>>) -> impl Future + Send + 'static {
    pool.rent_when_vacant()
}

for_both_pools! {
    type Value = Option<u32>;
    type Ends = (Completer<Value>, Completion<Value>);

    fn bounded(slots: u32) -> Pool<Value> {
        PoolBuilder::default().max_slots(slots).build()
    }

    /// All slots of the pool are vacant and no future waits.
    #[track_caller]
    fn in_order(pool: &Pool<Value>, slots: u64) {
        let stats = pool.stats();
        assert_eq!((stats.live, stats.returned), (0, stats.rented));
        assert_eq!(stats.capacity, slots);
        let ends: Vec<_> = (0..slots).map(|_| pool.try_rent().unwrap()).collect();
        assert!(pool.try_rent().is_err());
        drop(ends);
    }

    #[test]
    fn a_vacant_slot_is_rented_by_the_first_poll() {
        let (pool, task) = (bounded(2), Task::new());
        let mut future = pool.rent_when_vacant();
        assert_eq!((pool.stats().rented, future.is_terminated()), (0, false));
        let waker = task.waker();
        let Poll::Ready(Ok((completer, mut completion))) = poll_with(&mut future, &waker) else {
            panic!("a slot is vacant")
        };
        assert!(future.is_terminated());
        drop((waker, future));
        assert_eq!((task.cloned.get(), task.wakers.get()), (0, 0));
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));
        in_order(&pool, 2);
    }

    #[test]
    fn a_pool_without_a_bound_never_makes_a_future_wait() {
        let pool = Pool::<Value>::new();
        let all: Vec<Ends> = (0..100).map(|_| {
            let Poll::Ready(ends) = poll(&mut pool.rent_when_vacant()) else { panic!("it waits") };
            ends.unwrap()
        }).collect();
        assert_eq!(pool.stats().live, 100);
        drop(all);
        pool.close();
        let Poll::Ready(closed) = poll(&mut pool.rent_when_vacant()) else { panic!("it waits") };
        assert_eq!(closed.unwrap_err(), RentError::Closed);
    }

    /// Whatever returns the slot, it wakes the future once, which has the slot then.
    #[test]
    fn a_future_is_woken_when_both_ends_are_gone() {
        let end: [fn(&Pool<Value>, Ends); 9] = [
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
        for end in end {
            let ends = pool.rent();
            let task = Task::new();
            let mut future = pool.rent_when_vacant();
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            assert_eq!((task.woken.get(), task.wakers.get()), (0, 1));
            end(&pool, ends);
            assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
            assert!(pool.try_rent().is_err(), "the slot belongs to the future");
            let Poll::Ready(Ok((completer, mut completion))) = poll(&mut future) else {
                panic!("it was woken")
            };
            completer.complete(Some(2)).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(Some(2)));
            in_order(&pool, 1);
        }
    }

    #[test]
    fn one_end_that_is_gone_is_not_enough() {
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
    fn futures_are_served_in_the_order_of_their_first_poll() {
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
            let Poll::Ready(Ok(ends)) = poll(&mut futures[n]) else { panic!("it was woken") };
            out.push(ends);
        }
        drop(out);
        in_order(&pool, 2);
    }

    #[test]
    fn a_later_future_does_not_overtake() {
        let pool = bounded(2);
        let (first_out, second_out) = (pool.rent(), pool.rent());
        let (task, mut first) = (Task::new(), pool.rent_when_vacant());
        assert!(poll_with(&mut first, &task.waker()).is_pending());
        drop(first_out);
        // The first future has a slot, and has not been polled since.
        assert_eq!(task.woken.get(), 1);
        let mut second = pool.rent_when_vacant();
        assert!(poll(&mut second).is_pending());
        assert!(pool.try_rent().is_err());
        drop(second_out);
        assert!(poll(&mut second).is_ready());
        assert!(poll(&mut first).is_ready());
        in_order(&pool, 2);
    }

    #[test]
    fn a_future_that_was_not_polled_has_no_place_in_the_queue() {
        let pool = bounded(1);
        let ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        drop(ends);
        let ends = pool.try_rent().unwrap();
        assert!(poll(&mut future).is_pending());
        drop(ends);
        assert!(poll(&mut future).is_ready());
    }

    #[test]
    fn closing_wakes_all_futures() {
        let pool = bounded(2);
        let (first, _second) = (pool.rent(), pool.rent());
        let task = Task::new();
        let mut futures = [(); 4].map(|()| pool.rent_when_vacant());
        let mut unpolled = pool.rent_when_vacant();
        for future in &mut futures {
            assert!(poll_with(future, &task.waker()).is_pending());
        }
        drop(first); // Given to the first future.
        assert_eq!(task.woken.get(), 1);
        pool.clone().close();
        assert_eq!((task.woken.get(), task.wakers.get()), (4, 0));
        for future in futures.iter_mut().chain([&mut unpolled]) {
            let Poll::Ready(closed) = poll(future) else { panic!("the pool is closed") };
            assert_eq!(closed.unwrap_err(), RentError::Closed);
            assert!(future.is_terminated());
        }
        let stats = pool.stats();
        assert_eq!((stats.live, stats.rented), (1, 2));
    }

    #[test]
    fn a_future_that_waits_and_is_dropped_leaves_nothing() {
        for dropped in 0..3 {
            let pool = bounded(1);
            let ends = pool.rent();
            let tasks = [(); 3].map(|()| Task::new());
            let mut futures: Vec<_> = tasks.iter().map(|task| {
                let mut future = pool.rent_when_vacant();
                assert!(poll_with(&mut future, &task.waker()).is_pending());
                future
            }).collect();
            drop(futures.remove(dropped));
            assert_eq!((tasks[dropped].woken.get(), tasks[dropped].wakers.get()), (0, 0));
            // The last one waits behind the others.
            let mut last = pool.rent_when_vacant();
            assert!(poll(&mut last).is_pending());
            futures.push(last);
            drop(ends);
            for (n, mut future) in futures.into_iter().enumerate() {
                assert!(poll(&mut future).is_ready(), "{dropped} {n}");
            }
            in_order(&pool, 1);
        }
    }

    #[test]
    fn a_future_that_was_given_a_slot_and_is_dropped_gives_it_to_the_next() {
        let pool = bounded(1);
        let ends = pool.rent();
        let tasks = [(); 3].map(|()| Task::new());
        let mut futures = tasks.clone().map(|task| {
            let mut future = pool.rent_when_vacant();
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            Some(future)
        });
        drop(ends);
        for (n, future) in futures.iter_mut().enumerate() {
            assert_eq!([0, 1, 2].map(|n| tasks[n].woken.get()), [1, usize::from(n > 0), usize::from(n > 1)]);
            assert_eq!((pool.stats().live, pool.stats().rented), (0, 1));
            *future = None;
        }
        assert!(tasks.iter().all(|task| task.wakers.get() == 0));
        in_order(&pool, 1);
    }

    #[test]
    fn the_waker_of_the_last_poll_is_woken_and_the_others_are_dropped() {
        let pool = bounded(1);
        let ends = pool.rent();
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
        drop((waker, ends));
        assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [0, 1]);
        assert_eq!([0, 1].map(|n| tasks[n].wakers.get()), [0, 0]);
    }

    #[test]
    fn a_future_that_has_given_its_result_is_terminated() {
        let pool = bounded(1);
        let mut future = pool.rent_when_vacant();
        assert!(format!("{future:?}").ends_with("RentWhenVacant(\"new\")"), "{future:?}");
        let ends = poll(&mut future);
        assert!(ends.is_ready() && future.is_terminated());
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
    fn a_future_is_a_handle_of_the_pool() {
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
            panic!("a slot was returned")
        };
        let _key = completer.into_key();
        assert!(poll(&mut completion).is_pending());
        drop(second);
        assert_eq!(poll(&mut completion), Poll::Ready(None), "that was the last handle");
    }

    /// A waker may do what it likes where it is cloned, woken and dropped.
    #[test]
    fn a_waker_may_use_the_pool_whenever_it_is_called() {
        let pool = bounded(1);
        let uses = || {
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
            let ends = pool.rent();
            let task = Task::new();
            let mut future = pool.rent_when_vacant();
            task.on_clone(uses());
            assert!(poll_with(&mut future, &task.waker()).is_pending());
            task.on_drop(uses());
            let other = Task::new();
            assert!(poll_with(&mut future, &other.waker()).is_pending());
            assert!(task.hooks_ran());
            if close {
                let theirs = pool.clone();
                other.on_wake(move || {
                    assert!(theirs.is_closed());
                    drop(future);
                    let Poll::Ready(Err(RentError::Closed)) = poll(&mut theirs.rent_when_vacant()) else {
                        panic!("the pool is closed")
                    };
                });
                pool.close();
                drop(ends);
            } else {
                // It polls the future, and ends the operation.
                let uses = uses();
                other.on_wake(move || {
                    uses();
                    let Poll::Ready(Ok(ends)) = poll(&mut future) else { panic!("it was woken") };
                    drop(ends);
                });
                drop(ends);
                in_order(&pool, 1);
            }
            assert!(other.hooks_ran());
            assert_eq!((task.wakers.get(), other.wakers.get()), (0, 0));
        }
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_waker_that_drops_its_future_gives_the_slot_to_the_next() {
        let pool = bounded(1);
        let ends = pool.rent();
        let tasks = [(); 3].map(|()| Task::new());
        for task in &tasks {
            let future = Rc::new(RefCell::new(Some(pool.rent_when_vacant())));
            let theirs = Rc::clone(&future);
            task.on_wake(move || *theirs.borrow_mut() = None);
            let polled = poll_with(future.borrow_mut().as_mut().unwrap(), &task.waker());
            assert!(polled.is_pending());
        }
        drop(ends);
        assert!(tasks.iter().all(|task| task.woken.get() == 1 && task.hooks_ran()));
        in_order(&pool, 1);
    }

    /// The slot was given to the future before the panic.
    #[test]
    fn a_waker_that_panics_leaves_the_pool_in_order() {
        let end: [fn(&Pool<Value>, Ends); 4] = [
            |_, ends| drop(ends),
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
        for end in end {
            let ends = pool.rent();
            let tasks = [Task::new(), Task::new()];
            let mut futures = [pool.rent_when_vacant(), pool.rent_when_vacant()];
            for (future, task) in futures.iter_mut().zip(&tasks) {
                assert!(poll_with(future, &task.waker()).is_pending());
            }
            tasks[0].on_wake(|| panic!("the waker panics"));
            assert_eq!(panic_text(|| end(&pool, ends)), "the waker panics");
            assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [1, 0]);
            // It panics once more where the first future is dropped.
            tasks[1].on_wake(|| panic!("the waker panics"));
            let [first, mut second] = futures;
            assert_eq!(panic_text(|| drop(first)), "the waker panics");
            assert_eq!([0, 1].map(|n| tasks[n].woken.get()), [1, 1]);
            let Poll::Ready(Ok(ends)) = poll(&mut second) else { panic!("it was woken") };
            drop((ends, second));
            assert!(tasks.iter().all(|task| task.wakers.get() == 0 && Rc::strong_count(task) == 1));
            in_order(&pool, 1);
        }
    }

    #[test]
    fn a_waker_that_panics_when_it_is_cloned_leaves_the_future_as_it_was() {
        let pool = bounded(1);
        let ends = pool.rent();
        let task = Task::new();
        let mut future = pool.rent_when_vacant();
        for _ in 0..2 {
            let panicking = Task::new();
            panicking.on_clone(|| panic!("the waker panics"));
            let text = panic_text(|| poll_with(&mut future, &panicking.waker()));
            assert_eq!((text.as_str(), panicking.wakers.get()), ("the waker panics", 0));
            assert!(poll_with(&mut future, &task.waker()).is_pending());
        }
        drop(ends);
        assert_eq!(task.woken.get(), 1);
        assert!(poll(&mut future).is_ready());
        in_order(&pool, 1);
    }

    #[test]
    fn a_waker_that_panics_does_not_keep_a_pool_from_closing() {
        let pool = bounded(2);
        let (completer, mut left) = pool.rent();
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
        assert_eq!(poll(&mut left), Poll::Ready(None), "its operation was ended all the same");
        for future in &mut futures {
            let Poll::Ready(closed) = poll(future) else { panic!("the pool is closed") };
            assert_eq!(closed.unwrap_err(), RentError::Closed);
        }
    }

    /// A queue that was used once does not allocate again.
    #[test]
    fn the_queue_allocates_while_it_grows() {
        let pool = bounded(1);
        let before = pool.stats().allocations;
        let ends = pool.rent();
        for _ in 0..100 {
            let mut futures = [(); 4].map(|()| pool.rent_when_vacant());
            assert!(futures.iter_mut().all(|future| poll(future).is_pending()));
        }
        let grown = pool.stats().allocations;
        assert!((before + 1..=before + 5).contains(&grown), "{before} {grown}");
        drop(ends);
    }

    #[test]
    fn any_future_may_be_the_last_to_go() {
        let pool = bounded(1);
        let ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(poll(&mut future).is_pending());
        drop(pool);
        drop(ends); // Given to the future.
        drop(future);

        let pool = bounded(1);
        let ends = pool.rent();
        let mut future = pool.rent_when_vacant();
        assert!(poll(&mut future).is_pending());
        drop((pool, future));
        drop(ends);
    }

    #[test]
    fn a_task_that_keeps_all_slots_busy_is_never_stuck() {
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
        in_order(&pool, 2);
        assert_eq!(pool.stats().high_water, 2);
    }
}

const ROUNDS: usize = if cfg!(miri) { 5 } else { 2_000 };

fn bounded(slots: u32) -> Pool<Option<usize>> {
    PoolBuilder::default().max_slots(slots).build()
}

#[test]
fn a_slot_that_another_thread_returns_wakes_the_future() {
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

/// The consumer leaves while a producer is inside of `complete_key`, which returns the slot then.
#[test]
fn a_slot_that_is_left_to_a_claimant_wakes_the_future() {
    let pool = bounded(1);
    let start = SpinBarrier::default();
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
        let mut ends = pool.try_rent().unwrap();
        for round in 0..ROUNDS {
            let (completer, completion) = ends;
            let mut next = pool.rent_when_vacant();
            assert!(poll(&mut next).is_pending());
            sender.send(completer.into_key()).unwrap();
            start.wait(round);
            drop(completion);
            ends = block_on(next).unwrap();
        }
        drop(sender);
    });
    assert_eq!(pool.stats().live, 0);
}

/// A small generator of pseudo-random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Ends an operation in some way.
fn end(
    random: &mut Random,
    pool: &Pool<Option<usize>>,
    ends: (Completer<Option<usize>>, Completion<Option<usize>>),
) {
    let (completer, completion) = ends;
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

/// Threads wait for slots, and drop many of the futures: before the first poll, while they wait, and when they were woken.
/// Each future that is awaited gets a slot.
#[test]
fn no_future_is_forgotten_in_a_storm_of_cancellations() {
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
                            if let Poll::Ready(ends) = poll(future) {
                                end(&mut random, pool, ends.unwrap());
                            }
                        }
                        // The others are dropped while this one waits, or when it has its slot: they are before it.
                        let mut cancelled = Some(cancelled);
                        let mut future = pool.rent_when_vacant();
                        let mut polls = random.below(3);
                        let ends = block_on(std::future::poll_fn(|cx| {
                            let polled = Pin::new(&mut future).poll(cx);
                            if polls == 0 || polled.is_ready() {
                                drop(cancelled.take());
                            } else {
                                polls -= 1;
                                cx.waker().wake_by_ref();
                            }
                            polled
                        }));
                        end(&mut random, pool, ends.unwrap());
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
fn closing_on_another_thread_ends_the_wait() {
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

/// A waker whose clone returns the slot, and whose clone panics when it is dropped.
#[test]
fn a_waker_that_panics_when_it_is_dropped_leaves_the_queue_in_order() {
    type Value = Option<u32>;
    type Ends = (Completer<Value>, Completion<Value>);
    thread_local!(static ENDS: RefCell<Option<Ends>> = const { RefCell::new(None) });

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
    // SAFETY: the functions keep the contract of a waker, and use no data.
    let waker = unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &ORIGINAL)) };
    assert_eq!(panic_text(|| poll_with(&mut first, &waker).is_ready()), "destructor");
    assert_eq!(pool.stats().live, 0);
    let mut others = [(); 2].map(|()| pool.rent_when_vacant());
    drop(first);
    for other in &mut others {
        let Poll::Ready(ends) = poll(other) else { panic!("the slot was lost") };
        drop(ends);
    }
    assert!(pool.try_rent().is_ok());
}
