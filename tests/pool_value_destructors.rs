//! Tests of destructors of values, and of `Abandoned::abandoned`, that panic or use the pool. The pool stays consistent, and each value is
//! dropped once.

mod common;

use std::{cell::RefCell, rc::Rc, task::Poll};

use common::{
    for_both_pools, panic_text, poll,
    values::{NeverAbandoned, VALUE, Value, dropped},
};
use futures::future::FusedFuture;
use value_future::operation::Abandoned;

for_both_pools! {
    type Finish = fn(Completer<Option<Value>>, Completion<Option<Value>>);

    /// Checks that no slot is in use, and that all operations have used the same slot.
    #[track_caller]
    fn assert_idle(pool: &Pool<Option<Value>>) {
        assert_eq!(pool.stats().live, 0);
        let (completer, completion) = pool.rent();
        completer.complete(VALUE).ok().unwrap();
        assert!(completion.try_take().is_ok());
        assert_eq!((pool.stats().high_water, dropped()), (1, 1));
    }

    /// Returns a value whose destructor uses the pool. The slot of the value is released before the destructor runs.
    fn value_that_uses_pool(pool: &Pool<Option<Value>>) -> Option<Value> {
        let pool = pool.clone();
        Value::with_action(move || {
            assert_eq!(pool.stats().live, 0);
            let (completer, mut completion) = pool.rent();
            assert!(poll(&mut completion).is_pending());
            pool.complete_key(completer.into_key(), VALUE).unwrap();
            assert!(poll(&mut completion).is_ready());
            drop(pool.rent());
        })
    }

    #[test]
    fn a_destructor_can_use_the_pool() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(value_that_uses_pool(&pool)).ok().unwrap();
        drop(completion);
        assert_eq!(dropped(), 2);
        let (completer, completion) = pool.rent();
        completer.complete(value_that_uses_pool(&pool)).ok().unwrap();
        drop(ValueFuture::from(completion));
        assert_eq!(dropped(), 2);
        let (completer, completion) = pool.rent();
        drop(completion);
        drop(completer.complete(value_that_uses_pool(&pool)));
        assert_eq!(dropped(), 2);
        assert_idle(&pool);
    }

    #[test]
    fn a_value_can_own_the_last_handle_of_its_pool_and_other_operations() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        let (other_completer, mut other) = pool.rent();
        assert!(poll(&mut other).is_pending());
        let value = Value::with_action(move || {
            other_completer.complete(VALUE).ok().unwrap();
            assert!(poll(&mut other).is_ready());
            drop(pool);
        });
        completer.complete(value).ok().unwrap();
        drop(completion);
        assert_eq!(dropped(), 2);
    }

    #[test]
    fn a_value_can_own_the_completion_of_another_value() {
        let pool = Pool::new();
        let mut inner = VALUE;
        for _ in 0..10 {
            let (completer, completion) = pool.rent();
            completer.complete(inner).ok().unwrap();
            inner = Value::with_action(move || drop(completion));
        }
        assert_eq!(pool.stats().live, 10);
        drop(inner);
        assert_eq!((pool.stats().live, dropped()), (0, 11));
    }

    thread_local! {
        static POOL: RefCell<Option<Rc<Pool<Reentrant>>>> = const { RefCell::new(None) };
    }

    /// An output whose `abandoned` uses the pool.
    struct Reentrant(u64);

    impl Abandoned for Reentrant {
        fn abandoned() -> Self {
            let pool = POOL.with_borrow_mut(Option::take).expect("called once");
            let (completer, completion) = pool.rent();
            completer.complete(Reentrant(pool.stats().live)).ok().unwrap();
            completion.try_take().ok().unwrap()
        }
    }

    #[test]
    fn abandoned_can_use_the_pool() {
        let pool = Rc::new(Pool::new());
        for converts in [false, true] {
            POOL.set(Some(Rc::clone(&pool)));
            let (completer, mut completion) = pool.rent();
            drop(completer);
            let polled =
                if converts { poll(&mut ValueFuture::from(completion)) } else { poll(&mut completion) };
            let Poll::Ready(Reentrant(live)) = polled else { panic!("the result was lost") };
            assert_eq!(live, 1, "the abandoned operation has released its slot");
            assert_eq!((pool.stats().live, pool.stats().high_water), (0, 1));
        }
    }

    #[test]
    fn a_value_whose_destructor_panics_is_dropped_once() {
        let pool = Pool::new();
        let finish: [Finish; 4] = [
            |completer, completion| {
                completer.complete(Value::panicking()).ok().unwrap();
                drop(completion);
            },
            |completer, completion| {
                completer.complete(Value::panicking()).ok().unwrap();
                drop(ValueFuture::from(completion));
            },
            |completer, completion| {
                drop(completion);
                drop(completer.complete(Value::panicking()));
            },
            |completer, mut completion| {
                completer.complete(Value::panicking()).ok().unwrap();
                drop(poll(&mut completion));
            },
        ];
        for finish in finish {
            let (completer, completion) = pool.rent();
            assert_eq!(panic_text(|| finish(completer, completion)), "the value panics");
            assert_eq!(dropped(), 1);
            assert_idle(&pool);
        }
    }

    /// The value is dropped in its slot, and then the slot is released.
    #[test]
    fn a_large_value_whose_destructor_panics_releases_its_slot() {
        let pool = Pool::<Option<(Value, [u8; 2048])>>::builder().max_slots(1).build();
        for _ in 0..3 {
            let (completer, completion) = pool.rent();
            completer.complete(Value::panicking().map(|value| (value, [1; 2048]))).ok().unwrap();
            assert_eq!(panic_text(|| drop(completion)), "the value panics");
            assert_eq!((dropped(), pool.stats().live), (1, 0));
        }
    }

    #[test]
    fn a_panic_in_abandoned_releases_the_slot() {
        let pool = Pool::<NeverAbandoned>::new();
        let (completer, mut completion) = pool.rent();
        drop(completer);
        assert_eq!(panic_text(|| poll(&mut completion)), "an operation was abandoned");
        assert!(completion.is_terminated());
        assert_eq!(pool.stats().live, 0);

        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(panic_text(|| completion.try_take()), "an operation was abandoned");

        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        assert!(poll(&mut future).is_pending());
        drop(completer);
        assert_eq!(panic_text(|| poll(&mut future)), "an operation was abandoned");
        assert!(future.is_terminated());
        assert!(panic_text(|| poll(&mut future)).contains("polled after"));

        // The results of the first two operations are not taken, and the third operation has a value. So `abandoned` is not called.
        drop(pool.rent());
        let (completer, completion) = pool.rent();
        drop(completer);
        drop(completion);
        let (completer, completion) = pool.rent();
        completer.complete(NeverAbandoned(7)).unwrap();
        assert_eq!(completion.try_take().unwrap(), NeverAbandoned(7));
        assert_eq!((pool.stats().live, pool.stats().high_water), (0, 1));
    }
}
