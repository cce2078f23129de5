//! The same lookups through three caches, round by round in turn, and the table of what they cost.

use std::{
    array,
    collections::BTreeMap,
    future::Future,
    io,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::runtime::{self, Runtime};

use crate::{
    cost::{Cost, Popularity, minus, spent},
    files::{end_progress, progress},
    memory::FileCache,
};

const RUN_TIME: Duration = Duration::from_secs(12);
const LOOKUPS_PER_ROUND: usize = 50_000;
/// There is room for the files that get this share of the lookups.
const SHARE_IN_MEMORY: f64 = 0.995;

/// How many lookups of a file failed, and why the first of them did.
pub(crate) type Failures = BTreeMap<usize, (usize, io::Error)>;

pub(crate) type Replay = for<'a> fn(
    &'a FileCache,
    &'a [usize],
    &'a mut Failures,
) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

struct Contender {
    name: &'static str,
    replay: Replay,
    cache: FileCache,
    /// The cost of each round, without the reads and with them.
    rounds: Vec<[Cost; 2]>,
}

impl Contender {
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

/// Replays the lookups through all caches. Returns the table.
pub(crate) fn run(
    replays: [(&'static str, Replay); 3],
    sizes: &BTreeMap<PathBuf, u64>,
    failures: &mut Failures,
) -> io::Result<String> {
    let mut popularity = Popularity::new(sizes.len());
    let in_memory = popularity.at(SHARE_IN_MEMORY) + 1;
    let room = sizes.values().take(in_memory).sum();
    let paths: Arc<[PathBuf]> = sizes.keys().cloned().collect();
    let mut contenders = replays.map(|(name, replay)| Contender {
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
            contenders[(round + turn) % 3].round(&runtime, &keys, failures);
        }
        round += 1;
    }
    end_progress();
    let (count, bytes) = (sizes.len(), sizes.values().sum::<u64>());
    let rows = contenders.iter().map(row).collect::<String>();
    let meaning = meaning(&contenders);
    Ok(format!(
        "{count} files of {bytes} bytes; each cache has room for {room} bytes\n\
         {HEAD}{rows}{NOTE}\n{meaning}"
    ))
}

const HEAD: &str = "
                                     without the reads          with the reads
attribute       lookups    hits      ns  allocs   bytes      ns  allocs   bytes
";
const NOTE: &str = "
Medians of the rounds, per lookup. A read is left out from its first poll to its
end: most of that is waiting for the thread that reads. Counted are allocations
of the thread that looks up.
";

fn row(contender: &Contender) -> String {
    let name = contender.name;
    let lookups = contender.rounds.len() * LOOKUPS_PER_ROUND;
    let hits = 100.0 - 100.0 * contender.cache.memory().reads as f64 / lookups as f64;
    let [[ns, allocs, bytes], [all_ns, all_allocs, all_bytes]] = contender.medians();
    format!(
        "{name:<12} {lookups:>10} {hits:>6.2}% {ns:>7.1} {allocs:>7.3} {bytes:>7.1} \
         {all_ns:>7.1} {all_allocs:>7.3} {all_bytes:>7.1}\n"
    )
}

/// Returns a summary of the table.
fn meaning(contenders: &[Contender; 3]) -> String {
    let [theirs, ours, ready] = contenders.each_ref().map(|contender| contender.medians()[0]);
    format!(
        "Without the reads, a lookup with the attribute of async-trait took {:.1} ns. With\n\
         ours it was {}, and with #[ready] it was {}.\n\
         They made {:.3}, {:.3} and {:.3} allocations.\n",
        theirs[0],
        compared(ours[0], theirs[0]),
        compared(ready[0], theirs[0]),
        theirs[1],
        ours[1],
        ready[1],
    )
}

fn compared(ours: f64, theirs: f64) -> String {
    match theirs / ours {
        ratio if ratio > 1.02 => format!("{ratio:.2} times as fast"),
        ratio if ratio < 0.98 => format!("{:.2} times as slow", ratio.recip()),
        _ => "as fast".to_owned(),
    }
}
