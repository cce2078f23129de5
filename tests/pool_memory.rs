//! The memory of a pool: a warm pool allocates nothing for an operation, and a slot for a value of one word takes 64 bytes on 64-bit
//! targets.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::{
    hint::black_box,
    sync::mpsc::{Sender, channel},
    task::{Context, Poll, Waker},
    thread,
};

use common::{for_both_pools, poll};
use counting::Balance;
use value_future::{Completer, Dropped, LocalPool, Pool, operation::Abandoned};

for_both_pools! {
    type Value = Option<u64>;

    /// A number of slots. Creating slots is slow under Miri.
    const MANY: u32 = if cfg!(miri) { 100 } else { 1000 };

    /// Runs operations that end in different ways.
    fn operations(pool: &Pool<Value>) {
        let noop = &mut Context::from_waker(Waker::noop());
        let (completer, mut completion) = pool.rent();
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut completion), Poll::Ready(Some(7)));

        let (completer, completion) = pool.rent();
        let mut future = ValueFuture::from(completion);
        assert_eq!(poll(&mut future), Poll::Pending);
        completer.complete(Some(7)).unwrap();
        assert_eq!(poll(&mut future), Poll::Ready(Some(7)));

        let (completer, mut completion) = pool.try_rent().unwrap();
        assert_eq!(poll(&mut completion), Poll::Pending);
        drop(completer);
        assert_eq!(completion.try_take().unwrap(), None);

        let (mut completer, completion) = pool.rent();
        assert!(completer.poll_closed(noop).is_pending());
        drop(completion);
        assert_eq!(completer.complete(Some(7)).unwrap_err().into_value(), Some(7));

        let (completer, completion) = pool.rent();
        let key = completer.into_key();
        pool.complete_key(key, Some(7)).unwrap();
        assert!(pool.complete_key(key, Some(7)).is_err());
        assert!(pool.abandon_key(key).is_err());
        drop(ValueFuture::from(completion));

        drop(pool.clone());
        black_box(pool.stats());
    }

    #[test]
    fn a_warm_pool_allocates_nothing() {
        static BALANCE: Balance = Balance::new();
        for pool in [Pool::new(), PoolBuilder::default().max_slots(1).build()] {
            operations(&pool);
            let before = pool.stats();
            assert_eq!(BALANCE.made_by(|| (0..10).for_each(|_| operations(&pool))), 0);
            assert_eq!(pool.stats().allocations, before.allocations);
        }
    }

    #[test]
    fn operations_in_reserved_slots_allocate_nothing() {
        static BALANCE: Balance = Balance::new();
        let mut operations = Vec::with_capacity(MANY as usize);
        let pool = Pool::<Value>::new();
        pool.reserve(MANY);
        assert_eq!(BALANCE.made_by(|| operations.extend((0..MANY).map(|_| pool.rent()))), 0);
        assert_eq!(BALANCE.made_by(|| operations.clear()), 0);
        let pool = PoolBuilder::default().initial_slots(MANY).build();
        assert_eq!(BALANCE.made_by(|| operations.extend((0..MANY).map(|_| pool.rent()))), 0);
        assert_eq!(BALANCE.made_by(|| operations.clear()), 0);
    }

    #[test]
    fn stats_count_each_allocation_of_the_pool() {
        static BALANCE: Balance = Balance::new();
        let mut operations = Vec::with_capacity(MANY as usize);
        // The thread-local memory of the crate does not belong to the pool, so it is allocated before the count.
        drop(Pool::<Value>::new().rent());
        let pool = BALANCE.count(Pool::<Value>::new);
        assert_eq!(u64::try_from(BALANCE.live()), Ok(pool.stats().allocations));
        BALANCE.count(|| operations.extend((0..MANY).map(|_| pool.rent())));
        assert_eq!(u64::try_from(BALANCE.live()), Ok(pool.stats().allocations));
    }

    #[test]
    #[cfg_attr(feature = "trace", ignore = "the feature adds a word")]
    fn a_slot_for_a_value_of_one_word_and_its_part_of_a_page_take_less_than_69_bytes() {
        fn bytes_of_a_slot<T: Abandoned>(balance: &'static Balance) -> u64 {
            let slots = if cfg!(miri) { 96 } else { 1_000_000 };
            let pool = PoolBuilder::<T>::default().max_slots(slots).build();
            balance.count(|| pool.reserve(slots));
            assert_eq!(pool.stats().capacity, u64::from(slots));
            let bytes = u64::try_from(balance.bytes()).unwrap();
            balance.count(|| drop(pool));
            assert!(bytes > 0);
            bytes / u64::from(slots)
        }
        static BALANCES: [Balance; 3] = [const { Balance::new() }; 3];
        assert!(bytes_of_a_slot::<One>(&BALANCES[0]) < 69);
        assert!(bytes_of_a_slot::<Option<Box<u64>>>(&BALANCES[1]) < 69);
        assert!(bytes_of_a_slot::<Result<u32, Dropped>>(&BALANCES[2]) < 69);
    }
}

