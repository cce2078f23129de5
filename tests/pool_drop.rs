//! A pool can be dropped before its operations. The operations continue, on any thread. The memory of the pool is freed with the last
//! operation.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::{
    mem::ManuallyDrop,
    sync::LazyLock,
    task::{Context, Poll, Waker},
    thread,
};

use common::{for_both_pools, poll};
use counting::Balance;
use value_future::{Completer, Completion, Pool, ValueFuture, pool::PoolBuilder};

/// Allocates memory that outlives the pools of the tests, so that no `Balance` counts this memory later. This is the thread-local memory of
/// the crate, and the memory of `KEPT`.
fn warm_up() {
    static KEPT: LazyLock<Pool<Option<u8>>> = LazyLock::new(|| {
        let operation = |()| PoolBuilder::<Option<u8>>::default().max_slots(1).build().rent();
        drop([(); 16].map(operation));
        Pool::new()
    });
    drop(KEPT.rent());
}

#[test]
fn a_balance_counts_on_all_threads() {
    static BALANCE: Balance = Balance::new();
    let boxed = thread::spawn(|| BALANCE.count(|| Box::new([0_u8; 100]))).join().unwrap();
    assert_eq!((BALANCE.live(), BALANCE.bytes()), (1, 100));
    BALANCE.count(|| drop(boxed));
    assert_eq!((BALANCE.live(), BALANCE.bytes()), (0, 0));
}

for_both_pools! {
    type Value = Option<Box<u32>>;
    type Scenario = fn(Completer<Value>, Completion<Value>);

    #[expect(clippy::unnecessary_wraps, reason = "the output of the pool is an `Option`")]
    fn seven() -> Value {
        Some(Box::new(7))
    }

    fn poll_closed(completer: &mut Completer<Value>) -> bool {
        completer.poll_closed(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Functions that end an operation in different ways and in different states.
    pub(super) const SCENARIOS: [Scenario; 12] = [
        |completer, mut completion| {
            completer.complete(seven()).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(seven()));
        },
        |completer, mut completion| {
            assert_eq!(poll(&mut completion), Poll::Pending);
            completer.complete(seven()).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(seven()));
        },
        |completer, completion| {
            let mut future = ValueFuture::from(completion);
            assert_eq!(poll(&mut future), Poll::Pending);
            completer.complete(seven()).unwrap();
            assert_eq!(poll(&mut future), Poll::Ready(seven()));
        },
        |completer, completion| {
            completer.complete(seven()).unwrap();
            assert_eq!(completion.try_take().unwrap(), seven());
        },
        |completer, completion| {
            completer.complete(seven()).unwrap();
            drop(completion);
        },
        |completer, mut completion| {
            drop(completer);
            assert_eq!(poll(&mut completion), Poll::Ready(None));
        },
        |completer, mut completion| {
            assert_eq!(poll(&mut completion), Poll::Pending);
            drop(completer);
            drop(completion);
        },
        |completer, completion| {
            drop(completion);
            assert!(completer.is_closed());
            assert_eq!(completer.complete(seven()).unwrap_err().into_value(), seven());
        },
        |completer, completion| {
            drop(ValueFuture::from(completion));
            drop(completer);
        },
        |mut completer, mut completion| {
            assert!(!poll_closed(&mut completer));
            assert_eq!(poll(&mut completion), Poll::Pending);
            drop(completion);
            assert!(poll_closed(&mut completer));
        },
        |mut completer, mut completion| {
            assert!(!poll_closed(&mut completer));
            completer.complete(seven()).unwrap();
            assert_eq!(poll(&mut completion), Poll::Ready(seven()));
        },
        |completer, completion| {
            let _key = completer.into_key();
            drop(completion);
        },
    ];

    pub(super) const POOLS: [fn() -> Pool<Value>; 2] =
        [Pool::new, || PoolBuilder::default().max_slots(3).build()];

    #[test]
    fn an_operation_outlives_its_pool_and_frees_the_memory() {
        static BALANCE: Balance = Balance::new();
        warm_up();
        for scenario in SCENARIOS {
            BALANCE.count(|| {
                for pool in POOLS {
                    let pool = pool();
                    let (completer, completion) = pool.rent();
                    drop(pool);
                    assert_ne!(BALANCE.live(), 0);
                    scenario(completer, completion);
                    assert_eq!(BALANCE.live(), 0);
                }
            });
        }
    }

    #[test]
    fn the_last_operation_of_a_dropped_pool_frees_the_memory() {
        static BALANCE: Balance = Balance::new();
        warm_up();
        BALANCE.count(|| {
            for pool in POOLS {
                let pool = pool();
                let mut operations = [(); 3].map(|()| Some(pool.rent()));
                let clone = pool.clone();
                drop(pool);
                drop(operations[1].take());
                assert_eq!(clone.stats().live, 2);
                drop(clone);
                drop(operations[0].take());
                assert_ne!(BALANCE.live(), 0, "one operation is live");
                drop(operations[2].take());
                assert_eq!(BALANCE.live(), 0);
            }
        });
    }

    #[test]
    fn a_pool_without_operations_is_freed_with_its_last_handle() {
        static BALANCE: Balance = Balance::new();
        warm_up();
        BALANCE.count(|| {
            for pool in POOLS {
                let pool = pool();
                let clone = pool.clone();
                let (completer, completion) = pool.rent();
                completer.complete(seven()).unwrap();
                drop(completion);
                drop(pool);
                assert_ne!(BALANCE.live(), 0);
                drop(clone);
                assert_eq!(BALANCE.live(), 0);
            }
        });
    }

    #[test]
    fn a_leaked_completion_leaks_only_its_slot() {
        static BALANCE: Balance = Balance::new();
        warm_up();
        for pool in POOLS {
            let pool = BALANCE.count(pool);
            let (completer, completion) = BALANCE.count(|| pool.rent());
            let leaked = ManuallyDrop::new(completion);
            completer.complete(None).unwrap();
            let before = BALANCE.live();
            BALANCE.count(|| {
                for scenario in SCENARIOS {
                    let (completer, completion) = pool.rent();
                    scenario(completer, completion);
                }
            });
            let stats = pool.stats();
            assert_eq!((stats.live, stats.high_water), (1, 2));
            assert_eq!(BALANCE.live(), before, "the other operations allocated nothing");
            BALANCE.count(|| drop(pool));
            assert_ne!(BALANCE.live(), 0, "the slot of the completion is in use");
            // The completion is dropped at the end, so that leak detectors do not report it.
            BALANCE.count(|| drop(ManuallyDrop::into_inner(leaked)));
            assert_eq!(BALANCE.live(), 0);
        }
    }
}

