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
//! The table at the end has each figure twice: without the reads, which are far slower than a hit
//! and are reads of the same files for all three, and with them.

#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    array,
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    env,
    fmt::Display,
    fs,
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
const LOOKUPS_PER_ROUND: usize = 50_000;
/// The n-th file is asked for with a weight of `1 / n^SKEW`.
const SKEW: f64 = 1.5;
/// There is room for the files that get this share of the lookups.
const SHARE_IN_MEMORY: f64 = 0.995;
/// What is served at most; each of the three caches may hold nearly all of it.
const MOST_MEBIBYTES: u64 = 256;

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
    memory: Mutex<Memory>,
}

/// What is in memory. Room is made at the head of the queue: a file that was asked for since it got
/// into the queue goes to the back once more, any other is forgotten.
#[derive(Default)]
struct Memory {
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
        let memory = Mutex::new(Memory { slots, ..Memory::default() });
        FileCache { paths, room, memory }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hit(&self, key: usize) -> Option<Bytes> {
        let slot = &mut self.memory().slots[key];
        slot.asked_for = true;
        slot.bytes.clone()
    }

    async fn read(&self, key: usize) -> io::Result<Bytes> {
        let before = spent();
        let read = tokio::fs::read(&self.paths[key]).await.map(Arc::new);
        let mut memory = self.memory();
        if let Ok(bytes) = &read {
            memory.keep(key, bytes, self.room);
        }
        memory.reads += 1;
        memory.reading = plus(memory.reading, minus(spent(), before));
        read
    }
}

impl Memory {
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

// Each thread counts its own, so that counting costs next to nothing. Only the thread that looks up
// reads its counters: what tokio's reading threads allocate is in no figure.
thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

fn spent() -> Cost {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let nanoseconds = START.elapsed().as_nanos() as f64;
    let [allocations, bytes] = [&ALLOCATIONS, &BYTES].map(|counter| counter.get() as f64);
    [nanoseconds, allocations, bytes]
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

type Replay = for<'a> fn(
    &'a FileCache,
    &'a [usize],
    &'a mut Failures,
) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// The three ways to look a file up; all else is the same.
const REPLAYS: [(&str, Replay); 3] = [
    ("async-trait", |cache, keys, failures| {
        let cache: &dyn AsyncTraitCache = cache;
        let get = async move |key| cache.get(key).await;
        Box::pin(replay(keys, failures, get))
    }),
    ("BoxFuture", |cache, keys, failures| {
        let cache: &dyn BoxFutureCache = cache;
        let get = async move |key| cache.get(key).await;
        Box::pin(replay(keys, failures, get))
    }),
    ("ValueFuture", |cache, keys, failures| {
        let cache: &dyn ValueFutureCache = cache;
        let get = async move |key| cache.get(key).await;
        Box::pin(replay(keys, failures, get))
    }),
];

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

struct Twin {
    name: &'static str,
    replay: Replay,
    cache: FileCache,
    /// The cost of each round, without the reads and with them.
    rounds: Vec<[Cost; 2]>,
}

impl Twin {
    fn round(&mut self, runtime: &Runtime, keys: &[usize], failures: &mut Failures) {
        let task = (self.replay)(&self.cache, keys, failures);
        let (reading, start) = (self.cache.memory().reading, spent());
        runtime.block_on(task);
        let all = minus(spent(), start);
        let reading = minus(self.cache.memory().reading, reading);
        self.rounds.push([minus(all, reading), all]);
    }

    /// Per lookup, without the reads and with them.
    fn medians(&self) -> [Cost; 2] {
        let median = |part: usize, i: usize| {
            let mut figures: Vec<_> = self.rounds.iter().map(|round| round[part][i]).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2] / LOOKUPS_PER_ROUND as f64
        };
        array::from_fn(|part| array::from_fn(|i| median(part, i)))
    }
}

/// Which file is asked for next; the same sequence in every run.
struct Popularity {
    /// For each file, its weight and those of all before it.
    sums: Vec<f64>,
    random: u64,
}

