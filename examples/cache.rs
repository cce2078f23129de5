//! A file cache behind a `dyn` trait, three times: as an `#[async_trait]`, with `BoxFuture`, and
//! with `ValueFuture`. A hit is answered from memory, a miss reads the file with `tokio::fs`.
//!
//! ```text
//! cargo run --release --example cache [PATH...]
//! ```
//!
//! A PATH is a file, or a folder with all that is below it; without one, the sources of this crate
//! are served. For twelve seconds the three caches answer the same lookups, round by round in
//! turn, so that a noisy machine is noisy for all of them. A few files are asked for often and
//! most of them rarely, and there is no room for all: now and then a file is forgotten and read
//! again.
//!
//! The table at the end has each figure twice: without the reads, which are the same for all three
//! and far slower than a hit, and with them.

#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    array,
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    env, fmt, fs,
    future::{Future, ready},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use value_future::ValueFuture;

const USAGE: &str = "usage: cache [PATH...]\n\nServes the files at and below each PATH from a \
    cache, through three kinds of\nfuture, and prints what a lookup costs with each. Without a \
    PATH: the sources of\nthis crate.\n";
const RUN_TIME: Duration = Duration::from_secs(12);
const LOOKUPS_PER_ROUND: usize = 100_000;
/// The n-th file is asked for with a weight of `1 / n^SKEW`.
const SKEW: f64 = 1.5;
/// There is room for the files that get this share of the lookups, if they are not larger than
/// `MOST_ROOM` bytes together.
const SERVED_FROM_MEMORY: f64 = 0.995;
const MOST_ROOM: u64 = 256 << 20;

type Bytes = Arc<Vec<u8>>;
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// The three traits. A slow road in a function of its own keeps the fast one short, and the box of
// the `#[async_trait]` small: without that, each hit would allocate room for the state of a read.

#[async_trait]
trait AsyncTraitCache: Send + Sync {
    async fn get(&self, key: usize) -> io::Result<Bytes>;
}

#[async_trait]
impl AsyncTraitCache for FileCache {
    async fn get(&self, key: usize) -> io::Result<Bytes> {
        match self.hit(key) {
            Some(bytes) => Ok(bytes),
            None => self.miss_boxed(key).await,
        }
    }
}

trait BoxFutureCache: Send + Sync {
    fn get(&self, key: usize) -> BoxFuture<'_, io::Result<Bytes>>;
}

impl BoxFutureCache for FileCache {
    fn get(&self, key: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        match self.hit(key) {
            Some(bytes) => Box::pin(ready(Ok(bytes))),
            None => self.miss_boxed(key),
        }
    }
}

trait ValueFutureCache: Send + Sync {
    fn get(&self, key: usize) -> ValueFuture<'_, io::Result<Bytes>>;
}

impl ValueFutureCache for FileCache {
    fn get(&self, key: usize) -> ValueFuture<'_, io::Result<Bytes>> {
        match self.hit(key) {
            Some(bytes) => ValueFuture::ready(Ok(bytes)),
            None => self.miss(key),
        }
    }
}

impl FileCache {
    #[cold]
    fn miss(&self, key: usize) -> ValueFuture<'_, io::Result<Bytes>> {
        ValueFuture::boxed(self.read(key))
    }

    #[cold]
    fn miss_boxed(&self, key: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        Box::pin(self.read(key))
    }
}

// The cache itself, which knows nothing of the traits.

struct FileCache {
    paths: Arc<[PathBuf]>,
    room: u64,
    shelf: Mutex<Shelf>,
}

/// What is in memory. Room is made at the head of the queue: a file that was asked for since it
/// came there last goes to the back once more, any other is forgotten.
#[derive(Default)]
struct Shelf {
    slots: Vec<Slot>,
    queue: VecDeque<usize>,
    held: u64,
    reads: usize,
    reading: Cost,
}

#[derive(Default, Clone)]
struct Slot {
    bytes: Option<Bytes>,
    asked_for: bool,
}

impl FileCache {
    fn new(paths: Arc<[PathBuf]>, room: u64) -> Self {
        let slots = vec![Slot::default(); paths.len()];
        let shelf = Mutex::new(Shelf { slots, ..Shelf::default() });
        FileCache { paths, room, shelf }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hit(&self, key: usize) -> Option<Bytes> {
        let slot = &mut self.shelf().slots[key];
        slot.asked_for = true;
        slot.bytes.clone()
    }

    async fn read(&self, key: usize) -> io::Result<Bytes> {
        let before = spent();
        let read = tokio::fs::read(&self.paths[key]).await.map(Bytes::from);
        let mut shelf = self.shelf();
        if let Ok(bytes) = &read {
            shelf.keep(key, bytes, self.room);
        }
        shelf.reads += 1;
        shelf.reading = plus(shelf.reading, minus(spent(), before));
        read
    }
}

impl Shelf {
    fn keep(&mut self, key: usize, bytes: &Bytes, room: u64) {
        let size = bytes.len() as u64;
        // Another lookup of the same file may have been here meanwhile.
        if size > room || self.slots[key].bytes.is_some() {
            return;
        }
        while self.held + size > room {
            self.forget_one();
        }
        self.held += size;
        self.slots[key].bytes = Some(Arc::clone(bytes));
        self.slots[key].asked_for = false;
        self.queue.push_back(key);
    }

