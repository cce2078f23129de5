//! A pool of one and a source work on after 2³³ operations, and refuse the keys from before. In full, with
//! every one of these operations: `cargo test --release --test generation_wraparound -- --ignored` takes some minutes.

mod common;

use std::task::Poll;

use common::poll;
use value_future::{Key, LocalPool, LocalReusableSource, Pool, ReusableSource};

const IN_FULL: u64 = 1 << 33;
/// Past the end of the first epoch, if that is near.
const FEW: u64 = 16;
const NEARLY_USED_UP: u32 = u32::MAX - 3;

macro_rules! sources {
    ($($name:ident: $Source:ident;)*) => {
        $(
            mod $name {
                use super::*;

                fn works_on(source: &$Source<Option<u64>>, operations: u64) {
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
                    // Each of them beside an operation that is live.
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
                fn works_on_past_its_last_generation() {
                    works_on(&$Source::with_first_generation(NEARLY_USED_UP), FEW);
                }

                #[test]
                #[ignore = "takes a minute or more"]
                fn works_on_in_full() {
                    works_on(&$Source::new(), IN_FULL);
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

                fn works_on(pool: &$Pool<Option<u64>>, operations: u64) {
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
                fn works_on_past_the_last_generation_of_its_slot() {
                    let pool = $Pool::builder().max_slots(1).first_generation(NEARLY_USED_UP);
                    works_on(&pool.build(), FEW);
                }

                #[test]
                #[ignore = "takes a minute or more"]
                fn works_on_in_full() {
                    works_on(&$Pool::builder().max_slots(1).build(), IN_FULL);
                }
            }
        )*
    };
}

pools! {
    pool: Pool;
    local_pool: LocalPool;
}
