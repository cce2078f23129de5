//! A file cache behind a `dyn` trait, three times: the method that looks a file up returns the box
//! of `async-trait`, a `BoxFuture`, or a `ValueFuture`. A hit is answered from memory, a miss
//! reads the file with `tokio::fs`.
//!
//! ```text
//! cargo run --release --example cache [PATH...]
//! ```
//!
//! A PATH is a file, or a folder with all that is below it; without one, the sources of this crate
//! are served. For twelve seconds the three caches answer the same lookups, round by round in
//! turn, so that a noisy machine is noisy for all of them. A few files are asked for often and
//! most of them rarely, and there is no room for all: now and then one is forgotten, and read
//! again when it is asked for.
//!
//! The table at the end has each figure twice: without the reads, which are the same for all three
//! and a thousand times slower than a hit, and with them.

#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    array,
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    env, fs,
    future::{Future, ready},
    io::{self, IsTerminal, Write},
    mem,
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::runtime::{self, Runtime};
use value_future::ValueFuture;

const USAGE: &str = "\
usage: cache [PATH...]

Serves the files at and below each PATH from a cache, through three kinds of
future, and prints what a lookup costs with each. Without a PATH it serves the
sources of this crate.
";
const RUN_TIME: Duration = Duration::from_secs(12);
const LOOKUPS_PER_ROUND: usize = 100_000;
/// The n-th file is asked for with a weight of `1 / n^SKEW`.
const SKEW: f64 = 1.5;
/// There is room for the files that get this share of the lookups, up to `MOST_ROOM` bytes.
const SHARE_IN_MEMORY: f64 = 0.995;
const MOST_ROOM: u64 = 256 << 20;

/// One word, which a lookup clones. Cheaper for all three than `Arc<[u8]>`: a file that was read
/// is not copied, and the result is a pair of words, read as such.
type Bytes = Arc<Vec<u8>>;
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// ---- The three traits ----

#[async_trait]
trait AsyncTraitCache: Send + Sync {
    async fn get(&self, key: usize) -> io::Result<Bytes>;
}

#[async_trait]
impl AsyncTraitCache for FileCache {
    async fn get(&self, key: usize) -> io::Result<Bytes> {
        match self.hit(key) {
            Some(bytes) => Ok(bytes),
            // In a box of its own; otherwise each hit would allocate the state of a read.
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

/// The slow roads: functions of their own, so that the fast ones stay short.
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

// ---- The cache, which knows of no trait ----

struct FileCache {
    paths: Arc<[PathBuf]>,
    room: u64,
    shelf: Mutex<Shelf>,
}

/// What is in memory. Room is made at the head of the queue: a file that was asked for since it
/// got into the queue goes to the back once more, any other is forgotten.
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
        let read = tokio::fs::read(&self.paths[key]).await.map(Arc::new);
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
        // Another lookup may have read the same file meanwhile.
        if size > room || self.slots[key].bytes.is_some() {
            return;
        }
        while self.held + size > room {
            self.forget_one();
        }
        self.held += size;
        self.queue.push_back(key);
        self.slots[key] = Slot { bytes: Some(Arc::clone(bytes)), asked_for: false };
    }

    fn forget_one(&mut self) {
        let key = self.queue.pop_front().expect("what is held is queued");
        let slot = &mut self.slots[key];
        if mem::take(&mut slot.asked_for) {
            self.queue.push_back(key);
        } else if let Some(bytes) = slot.bytes.take() {
            self.held -= bytes.len() as u64;
        }
    }
}

// ---- What it costs ----

/// Nanoseconds, allocations and bytes allocated.
type Cost = [f64; 3];

// Each thread counts its own, so that a counter costs next to nothing. Only those of the thread
// that looks up are read: what tokio's reading threads allocate is not in the figures.
thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

fn spent() -> Cost {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let nanoseconds = START.elapsed().as_nanos() as f64;
    [nanoseconds, ALLOCATIONS.get() as f64, BYTES.get() as f64]
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

// ---- The replay ----

/// How many lookups of a file failed, and why the first of them did.
type Failures = BTreeMap<usize, (usize, io::Error)>;

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

struct Twin {
    name: &'static str,
    replay: for<'a> fn(&'a FileCache, &'a [usize], &'a mut Failures) -> Task<'a>,
    cache: FileCache,
    lookups: usize,
    /// Per lookup, for each round: the cost without the reads, and with them.
    rounds: Vec<[Cost; 2]>,
}

fn twins(new_cache: impl Fn() -> FileCache) -> [Twin; 3] {
    let twin =
        |name, replay| Twin { name, replay, cache: new_cache(), lookups: 0, rounds: Vec::new() };
    [
        twin("async-trait", |cache, keys, failures| {
            let cache: &dyn AsyncTraitCache = cache;
            let get = async move |key| cache.get(key).await;
            Box::pin(replay(keys, failures, get))
        }),
        twin("BoxFuture", |cache, keys, failures| {
            let cache: &dyn BoxFutureCache = cache;
            let get = async move |key| cache.get(key).await;
            Box::pin(replay(keys, failures, get))
        }),
        twin("ValueFuture", |cache, keys, failures| {
            let cache: &dyn ValueFutureCache = cache;
            // In place, because a result of 16 bytes comes through memory.
            let get = async move |key| cache.get(key).in_place().await;
            Box::pin(replay(keys, failures, get))
        }),
    ]
}

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

impl Twin {
    fn round(&mut self, runtime: &Runtime, keys: &[usize], failures: &mut Failures) {
        let task = (self.replay)(&self.cache, keys, failures);
        let (reading_before, before) = (self.cache.shelf().reading, spent());
        runtime.block_on(task);
        let all = minus(spent(), before);
        let reading = minus(self.cache.shelf().reading, reading_before);
        self.lookups += keys.len();
        self.rounds
            .push([minus(all, reading), all].map(|cost| cost.map(|sum| sum / keys.len() as f64)));
    }