    fn forget_one(&mut self) {
        let key = self.queue.pop_front().expect("what is held is in the queue");
        if std::mem::take(&mut self.slots[key].asked_for) {
            self.queue.push_back(key);
        } else if let Some(bytes) = self.slots[key].bytes.take() {
            self.held -= bytes.len() as u64;
        }
    }
}

// What things cost: nanoseconds, and the allocations and bytes of the thread that looks up. The
// threads on which tokio reads files have counters of their own, which nobody looks at.

type Cost = [f64; 3];

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

fn spent() -> Cost {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let nanoseconds = START.elapsed().as_nanos();
    [nanoseconds as f64, ALLOCATIONS.get() as f64, BYTES.get() as f64]
}

fn plus(a: Cost, b: Cost) -> Cost {
    array::from_fn(|i| a[i] + b[i])
}

fn minus(a: Cost, b: Cost) -> Cost {
    array::from_fn(|i| a[i] - b[i])
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to `System` with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + layout.size() as u64);
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

// The replay.

/// How many lookups of a file failed, and why the first one did.
type Failures = BTreeMap<usize, (usize, io::Error)>;

type Replay = for<'a> fn(
    &'a FileCache,
    &'a [usize],
    &'a mut Failures,
) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

async fn replay(
    keys: &[usize],
    failures: &mut Failures,
    get: impl AsyncFn(usize) -> io::Result<Bytes>,
) {
    for &key in keys {
        if let Err(error) = get(key).await {
            failures.entry(key).or_insert((0, error)).0 += 1;
        }
    }
}

const TWINS: [(&str, Replay); 3] = [
    ("async-trait", |cache, keys, failures| {
        let cache: &dyn AsyncTraitCache = cache;
        Box::pin(replay(keys, failures, async move |key| cache.get(key).await))
    }),
    ("BoxFuture", |cache, keys, failures| {
        let cache: &dyn BoxFutureCache = cache;
        Box::pin(replay(keys, failures, async move |key| cache.get(key).await))
    }),
    ("ValueFuture", |cache, keys, failures| {
        let cache: &dyn ValueFutureCache = cache;
        // In place, because a result of 16 bytes comes through memory.
        Box::pin(replay(keys, failures, async move |key| cache.get(key).in_place().await))
    }),
];

fn main() {
    let paths: Vec<PathBuf> = vec![];
    let _ = paths;
    let env = |k: &str, d: f64| std::env::var(k).ok().map_or(d, |s| s.parse().unwrap());
    let (skew, roomf) = (env("SKEW", SKEW), env("ROOM", SERVED_FROM_MEMORY));
    let mut files = BTreeMap::new();
    let mut stack: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    while let Some(p) = stack.pop() {
        if p.is_symlink() {
            continue;
        }
        if p.is_dir() {
            for e in fs::read_dir(&p).unwrap() {
                stack.push(e.unwrap().path());
            }
        } else if p.is_file() {
            files.insert(p.clone(), p.metadata().unwrap().len());
        }
    }
    let n = files.len();
    let mut acc = 0.0;
    let cum: Vec<f64> = (1..=n)
        .map(|i| {
            acc += (i as f64).powf(-skew);
            acc
        })
        .collect();
    let hot = cum.partition_point(|c| *c < roomf * acc) + 1;
    let room: u64 = files.values().take(hot).sum();
    println!("{n} files, {hot} hot, room {room} of {}", files.values().sum::<u64>());
    let paths: Arc<[PathBuf]> = files.into_keys().collect();
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let caches = TWINS.map(|_| FileCache::new(paths.clone(), room));
    let mut failures = Failures::new();
    let fill: Vec<usize> = (0..hot.min(n)).rev().collect();
    for (c, t) in caches.iter().zip(&TWINS) {
        rt.block_on((t.1)(c, &fill, &mut failures));
    }
    let mut res: Vec<Vec<[f64; 6]>> = vec![vec![]; 3];
    let mut miss = [0; 3];
    let mut seed = 1u64;
    let rounds = env("ROUNDS", 30.0) as usize;
    for _ in 0..rounds {
        let keys: Vec<usize> = (0..LOOKUPS_PER_ROUND)
            .map(|_| {
                seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let u = f64::from((seed >> 32) as u32) / 4294967296.0;
                cum.partition_point(|c| *c < u * acc)
            })
            .collect();
        for i in 0..3 {
            let c = &caches[i];
            let (m, r) = {
                let s = c.shelf();
                (s.reads, s.reading)
            };
            let task = (TWINS[i].1)(c, &keys, &mut failures);
            let b = spent();
            rt.block_on(task);
            let all = minus(spent(), b);
            let s = c.shelf();
            let wo = minus(all, minus(s.reading, r));
            miss[i] += s.reads - m;
            res[i].push(array::from_fn(|j| [wo, all].concat()[j] / LOOKUPS_PER_ROUND as f64));
        }
    }
    for i in 0..3 {
        let med: [f64; 6] = array::from_fn(|j| {
            let mut v: Vec<f64> = res[i].iter().map(|r| r[j]).collect();
            v.sort_by(f64::total_cmp);
            v[v.len() / 2]
        });
        let min = res[i].iter().map(|r| r[0]).fold(f64::MAX, f64::min);
        println!(
            "{:12} {:.3}% min {min:.1} {:.4?}",
            TWINS[i].0,
            100.0 * (1.0 - miss[i] as f64 / (rounds * LOOKUPS_PER_ROUND) as f64),
            med
        );
    }
}
