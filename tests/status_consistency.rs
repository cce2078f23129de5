//! What an error or a status method says is true when it returns: each test asks again right after the call, on
//! the same thread, while other threads work.

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
    threads::{Finally, Start},
};
use value_future::{
    Key, Pool, ReusableSource,
    operation::{Abandoned, CompleteError, CompleteErrorKind},
};

/// A large value widens the time in which a producer has claimed an operation and not completed it.
#[derive(Debug)]
struct Wide([u8; SIZE]);

const SIZE: usize = if cfg!(miri) { 64 } else { 4096 };

impl Wide {
    fn new(number: u64) -> Self {
        Wide([number.to_le_bytes()[0]; SIZE])
    }
}

impl Abandoned for Wide {
    fn abandoned() -> Self {
        Wide::new(0)
    }
}

const ROUNDS: usize = if cfg!(miri) { 20 } else { 10_000 };

/// Polls until there is a result.
fn result<F: Future + Unpin>(future: &mut F) -> F::Output {
    loop {
        match poll(future) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::yield_now(),
        }
    }
}

/// Checks the error of the second of two completions. `is_completed` tells whether there is a result.
fn told<V>(refused: Result<(), CompleteError<V>>, is_completed: impl FnOnce() -> bool) {
    let Err(error) = refused else { return };
    match error.kind() {
        CompleteErrorKind::AlreadyCompleted => {
            assert!(is_completed(), "there is no result: {error}");
        }
        CompleteErrorKind::BeingCompleted => {}
        kind => panic!("{kind:?}"),
    }
}

/// Runs `operation` for each round. It calls the function that it gets with its key, which comes back when
/// another thread is about to `complete` the operation too.
fn beside_another_producer(complete: impl Fn(Key) + Sync, mut operation: impl FnMut(&dyn Fn(Key))) {
    let start = Start::default();
    let keys = Mutex::new(None);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                start.round(2 * round);
                let key = keys.lock().unwrap().unwrap();
                start.round(2 * round + 1);
                complete(key);
            }
        });
        let _finally = Finally(|| start.open());
        for round in 0..ROUNDS {
            operation(&|key| {
                *keys.lock().unwrap() = Some(key);
                start.round(2 * round);
                start.round(2 * round + 1);
            });
        }
    });
}

#[test]
fn already_completed_means_that_a_completion_has_its_result() {
    let pool = Pool::<Wide>::new();
    beside_another_producer(
        |key| drop(pool.complete_key(key, Wide::new(1))),
        |meet| {
            let (completer, mut completion) = pool.rent();
            let key = completer.into_key();
            meet(key.untyped());
            told(pool.complete_key(key, Wide::new(2)), || completion.is_completed());
            assert!([1, 2].contains(&result(&mut completion).0[0]));
        },
    );
}

#[test]
fn already_completed_means_that_the_future_of_a_source_is_ready() {
    let source = ReusableSource::<Wide>::new();
    beside_another_producer(
        |key| drop(source.complete_key(key, Wide::new(1))),
        |meet| {
            let mut future = source.begin().unwrap();
            let key = source.key().unwrap();
            meet(key.untyped());
            let mut taken = Poll::Pending;
            told(source.complete_key(key, Wide::new(2)), || {
                taken = poll(&mut future);
                taken.is_ready()
            });
            let taken = match taken {
                Poll::Ready(taken) => taken,
                Poll::Pending => result(&mut future),
            };
            assert!([1, 2].contains(&taken.0[0]));
        },
    );
}

/// A read that is given up while a producer completes it, and the next read.
#[test]
fn a_source_can_be_begun_again_right_after_its_future_was_dropped() {
    let source = ReusableSource::<Wide>::new();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(SeqCst) {
                    match source.key() {
                        Some(key) => drop(source.complete_key(key, Wide::new(1))),
                        None if cfg!(miri) => thread::yield_now(),
                        None => hint::spin_loop(),
                    }
                }
            });
        }
        let _finally = Finally(|| done.store(true, SeqCst));
        for _ in 0..ROUNDS {
            let future = source.begin().expect("one caller, and its last future was dropped");
            // Until a producer has probably claimed the operation.
            while source.key().is_some() && !cfg!(miri) {
                hint::spin_loop();
            }
            drop(future);
            assert!(!source.is_busy());
        }
    });
}

/// The same in a pool of one, whose operation was left to its key.
#[test]
fn a_pool_of_one_can_be_rented_from_right_after_the_completion_was_dropped() {
    let pool = Pool::<Wide>::builder().max_slots(1).build();
    thread::scope(|scope| {
        let (keys, inbox) = mpsc::sync_channel::<Key>(1);
        let producer = &pool;
        scope.spawn(move || {
            for key in inbox {
                let _ = producer.complete_key(key, Wide::new(1));
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