    /// Each figure by itself.
    fn medians(&self) -> [Cost; 2] {
        array::from_fn(|reads| {
            array::from_fn(|i| {
                let mut figures: Vec<_> = self.rounds.iter().map(|round| round[reads][i]).collect();
                figures.sort_by(f64::total_cmp);
                figures[figures.len() / 2]
            })
        })
    }
}

/// Which file is asked for next; the same sequence in every run.
struct Popularity {
    /// The weights of the files, summed up to each of them.
    sums: Vec<f64>,
    random: u64,
}

impl Popularity {
    fn new(files: usize) -> Self {
        let sums = (1..=files).scan(0.0, |sum, n| {
            *sum += (n as f64).powf(-SKEW);
            Some(*sum)
        });
        Popularity { sums: sums.collect(), random: 1 }
    }

    /// The first file at which the given share of all weight is exceeded.
    fn at(&self, share: f64) -> usize {
        let total = self.sums.last().expect("there are files");
        self.sums.partition_point(|sum| *sum <= share * total)
    }

    fn next(&mut self) -> usize {
        // Knuth's linear congruential generator; its upper bits are the good ones.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005);
        self.random = self.random.wrapping_add(1_442_695_040_888_963_407);
        self.at(f64::from((self.random >> 32) as u32) / 2_f64.powi(32))
    }
}

// ---- The files ----

#[derive(Default)]
struct Files {
    sizes: BTreeMap<PathBuf, u64>,
    complaints: usize,
}

impl Files {
    fn complain(&mut self, path: &Path, reason: impl std::fmt::Display) {
        say(&format!("cannot read {}: {reason}\n", path.display()));
        self.complaints += 1;
    }

    fn add(&mut self, path: &Path, named: bool) {
        if let Err(error) = self.try_add(path, named) {
            self.complain(path, error);
        }
    }

    fn try_add(&mut self, path: &Path, named: bool) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() {
            fs::File::open(path)?;
            self.sizes.insert(path.to_owned(), metadata.len());
        } else if !metadata.is_dir() {
            // A pipe, say, which might never answer. Below a folder it is passed over.
            if named {
                return Err(io::Error::other("neither a file nor a folder"));
            }
        } else if named || !path.is_symlink() {
            // Other links to folders are not followed: they may lead back to where we are.
            for entry in fs::read_dir(path)? {
                self.add(&entry?.path(), false);
            }
        }
        Ok(())
    }
}

fn own_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "benches", "examples"].map(|folder| root.join(folder));
    folders.into_iter().filter(|path| path.exists()).collect()
}

// ---- The program ----

enum Request {
    Help,
    Serve(Vec<PathBuf>),
    Unknown(String),
}

fn request() -> Request {
    let mut paths = Vec::new();
    for argument in env::args_os().skip(1) {
        match argument.to_str() {
            Some("-h" | "--help") => return Request::Help,
            Some(option) if option.starts_with('-') => return Request::Unknown(option.to_owned()),
            _ => paths.push(argument.into()),
        }
    }
    Request::Serve(if paths.is_empty() { own_sources() } else { paths })
}

/// To stderr. If nobody listens there, that is no reason to stop.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// One line that changes on a terminal, a line now and then elsewhere.
#[derive(Default)]
struct Progress {
    last: Option<Instant>,
}

