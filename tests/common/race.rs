//! Two threads, one at each end of an operation, that begin as close together as may be.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use value_future::{Completer, Completion, Pool, pool::PoolBuilder};

use super::threads::Start;

/// Miri chooses another course with each seed, so one round is enough there.
const ROUNDS: usize = if cfg!(miri) { 1 } else { 200 };

/// Counts its drops.
#[derive(Debug)]
pub(crate) struct Value(pub(crate) Arc<AtomicUsize>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// `None` where the producer's side gave none.
pub(crate) type Reply = Option<Value>;

/// What the producer's side did with the one value that it had.
#[derive(Debug, PartialEq)]
pub(crate) enum Given {
    Delivered,
    HandedBack,
    /// It ended the operation without one.
    Ended,
    /// It wanted to, and was told that the consumer has gone.
    TooLate,
}

/// What the consumer saw.
#[derive(Debug, PartialEq)]
pub(crate) enum Seen {
    Value,
    Nothing,
    Left,
}

pub(crate) type Produce = fn(Pool<Reply>, Completer<Reply>, Reply) -> Given;
pub(crate) type Consume = fn(Completion<Reply>) -> Seen;

/// All rounds of one pair, each with the operation of the same place. With `drop_pool` there is no
/// handle of the pool but those that the two threads drop when they begin, or have no more use for.
fn race(pools: Vec<Pool<Reply>>, produce: Produce, consume: Consume, drop_pool: bool) {
    let (start, dropped) = (Start::default(), Arc::new(AtomicUsize::new(0)));
    let watched = if drop_pool { vec![] } else { pools.clone() };
    thread::scope(|scope| {
        let (completers, completions): (Vec<_>, Vec<_>) = pools.iter().map(Pool::rent).unzip();
        let handles = pools.clone();
        let producer = scope.spawn(|| {
            let rounds = completers.into_iter().zip(handles).enumerate();
            let given = rounds.map(|(round, (completer, pool))| {
                let value = Some(Value(Arc::clone(&dropped)));
                start.round(round);
                produce(pool, completer, value)
            });
            given.collect::<Vec<_>>()
        });
        let rounds = completions.into_iter().zip(pools).enumerate();
        let seen: Vec<_> = rounds
            .map(|(round, (completion, pool))| {
                start.round(round);
                if drop_pool {
                    drop(pool);
                }
                consume(completion)
            })
            .collect();
        for pair in producer.join().unwrap().into_iter().zip(seen) {
            let fits = match &pair {
                (Given::Delivered, seen) => *seen != Seen::Nothing,
                (Given::HandedBack | Given::TooLate, seen) => *seen == Seen::Left,
                (Given::Ended, seen) => *seen != Seen::Value,
            };
            assert!(fits, "{pair:?}");
        }
    });
    assert_eq!(dropped.load(SeqCst), ROUNDS, "each value once");
    for pool in watched {
        assert_eq!(pool.stats().live, 0);
    }
}

/// A pool for all rounds, a bounded one, and one for each round that is dropped in it. Miri, which takes
/// its time and has a seed for each of its many runs, lets that choose one of the last two.
pub(crate) fn every_kind_of_pool(produce: Produce, consume: Consume) {
    let chosen = RandomState::new().build_hasher().finish() % 2;
    if !cfg!(miri) {
        race(vec![Pool::new(); ROUNDS], produce, consume, false);
    }
    if !cfg!(miri) || chosen == 0 {
        let bounded = PoolBuilder::default().max_slots(u32::try_from(ROUNDS).unwrap()).build();
        race(vec![bounded; ROUNDS], produce, consume, false);
    }
    if !cfg!(miri) || chosen == 1 {
        race((0..ROUNDS).map(|_| Pool::new()).collect(), produce, consume, true);
    }
}
