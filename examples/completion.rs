//! An async facade over a thread that blocks: a worker reads files, and answers how many lines they
//! have and what their checksum is. Each question that it has to be asked is an operation of a
//! [`Pool`]: the worker gets the [`Completer`], the caller awaits the completion.
//!
//! ```text
//! cargo run --example completion [FILE...]
//! ```
//!
//! Without a FILE, those at the root of this crate are read. What to look for in the code:
//!
//! 1. What is known is answered inline, and the worker hears nothing of it.
//! 2. A caller that loses interest drops its future. The worker notices, and does not read.
//! 3. A worker that dies drops its completers. Whoever waits gets an `io::Error`, and does not hang.
//!
//! And in the table: rented goes up, but once the pool is warm, capacity and allocations do not.

use std::{
    collections::HashMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use futures::future::join_all;
use tokio::{runtime, time::timeout};
use value_future::{Completer, Pool, ValueFuture};

const USAGE: &str = "usage: completion [FILE...]\n\nCounts the lines of each FILE.\n";
/// So many callers lose interest, and so many times all files are read.
const HASTY: usize = 3;
const AGAIN: usize = 100;

#[derive(Clone, Copy)]
struct Summary {
    lines: u64,
    checksum: u64,
}

/// What an application sees: an object-safe trait.
trait Summaries {
    fn summary(&self, path: &Arc<Path>) -> ValueFuture<'_, io::Result<Summary>>;
}

struct Facade {
    pool: Pool<io::Result<Summary>>,
    /// With a bound: a channel without one allocates as it goes along.
    questions: mpsc::SyncSender<Question>,
    known: Arc<Known>,
}

type Question = (Arc<Path>, Completer<io::Result<Summary>>);
type Known = Mutex<HashMap<Arc<Path>, Summary>>;

fn lock(known: &Known) -> MutexGuard<'_, HashMap<Arc<Path>, Summary>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Summaries for Facade {
    fn summary(&self, path: &Arc<Path>) -> ValueFuture<'_, io::Result<Summary>> {
        if let Some(summary) = lock(&self.known).get(path) {
            return ValueFuture::ready(Ok(*summary)); // (1)
        }
        let (completer, completion) = self.pool.rent();
        match self.questions.try_send((Arc::clone(path), completer)) {
            Err(mpsc::TrySendError::Full(_)) => {
                ValueFuture::ready(Err(io::Error::other("too many questions at a time")))
            }
            // If the worker is gone, so is the question by now, and the completer with it (3).
            _ => completion.into(),
        }
    }
}

/// The worker, which may block. After `life` questions it dies of a bug, as it were; what is in the
/// channel is dropped then (3). Returns how many files it did not have to read.
fn work(questions: mpsc::Receiver<Question>, known: &Known, life: usize) -> usize {
    let mut skipped = 0;
    for (path, completer) in questions.into_iter().take(life) {
        if completer.is_closed() {
            skipped += 1; // (2)
            continue;
        }
        let summary = fs::read(&path).map(|bytes| Summary {
            lines: bytes.split_inclusive(|byte| *byte == b'\n').map(|_| 1).sum(),
            checksum: bytes.iter().copied().fold(0xcbf2_9ce4_8422_2325, fnv_1a),
        });
        if let Ok(summary) = &summary {
            lock(known).insert(path, *summary);
        }
        // It comes back if the caller lost interest meanwhile: nobody else wants it.
        let _ = completer.complete(summary);
    }
    skipped
}

fn fnv_1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// Asks for all files, `times` over, and prints what the pool did for it. Each time all are asked for
/// at once, and then awaited. Returns the last answers.
async fn ask(facade: &Facade, paths: &[Arc<Path>], label: &str, times: usize) -> Answers {
    let summaries: &dyn Summaries = facade;
    let (mut inline, mut failed, mut answers) = (0, 0, Vec::new());
    for time in 0..times {
        if time > 0 {
            lock(&facade.known).clear();
        }
        let futures: Vec<_> = paths.iter().map(|path| summaries.summary(path)).collect();
        inline += futures.iter().filter(|future| future.is_ready()).count();
        answers = join_all(futures).await;
        failed += answers.iter().filter(|answer| answer.is_err()).count();
    }
    row(facade, label, [times * paths.len(), inline, failed]);
    answers
}

type Answers = Vec<io::Result<Summary>>;

fn row(facade: &Facade, label: &str, [asked, inline, failed]: [usize; 3]) {
    let stats = facade.pool.stats();
    let (rented, capacity, allocations) = (stats.rented, stats.capacity, stats.allocations);
    print(&format!(
        "{label:<22} {asked:>6} {inline:>7} {failed:>7} {rented:>7} {capacity:>9} {allocations:>12}\n"
    ));
}

async fn run(paths: &[Arc<Path>]) -> ExitCode {
    let (questions, inbox) = mpsc::sync_channel(HASTY + paths.len());
    let known = Arc::new(Known::default());
    let facade = Facade { pool: Pool::new(), questions, known: Arc::clone(&known) };
    print("                        asked  inline  failed  rented  capacity  allocations\n");

    // The worker has not come yet, so these wait in vain, however slow or fast the machine is (2).
    for _ in 0..HASTY {
        let late = timeout(Duration::from_millis(1), facade.summary(&paths[0])).await;
        assert!(late.is_err(), "there is nobody who could answer");
    }
    row(&facade, "callers in a hurry", [HASTY, 0, HASTY]);

    let life = HASTY + AGAIN * paths.len() + paths.len() / 2;
    let worker = thread::spawn(move || work(inbox, &known, life));
    let answers = ask(&facade, paths, "read again and again", AGAIN).await;
    ask(&facade, paths, "known", 1).await;
    lock(&facade.known).clear();
    let last = ask(&facade, paths, "the worker dies", 1).await;

    let skipped = worker.join().expect("it does not panic");
    print(&format!("\nThe worker skipped {skipped} files that nobody waited for any more.\n"));
    if let Some(Err(error)) = last.last() {
        print(&format!("Those who waited for it when it died were told: {error}.\n"));
    }
    let mut exit = ExitCode::SUCCESS;
    for (path, answer) in paths.iter().zip(answers) {
        let path = path.display();
        match answer {
            Ok(Summary { lines, checksum }) => {
                print(&format!("{checksum:016x} {lines:>6} lines  {path}\n"));
            }
            Err(error) => {
                say(&format!("cannot read {path}: {error}\n"));
                exit = ExitCode::FAILURE;
            }
        }
    }
    exit
}

// ---- Arguments, messages ----

/// To stderr. That nobody listens there is no reason to stop.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// To stdout. A reader that has seen enough is no reason to stop either.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn answer() -> io::Result<ExitCode> {
    let mut paths = Vec::new();
    for argument in env::args_os().skip(1) {
        match argument.to_str() {
            Some("-h" | "--help") => {
                print(USAGE);
                return Ok(ExitCode::SUCCESS);
            }
            Some(option) if option.starts_with('-') => {
                say(&format!("unknown option `{option}`\n\n{USAGE}"));
                return Ok(ExitCode::from(2));
            }
            _ => paths.push(PathBuf::from(argument).into()),
        }
    }
    if paths.is_empty() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = ["Cargo.toml", "CHANGELOG.md", "LICENSE", "README.md", "rustfmt.toml"];
        paths.extend(files.map(|file| root.join(file).into()));
    }
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    Ok(runtime.block_on(run(&paths)))
}

fn main() -> ExitCode {
    answer().unwrap_or_else(|error| {
        say(&format!("completion: {error}\n"));
        ExitCode::FAILURE
    })
}
