//! What the threads of a program cost its pools, and that the documentation tells.
//!
//! A program of its own, with one test: threads are numbered in the whole of it.

#[path = "common/counting.rs"]
mod counting;
#[path = "common/threads.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod threads;
#[path = "common/words.rs"]
mod words;

use std::{
    cell::RefCell,
    future::pending,
    sync::{
        OnceLock,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{Builder, JoinHandle},
};

use counting::Balance;
use threads::while_a_thread_lives;
use value_future::{FuturePool, Pool};
use words::{kib, said};

/// The bytes of pools, of each kind beside its slots.
static POOL: Balance = Balance::new();
static BOUNDED: Balance = Balance::new();
static FUTURES: Balance = Balance::new();
/// What the ends of threads do.
static ENDS: Balance = Balance::new();
static FRESH: Balance = Balance::new();
static DROPPED: Balance = Balance::new();
static GONE: Balance = Balance::new();

/// To the end of the program.
static POOLS: OnceLock<Pools> = OnceLock::new();
static OF_ONE: FuturePool = FuturePool::new();

/// A slot of this pool takes a cache line.
type Completions = Pool<Option<Box<u64>>>;
const SLOT: isize = 64;

/// What threads use that are alive at a time.
struct Pools {
    growing: Completions,
    bounded: Completions,
    futures: FuturePool,
}

impl Pools {
    fn new() -> &'static Self {
        let bounded = || Completions::builder().initial_slots(32).max_slots(32).build();
        let pools = Pools {
            growing: POOL.count(Completions::new),
            bounded: BOUNDED.count(bounded),
            futures: FuturePool::new(),
        };
        POOLS.get_or_init(|| pools)
    }

    fn used_by_this_thread(&self) {
        POOL.count(|| drop(self.growing.rent()));
        BOUNDED.count(|| drop(self.bounded.try_rent().unwrap()));
        FUTURES.count(|| drop(self.futures.future(pending::<()>())));
    }

    /// Bytes beside the slots: of a pool without a bound, of one with a bound, and of a size.
    fn bytes(&self) -> [isize; 3] {
        let slots = |capacity: u64| SLOT * isize::try_from(capacity).unwrap();
        // Here the list of vacant slots, too: a word for each.
        let listed =
            isize::try_from(self.futures.stats().capacity().next_power_of_two().max(4)).unwrap();
        [
            POOL.bytes() - slots(self.growing.stats().capacity),
            BOUNDED.bytes() - slots(self.bounded.stats().capacity),
            FUTURES.bytes() - slots(self.futures.stats().capacity()) - 8 * listed,
        ]
    }
}

/// Threads that have used the pools, and wait for the end.
struct Crowd {
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
    pools: &'static Pools,
}

impl Crowd {
    /// This thread and those are `count`.
    fn grow_to(&mut self, count: usize) {
        let pools = self.pools;
        while self.threads.len() + 1 < count {
            self.add(|| pools.used_by_this_thread());
        }
    }

    fn add(&mut self, action: impl FnOnce() + Send + 'static) {
        let (done, is_done): (_, Receiver<()>) = channel();
        let (end, is_over) = channel::<()>();
        let body = move || {
            action();
            drop(done);
            let _ = is_over.recv();
            count_the_end();
        };
        let thread = Builder::new().stack_size(256 << 10).spawn(body).unwrap();
        let _ = is_done.recv();
        self.threads.push((end, thread));
    }

    fn end(self) {
        for (end, thread) in self.threads {
            drop(end);
            thread.join().unwrap();
        }
    }
}

/// Counts what the crate does at the end of this thread.
fn count_the_end() {
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            ENDS.count_from_here();
        }
    }
    thread_local! {
        // It goes before what was there before.
        static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
    }
    AT_THE_END.set(Some(AtTheEnd));
}

/// Its number is not that of another thread meanwhile, as there is no other test.
fn a_thread_keeps_up_to_32_vacant_slots_and_others_find_the_rest() {
    let pool = Pool::<Option<u64>>::new();
    let all = || drop((0..96).map(|_| pool.rent()).collect::<Vec<_>>());
    let found = while_a_thread_lives(all, || {
        let mut ends = vec![];
        while pool.stats().capacity == 96 {
            ends.push(pool.rent());
        }
        ends.len() - 1
    });
    let kept = 96 - found;
    assert_eq!(kept, 32);
    said!("src/pool/mod.rs", "up to {kept} vacant slots");

    let pool = FuturePool::new();
    let all = || drop((0..96).map(|_| pool.future(pending::<()>())).collect::<Vec<_>>());
    let left = while_a_thread_lives(all, || {
        let vacant = pool.trim() / 64;
        assert_eq!(vacant + pool.stats().capacity(), 96);
        pool.stats().capacity()
    });
    assert_eq!(left, kept as u64);
    said!("src/machine/mod.rs", "A thread keeps up to {kept} vacant slots of a size for itself");
    said!("src/machine/mod.rs", "up to {kept} slots of a size each, stays");
    // The thread has ended, and what it kept is for all.
    assert_eq!((pool.trim(), pool.stats().capacity()), (64 * left, 0));
}