#[test]
fn an_operation_outlives_its_pool_on_another_thread() {
    static BALANCE: Balance = Balance::new();
    warm_up();
    for scenario in pool::SCENARIOS {
        for pool in pool::POOLS {
            let pool = BALANCE.count(pool);
            let (completer, completion) = BALANCE.count(|| pool.rent());
            BALANCE.count(|| drop(pool));
            let other = thread::spawn(move || {
                warm_up();
                BALANCE.count(|| scenario(completer, completion));
            });
            other.join().unwrap();
            assert_eq!(BALANCE.live(), 0);
        }
    }
}

#[test]
fn completer_and_completion_outlive_their_pool_on_two_threads() {
    type Value = Option<Box<u32>>;
    type Actions = (fn(Completer<Value>), fn(Completion<Value>));
    /// Polls until the result is ready. The waker owns no memory. (If the waker owned memory, either of the two threads could free it,
    /// perhaps without counting this in `BALANCE`.)
    fn wait(mut completion: Completion<Value>) -> Value {
        loop {
            match poll(&mut completion) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::yield_now(),
            }
        }
    }
    static BALANCE: Balance = Balance::new();
    const ACTIONS: [Actions; 4] = [
        (
            |completer| drop(completer.complete(Some(Box::new(7)))),
            |completion| assert!(wait(completion).is_some()),
        ),
        (drop, |completion| assert!(wait(completion).is_none())),
        (|completer| drop(completer.complete(Some(Box::new(7)))), drop),
        (drop, |completion| drop(ValueFuture::from(completion))),
    ];
    warm_up();
    for (produce, consume) in ACTIONS {
        for pool in pool::POOLS {
            let pool = BALANCE.count(pool);
            let (completer, completion) = BALANCE.count(|| pool.rent());
            BALANCE.count(|| drop(pool));
            let consumer = thread::spawn(move || {
                warm_up();
                BALANCE.count(|| consume(completion));
            });
            let producer = thread::spawn(move || {
                warm_up();
                BALANCE.count(|| produce(completer));
            });
            producer.join().unwrap();
            consumer.join().unwrap();
            assert_eq!(BALANCE.live(), 0);
        }
    }
}