impl Popularity {
    fn new(files: usize) -> Self {
        let mut sum = 0.0;
        let sums = (1..=files).map(|n| {
            sum += (n as f64).powf(-SKEW);
            sum
        });
        let (sums, random) = (sums.collect(), 1);
        Popularity { sums, random }
    }

    /// The file at this share of all weight.
    fn at(&self, share: f64) -> usize {
        let total = self.sums.last().expect("there are files");
        self.sums.partition_point(|sum| *sum <= share * total)
    }

    fn next(&mut self) -> usize {
        // Knuth's linear congruential generator; the upper half is the good one.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005);
        self.random = self.random.wrapping_add(1_442_695_040_888_963_407);
        self.at(f64::from((self.random >> 32) as u32) / 2_f64.powi(32))
    }
}

/// The whole of it; returns what there is to say.
fn run(sizes: &BTreeMap<PathBuf, u64>, failures: &mut Failures) -> io::Result<String> {
    let mut popularity = Popularity::new(sizes.len());
    let in_memory = popularity.at(SHARE_IN_MEMORY) + 1;
    let room = sizes.values().take(in_memory).sum();
    let paths: Arc<[PathBuf]> = sizes.keys().cloned().collect();
    let mut twins = REPLAYS.map(|(name, replay)| Twin {
        name,
        replay,
        cache: FileCache::new(Arc::clone(&paths), room),
        rounds: Vec::new(),
    });

    let runtime = runtime::Builder::new_current_thread().build()?;
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < RUN_TIME {
        if round % 25 == 0 {
            let (passed, total) = (start.elapsed().as_secs(), RUN_TIME.as_secs());
            progress(&format!("round {round}, {passed} of {total} seconds"));
        }
        let keys: Vec<_> = (0..LOOKUPS_PER_ROUND).map(|_| popularity.next()).collect();
        for turn in 0..3 {
            twins[(round + turn) % 3].round(&runtime, &keys, failures);
        }
        round += 1;
    }
    end_progress();
    let (count, bytes) = (sizes.len(), sizes.values().sum::<u64>());
    let rows = twins.iter().map(row).collect::<String>();
    let meaning = meaning(&twins);
    Ok(format!(
        "{count} files of {bytes} bytes; each cache has room for {room} bytes\n\
         {HEAD}{rows}{NOTE}\n{meaning}"
    ))
}

const HEAD: &str = "
                                     without the reads          with the reads
twin            lookups    hits      ns  allocs   bytes      ns  allocs   bytes
";
const NOTE: &str = "
Medians of the rounds, per lookup. A read is left out from its first poll to its
end: most of that is waiting for the thread that reads. Counted are allocations
of the thread that looks up.
";

fn row(twin: &Twin) -> String {
    let name = twin.name;
    let lookups = twin.rounds.len() * LOOKUPS_PER_ROUND;
    let hits = 100.0 - 100.0 * twin.cache.memory().reads as f64 / lookups as f64;
    let [[ns, allocs, bytes], [all_ns, all_allocs, all_bytes]] = twin.medians();
    format!(
        "{name:<12} {lookups:>10} {hits:>6.2}% {ns:>7.1} {allocs:>7.3} {bytes:>7.1} \
         {all_ns:>7.1} {all_allocs:>7.3} {all_bytes:>7.1}\n"
    )
}

/// One sentence, which holds whoever wins.
fn meaning(twins: &[Twin; 3]) -> String {
    let [name_a, name_b, name] = twins.each_ref().map(|twin| twin.name);
    let [[a, all_a], [b, all_b], [ours, all]] = twins.each_ref().map(Twin::medians);
    let [ns, ns_a, ns_b] = [all, all_a, all_b].map(|cost| cost[0].round());
    let [versus_a, versus_b] = [a, b].map(|theirs| compared(ours[0], theirs[0]));
    format!(
        "Without the reads, a lookup through {name} took {:.1} ns, {versus_a}\n\
         {name_a} and {versus_b} {name_b}, with {:.3} allocations\n\
         against {:.3} and {:.3}; with the reads it took {ns} ns against {ns_a} and {ns_b}.\n",
        ours[0], ours[1], a[1], b[1],
    )
}

