//! Many threads on shared pools: every value is delivered to its own operation, exactly once, and at
//! the end nothing is out. A few seconds natively, also under the sanitizers of threads and addresses,
//! and small under Miri, for many seeds.

#![cfg(feature = "std")]

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

use futures::executor::block_on;
use value_future::{Completer, Completion, Key, Pool, ValueFuture, operation::Abandoned};

const THREADS: u64 = if cfg!(miri) { 3 } else { 8 };
const ROUNDS: u64 = if cfg!(miri) { 5 } else { 10_000 };

/// What an operation is given: its own name.
trait Value: Abandoned + Send + Sized + 'static {
    fn new(name: u64) -> Self;
    /// `None` if there was no value.
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

/// So many are alive.
static LIVE: AtomicI64 = AtomicI64::new(0);

#[derive(Debug)]
struct Counted(u64);

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

/// Deterministic for each thread; what the threads do to each other is not.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What goes from thread to thread: whoever takes it does something with it.
enum Parcel<T> {
    Completer(u64, Completer<T>),
    Completion(u64, Completion<T>),
    Key(u64, Key),
}

struct World<T> {
    parcels: Mutex<Vec<Parcel<T>>>,
    /// Keys of the past.
    old: Mutex<Vec<Key>>,
    /// Operations begun, values accepted, and values that came out.
    begun: AtomicU64,
    given: AtomicU64,
    taken: AtomicU64,
    /// Values that were accepted, and dropped with the completion, so that nobody saw them.
    left: AtomicU64,
}

impl<T: Value> World<T> {
    fn new() -> Self {
        let count = || AtomicU64::new(0);
        let (parcels, old) = (Mutex::default(), Mutex::default());
        World { parcels, old, begun: count(), given: count(), taken: count(), left: count() }
    }

