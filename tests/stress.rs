//! Many threads use shared pools. Each value is delivered at most once, to its own operation, and all slots are released at the end. The
//! tests take a few seconds, even with the address and thread sanitizers. Under Miri, the tests have few rounds, and run with several
//! seeds.

#![cfg(feature = "std")]

mod common;

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    thread,
};

use common::random::Random;
use futures::executor::block_on;
use value_future::{Completer, Completion, Key, Pool, ValueFuture, operation::Abandoned};

const THREADS: u64 = if cfg!(miri) { 3 } else { 8 };
const ROUNDS: u64 = if cfg!(miri) { 5 } else { 10_000 };

/// A value that contains the name of its operation, which is a number.
trait Value: Abandoned + Send + Sized + 'static {
    fn new(name: u64) -> Self;
    /// Returns the name of the operation, or `None` if the operation was abandoned.
    fn name(self) -> Option<u64>;
}

#[derive(Debug)]
struct Word(u64);

impl Abandoned for Word {
    fn abandoned() -> Self {
        Word(0)
    }
}

impl Value for Word {
    fn new(name: u64) -> Self {
        Word(name)
    }

    fn name(self) -> Option<u64> {
        (self.0 != 0).then_some(self.0)
    }
}

impl Value for Option<Box<Counted>> {
    fn new(name: u64) -> Self {
        LIVE.fetch_add(1, Relaxed);
        Some(Box::new(Counted(name)))
    }

    fn name(self) -> Option<u64> {
        self.map(|counted| counted.0)
    }
}

/// The number of values that exist.
static LIVE: AtomicI64 = AtomicI64::new(0);

#[derive(Debug)]
struct Counted(u64);

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

/// A handle or a key that moves between threads.
enum Message<T> {
    Completer(u64, Completer<T>),
    Completion(u64, Completion<T>),
    Key(u64, Key),
}

struct Test<T> {
    messages: Mutex<Vec<Message<T>>>,
    /// Keys that were used.
    used_keys: Mutex<Vec<Key>>,
    /// The number of operations that began.
    begun: AtomicU64,
    /// The number of values that the pool accepted.
    accepted: AtomicU64,
    /// The number of values that consumers took.
    taken: AtomicU64,
    /// The number of completions that were dropped, perhaps with an accepted value.
    dropped: AtomicU64,
}

impl<T: Value> Test<T> {
    fn new() -> Self {
        let count = || AtomicU64::new(0);
        let (messages, used_keys) = (Mutex::default(), Mutex::default());
        Test {
            messages,
            used_keys,
            begun: count(),
            accepted: count(),
            taken: count(),
            dropped: count(),
        }
    }

