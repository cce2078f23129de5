//! The state that an error or a status method reports is true when the call returns. Each test checks the state again on the
//! same thread, while other threads work.

mod common;

use std::{
    hint,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    task::Poll,
    thread,
};

use common::{
    poll,
    threads::{Finally, SpinBarrier},
};
use value_future::{
    Key, Pool, ReusableSource,
    operation::{Abandoned, CompleteError, CompleteErrorKind},
};

/// A large value. Moving it into the slot takes long, so there is much time between the claim and the completion of an operation.
#[derive(Debug)]
struct Large([u8; SIZE]);

const SIZE: usize = if cfg!(miri) { 64 } else { 4096 };

impl Large {
    fn new(number: u64) -> Self {
        Large([number.to_le_bytes()[0]; SIZE])
    }
}

impl Abandoned for Large {
    fn abandoned() -> Self {
        Large::new(0)
    }
}

const ROUNDS: usize = if cfg!(miri) { 20 } else { 10_000 };

/// Polls a future until it is ready.
fn poll_until_ready<F: Future + Unpin>(future: &mut F) -> F::Output {
    loop {
        match poll(future) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::yield_now(),
        }
    }
}

/// Checks the error of the second of two calls of `complete_key`. `is_completed` returns `true` if the operation has a result.
fn assert_consistent<V>(
    refused: Result<(), CompleteError<V>>,
    is_completed: impl FnOnce() -> bool,
) {
    let Err(error) = refused else { return };
    match error.kind() {
        CompleteErrorKind::AlreadyCompleted => {
            assert!(is_completed(), "the operation has no result: {error}");
        }
        CompleteErrorKind::BeingCompleted => {}
        kind => panic!("{kind:?}"),
    }
}

/// Runs `operation` in each round. `operation` passes its key to a function. That function returns when another thread is
/// about to call `complete` with the same key.
fn with_another_producer(complete: impl Fn(Key) + Sync, mut operation: impl FnMut(&dyn Fn(Key))) {
    let start = SpinBarrier::new(2);
    let keys = Mutex::new(None);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                start.wait(2 * round);
                let key = keys.lock().unwrap().unwrap();
                start.wait(2 * round + 1);
                complete(key);
            }
        });
        let _finally = Finally(|| start.open());
        for round in 0..ROUNDS {
            operation(&|key| {
                *keys.lock().unwrap() = Some(key);
                start.wait(2 * round);
                start.wait(2 * round + 1);
            });
        }
    });
}

#[test]
fn already_completed_means_that_the_completion_has_its_result() {
    let pool = Pool::<Large>::new();
    with_another_producer(
        |key| drop(pool.complete_key(key, Large::new(1))),
        |meet| {
            let (completer, mut completion) = pool.rent();
            let key = completer.into_key();
            meet(key.untyped());
            assert_consistent(pool.complete_key(key, Large::new(2)), || completion.is_completed());
            assert!([1, 2].contains(&poll_until_ready(&mut completion).0[0]));
        },
    );
}

#[test]
fn already_completed_means_that_the_future_of_a_source_is_ready() {
    let source = ReusableSource::<Large>::new();
    with_another_producer(
        |key| drop(source.complete_key(key, Large::new(1))),
        |meet| {
            let mut future = source.begin().unwrap();
            let key = source.key().unwrap();
            meet(key.untyped());
            let mut taken = Poll::Pending;
            assert_consistent(source.complete_key(key, Large::new(2)), || {
                taken = poll(&mut future);
                taken.is_ready()
            });
            let taken = match taken {
                Poll::Ready(taken) => taken,
                Poll::Pending => poll_until_ready(&mut future),
            };
            assert!([1, 2].contains(&taken.0[0]));
        },
    );
}

/// The future is dropped while a producer completes its operation. Then the next operation begins.
#[test]
fn a_source_can_begin_an_operation_as_soon_as_its_future_is_dropped() {
    let source = ReusableSource::<Large>::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    match source.key() {
                        Some(key) => drop(source.complete_key(key, Large::new(1))),
                        None if cfg!(miri) => thread::yield_now(),
                        None => hint::spin_loop(),
                    }
                }
            });
        }
        let _finally = Finally(|| done.store(true, SeqCst));
        for _ in 0..ROUNDS {
            let future = source.begin().expect("the last future of the only consumer was dropped");
            // Waits until a producer has probably claimed the operation.
            while source.key().is_some() && !cfg!(miri) {
                hint::spin_loop();
            }
            drop(future);
            assert!(!source.is_busy());
        }
    });
}

/// The completion is dropped while a producer completes the operation by its key. Then the next operation gets the only slot.
#[test]
fn the_slot_of_an_operation_without_a_completer_is_vacant_as_soon_as_its_completion_is_dropped() {
    let pool = Pool::<Large>::builder().max_slots(1).build();
    thread::scope(|scope| {
        let (keys, inbox) = mpsc::sync_channel::<Key>(1);
        let producer = &pool;
        scope.spawn(move || {
            for key in inbox {
                let _ = producer.complete_key(key, Large::new(1));
            }
        });
        for round in 0..ROUNDS {
            let (completer, completion) = pool.try_rent().expect("the last completion was dropped");
            keys.send(completer.into_key().untyped()).unwrap();
            for _ in 0..round % 64 {
                hint::spin_loop();
            }
            drop(completion);
        }
        drop(keys);
    });
}
