//! A file cache behind a `dyn` trait, three times: the trait is the same but for what its method
//! returns. A hit is answered from memory; a miss reads the file with `tokio::fs`.
//!
//! ```text
//! cargo run --release --example cache [PATH...]
//! ```
//!
//! A PATH is a file or a folder with all that is below it; without one, the sources of this crate
//! are served. The three caches get the same lookups, round by round and taking turns, so that a
//! noisy machine is noisy for all of them. Few files are asked for often and many rarely, and the
//! cache has no room for those at the end, so that now and then it forgets one and reads it again.
//!
//! The table at the end has each figure twice: for all that happened, and without the reading of
//! files, which takes most of the time and is the same for all three. The latter is where the
//! return types differ.

#![allow(
    clippy::cast_precision_loss,
    reason = "counts and sums are far below 2^52"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    fmt::{self, Write as _},
    fs::{self, File},
    future::{Future, ready},
    hint::black_box,
    io::{self, IsTerminal, Write as _},
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::runtime::{Builder, Runtime};
use value_future::{ValueFuture, ready_or_await};

const USAGE: &str = "usage: cache [PATH...]   files and folders to serve";
const RUN_TIME: Duration = Duration::from_secs(12);
/// Lookups of one twin in one round.
const ROUND: usize = 100_000;
/// The n-th file is asked for with a weight of `1 / n^SKEW`.
const SKEW: f64 = 1.5;
/// The room in a cache: for the files that get this share of the lookups, but never more than ...
const ROOM: f64 = 0.998;
const MOST_BYTES: u64 = 256 << 20;

type Bytes = Arc<[u8]>;
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// ---- The three traits, and the cache behind them. ----

#[async_trait]
trait AsyncTraitCache: Send + Sync {
    async fn get(&self, key: usize) -> io::Result<Bytes>;
}

trait BoxFutureCache: Send + Sync {
    fn get(&self, key: usize) -> BoxFuture<'_, io::Result<Bytes>>;
}

trait ValueFutureCache: Send + Sync {
    fn get(&self, key: usize) -> ValueFuture<'_, io::Result<Bytes>>;
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

impl BoxFutureCache for FileCache {
    fn get(&self, key: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        match self.hit(key) {
            Some(bytes) => Box::pin(ready(Ok(bytes))),
            None => self.miss_boxed(key),
        }
    }
}

impl ValueFutureCache for FileCache {
    fn get(&self, key: usize) -> ValueFuture<'_, io::Result<Bytes>> {
        match self.hit(key) {
            Some(bytes) => ValueFuture::ready(Ok(bytes)),
            None => self.miss(key),
        }
    }
}

struct FileCache {
    paths: Arc<[PathBuf]>,
    room: u64,
    shelf: Mutex<Shelf>,
}

/// What is held, by the rule of the second chance: who has been asked for since it last came to
/// the head of the queue goes to the back of it, and the others are forgotten.
#[derive(Default)]
struct Shelf {
    slots: Vec<Slot>,
    queue: VecDeque<usize>,
    held: u64,
    misses: u64,
    reading: Cost,
}

#[derive(Default, Clone)]
struct Slot {
    bytes: Option<Bytes>,
    asked_for: bool,
}

impl FileCache {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hit(&self, key: usize) -> Option<Bytes> {
        let slot = &mut self.shelf().slots[key];
        slot.asked_for = true;
        slot.bytes.clone()
    }

    /// The slow road is a function of its own, so that the fast one stays short.
    #[cold]
    fn miss(&self, key: usize) -> ValueFuture<'_, io::Result<Bytes>> {
        ValueFuture::boxed(self.read(key))
    }

    #[cold]
    fn miss_boxed(&self, key: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        Box::pin(self.read(key))
    }

    async fn read(&self, key: usize) -> io::Result<Bytes> {
        let start = Stamp::now();
        let read = tokio::fs::read(&self.paths[key]).await.map(Bytes::from);
        let mut shelf = self.shelf();
        if let Ok(bytes) = &read {
            shelf.keep(key, bytes, self.room);
        }
        shelf.misses += 1;
        shelf.reading += start.elapsed();
        read
    }
}

