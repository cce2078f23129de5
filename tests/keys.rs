//! A key that is late, repeated or forged is refused. The live operation is not affected, the caller gets its value back, and
//! the error names the reason.

mod common;

use std::{collections::HashSet, task::Poll};

use common::{DropCounter, count, counter, for_both_pools, poll, poll_with, task::Task};
use value_future::{Key, operation::CompleteErrorKind};

#[test]
fn a_key_is_a_number() {
    for number in [0, 1, 0x0000_0002_0000_0007, u64::MAX, 1 << 63] {
        let key = Key::from_u64(number);
        assert_eq!(key.to_u64(), number);
        assert_eq!((Key::from(number), u64::from(key)), (key, number));
        assert_eq!((u64::from(key.generation()) << 32) | u64::from(key.index()), number);
    }
    let key = Key::from_u64(0x0000_0002_0000_0007);
    assert_eq!(format!("{key} {key:?}"), "7.2 Key(7.2)");
    assert_eq!(HashSet::from([key, Key::from_u64(key.to_u64())]).len(), 1);
}

/// Forges a key with this index and this generation.
fn forged(index: u32, generation: u32) -> Key {
    Key::from_u64((u64::from(generation) << 32) | u64::from(index))
}

for_both_pools! {
    type Value = Option<Box<u32>>;
    type Finish = fn(&Pool<Value>, Completer<Value>, Completion<Value>);

    /// Checks that the pool refuses the key with this kind of error, and that the pool counts the refusals.
    #[track_caller]
    fn assert_refused(pool: &Pool<Value>, key: Key, kind: CompleteErrorKind) {
        let before = pool.stats();
        let error = pool.complete_key(key, Some(Box::new(99))).unwrap_err();
        assert_eq!((error.key(), error.kind()), (key, kind));
        assert_eq!(error.to_string(), format!("key {key} refused as {kind}"));
        assert_eq!(error.into_value(), Some(Box::new(99)));
        let error = pool.abandon_key(key).unwrap_err();
        assert_eq!((error.key(), error.kind()), (key, kind));
        let after = pool.stats();
        assert_eq!(after.refused_keys, before.refused_keys + 2);
        assert_eq!((after.live, after.rented), (before.live, before.rented));
    }

    /// A pending operation, with the task that waits for it.
    struct Pending(Completer<Value>, Completion<Value>, std::rc::Rc<Task>);

    /// Begins an operation and polls it.
    fn pending(pool: &Pool<Value>) -> Pending {
        let (completer, mut completion) = pool.rent();
        let task = Task::new();
        assert!(poll_with(&mut completion, &task.waker()).is_pending());
        Pending(completer, completion, task)
    }

    impl Pending {
        /// Checks that the operation is still pending, and completes it.
        #[track_caller]
        fn assert_completes(self) {
            let Pending(completer, mut completion, task) = self;
            assert!(!completer.is_closed());
            assert_eq!(poll_with(&mut completion, &task.waker()), Poll::Pending);
            assert_eq!(task.woken.get(), 0);
            completer.complete(Some(Box::new(7))).unwrap();
            assert_eq!(task.woken.get(), 1);
            assert_eq!(poll(&mut completion), Poll::Ready(Some(Box::new(7))));
        }
    }

    #[test]
    fn no_key_is_zero() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        assert_ne!(key.to_u64(), 0);
        assert_refused(&pool, Key::from_u64(0), CompleteErrorKind::Unknown);
        pool.complete_key(key, None).unwrap();
        drop(completion);
        assert_refused(&pool, Key::from_u64(0), CompleteErrorKind::Unknown);
    }

    #[test]
    fn a_key_completes_its_operation_once() {
        let pool = Pool::new();
        let Pending(completer, mut completion, task) = pending(&pool);
        let key = completer.into_key();
        pool.complete_key(key, Some(Box::new(7))).unwrap();
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_refused(&pool, key.untyped(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(poll(&mut completion), Poll::Ready(Some(Box::new(7))));
        assert_refused(&pool, key.untyped(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(task.woken.get(), 1);
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_key_abandons_its_operation_once() {
        let pool = Pool::<Value>::new();
        let Pending(completer, mut completion, task) = pending(&pool);
        let key = completer.into_key();
        pool.abandon_key(key).unwrap();
        assert_eq!((task.woken.get(), task.wakers.get()), (1, 0));
        assert_refused(&pool, key.untyped(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(poll(&mut completion), Poll::Ready(None));
        assert_refused(&pool, key.untyped(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!((pool.stats().live, pool.stats().cancelled), (0, 0));
    }

    #[test]
    fn a_key_works_before_the_first_poll_and_through_a_clone_of_the_pool() {
        let pool = Pool::new();
        let (completer, mut completion) = pool.rent();
        let key = Key::from_u64(completer.into_key().to_u64());
        pool.clone().complete_key(key, Some(Box::new(7))).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(Box::new(7))));
    }

    #[test]
    fn a_stale_key_does_not_affect_the_next_operation_of_the_slot() {
        let pool = Pool::<Value>::new();
        let finish: [Finish; 4] = [
            |_, completer, completion| {
                completer.complete(Some(Box::new(1))).unwrap();
                drop(completion);
            },
            |_, completer, completion| {
                drop(completion);
                drop(completer);
            },
            |_, completer, completion| drop((completer, completion)),
            |pool, completer, completion| {
                pool.complete_key(completer.into_key(), Some(Box::new(1))).unwrap();
                drop(completion);
            },
        ];
        for finish in finish {
            let (completer, completion) = pool.rent();
            let key = completer.key_while_held();
            finish(&pool, completer, completion);
            let next = pending(&pool);
            assert_eq!(next.0.key_while_held().untyped().index(), key.untyped().index());
            assert_refused(&pool, key.untyped(), CompleteErrorKind::Stale);
            next.assert_completes();
        }
        assert_eq!(pool.stats().high_water, 1);
    }

    #[test]
    fn the_key_of_a_closed_operation_is_refused_as_closed() {
        let pool = Pool::<Value>::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        drop(completion);
        assert_refused(&pool, key.untyped(), CompleteErrorKind::Closed);
        drop(completer);
        assert_refused(&pool, key.untyped(), CompleteErrorKind::Closed);
        pending(&pool).assert_completes();

        let (completer, completion) = pool.rent();
        drop(completion);
        let key = completer.into_key();
        assert_eq!(pool.stats().live, 0, "`into_key` released the slot");
        assert_refused(&pool, key.untyped(), CompleteErrorKind::Closed);

        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        drop(completion);
        assert_eq!(pool.stats().live, 0, "a key does not keep the slot rented");
        assert_refused(&pool, key.untyped(), CompleteErrorKind::Closed);
        assert_eq!(pool.stats().cancelled, 3);
    }

    #[test]
    fn a_key_that_was_not_issued_is_unknown_even_if_it_is_guessed() {
        let pool = Pool::<Value>::new();
        assert_refused(&pool, forged(0, 1), CompleteErrorKind::Unknown);
        let live = pending(&pool);
        assert_refused(&pool, forged(0, 1), CompleteErrorKind::Unknown);
        let last = pending(&pool);
        let issued = last.0.key_while_held();
        for guess in [
            forged(issued.untyped().index(), issued.untyped().generation() + 1),
            forged(issued.untyped().index(), u32::MAX),
            forged(issued.untyped().index(), 0),
            forged(issued.untyped().index() + 1, 1),
            forged(issued.untyped().index() + 1, 0),
            forged(31, 1),
            forged(32, 1),
            forged(u32::MAX, 1),
            forged(u32::MAX, u32::MAX),
            forged(0, 0),
        ] {
            assert_refused(&pool, guess, CompleteErrorKind::Unknown);
        }
        live.assert_completes();
        assert_refused(&pool, forged(0, 1), CompleteErrorKind::Unknown);
        last.assert_completes();
        assert_refused(&pool, issued.untyped(), CompleteErrorKind::AlreadyCompleted);
    }

    #[test]
    fn the_key_of_another_pool_is_unknown() {
        let (pool, other) = (Pool::<Value>::new(), Pool::<Value>::new());
        let (live, foreign) = (pending(&pool), pending(&other));
        assert_refused(&pool, foreign.0.key_while_held().untyped(), CompleteErrorKind::Unknown);
        live.assert_completes();
        foreign.assert_completes();
    }

    #[test]
    fn a_completer_gets_its_value_back_if_its_key_was_used() {
        let dropped = counter();
        let pool = Pool::new();
        let (completer, completion) = pool.rent();
        let key = completer.key_while_held();
        assert_eq!(completer.key_while_held(), key);
        pool.complete_key(key, Some(DropCounter(&dropped))).unwrap();
        let late = completer.complete(Some(DropCounter(&dropped))).unwrap_err();
        assert_eq!(count(&dropped), 0);
        drop((late, completion));
        assert_eq!(count(&dropped), 2);
        assert_eq!(pool.stats().live, 0);
    }

    #[test]
    fn a_completer_can_be_dropped_after_its_key_was_used() {
        let pool = Pool::<Value>::new();
        for taken_before in [false, true] {
            let Pending(completer, mut completion, task) = pending(&pool);
            pool.complete_key(completer.key_while_held(), Some(Box::new(7))).unwrap();
            let mut completer = Some(completer);
            completer.take_if(|_| !taken_before);
            assert_eq!(poll(&mut completion), Poll::Ready(Some(Box::new(7))));
            assert_eq!(pool.stats().live, u64::from(taken_before));
            drop(completer);
            assert_eq!((pool.stats().live, task.woken.get()), (0, 1));
        }
    }

    #[test]
    fn a_key_is_refused_after_its_completer_completed() {
        let pool = Pool::<Value>::new();
        let Pending(completer, mut completion, task) = pending(&pool);
        let key = completer.key_while_held();
        completer.complete(Some(Box::new(7))).unwrap();
        assert_refused(&pool, key.untyped(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(poll(&mut completion), Poll::Ready(Some(Box::new(7))));
        assert_eq!(task.woken.get(), 1);

        let Pending(completer, mut completion, _) = pending(&pool);
        let key = completer.key_while_held();
        drop(completer);
        assert_refused(&pool, key.untyped(), CompleteErrorKind::AlreadyCompleted);
        assert_eq!(poll(&mut completion), Poll::Ready(None));
    }
}