    /// Runs the rounds of one thread, and then drops its handle of the pool.
    fn run(&self, pool: Pool<T>, thread: u64) {
        // In each run, a thread has the same random numbers. The schedule of the threads differs.
        let mut random = Random((thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for round in 0..ROUNDS {
            let name = (thread + 1) << 32 | round;
            match pool.try_rent() {
                Ok((completer, completion)) => {
                    self.begun.fetch_add(1, Relaxed);
                    self.send(&mut random, Message::Completion(name, completion));
                    if random.below(4) == 0 {
                        // Another thread can use the key while the completer exists.
                        self.send(
                            &mut random,
                            Message::Key(name, completer.key_while_held().untyped()),
                        );
                    }
                    self.send(&mut random, Message::Completer(name, completer));
                }
                // The pool is full until another thread releases a slot.
                Err(_) => thread::yield_now(),
            }
            while let Some(message) = self.receive(&mut random) {
                self.handle(&pool, &mut random, message);
            }
            if random.below(16) == 0 {
                self.use_a_key_again(&pool, &mut random);
            }
        }
        drop(pool);
    }

    fn send(&self, random: &mut Random, message: Message<T>) {
        let mut messages = self.messages.lock().unwrap();
        messages.push(message);
        let (last, at) = (messages.len() - 1, random.below(messages.len() as u64));
        messages.swap(last, usize::try_from(at).unwrap());
    }

    fn receive(&self, random: &mut Random) -> Option<Message<T>> {
        let mut messages = self.messages.lock().unwrap();
        // A few messages stay in the list, so that threads other than their senders receive them.
        if messages.len() as u64 <= random.below(2 * THREADS) { None } else { messages.pop() }
    }

    fn handle(&self, pool: &Pool<T>, random: &mut Random, message: Message<T>) {
        match message {
            Message::Completer(name, mut completer) => match random.below(8) {
                0 => drop(completer),
                1 => {
                    let _ = completer.poll_closed(&mut Context::from_waker(Waker::noop()));
                    self.send(random, Message::Completer(name, completer));
                }
                2 => {
                    let key = completer.into_key();
                    self.send(random, Message::Key(name, key.untyped()));
                }
                3 if completer.is_closed() => assert!(completer.complete(T::new(name)).is_err()),
                _ => self.count_accepted(
                    completer.complete(T::new(name)).map_err(|error| Some(error.into_value())),
                    name,
                ),
            },
            Message::Key(name, key) => {
                if random.below(8) == 0 {
                    let _ = pool.abandon_key(key);
                } else {
                    let refused = pool.complete_key(key, T::new(name));
                    self.count_accepted(
                        refused.map_err(|refused| Some(refused.into_value())),
                        name,
                    );
                }
                // The key is recorded after the call. If it were recorded before the call, another thread could use the key first, and the
                // value of that thread would be accepted.
                self.used_keys.lock().unwrap().push(key);
            }
            Message::Completion(name, completion) => self.consume(random, name, completion),
        }
    }

    fn count_accepted(&self, result: Result<(), Option<T>>, name: u64) {
        match result {
            Ok(()) => drop(self.accepted.fetch_add(1, Relaxed)),
            // A refused value is returned unchanged.
            Err(value) => assert_eq!(value.and_then(T::name), Some(name)),
        }
    }

    fn consume(&self, random: &mut Random, name: u64, mut completion: Completion<T>) {
        let mut cx = Context::from_waker(Waker::noop());
        let taken = match random.below(8) {
            // If there is a result, it is counted, and not dropped with the completion.
            0 => match completion.try_take() {
                Ok(taken) => taken,
                Err(completion) => {
                    // A value that arrives now is dropped with the completion.
                    drop(completion);
                    self.dropped.fetch_add(1, Relaxed);
                    return;
                }
            },
            1 => {
                let mut future = ValueFuture::from(completion);
                match Pin::new(&mut future).poll(&mut cx) {
                    Poll::Ready(taken) => taken,
                    Poll::Pending => {
                        drop(future);
                        self.dropped.fetch_add(1, Relaxed);
                        return;
                    }
                }
            }
            _ => match Pin::new(&mut completion).poll(&mut cx) {
                Poll::Ready(taken) => taken,
                Poll::Pending => return self.send(random, Message::Completion(name, completion)),
            },
        };
        self.count_taken(taken, name);
    }

    fn count_taken(&self, taken: T, name: u64) {
        if let Some(taken) = taken.name() {
            assert_eq!(taken, name, "the value of another operation");
            self.taken.fetch_add(1, Relaxed);
        }
    }

    /// Uses a key that was already used. The pool refuses the key.
    fn use_a_key_again(&self, pool: &Pool<T>, random: &mut Random) {
        let key = {
            let used_keys = self.used_keys.lock().unwrap();
            let Some(at) = random.below(u64::MAX).checked_rem(used_keys.len() as u64) else {
                return;
            };
            used_keys[usize::try_from(at).unwrap()]
        };
        let refused = pool.complete_key(key, T::new(u64::MAX));
        let refused = refused.expect_err("a key that was used before was accepted");
        assert_eq!(refused.into_value().name(), Some(u64::MAX));
    }

    /// Handles all remaining messages on this thread.
    fn finish(&self, pool: &Pool<T>) {
        let mut random = Random(1);
        loop {
            let Some(message) = self.messages.lock().unwrap().pop() else { return };
            self.handle(pool, &mut random, message);
        }
    }
}

fn assert_each_value_arrives_once<T: Value>(pool: Pool<T>) {
    let test = Test::new();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (test, pool) = (&test, pool.clone());
            scope.spawn(move || test.run(pool, thread));
        }
    });
    test.finish(&pool);
    let [begun, accepted, taken, dropped] =
        [&test.begun, &test.accepted, &test.taken, &test.dropped].map(|count| count.load(Relaxed));
    assert!(
        taken <= accepted && accepted <= taken + dropped,
        "{accepted} accepted, {taken} taken, {dropped} dropped"
    );
    let stats = pool.stats();
    assert_eq!((stats.rented, stats.returned, stats.live), (begun, begun, 0), "{stats:?}");
    assert!(stats.cancelled <= dropped, "{stats:?}, {dropped} dropped");
    drop(pool);
}

