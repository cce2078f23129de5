//! A pool of one slot and a reusable source work after 2³³ operations, and refuse the keys of earlier operations. `cargo test --release
//! --test generation_wraparound -- --ignored` runs all of these operations, which takes some minutes.

mod common;

use std::task::Poll;

use common::poll;
use value_future::{Key, LocalPool, LocalReusableSource, Pool, ReusableSource};

const ALL_OPERATIONS: u64 = 1 << 33;
/// A number of operations that passes the last generation, if a test begins at `NEAR_THE_LAST_GENERATION`.
const FEW_OPERATIONS: u64 = 16;
const NEAR_THE_LAST_GENERATION: u32 = u32::MAX - 3;

macro_rules! sources {
    ($($name:ident: $Source:ident;)*) => {
        $(
            mod $name {
                use super::*;

                fn run_operations(source: &$Source<Option<u64>>, operations: u64) {
                    let mut kept = Vec::new();
                    for number in 0..operations {
                        let mut future = source.begin().unwrap();
                        let key = source.key().unwrap();
                        if number < 3 || number + 3 > operations {
                            kept.push(key);
                        }
                        source.complete_key(key, Some(number)).unwrap();
                        assert_eq!(poll(&mut future), Poll::Ready(Some(number)));
                    }
                    // Each late key is refused while an operation is live.
                    let mut future = source.begin().unwrap();
                    for key in kept {
                        assert!(source.complete_key(key, None).is_err(), "{key} is late");
                        assert!(source.abandon_key(key).is_err(), "{key} is late");
                    }
                    let key: Key = source.key().unwrap().untyped();
                    source.complete_key(key, Some(operations)).unwrap();
                    assert_eq!(poll(&mut future), Poll::Ready(Some(operations)));
                }

                #[test]
                fn keys_stay_unique_past_the_last_generation() {
                    run_operations(&$Source::with_first_generation(NEAR_THE_LAST_GENERATION), FEW_OPERATIONS);
                }

                #[test]
                #[ignore = "takes a minute or more"]
                fn keys_stay_unique_for_all_operations() {
                    run_operations(&$Source::new(), ALL_OPERATIONS);
                }
            }
        )*
    };
}

sources! {
    source: ReusableSource;
    local_source: LocalReusableSource;
}

macro_rules! pools {
    ($($name:ident: $Pool:ident;)*) => {
        $(
            mod $name {
                use super::*;

                fn run_operations(pool: &$Pool<Option<u64>>, operations: u64) {
                    let mut kept = Vec::new();
                    for number in 0..operations {
                        let (completer, mut completion) = pool.try_rent().unwrap();
                        let key = completer.into_key();
                        if number < 3 || number + 3 > operations {
                            kept.push(key);
                        }
                        pool.complete_key(key, Some(number)).unwrap();
                        assert_eq!(poll(&mut completion), Poll::Ready(Some(number)));
                    }
                    let (completer, mut completion) = pool.try_rent().unwrap();
                    let live = completer.key_while_held();
                    for key in kept {
                        assert_ne!(key, live);
                        assert!(pool.complete_key(key, None).is_err(), "{key} is late");
                        assert!(pool.abandon_key(key).is_err(), "{key} is late");
                    }
                    completer.complete(Some(operations)).unwrap();
                    assert_eq!(poll(&mut completion), Poll::Ready(Some(operations)));
                    let stats = pool.stats();
                    assert_eq!((stats.rented, stats.retired, stats.capacity), (operations + 1, 0, 1));
                }

                #[test]
                fn keys_stay_unique_past_the_last_generation_of_the_slot() {
                    let pool = $Pool::builder().max_slots(1).first_generation(NEAR_THE_LAST_GENERATION);
                    run_operations(&pool.build(), FEW_OPERATIONS);
                }

                #[test]
                #[ignore = "takes a minute or more"]
                fn keys_stay_unique_for_all_operations() {
                    run_operations(&$Pool::builder().max_slots(1).build(), ALL_OPERATIONS);
                }
            }
        )*
    };
}

pools! {
    pool: Pool;
    local_pool: LocalPool;
}
