//! An async interface to a thread that blocks. A worker thread reads files, and counts their lines. Each request is an operation of a
//! [`Pool`]. The worker gets the [`Completer`] of the operation, and the caller awaits the completion.
//!
//! ```text
//! cargo run --example completion [FILE...]
//! ```
//!
//! By default, the program reads five files in the root of this crate. The numbers in the code refer to these facts:
//!
//! 1. If the result is cached, the future is ready. The worker gets no request.
//! 2. A caller cancels a request by dropping the future of the request. The worker then skips the file.
//! 3. If the worker dies, the completers of all pending requests are dropped. The callers then get an `io::Error`, and do not wait forever.
//!
//! The table shows that the pool reuses its slots: `rented` grows, but `capacity` and `allocations` stay the same after the first
//! requests.

#[path = "common/mod.rs"]
mod common;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use clap::Parser;
use common::{print, print_table, print_to_stderr};
use futures::future::join_all;
use tokio::{runtime, time::timeout};
use value_future::{Completer, Pool, ValueFuture};

#[derive(Parser)]
#[command(about = "Counts the lines of each FILE, by a worker thread and a pool")]
struct Options {
    /// Files to read. The default is five files in the root of this crate.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// The number of requests that are cancelled.
const CANCELLED: usize = 3;
/// The number of times that the program reads all files.
const REPETITIONS: usize = 100;

#[derive(Clone, Copy)]
struct Summary {
    lines: u64,
    checksum: u64,
}

/// The object-safe trait that an application uses.
trait Summaries {
    fn summary(&self, path: &Arc<Path>) -> ValueFuture<'_, io::Result<Summary>>;
}

/// Sends requests to the worker.
struct Client {
    pool: Pool<io::Result<Summary>>,
    /// The sender of a bounded channel. (An unbounded channel would allocate while the program runs.)
    requests: mpsc::SyncSender<Request>,
    cache: Arc<Cache>,
}

type Request = (Arc<Path>, Completer<io::Result<Summary>>);
type Cache = Mutex<HashMap<Arc<Path>, Summary>>;

fn lock(cache: &Cache) -> MutexGuard<'_, HashMap<Arc<Path>, Summary>> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Summaries for Client {
    fn summary(&self, path: &Arc<Path>) -> ValueFuture<'_, io::Result<Summary>> {
        if let Some(summary) = lock(&self.cache).get(path) {
            return ValueFuture::ready(Ok(*summary)); // (1)
        }
        let (completer, completion) = self.pool.rent();
        match self.requests.try_send((Arc::clone(path), completer)) {
            Err(mpsc::TrySendError::Full(_)) => {
                ValueFuture::ready(Err(io::Error::other("too many concurrent requests")))
            }
            // If the worker is dead, the channel returns the request, and its completer is dropped here (3).
            _ => completion.into(),
        }
    }
}

/// Answers requests on the worker thread, which may block. To simulate a bug, the worker dies after `max_requests` requests. The channel
/// then drops the remaining requests (3). Returns the number of cancelled requests.
fn work(requests: mpsc::Receiver<Request>, cache: &Cache, max_requests: usize) -> usize {
    let mut cancelled = 0;
    for (path, completer) in requests.into_iter().take(max_requests) {
        if completer.is_closed() {
            cancelled += 1; // (2)
            continue;
        }
        let summary = fs::read(&path).map(|bytes| Summary {
            lines: bytes.split_inclusive(|byte| *byte == b'\n').map(|_| 1).sum(),
            checksum: bytes.iter().copied().fold(0xcbf2_9ce4_8422_2325, fnv_1a),
        });
        if let Ok(summary) = &summary {
            lock(cache).insert(path, *summary);
        }
        // An error means that the caller has cancelled the request in the meantime.
        let _ = completer.complete(summary);
    }
    cancelled
}

fn fnv_1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// The rows of the table.
#[derive(Default)]
struct Table(Vec<Vec<String>>);

impl Table {
    const HEADER: [&str; 7] =
        ["", "requests", "ready", "failed", "rented", "capacity", "allocations"];

