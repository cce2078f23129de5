//! A slot has 2³² uses, each with a generation of its own: no key is given out twice, the tokens
//! wrap without harm, and a slot that is used up is retired.

mod common;

use std::{collections::HashSet, task::Poll};

use common::{for_both_pools, panic_text, poll};
use value_future::{Arm, Key, KeyError, Token};

for_both_pools! {
    type Value = Option<u32>;
    type End = fn(&Pool<Value>, Completer<Value>, Completion<Value>);

    /// One whole operation. Returns its key.
    fn cycle(pool: &Pool<Value>) -> Key {
        let (completer, mut completion) = pool.rent();
        let key = completer.key();
        completer.complete(Some(key.generation())).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(key.generation())));
        key
    }

    fn bounded(slots: u32, first_generation: u32) -> Pool<Value> {
        PoolBuilder::default().max_slots(slots).first_generation(first_generation).build()
    }

    #[test]
    fn generations_begin_at_one_or_as_told() {
        assert_eq!(cycle(&Pool::new()).generation(), 1);
        assert_eq!(cycle(&bounded(1, 0xabcd_ef01)).generation(), 0xabcd_ef01);
        let build = || PoolBuilder::<Value>::default().first_generation(0).build();
        assert_eq!(panic_text(build), "`first_generation(0)`: generations begin at 1");
    }

    #[test]
    fn no_key_comes_twice_over_the_edge_of_sixteen_bits() {
        let pool = bounded(1, 0xfffe);
        let mut tokens = vec![];
        let mut keys = HashSet::new();
        for _ in 0..4 {
            let (completer, completion) = pool.rent();
            let key = completer.key();
            assert!(keys.insert(key), "{key} a second time");
            let Arm::Source { token, .. } = Erased::from(completion).into_arm() else {
                panic!("not a source")
            };
            tokens.push(token);
        }
        assert_eq!(tokens, [0xfffe, 0xffff, 0, 1].map(Token::new));
        for key in keys {
            let kind = pool.complete_key(key, None).unwrap_err().kind();
            let last = key.generation() == 0x1_0001;
            assert_eq!(kind, if last { KeyError::Abandoned } else { KeyError::Stale });
        }
        assert_eq!(pool.stats().retired, 0);
    }

    #[test]
    fn no_key_comes_twice_before_all_slots_are_used_up() {
        let pool = bounded(40, u32::MAX - 1);
        let mut keys = HashSet::new();
        while pool.stats().retired < 40 {
            let key = cycle(&pool);
            assert!(keys.insert(key), "{key} a second time");
        }
        assert_eq!(keys.len(), 80);
        assert_eq!(pool.try_rent().unwrap_err().max_slots(), 40);
        let stats = pool.stats();
        assert_eq!((stats.rented, stats.returned, stats.live), (80, 80, 0));
        assert_eq!((stats.high_water, stats.capacity), (40, 40));
    }

    /// However its last operation ends, a slot is not rented again.
    #[test]
    fn a_bounded_pool_of_one_is_full_once_its_slot_is_retired() {
        let end: [End; 8] = [
            |_, completer, completion| {
                completer.complete(Some(7)).unwrap();
                assert_eq!(completion.try_take().unwrap(), Some(7));
            },
            |_, completer, completion| {
                completer.complete(Some(7)).unwrap();
                assert_eq!(poll(&mut Erased::from(completion)), Poll::Ready(Some(7)));
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
                pool.complete_key(completer.key(), Some(7)).unwrap();
                drop((completion, completer));
            },
        ];
        for (n, end) in end.into_iter().enumerate() {
            let pool = bounded(1, u32::MAX - 1);
            for retired in [0, 1] {
                let (completer, completion) = pool.rent();
                assert_eq!(pool.stats().retired, 0);
                end(&pool, completer, completion);
                assert_eq!(pool.stats().retired, retired, "{n}");
            }
            let error = pool.try_rent().unwrap_err();
            let text = "the pool is full: it was bounded to 1 slots, and all of them are in use or \
                        retired";
            assert_eq!(error.to_string(), text);
            let stats = pool.stats();
            assert_eq!((stats.rented, stats.live, stats.capacity), (2, 0, 1), "{n}");
        }
    }

    #[test]
    fn a_pool_without_a_bound_goes_on_with_another_slot() {
        let pool = PoolBuilder::<Value>::default().first_generation(u32::MAX).build();
        let keys = [cycle(&pool), cycle(&pool), cycle(&pool)];
        assert_eq!(keys.map(Key::generation), [u32::MAX; 3]);
        assert_eq!(HashSet::from(keys.map(Key::index)).len(), 3);
        assert_eq!((pool.stats().retired, pool.stats().live), (3, 0));
        // More than a chunk of them.
        for _ in 0..100 {
            cycle(&pool);
        }
        assert_eq!((pool.stats().retired, pool.stats().rented), (103, 103));
    }

    #[test]
    fn the_keys_of_a_retired_slot_stay_refused() {
        let pool = bounded(1, u32::MAX - 1);
        let keys = [cycle(&pool), cycle(&pool)];
        let kinds = keys.map(|key| pool.complete_key(key, Some(9)).unwrap_err().kind());
        assert_eq!(kinds, [KeyError::Stale, KeyError::AlreadyCompleted]);
        let past_the_end = Key::from_u64(u64::from(keys[0].index()));
        assert_eq!(pool.abandon_key(past_the_end).unwrap_err().kind(), KeyError::Unknown);
    }

    #[test]
    fn a_key_from_before_the_first_generation_is_unknown() {
        let pool = bounded(1, 100);
        for _ in 0..3 {
            cycle(&pool);
        }
        let kind = |generation: u32| {
            let key = Key::from_u64(u64::from(generation) << 32);
            pool.complete_key(key, Some(9)).unwrap_err().kind()
        };
        assert_eq!([0, 1, 99].map(kind), [KeyError::Unknown; 3]);
        assert_eq!([100, 101].map(kind), [KeyError::Stale; 2]);
        assert_eq!([102, 103].map(kind), [KeyError::AlreadyCompleted, KeyError::Unknown]);
    }

    #[test]
    fn reserving_counts_retired_slots_out() {
        let pool = PoolBuilder::<Value>::default().first_generation(u32::MAX).build();
        for _ in 0..32 {
            cycle(&pool);
        }
        let before = pool.stats();
        assert_eq!((before.retired, before.capacity), (32, 32));
        pool.reserve(1);
        let after = pool.stats();
        assert!(after.capacity > 32 && after.allocations > before.allocations);
        cycle(&pool);
        assert_eq!(pool.stats().allocations, after.allocations);
    }
}