    /// One thread's part, which ends with dropping its handle of the pool.
    fn run(&self, pool: Pool<T>, thread: u64) {
        let mut random = Random((thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for round in 0..ROUNDS {
            let name = (thread + 1) << 32 | round;
            match pool.try_rent() {
                Ok((completer, completion)) => {
                    self.begun.fetch_add(1, Relaxed);
                    self.send(&mut random, Parcel::Completion(name, completion));
                    if random.below(4) == 0 {
                        // The completer keeps its key, and somebody else has it as well.
                        self.send(
                            &mut random,
                            Parcel::Key(name, completer.key_while_held().untyped()),
                        );
                    }
                    self.send(&mut random, Parcel::Completer(name, completer));
                }
                // The others have to give something back first.
                Err(_) => thread::yield_now(),
            }
            while let Some(parcel) = self.receive(&mut random) {
                self.handle(&pool, &mut random, parcel);
            }
            if random.below(16) == 0 {
                self.late_key(&pool, &mut random);
            }
        }
        drop(pool);
    }

    fn send(&self, random: &mut Random, parcel: Parcel<T>) {
        let mut parcels = self.parcels.lock().unwrap();
        parcels.push(parcel);
        let (last, at) = (parcels.len() - 1, random.below(parcels.len() as u64));
        parcels.swap(last, usize::try_from(at).unwrap());
    }

    fn receive(&self, random: &mut Random) -> Option<Parcel<T>> {
        let mut parcels = self.parcels.lock().unwrap();
        // A few stay, so that ends are handled by others than those that made them.
        if parcels.len() as u64 <= random.below(2 * THREADS) { None } else { parcels.pop() }
    }

    fn handle(&self, pool: &Pool<T>, random: &mut Random, parcel: Parcel<T>) {
        match parcel {
            Parcel::Completer(name, mut completer) => match random.below(8) {
                0 => drop(completer),
                1 => {
                    let _ = completer.poll_closed(&mut Context::from_waker(Waker::noop()));
                    self.send(random, Parcel::Completer(name, completer));
                }
                2 => {
                    let key = completer.into_key();
                    self.send(random, Parcel::Key(name, key.untyped()));
                }
                3 if completer.is_closed() => assert!(completer.complete(T::new(name)).is_err()),
                _ => self.count_given(
                    completer.complete(T::new(name)).map_err(|error| Some(error.into_value())),
                    name,
                ),
            },
            Parcel::Key(name, key) => {
                self.old.lock().unwrap().push(key);
                if random.below(8) == 0 {
                    let _ = pool.abandon_key(key);
                } else {
                    let refused = pool.complete_key(key, T::new(name));
                    self.count_given(refused.map_err(|refused| Some(refused.into_value())), name);
                }
            }
            Parcel::Completion(name, completion) => self.consume(random, name, completion),
        }
    }

    fn count_given(&self, given: Result<(), Option<T>>, name: u64) {
        match given {
            Ok(()) => drop(self.given.fetch_add(1, Relaxed)),
            // What was refused comes back as it was.
            Err(back) => assert_eq!(back.and_then(T::name), Some(name)),
        }
    }

    fn consume(&self, random: &mut Random, name: u64, mut completion: Completion<T>) {
        let mut cx = Context::from_waker(Waker::noop());
        let taken = match random.below(8) {
            // A completion that has a value is not just dropped, so that values can be counted.
            0 => match completion.try_take() {
                Ok(taken) => taken,
                Err(completion) => {
                    // In between a value may come: then it is dropped here, and counts as left.
                    drop(completion);
                    self.left.fetch_add(1, Relaxed);
                    return;
                }
            },
            1 => {
                let mut future = ValueFuture::from(completion);
                match Pin::new(&mut future).poll(&mut cx) {
                    Poll::Ready(taken) => taken,
                    Poll::Pending => {
                        drop(future);
                        self.left.fetch_add(1, Relaxed);
                        return;
                    }
                }
            }
            _ => match Pin::new(&mut completion).poll(&mut cx) {
                Poll::Ready(taken) => taken,
                Poll::Pending => return self.send(random, Parcel::Completion(name, completion)),
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

    /// No operation that it could be meant for is there: it is refused, and nothing else happens.
    fn late_key(&self, pool: &Pool<T>, random: &mut Random) {
        let key = {
            let old = self.old.lock().unwrap();
            let Some(at) = random.below(u64::MAX).checked_rem(old.len() as u64) else { return };
            old[usize::try_from(at).unwrap()]
        };
        let refused = pool.complete_key(key, T::new(u64::MAX));
        let refused = refused.expect_err("a key that was used before was accepted");
        assert_eq!(refused.into_value().name(), Some(u64::MAX));
    }

    /// One thread finishes what is left.
    fn clear(&self, pool: &Pool<T>) {
        let mut random = Random(1);
        loop {
            let Some(parcel) = self.parcels.lock().unwrap().pop() else { return };
            self.handle(pool, &mut random, parcel);
        }
    }
}

fn everything_arrives_once<T: Value>(pool: Pool<T>) {
    let world = World::new();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (world, pool) = (&world, pool.clone());
            scope.spawn(move || world.run(pool, thread));
        }
    });
    world.clear(&pool);
    let [begun, given, taken, left] =
        [&world.begun, &world.given, &world.taken, &world.left].map(|count| count.load(Relaxed));
    assert!(taken <= given && given <= taken + left, "{given} given, {taken} taken, {left} left");
    let stats = pool.stats();
    assert_eq!((stats.rented, stats.returned, stats.live), (begun, begun, 0), "{stats:?}");
    assert!(stats.cancelled <= left, "{stats:?}, {left} left");
    drop(pool);
}

#[test]
fn words_in_an_unbounded_pool() {
    everything_arrives_once::<Word>(Pool::new());
}

#[test]
fn words_in_a_bounded_pool() {
    // So few that it is full again and again.
    everything_arrives_once::<Word>(Pool::<Word>::builder().max_slots(5).build());
}

/// The test of the only values that are counted.
#[test]
fn boxes_in_both_kinds_of_pool_and_in_one_that_ends_first() {
    type Boxed = Option<Box<Counted>>;
    everything_arrives_once::<Boxed>(Pool::new());
    everything_arrives_once::<Boxed>(Pool::<Boxed>::builder().max_slots(7).build());
    for _ in 0..if cfg!(miri) { 1 } else { 300 } {
        the_pool_goes_first::<Boxed>(Pool::new());
        the_pool_goes_first::<Boxed>(Pool::<Boxed>::builder().max_slots(40).build());
    }
    assert_eq!(LIVE.load(Relaxed), 0, "values were lost");
}

/// All handles are gone while slots are out, and both ends of each are on other threads.
fn the_pool_goes_first<T: Value>(pool: Pool<T>) {
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

/// Nobody polls but when woken, at either end: a lost wake hangs here.
#[test]
fn both_ends_sleep_until_they_are_woken() {
    let pool = Pool::<Option<u64>>::builder().max_slots(8).build();
    for round in 0..if cfg!(miri) { 1 } else { 3_000 } {
        let (completer, completion) = pool.rent();
        let (mut watcher, left) = pool.rent();
        thread::scope(|scope| {
            scope.spawn(move || completer.complete(Some(round)));
            scope.spawn(move || block_on(poll_fn(|cx| watcher.poll_closed(cx))));
            drop(left);
            assert_eq!(block_on(completion), Some(round));
        });
    }
    assert_eq!(pool.stats().live, 0);
}