#[test]
fn values_of_one_word_arrive_once_in_an_unbounded_pool() {
    assert_each_value_arrives_once::<Word>(Pool::new());
}

#[test]
fn values_of_one_word_arrive_once_in_a_bounded_pool() {
    // The pool is often full.
    assert_each_value_arrives_once::<Word>(Pool::<Word>::builder().max_slots(5).build());
}

/// These checks are one test, because `LIVE` counts the values of the whole program.
#[test]
fn boxed_values_arrive_once_in_bounded_unbounded_and_dropped_pools() {
    type Boxed = Option<Box<Counted>>;
    assert_each_value_arrives_once::<Boxed>(Pool::new());
    assert_each_value_arrives_once::<Boxed>(Pool::<Boxed>::builder().max_slots(7).build());
    for _ in 0..if cfg!(miri) { 1 } else { 300 } {
        drop_the_pool_before_its_operations::<Boxed>(Pool::new());
        drop_the_pool_before_its_operations::<Boxed>(
            Pool::<Boxed>::builder().max_slots(40).build(),
        );
    }
    assert_eq!(LIVE.load(Relaxed), 0, "values were leaked");
}

/// Drops all handles of the pool while operations are live. Their completers and completions are on two other threads.
fn drop_the_pool_before_its_operations<T: Value>(pool: Pool<T>) {
    let operations = if cfg!(miri) { 4 } else { 40 };
    let (completers, completions): (Vec<_>, Vec<_>) = (0..operations).map(|_| pool.rent()).unzip();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (completer, name) in completers.into_iter().zip(1..) {
                if name % 5 == 0 {
                    drop(completer);
                } else {
                    let _ = completer.complete(T::new(name));
                }
            }
        });
        scope.spawn(move || {
            for (completion, name) in completions.into_iter().zip(1..) {
                if name % 3 == 0 {
                    drop(completion);
                } else {
                    let expected = (name % 5 != 0).then_some(name);
                    assert_eq!(block_on(completion).name(), expected);
                }
            }
        });
        scope.spawn(move || drop(pool));
    });
}

/// Consumers and producers poll only after a wake. A lost wake-up would block the test.
#[test]
fn no_wake_up_of_a_consumer_or_producer_is_lost() {
    let pool = Pool::<Option<u64>>::builder().max_slots(8).build();
    for round in 0..if cfg!(miri) { 1 } else { 3_000 } {
        let (completer, completion) = pool.rent();
        let (mut producer, dropped) = pool.rent();
        thread::scope(|scope| {
            scope.spawn(move || completer.complete(Some(round)));
            scope.spawn(move || block_on(poll_fn(|cx| producer.poll_closed(cx))));
            drop(dropped);
            assert_eq!(block_on(completion), Some(round));
        });
    }
    assert_eq!(pool.stats().live, 0);
}
