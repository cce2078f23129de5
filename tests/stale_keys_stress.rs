//! A late key is refused, also while its slot or source passes the end of its 2³² generations.
//!
//! Threads repeat late keys without a pause, so that some of them are preempted between any two
//! instructions of a completion.

mod common;

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::Poll,
    thread,
};

use common::{poll, threads::Finally};
use value_future::{Key, Pool, ReusableSource};

const ROUNDS: u32 = if cfg!(miri) { 2 } else { 20 };
/// As many before the end as after it.
const OPERATIONS: u32 = 8;
const PRODUCERS: usize = if cfg!(miri) { 2 } else { 16 };

/// The last generations before the end.
const NEARLY_USED_UP: u32 = u32::MAX - 3;

/// What a late producer would deliver.
const LATE: Option<u32> = Some(u32::MAX);

/// Late keys of the first epoch, with the generations of the first operations of the second one.
fn late_keys() -> impl Iterator<Item = Key> {
    (0..4_u64).map(|generation| Key::from_u64(generation << 32)).cycle()
}

/// Runs `operations` while late producers call `complete` with late keys. `complete` returns `true`
/// if a key was accepted.
fn beside_late_producers(complete: impl Fn(Key) -> bool + Sync, operations: impl FnOnce()) {
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

/// `end` ends the operation that a key names, and returns `true` if the key was accepted.
fn a_late_key_never_ends_an_operation_of_a_source(
    end: impl Fn(&ReusableSource<Option<u32>>, Key) -> bool + Sync,
) {
    for _ in 0..ROUNDS {
        let source = ReusableSource::<Option<u32>>::with_first_generation(NEARLY_USED_UP);
        beside_late_producers(
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
fn a_late_key_never_completes_an_operation_of_a_source_after_its_last_generation() {
    a_late_key_never_ends_an_operation_of_a_source(|source, key| {
        source.complete_key(key, LATE).is_ok()
    });
}

#[test]
fn a_late_key_never_resets_an_operation_of_a_source_after_its_last_generation() {
    a_late_key_never_ends_an_operation_of_a_source(|source, key| source.abandon_key(key).is_ok());
}

#[test]
fn a_late_key_never_completes_an_operation_of_a_pool_after_the_last_generation_of_its_slot() {
    for _ in 0..ROUNDS {
        let pool = Pool::<Option<u32>>::builder();
        let pool = pool.max_slots(1).first_generation(NEARLY_USED_UP).build();
        beside_late_producers(
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