impl Progress {
    fn show(&mut self, text: &str) {
        if io::stderr().is_terminal() {
            say(&format!("\r\x1b[K{text}"));
        } else if self.last.is_none_or(|last| last.elapsed() >= Duration::from_secs(2)) {
            say(&format!("{text}\n"));
            self.last = Some(Instant::now());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if io::stderr().is_terminal() {
            say("\r\x1b[K");
        }
    }
}

fn main() -> ExitCode {
    let result = match request() {
        Request::Help => print(USAGE).map(|()| ExitCode::SUCCESS),
        Request::Serve(paths) => serve(&paths),
        Request::Unknown(option) => {
            say(&format!("unknown option `{option}`\n\n{USAGE}"));
            Ok(ExitCode::from(2))
        }
    };
    result.unwrap_or_else(|error| {
        say(&format!("{error}\n"));
        ExitCode::FAILURE
    })
}

/// To stdout. A reader that has seen enough is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn serve(paths: &[PathBuf]) -> io::Result<ExitCode> {
    let mut files = Files::default();
    for path in paths {
        files.add(path, true);
    }
    if files.sizes.is_empty() {
        say("there is no file to serve\n");
        return Ok(ExitCode::from(2));
    }
    let mut failures = Failures::new();
    print(&run(&files.sizes, &mut failures)?)?;
    for (key, (count, error)) in failures {
        let path = files.sizes.keys().nth(key).expect("a key is an index");
        let reason = format!("{error} ({count} lookups failed)");
        files.complain(&path.clone(), reason);
    }
    Ok(ExitCode::from(u8::from(files.complaints > 0)))
}

/// The whole of the replay; returns what there is to say about it.
fn run(sizes: &BTreeMap<PathBuf, u64>, failures: &mut Failures) -> io::Result<String> {
    let mut popularity = Popularity::new(sizes.len());
    let in_memory = popularity.at(SHARE_IN_MEMORY) + 1;
    let room = sizes.values().take(in_memory).sum::<u64>().min(MOST_ROOM);
    let paths: Arc<[PathBuf]> = sizes.keys().cloned().collect();
    let mut twins = twins(|| FileCache::new(Arc::clone(&paths), room));

    let runtime = runtime::Builder::new_current_thread().build()?;
    let mut progress = Progress::default();
    for twin in &twins {
        progress.show(&format!("filling the cache of {}", twin.name));
        // The most popular ones last. What fails here fails again in the replay.
        for key in (0..in_memory).rev() {
            let _ = runtime.block_on(twin.cache.read(key));
        }
        twin.cache.shelf().reads = 0;
    }
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < RUN_TIME {
        let keys: Vec<_> = (0..LOOKUPS_PER_ROUND).map(|_| popularity.next()).collect();
        for turn in 0..twins.len() {
            // In rotation: nobody always comes after the same other one.
            let twin = (round + turn) % twins.len();
            twins[twin].round(&runtime, &keys, failures);
        }
        round += 1;
        let seconds = start.elapsed().as_secs();
        let total = RUN_TIME.as_secs();
        progress.show(&format!("second {seconds} of {total}, round {round}"));
    }
    Ok(format!(
        "{} files of {} bytes; each cache has room for {room} bytes.\n{}{}",
        sizes.len(),
        sizes.values().sum::<u64>(),
        table(&twins),
        meaning(&twins),
    ))
}

fn table(twins: &[Twin]) -> String {
    let mut text = format!(
        "Per lookup, medians of {} rounds:\n\n{:46}without the reads {:19}with the reads\n\
         {:<12} {:>12} {:>9} {:>10} {:>8} {:>8} {:>12} {:>8} {:>8}\n",
        twins[0].rounds.len(),
        "",
        "",
        "twin",
        "lookups",
        "hits",
        "ns",
        "allocs",
        "bytes",
        "ns",
        "allocs",
        "bytes",
    );
    for twin in twins {
        let [without, with] = twin.medians();
        let hits = 100.0 * (1.0 - twin.cache.shelf().reads as f64 / twin.lookups as f64);
        text += &format!("{:<12} {:>12} {hits:>8.2}%", twin.name, twin.lookups);
        text += &format!(" {:>10.1} {:>8.3} {:>8.1}", without[0], without[1], without[2]);
        text += &format!(" {:>12.1} {:>8.3} {:>8.1}\n", with[0], with[1], with[2]);
    }
    text + "\n\
        The reads left out on the left: the time from the first poll of a read to its end, most\n\
        of it spent waiting for the thread that reads, and what is allocated meanwhile. Counted\n\
        are the allocations of the thread that looks up.\n\n"
}

/// True whoever wins.
fn meaning(twins: &[Twin; 3]) -> String {
    let [[rival_a, all_a], [rival_b, all_b], [ours, all]] = twins.each_ref().map(Twin::medians);
    format!(
        "Without the reads, a lookup through {} took {:.1} ns, {} {} and {} {}, with {:.3}\n\
         allocations against {:.3} and {:.3}; with the reads, which no return type makes faster,\n\
         it took {:.0} ns against {:.0} and {:.0}.\n",
        twins[2].name,
        ours[0],
        compared(ours[0], rival_a[0]),
        twins[0].name,
        compared(ours[0], rival_b[0]),
        twins[1].name,
        ours[1],
        rival_a[1],
        rival_b[1],
        all[0],
        all_a[0],
        all_b[0],
    )
}

fn compared(ours: f64, theirs: f64) -> String {
    match theirs / ours {
        ratio if ratio > 1.02 => format!("{ratio:.2} times as fast as"),
        ratio if ratio < 0.98 => format!("{:.2} times as slow as", ratio.recip()),
        _ => "as fast as".to_owned(),
    }
}