fn compared(ours: f64, theirs: f64) -> String {
    match theirs / ours {
        ratio if ratio > 1.02 => format!("{ratio:.2} times as fast as"),
        ratio if ratio < 0.98 => format!("{:.2} times as slow as", ratio.recip()),
        _ => "as fast as".to_owned(),
    }
}

// ---- Files, arguments, messages ----

/// The files to serve with their sizes, and how many paths are not served.
#[derive(Default)]
struct Files {
    sizes: BTreeMap<PathBuf, u64>,
    bytes: u64,
    left_out: usize,
    unreadable: usize,
}

impl Files {
    fn add(&mut self, path: &Path, named: bool) {
        if let Err(error) = self.try_add(path, named) {
            complain(path, error);
            self.unreadable += 1;
        }
    }

    fn add_file(&mut self, path: &Path, size: u64) {
        if self.bytes + size > MOST_MEBIBYTES << 20 {
            self.left_out += 1;
        } else if self.sizes.insert(path.to_owned(), size).is_none() {
            self.bytes += size;
            if self.sizes.len() % 5_000 == 0 {
                progress(&format!("{} files found", self.sizes.len()));
            }
        }
    }

    fn try_add(&mut self, path: &Path, named: bool) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() {
            fs::File::open(path)?;
            self.add_file(path, metadata.len());
        } else if metadata.is_dir() {
            // A link that nobody named may lead back to where we come from.
            if named || !path.is_symlink() {
                for entry in fs::read_dir(path)? {
                    self.add(&entry?.path(), false);
                }
            }
        } else if named {
            // A pipe, say, which might never answer. Below a folder it is passed over.
            return Err(io::Error::other("neither a file nor a folder"));
        }
        Ok(())
    }
}

fn own_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "benches", "examples"].map(|folder| root.join(folder));
    folders.into_iter().filter(|path| path.exists()).collect()
}

/// To stderr. That nobody listens there is no reason to stop.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// To stdout. A reader that has seen enough is no error.
fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn complain(path: &Path, reason: impl Display) {
    end_progress();
    say(&format!("cannot read {}: {reason}\n", path.display()));
}

/// One line that changes on a terminal, a line of its own elsewhere.
fn progress(text: &str) {
    end_progress();
    say(text);
    if !io::stderr().is_terminal() {
        say("\n");
    }
}

fn end_progress() {
    if io::stderr().is_terminal() {
        say("\r\x1b[K");
    }
}

fn serve(paths: &[PathBuf]) -> io::Result<ExitCode> {
    let mut files = Files::default();
    for path in paths {
        files.add(path, true);
    }
    end_progress();
    if files.left_out > 0 {
        let count = files.left_out;
        say(&format!("no more than {MOST_MEBIBYTES} MiB are served; files left out: {count}\n"));
    }
    if files.sizes.is_empty() {
        say("there is no file to serve\n");
        return Ok(ExitCode::from(2));
    }
    let mut failures = Failures::new();
    let result = run(&files.sizes, &mut failures)?;
    for (key, path) in files.sizes.keys().enumerate() {
        if let Some((count, error)) = failures.get(&key) {
            complain(path, format!("{error} ({count} lookups failed)"));
        }
    }
    print(&result)?;
    let complete = files.unreadable == 0 && failures.is_empty();
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn answer() -> io::Result<ExitCode> {
    let mut paths = Vec::new();
    for argument in env::args_os().skip(1) {
        match argument.to_str() {
            Some("-h" | "--help") => return print(USAGE).map(|()| ExitCode::SUCCESS),
            Some(option) if option.starts_with('-') => {
                say(&format!("unknown option `{option}`\n\n{USAGE}"));
                return Ok(ExitCode::from(2));
            }
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    serve(&if paths.is_empty() { own_sources() } else { paths })
}

fn main() -> ExitCode {
    answer().unwrap_or_else(|error| {
        say(&format!("cache: {error}\n"));
        ExitCode::FAILURE
    })
}
