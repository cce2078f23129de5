//! The generation of a slot is incremented for each operation. After its last generation, a slot of a bounded pool continues with another
//! index, so its keys stay unique. A slot of an unbounded pool is retired then, and the pool uses another slot. Tokens are the low 16 bits
//! of the generation. So they wrap much earlier.

mod common;

use std::{collections::HashSet, task::Poll};

use common::{for_both_pools, panic_text, poll};
use value_future::{
    Key, future::Arm, operation::CompleteErrorKind, pool::RentError, source::Token,
};

for_both_pools! {
    type Value = Option<u32>;
    type Finish = fn(&Pool<Value>, Completer<Value>, Completion<Value>);

    /// Runs one operation to its end, and returns its key.
    fn run_operation(pool: &Pool<Value>) -> Key {
        let (completer, mut completion) = pool.rent();
        let key = completer.key_while_held();
        completer.complete(Some(key.untyped().generation())).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(key.untyped().generation())));
        key.untyped()
    }

    fn bounded(slots: u32, first_generation: u32) -> Pool<Value> {
        PoolBuilder::default().max_slots(slots).first_generation(first_generation).build()
    }

    #[test]
    fn generations_begin_at_one_or_at_first_generation() {
        assert_eq!(run_operation(&Pool::new()).generation(), 1);
        assert_eq!(run_operation(&bounded(1, 0xabcd_ef01)).generation(), 0xabcd_ef01);
        let build = || PoolBuilder::<Value>::default().first_generation(0).build();
        assert_eq!(panic_text(build), "`first_generation(0)`: generations begin at 1");
    }

    #[test]
    fn keys_are_unique_when_tokens_wrap() {
        let pool = bounded(1, 0xfffe);
        let mut tokens = vec![];
        let mut keys = HashSet::new();
        for _ in 0..4 {
            let (completer, completion) = pool.rent();
            let key = completer.key_while_held();
            assert!(keys.insert(key), "{key} was issued twice");
            let Arm::Source { token, .. } = ValueFuture::from(completion).into_arm() else {
                panic!("not the source arm")
            };
            tokens.push(token);
        }
        assert_eq!(tokens, [0xfffe, 0xffff, 0, 1].map(Token::new));
        for key in keys {
            let kind = pool.complete_key(key, None).unwrap_err().kind();
            let last = key.untyped().generation() == 0x1_0001;
            assert_eq!(kind, if last { CompleteErrorKind::Closed } else { CompleteErrorKind::Stale });
        }
        assert_eq!(pool.stats().retired, 0);
    }

    #[test]
    fn keys_are_unique_when_generations_wrap() {
        for slots in [1, 2, 3, 40] {
            let pool = bounded(slots, u32::MAX - 1);
            let mut keys = HashSet::new();
            for _ in 0..4 {
                // All slots are used, so each slot passes its last generation.
                let operations: Vec<_> = (0..slots).map(|_| pool.rent()).collect();
                assert!(matches!(pool.try_rent(), Err(RentError::Full { max_slots, .. }) if max_slots == slots));
                for (completer, mut completion) in operations {
                    let key = completer.key_while_held();
                    assert!(keys.insert(key), "{key} was issued twice");
                    for &key in keys.iter().filter(|other| **other != key).take(5) {
                        assert!(pool.complete_key(key, None).is_err(), "{key} is late");
                    }
                    completer.complete(Some(key.untyped().generation())).unwrap();
                    assert_eq!(poll(&mut completion), Poll::Ready(Some(key.untyped().generation())));
                }
            }
            let rented = 4 * u64::from(slots);
            let stats = pool.stats();
            assert_eq!(keys.len() as u64, rented);
            assert_eq!((stats.rented, stats.returned, stats.live), (rented, rented, 0));
            assert_eq!((stats.high_water, stats.capacity), (slots.into(), slots.into()));
            assert_eq!(stats.retired, 0);
            for key in keys {
                assert!(pool.abandon_key(key).is_err(), "{key} is late");
            }
        }
    }

    /// An epoch of a slot consists of all operations whose keys have the same index. The last operation of an epoch can end in several
    /// ways. In each case, the slot can be rented again.
    #[test]
    fn a_pool_of_one_slot_works_after_its_last_generation() {
        let finish: [Finish; 8] = [
            |_, completer, completion| {
                completer.complete(Some(7)).unwrap();
                assert_eq!(completion.try_take().unwrap(), Some(7));
            },
            |_, completer, completion| {
                completer.complete(Some(7)).unwrap();
                assert_eq!(poll(&mut ValueFuture::from(completion)), Poll::Ready(Some(7)));
            },
            |_, completer, completion| {
                completer.complete(Some(7)).unwrap();
                drop(completion);
            },
            |_, completer, completion| drop((completer, completion)),
            |_, completer, completion| drop((completion, completer)),
            |_, completer, completion| {
                let _key = completer.into_key();
                drop(completion);
            },
            |pool, completer, completion| {
                pool.complete_key(completer.into_key(), Some(7)).unwrap();
                drop(completion);
            },
            |pool, completer, completion| {
                pool.complete_key(completer.key_while_held(), Some(7)).unwrap();
                drop((completion, completer));
            },
        ];
        for (n, finish) in finish.into_iter().enumerate() {
            let pool = bounded(1, u32::MAX - 1);
            let mut old = Vec::new();
            for _ in 0..5 {
                let (completer, completion) = pool.rent();
                let key = completer.key_while_held();
                for &old in &old {
                    let kind = pool.complete_key(old, Some(9)).unwrap_err().kind();
                    assert_eq!(kind, CompleteErrorKind::Stale, "{n}: {old} while {key} is live");
                }
                old.push(key);
                finish(&pool, completer, completion);
            }
            let stats = pool.stats();
            assert_eq!((stats.rented, stats.live, stats.capacity), (5, 0, 1), "{n}");
            assert_eq!(stats.retired, 0, "{n}");
        }
    }

    /// Until the first operation of the next epoch begins, the last key is refused as already completed. From then on, this key is stale.
    #[test]
    fn the_last_key_of_an_epoch_becomes_stale_when_the_next_epoch_begins() {
        let pool = bounded(1, u32::MAX);
        let last = run_operation(&pool);
        assert_eq!(pool.complete_key(last, None).unwrap_err().kind(), CompleteErrorKind::AlreadyCompleted);
        let (completer, completion) = pool.rent();
        assert_eq!(pool.complete_key(last, None).unwrap_err().kind(), CompleteErrorKind::Stale);
        let key = completer.into_key();
        assert!(key.untyped().index() != last.index() && key.untyped().generation() == 0);
        // A key that differs from `key` in one of the lower 18 bits of the index was never issued.
        for bit in 0..18 {
            let forged = Key::from_u64(key.to_u64() ^ 1 << bit);
            assert_eq!(pool.complete_key(forged, None).unwrap_err().kind(), CompleteErrorKind::Unknown);
        }
        drop(completion);
        assert_eq!(pool.complete_key(key, None).unwrap_err().kind(), CompleteErrorKind::Closed);
        let future_key = Key::from_u64(key.to_u64() + (1 << 32));
        assert_eq!(pool.complete_key(future_key, None).unwrap_err().kind(), CompleteErrorKind::Unknown);
    }

    #[test]
    fn an_unbounded_pool_continues_with_another_slot() {
        let pool = PoolBuilder::<Value>::default().first_generation(u32::MAX).build();
        let keys = [run_operation(&pool), run_operation(&pool), run_operation(&pool)];
        assert_eq!(keys.map(Key::generation), [u32::MAX; 3]);
        assert_eq!(HashSet::from(keys.map(Key::index)).len(), 3);
        assert_eq!((pool.stats().retired, pool.stats().live), (3, 0));
        // Each operation retires a slot, and a page has fewer than 100 slots. So the pool allocates more pages.
        for _ in 0..100 {
            run_operation(&pool);
        }
        assert_eq!((pool.stats().retired, pool.stats().rented), (103, 103));
    }

    #[test]
    fn keys_from_before_the_last_generation_stay_refused() {
        let pool = bounded(1, u32::MAX - 1);
        let keys = [run_operation(&pool), run_operation(&pool)];
        let kinds = keys.map(|key| pool.complete_key(key, Some(9)).unwrap_err().kind());
        assert_eq!(kinds, [CompleteErrorKind::Stale, CompleteErrorKind::AlreadyCompleted]);
        let wrapped = Key::from_u64(u64::from(keys[0].index()));
        assert_eq!(pool.abandon_key(wrapped).unwrap_err().kind(), CompleteErrorKind::Unknown);
    }

    #[test]
    fn a_key_from_before_the_first_generation_is_unknown() {
        let pool = bounded(1, 100);
        for _ in 0..3 {
            run_operation(&pool);
        }
        let kind = |generation: u32| {
            let key = Key::from_u64(u64::from(generation) << 32);
            pool.complete_key(key, Some(9)).unwrap_err().kind()
        };
        assert_eq!([0, 1, 99].map(kind), [CompleteErrorKind::Unknown; 3]);
        assert_eq!([100, 101].map(kind), [CompleteErrorKind::Stale; 2]);
        assert_eq!([102, 103].map(kind), [CompleteErrorKind::AlreadyCompleted, CompleteErrorKind::Unknown]);
    }

    #[test]
    fn reserve_does_not_count_retired_slots() {
        let pool = PoolBuilder::<Value>::default().first_generation(u32::MAX).build();
        for _ in 0..32 {
            run_operation(&pool);
        }
        let before = pool.stats();
        assert_eq!((before.retired, before.capacity), (32, 32));
        pool.reserve(1);
        let after = pool.stats();
        assert!(after.capacity > 32 && after.allocations > before.allocations);
        run_operation(&pool);
        assert_eq!(pool.stats().allocations, after.allocations);
    }
}