impl Shelf {
    fn keep(&mut self, key: usize, bytes: &Bytes, room: u64) {
        let len = bytes.len() as u64;
        if len > room || self.slots[key].bytes.is_some() {
            return;
        }
        while self.held + len > room {
            self.forget_one();
        }
        self.held += len;
        self.queue.push_back(key);
        self.slots[key] = Slot { bytes: Some(Arc::clone(bytes)), asked_for: false };
    }

    fn forget_one(&mut self) {
        let Some(key) = self.queue.pop_front() else { return };
        if std::mem::take(&mut self.slots[key].asked_for) {
            self.queue.push_back(key);
        } else if let Some(bytes) = self.slots[key].bytes.take() {
            self.held -= bytes.len() as u64;
        }
    }
}
#[derive(Default, Clone, Copy)]
struct Cost { time: Duration, allocations: u64, bytes: u64 }
impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, o: Cost) { self.time += o.time; self.allocations += o.allocations; self.bytes += o.bytes; }
}
struct Stamp { at: Instant, allocations: u64, bytes: u64 }
impl Stamp {
    fn now() -> Self { Stamp { at: Instant::now(), allocations: ALLOCATIONS.get(), bytes: BYTES.get() } }
    fn elapsed(&self) -> Cost { Cost { time: self.at.elapsed(), allocations: ALLOCATIONS.get() - self.allocations, bytes: BYTES.get() - self.bytes } }
}
std::thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
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

async fn replay(keys: &[usize], get: impl AsyncFn(usize) -> io::Result<Bytes>) {
    for &key in keys { get(key).await.unwrap(); }
}

macro_rules! direct { ($cache:ident: $T:ty, $key:ident => $e:expr) => {
    |cache, keys| { let $cache: &$T = black_box(cache); Box::pin(async move { for &$key in keys { let r: io::Result<Bytes> = $e; r.unwrap(); } }) }
}}
macro_rules! closure { ($cache:ident: $T:ty, $key:ident => $e:expr) => {
    |cache, keys| { let $cache: &$T = black_box(cache); Box::pin(replay(keys, async move |$key| $e)) }
}}
type Replay = for<'a> fn(&'a FileCache, &'a [usize]) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

