//! A late key is refused, even while the slot or the source of the key passes its last generation.
//!
//! Many threads use late keys without a pause. So some of these threads are preempted inside a call with a late key.

mod common;

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::Poll,
    thread,
};

use common::{poll, threads::Finally};
use value_future::{Key, Pool, ReusableSource};

const ROUNDS: u32 = if cfg!(miri) { 2 } else { 20 };
/// The number of operations in a round. The first half of the operations has generations before the wraparound, and the second half has
/// generations after the wraparound.
const OPERATIONS: u32 = 8;
const PRODUCERS: usize = if cfg!(miri) { 2 } else { 16 };

/// The first generation, shortly before the wraparound.
const NEAR_THE_LAST_GENERATION: u32 = u32::MAX - 3;

/// The value of a late producer.
const LATE: Option<u32> = Some(u32::MAX);

/// Returns keys of the first epoch. They have the same generations as the first operations of the second epoch.
fn late_keys() -> impl Iterator<Item = Key> {
    (0..4_u64).map(|generation| Key::from_u64(generation << 32)).cycle()
}

/// Runs `operations` while late producers call `complete` with late keys. `complete` returns `true` if the key was accepted.
fn with_late_producers(complete: impl Fn(Key) -> bool + Sync, operations: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop = Finally(|| done.store(true, Relaxed));
        for _ in 0..PRODUCERS {
            scope.spawn(|| {
                for key in late_keys().take_while(|_| !done.load(Relaxed)) {
                    assert!(!complete(key), "the late key {key} completed another operation");
                }
            });
        }
        operations();
    });
}

/// Runs operations of a source, and checks that the source refuses late keys. `end` tries to end the operation of a key, and returns `true`
/// if the key was accepted.
fn assert_late_keys_of_a_source_are_refused(
    end: impl Fn(&ReusableSource<Option<u32>>, Key) -> bool + Sync,
) {
    for _ in 0..ROUNDS {
        let source = ReusableSource::<Option<u32>>::with_first_generation(NEAR_THE_LAST_GENERATION);
        with_late_producers(
            |key| end(&source, key),
            || {
                for number in 0..OPERATIONS {
                    let mut future = source.begin().unwrap();
                    assert_eq!(poll(&mut future), Poll::Pending);
                    thread::yield_now();
                    source.complete_key(source.key().unwrap(), Some(number)).unwrap();
                    assert_eq!(poll(&mut future), Poll::Ready(Some(number)));
                }
            },
        );
    }
}

#[test]
fn a_late_key_never_completes_an_operation_of_a_source_at_the_wraparound() {
    assert_late_keys_of_a_source_are_refused(|source, key| source.complete_key(key, LATE).is_ok());
}

#[test]
fn a_late_key_never_abandons_an_operation_of_a_source_at_the_wraparound() {
    assert_late_keys_of_a_source_are_refused(|source, key| source.abandon_key(key).is_ok());
}

#[test]
fn a_late_key_never_completes_an_operation_of_a_pool_at_the_wraparound() {
    for _ in 0..ROUNDS {
        let pool = Pool::<Option<u32>>::builder();
        let pool = pool.max_slots(1).first_generation(NEAR_THE_LAST_GENERATION).build();
        with_late_producers(
            |key| pool.complete_key(key, LATE).is_ok(),
            || {
                for number in 0..OPERATIONS {
                    let (completer, mut completion) = pool.rent();
                    let key = completer.into_key();
                    assert_eq!(poll(&mut completion), Poll::Pending);
                    thread::yield_now();
                    pool.complete_key(key, Some(number)).unwrap();
                    assert_eq!(poll(&mut completion), Poll::Ready(Some(number)));
                }
            },
        );
    }
}
