//! A pool may go before its operations: they go on as if it were there, on whatever thread, and the
//! memory is freed with the last of them.

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

/// Makes what outlives all pools, so that it is not counted: what the crate keeps for this thread,
/// and its list of pools that are closed and not empty yet.
fn warm_up() {
    static KEPT: LazyLock<Pool<Option<u8>>> = LazyLock::new(|| {
        let ends = |()| PoolBuilder::<Option<u8>>::default().max_slots(1).build().rent();
        drop([(); 16].map(ends));
        Pool::new()
    });
    drop(KEPT.rent());
}

#[test]
fn the_balance_counts_on_all_threads() {
    static BALANCE: Balance = Balance::new();
    let boxed = thread::spawn(|| BALANCE.count(|| Box::new([0_u8; 100]))).join().unwrap();
    assert_eq!((BALANCE.live(), BALANCE.bytes()), (1, 100));
    BALANCE.count(|| drop(boxed));
    assert_eq!((BALANCE.live(), BALANCE.bytes()), (0, 0));
}

for_both_pools! {
    type Value = Option<Box<u32>>;
    type Scenario = fn(Completer<Value>, Completion<Value>);

    #[expect(clippy::unnecessary_wraps, reason = "as a pool takes it")]
    fn seven() -> Value {
        Some(Box::new(7))
    }

    fn watch(completer: &mut Completer<Value>) -> bool {
        completer.poll_closed(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// What may become of an operation whose pool has gone, in every state.
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
            let mut erased = Erased::from(completion);
            assert_eq!(poll(&mut erased), Poll::Pending);
            completer.complete(seven()).unwrap();
            assert_eq!(poll(&mut erased), Poll::Ready(seven()));
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
            drop(Erased::from(completion));
            drop(completer);
        },
        |mut completer, mut completion| {
            assert!(!watch(&mut completer));
            assert_eq!(poll(&mut completion), Poll::Pending);
            drop(completion);
            assert!(watch(&mut completer));
        },
        |mut completer, mut completion| {
            assert!(!watch(&mut completer));
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
    fn an_operation_goes_on_without_its_pool_and_frees_it() {
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
    fn the_last_of_several_operations_frees_the_pool() {
        static BALANCE: Balance = Balance::new();
        warm_up();
        BALANCE.count(|| {
            for pool in POOLS {
                let pool = pool();
                let mut ends = [(); 3].map(|()| Some(pool.rent()));
                let clone = pool.clone();
                drop(pool);
                drop(ends[1].take());
                assert_eq!(clone.stats().live, 2);
                drop(clone);
                drop(ends[0].take());
                assert_ne!(BALANCE.live(), 0, "one is out still");
                drop(ends[2].take());
                assert_eq!(BALANCE.live(), 0);
            }
        });
    }

    #[test]
    fn a_pool_with_nothing_out_is_freed_at_once() {
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
    fn a_leaked_completion_leaks_its_slot_and_nothing_else() {
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
            assert_eq!(BALANCE.live(), before, "the others left nothing");
            BALANCE.count(|| drop(pool));
            assert_ne!(BALANCE.live(), 0, "its slot is out");
            // So that it is no leak for those who look for them.
            BALANCE.count(|| drop(ManuallyDrop::into_inner(leaked)));
            assert_eq!(BALANCE.live(), 0);
        }
    }
}

#[test]
fn an_operation_goes_on_without_its_pool_on_another_thread() {
    static BALANCE: Balance = Balance::new();
    warm_up();
    for scenario in pool::SCENARIOS {
        for pool in pool::POOLS {
            let pool = BALANCE.count(pool);
            let (completer, completion) = BALANCE.count(|| pool.rent());
            BALANCE.count(|| drop(pool));
            let elsewhere = thread::spawn(move || {
                warm_up();
                BALANCE.count(|| scenario(completer, completion));
            });
            elsewhere.join().unwrap();
            assert_eq!(BALANCE.live(), 0);
        }
    }
}

#[test]
fn the_two_ends_go_on_without_their_pool_on_two_other_threads() {
    type Value = Option<Box<u32>>;
    type Ends = (fn(Completer<Value>), fn(Completion<Value>));
    /// Without a waker, which would be freed by whichever thread has it last.
    fn wait(mut completion: Completion<Value>) -> Value {
        loop {
            match poll(&mut completion) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::yield_now(),
            }
        }
    }
    static BALANCE: Balance = Balance::new();
    const ENDS: [Ends; 4] = [
        (
            |completer| drop(completer.complete(Some(Box::new(7)))),
            |completion| assert!(wait(completion).is_some()),
        ),
        (drop, |completion| assert!(wait(completion).is_none())),
        (|completer| drop(completer.complete(Some(Box::new(7)))), drop),
        (drop, |completion| drop(ValueFuture::from(completion))),
    ];
    warm_up();
    for (produce, consume) in ENDS {
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
