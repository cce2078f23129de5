//! Values and their types are foreign code: they may panic, or come back to the pool, where they
//! are dropped or made. The pool is in order then, and each value is dropped once.

mod common;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::Poll,
};

use common::{for_both_pools, panic_text, poll};
use futures::future::FusedFuture;
use value_future::operation::Abandoned;

thread_local! {
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

/// Counts its drops, and does something in them.
struct Value(Option<Box<dyn FnOnce()>>);

// SAFETY: a value stays on the thread of its test.
unsafe impl Send for Value {}

impl Value {
    #[expect(clippy::unnecessary_wraps, reason = "as a pool takes it")]
    fn new() -> Option<Self> {
        Some(Value(None))
    }

    #[expect(clippy::unnecessary_wraps, reason = "as a pool takes it")]
    fn that_does(action: impl FnOnce() + 'static) -> Option<Self> {
        Some(Value(Some(Box::new(action))))
    }

    fn that_panics() -> Option<Self> {
        Value::that_does(|| panic!("the value panics"))
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

/// The values that were dropped since this was asked last.
fn dropped() -> usize {
    DROPPED.take()
}

/// Whose output has no way to say that nobody completes it.
#[derive(Debug, PartialEq)]
struct Always(u32);

impl Abandoned for Always {
    fn abandoned() -> Self {
        panic!("there is always a value")
    }
}

for_both_pools! {
    type End = fn(Completer<Option<Value>>, Completion<Option<Value>>);

    /// Every slot is back, and the one that there was is rented again.
    #[track_caller]
    fn in_order(pool: &Pool<Option<Value>>) {
        assert_eq!(pool.stats().live, 0);
        let (completer, completion) = pool.rent();
        completer.complete(Value::new()).ok().unwrap();
        assert!(completion.try_take().is_ok());
        assert_eq!((pool.stats().high_water, dropped()), (1, 1));
    }

    /// What a value may do with the pool that it is dropped in: the slot is back before.
    fn comes_back(pool: &Pool<Option<Value>>) -> Option<Value> {
        let pool = pool.clone();
        Value::that_does(move || {
            assert_eq!(pool.stats().live, 0);
            let (completer, mut completion) = pool.rent();
            assert!(poll(&mut completion).is_pending());
            pool.complete_key(completer.into_key(), Value::new()).unwrap();
            assert!(poll(&mut completion).is_ready());
            drop(pool.rent());
        })
    }

    #[test]
    fn a_value_may_come_back_to_its_pool_when_it_is_dropped() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        completer.complete(comes_back(&pool)).ok().unwrap();
        drop(completion);
        assert_eq!(dropped(), 2);
        let (completer, completion) = pool.rent();
        completer.complete(comes_back(&pool)).ok().unwrap();
        drop(Erased::from(completion));
        assert_eq!(dropped(), 2);
        let (completer, completion) = pool.rent();
        drop(completion);
        drop(completer.complete(comes_back(&pool)));
        assert_eq!(dropped(), 2);
        in_order(&pool);
    }

    #[test]
    fn a_value_may_own_the_last_handle_of_its_pool_and_ends_of_other_operations() {
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        let (other_completer, mut other) = pool.rent();
        assert!(poll(&mut other).is_pending());
        let value = Value::that_does(move || {
            other_completer.complete(Value::new()).ok().unwrap();
            assert!(poll(&mut other).is_ready());
            drop(pool);
        });
        completer.complete(value).ok().unwrap();
        drop(completion);
        assert_eq!(dropped(), 2);
    }

    #[test]
    fn a_value_may_own_the_completion_of_another_one() {
        let pool = Pool::new();
        let mut inner = Value::new();
        for _ in 0..10 {
            let (completer, completion) = pool.rent();
            completer.complete(inner).ok().unwrap();
            inner = Value::that_does(move || drop(completion));
        }
        assert_eq!(pool.stats().live, 10);
        drop(inner);
        assert_eq!((pool.stats().live, dropped()), (0, 11));
    }

    thread_local! {
        static POOL: RefCell<Option<Rc<Pool<Reentrant>>>> = const { RefCell::new(None) };
    }

    /// Made by the pool, it comes back to it.
    struct Reentrant(u64);

    impl Abandoned for Reentrant {
        fn abandoned() -> Self {
            let pool = POOL.with_borrow_mut(Option::take).expect("asked once");
            let (completer, completion) = pool.rent();
            completer.complete(Reentrant(pool.stats().live)).ok().unwrap();
            completion.try_take().ok().unwrap()
        }
    }

    #[test]
    fn an_output_type_may_come_back_to_its_pool_when_it_is_asked() {
        let pool = Rc::new(Pool::new());
        for erased in [false, true] {
            POOL.set(Some(Rc::clone(&pool)));
            let (completer, mut completion) = pool.rent();
            drop(completer);
            let polled =
                if erased { poll(&mut Erased::from(completion)) } else { poll(&mut completion) };
            let Poll::Ready(Reentrant(live)) = polled else { panic!("lost") };
            assert_eq!(live, 1, "the operation that asked has given up its slot");
            assert_eq!((pool.stats().live, pool.stats().high_water), (0, 1));
        }
    }

    #[test]
    fn a_value_whose_destructor_panics_is_dropped_once() {
        let pool = Pool::new();
        let end: [End; 4] = [
            |completer, completion| {
                completer.complete(Value::that_panics()).ok().unwrap();
                drop(completion);
            },
            |completer, completion| {
                completer.complete(Value::that_panics()).ok().unwrap();
                drop(Erased::from(completion));
            },
            |completer, completion| {
                drop(completion);
                drop(completer.complete(Value::that_panics()));
            },
            |completer, mut completion| {
                completer.complete(Value::that_panics()).ok().unwrap();
                drop(poll(&mut completion));
            },
        ];
        for end in end {
            let (completer, completion) = pool.rent();
            assert_eq!(panic_text(|| end(completer, completion)), "the value panics");
            assert_eq!(dropped(), 1);
            in_order(&pool);
        }
    }

    /// It is dropped where it lies, and then the slot comes back.
    #[test]
    fn a_large_value_whose_destructor_panics_gives_its_slot_back() {
        let pool = Pool::<Option<(Value, [u8; 2048])>>::builder().max_slots(1).build();
        for _ in 0..3 {
            let (completer, completion) = pool.rent();
            completer.complete(Value::that_panics().map(|value| (value, [1; 2048]))).ok().unwrap();
            assert_eq!(panic_text(|| drop(completion)), "the value panics");
            assert_eq!((dropped(), pool.stats().live), (1, 0));
        }
    }

    #[test]
    fn an_output_type_that_panics_has_given_up_the_slot() {
        let pool = Pool::<Always>::new();
        let (completer, mut completion) = pool.rent();
        drop(completer);
        assert_eq!(panic_text(|| poll(&mut completion)), "there is always a value");
        assert!(completion.is_terminated());
        assert_eq!(pool.stats().live, 0);

        let (completer, completion) = pool.rent();
        drop(completer);
        assert_eq!(panic_text(|| completion.try_take()), "there is always a value");

        let (completer, completion) = pool.rent();
        let mut erased = Erased::from(completion);
        assert!(poll(&mut erased).is_pending());
        drop(completer);
        assert_eq!(panic_text(|| poll(&mut erased)), "there is always a value");
        assert!(erased.is_terminated());
        assert!(panic_text(|| poll(&mut erased)).contains("polled after"));

        // Nobody asks for the result of these.
        drop(pool.rent());
        let (completer, completion) = pool.rent();
        drop(completer);
        drop(completion);
        let (completer, completion) = pool.rent();
        completer.complete(Always(7)).unwrap();
        assert_eq!(completion.try_take().unwrap(), Always(7));
        assert_eq!((pool.stats().live, pool.stats().high_water), (0, 1));
    }
}