/// A value of one word without a niche.
#[derive(Debug)]
struct One(#[expect(dead_code, reason = "only the size matters")] u64);

impl Abandoned for One {
    fn abandoned() -> Self {
        One(u64::MAX)
    }
}

/// The consumer thread has used the pool before the count. The producer thread has not used it.
#[test]
fn two_threads_on_a_warm_pool_allocate_nothing() {
    static BALANCE: Balance = Balance::new();
    const ROUNDS: u64 = if cfg!(miri) { 10 } else { 1000 };
    let pool = Pool::<Option<u64>>::new();
    let (sender, receiver) = channel::<Completer<Option<u64>>>();
    let (done, is_done) = channel();
    let producer = thread::spawn(move || {
        for (round, completer) in (0..).zip(receiver) {
            let mut result = Ok(());
            let allocations = BALANCE.made_by(|| result = completer.complete(Some(round)));
            done.send((result, allocations)).unwrap();
        }
    });
    // The crate allocates thread-local memory here, before the count begins.
    drop(pool.rent());
    for round in 0..ROUNDS {
        let (completer, mut completion) = BALANCE.count(|| pool.rent());
        BALANCE.count(|| assert!(poll(&mut completion).is_pending()));
        sender.send(completer).unwrap();
        assert_eq!(is_done.recv().unwrap(), (Ok(()), 0));
        let take = || assert_eq!(poll(&mut completion), Poll::Ready(Some(round)));
        assert_eq!(BALANCE.made_by(take), 0);
    }
    drop(sender);
    producer.join().unwrap();
    assert_eq!((BALANCE.live(), pool.stats().high_water), (0, 1));
}

/// Runs a closure on a thread with a stack of `bytes` bytes.
fn on_a_stack_of<R: Send>(bytes: usize, run: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(bytes).spawn_scoped(scope, run);
        thread.unwrap().join().unwrap()
    })
}

/// The stack of this test is smaller than a value. So the space for a value must not be on the stack.
#[test]
fn a_slot_for_a_large_output_is_created_in_place() {
    #[expect(dead_code, reason = "no value is created")]
    struct Large([u8; 1 << 20]);

    impl Abandoned for Large {
        fn abandoned() -> Self {
            unreachable!("no result is taken")
        }
    }

    fn rent_on_a_small_stack<T: Send + Abandoned + 'static>(builder: fn() -> Pool<T>) {
        let live = on_a_stack_of(128 << 10, || {
            let pool = builder();
            let (completer, completion) = pool.rent();
            let key = completer.into_key();
            drop(completion);
            assert!(pool.abandon_key(key).is_err());
            pool.reserve(2);
            pool.stats().live
        });
        assert_eq!(live, 0);
    }
    rent_on_a_small_stack(|| Pool::<Large>::builder().max_slots(2).build());
    rent_on_a_small_stack(|| Pool::<Large>::builder().max_slots(2).initial_slots(2).build());
}

#[expect(clippy::large_stack_arrays, reason = "this runs on a stack of 32 MiB")]
/// A result that is not taken is dropped in its slot, and is not moved to the stack.
#[test]
fn a_large_result_that_is_not_taken_is_dropped_in_place() {
    struct Large([u8; 1 << 20], Sender<u8>);

    impl Drop for Large {
        fn drop(&mut self) {
            self.1.send(self.0[7]).unwrap();
        }
    }

    let (sender, dropped) = channel();
    let pool = Pool::<Option<Large>>::builder().max_slots(1).build();
    on_a_stack_of(128 << 10, || {
        let (completer, completion) = pool.rent();
        drop(completer);
        drop(completion);
        let (completer, completion) = pool.rent();
        pool.abandon_key(completer.into_key()).unwrap();
        drop(completion);
        let local = LocalPool::<Option<Large>>::builder().max_slots(1).build();
        let (completer, completion) = local.rent();
        drop(completer);
        drop(completion);
    });

    let (completer, completion) = pool.rent();
    on_a_stack_of(32 << 20, || {
        assert!(completer.complete(Some(Large([5; 1 << 20], sender))).is_ok());
    });
    on_a_stack_of(128 << 10, || drop(completion));
    assert_eq!(dropped.iter().collect::<Vec<_>>(), [5]);
    assert_eq!(pool.stats().live, 0);
}