#[test]
#[cfg_attr(any(miri, not(target_pointer_width = "64")), ignore = "two thousand threads; 64 bits")]
fn what_threads_cost() {
    a_thread_keeps_up_to_32_vacant_slots_and_others_find_the_rest();
    let pools = Pools::new();
    let mut crowd = Crowd { threads: vec![], pools };
    let [own, of_bounded, _] = pools.bytes();
    assert_eq!(own, of_bounded);
    pools.used_by_this_thread();
    let before = pools.bytes();
    assert_eq!(before[..2], [own, own], "the first thread finds its room");
    said!("src/machine/mod.rs", "each size {} more from its first use", kib(before[2]));

    let mut told = vec![];
    for threads in [15, 16, 47, 48, 100, 500, 2000] {
        crowd.grow_to(threads);
        let more: Vec<_> =
            pools.bytes().iter().zip(before).map(|(now, before)| now - before).collect();
        assert_eq!(more, [more[0]; 3], "{threads} threads");
        told.push((threads, more[0]));
        // A thread takes so many new slots at a time, and needs one.
        let slots = pools.growing.stats().capacity;
        assert!(slots >= 16 * threads as u64, "{threads} threads, {slots} slots");
    }
    let figures: Vec<_> = told.iter().map(|(_, bytes)| bytes / 1024).collect();
    assert_eq!(figures, [0, 12, 12, 36, 36, 372, 756], "KiB: {told:?}");
    let kib = |threads: usize| kib(told.iter().find(|(count, _)| *count == threads).unwrap().1);
    said!(
        "src/machine/mod.rs",
        "Each size begins with room for what 15 threads keep. A thread counts if it is alive and has used any \
         pool of this crate. If there are more of them, a size allocates more room, the first time that one of \
         the later threads makes or drops a future there: {} for up to 47 threads, {} for 100, {} for 500 and {} for 2,000.",
        kib(47),
        kib(100),
        kib(500),
        kib(2000)
    );
    said!(
        "src/pool/mod.rs",
        "The pool begins with room for what 15 threads keep. A thread counts if it is alive and has used any \
         pool of this crate. If there are more of them, the pool allocates more room, the first time that one \
         of the later threads rents from it or drops the last end of an operation: {} for up to 47 threads, \
         {} for 100, {} for 500 and {} for 2,000.",
        kib(47),
        kib(100),
        kib(500),
        kib(2000)
    );
    said!("src/pool/mod.rs", "at least 16 slots for each thread that lives and rents");
    said!("README.md", "if more than 15 live threads have used a pool, each pool allocates room");

    // It is the number of the thread that counts, and not how many use the pool.
    crowd.add(|| FRESH.count(|| drop(OF_ONE.future(pending::<()>()))));
    let by_one = FRESH.bytes() - SLOT - 32;
    assert_eq!(by_one - before[2], told.last().unwrap().1);
    said!(
        "src/machine/mod.rs",
        "It depends on the threads of the program, not on how many of them use this pool."
    );

    // So it is if that thread only drops a future, or the last end of an operation.
    let (pool, completions) = (FuturePool::new(), Completions::new());
    let future = pool.future(pending::<()>());
    let (completer, completion) = completions.rent();
    drop(completer);
    crowd.add(move || DROPPED.count(|| drop(future)));
    assert_eq!(DROPPED.bytes(), told.last().unwrap().1);
    crowd.add(move || DROPPED.count(|| drop(completion)));
    assert_eq!(DROPPED.bytes(), 2 * told.last().unwrap().1);

    // Nothing of that is given back before the pool is.
    crowd.end();
    let room = FUTURES.bytes();
    let trimmed = FUTURES.count(|| pools.futures.trim());
    assert_eq!((trimmed, pools.futures.stats().capacity()), (2000 * 64, 0));
    assert!(FUTURES.bytes() >= before[2] + told.last().unwrap().1);
    assert!(FUTURES.bytes() <= room - 2000 * SLOT);
    said!(
        "src/machine/mod.rs",
        "Neither [`trim`](FuturePool::trim) nor the end of a thread frees this room."
    );
    // Two thousand numbers are free, and in a list.
    assert!(ENDS.made() > 0);
    said!(
        "README.md",
        "The end of such a thread may also allocate, for the list of free thread numbers."
    );

    // A pool that is dropped frees all.
    GONE.count(|| {
        let pools = (Completions::new(), FuturePool::new());
        drop((pools.0.rent(), pools.1.future(pending::<()>())));
        assert!(GONE.bytes() > 0);
    });
    assert_eq!((GONE.live(), GONE.bytes()), (0, 0));
    said!("src/machine/mod.rs", "It is freed with the pool.");
}
