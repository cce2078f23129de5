//! Races between a producer and a consumer, each on its own thread. In each round, these threads use the two handles of one operation.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use value_future::{Completer, Completion, Pool, pool::PoolBuilder};

use super::threads::SpinBarrier;

/// The number of rounds. Under Miri, one round is enough, because Miri chooses another schedule with each seed.
const ROUNDS: usize = if cfg!(miri) { 1 } else { 200 };

/// A value that counts its drops.
#[derive(Debug)]
pub(crate) struct Value(pub(crate) Arc<AtomicUsize>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// The output of an operation. It is `None` if the producer delivered no value.
pub(crate) type Reply = Option<Value>;

/// The outcome of a round for the producer, which has one value to deliver.
#[derive(Debug, PartialEq)]
pub(crate) enum ProducerOutcome {
    Delivered,
    Returned,
    /// The producer ended the operation without a value.
    Abandoned,
    /// The producer tried to end the operation without a value, but the consumer was already dropped.
    Refused,
}

/// The outcome of a round for the consumer.
#[derive(Debug, PartialEq)]
pub(crate) enum ConsumerOutcome {
    Value,
    /// The operation ended without a value.
    Abandoned,
    /// The consumer dropped its future without taking a result.
    Dropped,
}

pub(crate) type Produce = fn(Pool<Reply>, Completer<Reply>, Reply) -> ProducerOutcome;
pub(crate) type Consume = fn(Completion<Reply>) -> ConsumerOutcome;

/// Runs all rounds of a producer and a consumer. In round `n`, the operation belongs to `pools[n]`. If `drop_pool` is set, both threads
/// drop their handles of the pool in each round, and no other handles exist.
fn race(pools: Vec<Pool<Reply>>, produce: Produce, consume: Consume, drop_pool: bool) {
    let (start, dropped) = (SpinBarrier::new(2), Arc::new(AtomicUsize::new(0)));
    let kept = if drop_pool { vec![] } else { pools.clone() };
    thread::scope(|scope| {
        let (completers, completions): (Vec<_>, Vec<_>) = pools.iter().map(Pool::rent).unzip();
        let handles = pools.clone();
        let producer = scope.spawn(|| {
            let rounds = completers.into_iter().zip(handles).enumerate();
            let outcomes = rounds.map(|(round, (completer, pool))| {
                let value = Some(Value(Arc::clone(&dropped)));
                start.wait(round);
                produce(pool, completer, value)
            });
            outcomes.collect::<Vec<_>>()
        });
        let rounds = completions.into_iter().zip(pools).enumerate();
        let consumer: Vec<_> = rounds
            .map(|(round, (completion, pool))| {
                start.wait(round);
                if drop_pool {
                    drop(pool);
                }
                consume(completion)
            })
            .collect();
        for pair in producer.join().unwrap().into_iter().zip(consumer) {
            let consistent = match &pair {
                (ProducerOutcome::Delivered, consumer) => *consumer != ConsumerOutcome::Abandoned,
                (ProducerOutcome::Returned | ProducerOutcome::Refused, consumer) => {
                    *consumer == ConsumerOutcome::Dropped
                }
                (ProducerOutcome::Abandoned, consumer) => *consumer != ConsumerOutcome::Value,
            };
            assert!(consistent, "{pair:?}");
        }
    });
    assert_eq!(dropped.load(SeqCst), ROUNDS, "each value is dropped once");
    for pool in kept {
        assert_eq!(pool.stats().live, 0);
    }
}

/// Races a producer and a consumer in three ways: on an unbounded pool, on a bounded pool, and on a new pool in each round. Both threads
/// drop their handles of this new pool during the round. Miri is slow and runs many seeds. So a run under Miri chooses either the second
/// way or the third way.
pub(crate) fn race_on_each_kind_of_pool(produce: Produce, consume: Consume) {
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