#[async_trait]
trait AsyncTraitCache2: Send + Sync {
    async fn get(&self, key: usize) -> io::Result<Bytes>;
}
#[async_trait]
impl AsyncTraitCache2 for FileCache {
    async fn get(&self, key: usize) -> io::Result<Bytes> {
        match self.hit(key) {
            Some(bytes) => Ok(bytes),
            None => self.read(key).await,
        }
    }
}
trait Floor: Send + Sync {
    fn get(&self, key: usize) -> Option<Bytes>;
}
impl Floor for FileCache {
    fn get(&self, key: usize) -> Option<Bytes> { self.hit(key) }
}
fn main() {
    let mut paths = vec![];
    let mut size = vec![];
    let mut stack: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    while let Some(p) = stack.pop() {
        if p.is_symlink() { continue }
        if p.is_dir() { for e in fs::read_dir(&p).unwrap() { stack.push(e.unwrap().path()); } }
        else if p.is_file() { size.push(p.metadata().unwrap().len()); paths.push(p); }
    }
    let env = |k: &str, d: f64| std::env::var(k).ok().map_or(d, |s| s.parse().unwrap());
    let (skew, roomf) = (env("SKEW", SKEW), env("ROOM", ROOM));
    let n = paths.len();
    let mut acc = 0.0;
    let cum: Vec<f64> = (1..=n).map(|i| { acc += (i as f64).powf(-skew); acc }).collect();
    let hot = cum.partition_point(|c| *c < roomf * acc) + 1;
    let room: u64 = size[..hot.min(n)].iter().sum();
    println!("{n} files, {hot} hot, room {room} of {}", size.iter().sum::<u64>());
    let paths: Arc<[PathBuf]> = paths.into();
    let twins: Vec<(&str, Replay)> = vec![
        ("floor", direct!(cache: dyn Floor, key => match cache.get(key) { Some(x) => Ok(x), None => black_box(cache.get(0)).ok_or(io::ErrorKind::Other.into()) })),
        ("at cold direct", direct!(cache: dyn AsyncTraitCache, key => cache.get(key).await)),
        ("at cold closure", closure!(cache: dyn AsyncTraitCache, key => cache.get(key).await)),
        ("at plain direct", direct!(cache: dyn AsyncTraitCache2, key => cache.get(key).await)),
        ("at plain closure", closure!(cache: dyn AsyncTraitCache2, key => cache.get(key).await)),
        ("bf direct", direct!(cache: dyn BoxFutureCache, key => cache.get(key).await)),
        ("bf closure", closure!(cache: dyn BoxFutureCache, key => cache.get(key).await)),
        ("vf .await direct", direct!(cache: dyn ValueFutureCache, key => cache.get(key).await)),
        ("vf .await closure", closure!(cache: dyn ValueFutureCache, key => cache.get(key).await)),
        ("vf roa direct", direct!(cache: dyn ValueFutureCache, key => ready_or_await!(cache.get(key)))),
        ("vf roa closure", closure!(cache: dyn ValueFutureCache, key => ready_or_await!(cache.get(key)))),
        ("vf inpl direct", direct!(cache: dyn ValueFutureCache, key => cache.get(key).in_place().await)),
        ("vf inpl closure", closure!(cache: dyn ValueFutureCache, key => cache.get(key).in_place().await)),
    ];
    let rt = Builder::new_current_thread().build().unwrap();
    let caches: Vec<FileCache> = twins.iter().map(|_| FileCache { paths: paths.clone(), room, shelf: Mutex::new(Shelf { slots: vec![Slot::default(); n], ..Shelf::default() }) }).collect();
    let mut res: Vec<Vec<(f64, f64, f64, f64, f64, f64,f64)>> = vec![vec![]; twins.len()];
    let mut seed = 1u64;
    let fill: Vec<usize> = (0..n).rev().collect();
    for (c, t) in caches.iter().zip(&twins) { let t0=Instant::now(); if t.0 != "floor" { rt.block_on((t.1)(c, &fill)); } else { rt.block_on((twins[5].1)(c, &fill)); } eprintln!("fill {:?}", t0.elapsed()); }
    for _ in 0..env("ROUNDS", 20.0) as usize {
        let keys: Vec<usize> = (0..ROUND).map(|_| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let u = f64::from((seed >> 32) as u32) / 4294967296.0;
            cum.partition_point(|c| *c < u * acc)
        }).collect();
        for i in 0..twins.len() {
            let c = &caches[i];
            let (m0, r0) = { let mut s = c.shelf(); (std::mem::take(&mut s.misses), std::mem::take(&mut s.reading)) }; let _ = (m0, r0);
            let f = (twins[i].1)(c, &keys);
            let st = Stamp::now();
            rt.block_on(f);
            let t = st.elapsed();
            let s = c.shelf();
            let l = ROUND as f64;
            res[i].push(((t.time - s.reading.time).as_nanos() as f64 / l, t.time.as_nanos() as f64 / l, (t.allocations - s.reading.allocations) as f64 / l, (t.bytes - s.reading.bytes) as f64 / l,
              s.misses as f64 / l, s.reading.time.as_nanos() as f64 / s.misses as f64, s.reading.allocations as f64 / s.misses as f64));
        }
    }
    for (t, r) in twins.iter().zip(&mut res) {
        r.sort_by(|a, b| a.0.total_cmp(&b.0));
        let m = r[r.len() / 2];
        println!("{:20} min {:6.1} med {:6.1} all {:6.1} alloc {:.4} bytes {:.2} miss {:.4}% {:.0} ns/miss {:.1} alloc/miss", t.0, r[0].0, m.0, m.1, m.2, m.3, m.4 * 100.0, m.5, m.6);
    }
}