    /// Adds a row with the counters of the pool.
    fn add(&mut self, client: &Client, label: &str, [requests, ready, failed]: [usize; 3]) {
        let stats = client.pool.stats();
        let mut row = vec![label.to_owned()];
        row.extend([requests, ready, failed].map(|count| count.to_string()));
        row.push(stats.rented.to_string());
        row.push(stats.capacity.to_string());
        row.push(stats.allocations.to_string());
        self.0.push(row);
    }
}

type Answers = Vec<io::Result<Summary>>;

/// Requests the summaries of all files concurrently. Does this `repetitions` times, and clears the cache before each repetition except the
/// first. Returns the answers of the final repetition.
async fn request_all(
    (client, table): (&Client, &mut Table),
    paths: &[Arc<Path>],
    label: &str,
    repetitions: usize,
) -> Answers {
    let summaries: &dyn Summaries = client;
    let (mut ready, mut failed, mut answers) = (0, 0, Vec::new());
    for repetition in 0..repetitions {
        if repetition > 0 {
            lock(&client.cache).clear();
        }
        let futures: Vec<_> = paths.iter().map(|path| summaries.summary(path)).collect();
        ready += futures.iter().filter(|future| future.is_ready()).count();
        answers = join_all(futures).await;
        failed += answers.iter().filter(|answer| answer.is_err()).count();
    }
    table.add(client, label, [repetitions * paths.len(), ready, failed]);
    answers
}

/// Runs the program with these files. Returns `true` if the worker could read all files.
async fn run(paths: &[Arc<Path>]) -> io::Result<bool> {
    let (requests, received) = mpsc::sync_channel(CANCELLED + paths.len());
    let cache = Arc::new(Cache::default());
    let client = Client { pool: Pool::new(), requests, cache: Arc::clone(&cache) };
    let mut table = Table::default();

    // The worker does not run yet. So these requests time out on every machine (2).
    for _ in 0..CANCELLED {
        let result = timeout(Duration::from_millis(1), client.summary(&paths[0])).await;
        assert!(result.is_err(), "without a worker, the request times out");
    }
    table.add(&client, "cancelled requests", [CANCELLED, 0, CANCELLED]);

    let max_requests = CANCELLED + REPETITIONS * paths.len() + paths.len() / 2;
    let worker = thread::spawn(move || work(received, &cache, max_requests));
    let answers = request_all((&client, &mut table), paths, "uncached files", REPETITIONS).await;
    request_all((&client, &mut table), paths, "cached files", 1).await;
    lock(&client.cache).clear();
    let last = request_all((&client, &mut table), paths, "the worker dies", 1).await;

    let cancelled = worker.join().expect("the worker does not panic");
    print_table(&Table::HEADER, table.0);
    print(&format!("\nThe worker skipped {cancelled} cancelled requests.\n"))?;
    if let Some(Err(error)) = last.last() {
        print(&format!("When the worker died, the pending requests failed: {error}.\n"))?;
    }
    let mut is_complete = true;
    for (path, answer) in paths.iter().zip(answers) {
        let path = path.display();
        match answer {
            Ok(Summary { lines, checksum }) => {
                print(&format!("{checksum:016x} {lines:>6} lines  {path}\n"))?;
            }
            Err(error) => {
                print_to_stderr(&format!("cannot read {path}: {error}\n"));
                is_complete = false;
            }
        }
    }
    Ok(is_complete)
}

fn main() -> ExitCode {
    let Options { files } = Options::parse();
    let mut paths: Vec<Arc<Path>> = files.into_iter().map(Arc::from).collect();
    if paths.is_empty() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = ["Cargo.toml", "CHANGELOG.md", "LICENSE", "README.md", "rustfmt.toml"];
        paths.extend(files.map(|file| Arc::from(root.join(file))));
    }
    common::exit_code("completion", || {
        runtime::Builder::new_current_thread().enable_time().build()?.block_on(run(&paths))
    })
}
