//! Runs the same lookups through three caches, which take turns in each round. Prints the table of their costs.

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
    common::{Progress, print, print_table, print_to_stderr},
    cost::{Cost, cost_so_far, minus},
    file_cache::FileCache,
    popularity::Popularity,
};

const RUN_TIME: Duration = Duration::from_secs(12);
const LOOKUPS_PER_ROUND: usize = 50_000;
/// This share of the lookups is for the most frequent files. The capacity of each cache is the total size of these files.
const SHARE_IN_MEMORY: f64 = 0.995;

/// For each file with failed lookups: the number of these lookups, and the first error.
pub(crate) type Failures = BTreeMap<usize, (usize, io::Error)>;

/// A function that looks up all keys in a cache, through one of the traits.
pub(crate) type Replay = for<'a> fn(
    &'a FileCache,
    &'a [usize],
    &'a mut Failures,
) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

struct Contender {
    name: &'static str,
    replay: Replay,
    cache: FileCache,
    /// The cost of each round, without reads and with reads.
    rounds: Vec<[Cost; 2]>,
}

impl Contender {
    fn run_round(&mut self, runtime: &Runtime, keys: &[usize], failures: &mut Failures) {
        let task = (self.replay)(&self.cache, keys, failures);
        let (reads_before, before) = (self.cache.memory().cost_of_reads, cost_so_far());
        runtime.block_on(task);
        let total = minus(cost_so_far(), before);
        let reads = minus(self.cache.memory().cost_of_reads, reads_before);
        self.rounds.push([minus(total, reads), total]);
    }

    /// Returns the median costs of a lookup, without reads and with reads.
    fn medians(&self) -> [Cost; 2] {
        let median = |part: usize, i: usize| {
            let mut costs: Vec<_> = self.rounds.iter().map(|round| round[part][i]).collect();
            costs.sort_by(f64::total_cmp);
            costs[costs.len() / 2] / LOOKUPS_PER_ROUND as f64
        };
        array::from_fn(|part| array::from_fn(|i| median(part, i)))
    }

    fn row(&self) -> Vec<String> {
        let lookups = self.rounds.len() * LOOKUPS_PER_ROUND;
        let hits = 100.0 - 100.0 * self.cache.memory().reads as f64 / lookups as f64;
        let cells = |[ns, allocations, bytes]: Cost| {
            [format!("{ns:.1}"), format!("{allocations:.3}"), format!("{bytes:.1}")]
        };
        let mut row = vec![self.name.into(), lookups.to_string(), format!("{hits:.2}")];
        row.extend(self.medians().into_iter().flat_map(cells));
        row
    }
}

/// Runs the lookups through all caches, and prints the table.
pub(crate) fn run(
    replays: [(&'static str, Replay); 3],
    sizes: &BTreeMap<PathBuf, u64>,
    failures: &mut Failures,
) -> io::Result<()> {
    let mut popularity = Popularity::new(sizes.len());
    let in_memory = popularity.file_at(SHARE_IN_MEMORY) + 1;
    let capacity = sizes.values().take(in_memory).sum();
    let paths: Arc<[PathBuf]> = sizes.keys().cloned().collect();
    let mut contenders = replays.map(|(name, replay)| Contender {
        name,
        replay,
        cache: FileCache::new(Arc::clone(&paths), capacity),
        rounds: Vec::new(),
    });

    let runtime = runtime::Builder::new_current_thread().build()?;
    let mut progress = Progress::new("cache: seconds", RUN_TIME.as_secs());
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < RUN_TIME {
        let keys: Vec<_> = (0..LOOKUPS_PER_ROUND).map(|_| popularity.next_file()).collect();
        for turn in 0..3 {
            contenders[(round + turn) % 3].run_round(&runtime, &keys, failures);
        }
        round += 1;
        progress.update(start.elapsed().as_secs());
    }
    let (count, bytes) = (sizes.len(), sizes.values().sum::<u64>());
    print(&format!("{count} files of {bytes} bytes; capacity of each cache: {capacity} bytes\n"))?;
    print_table(&HEADER, contenders.iter().map(Contender::row));
    print_to_stderr(NOTE);
    print(&summary(&contenders))
}

const HEADER: [&str; 9] = [
    "method",
    "lookups",
    "hits, %",
    "ns",
    "allocations",
    "bytes",
    "ns, with reads",
    "allocations, with reads",
    "bytes, with reads",
];
const NOTE: &str = "\
Each cost is the median of all rounds, per lookup. The columns `with reads` include the cost of file reads, from the first poll of a
read to its completion. The other columns do not. Only the allocations of the thread that looks up are counted.
";

/// Returns a summary of the table.
fn summary(contenders: &[Contender; 3]) -> String {
    let [boxed, value, ready] = contenders.each_ref().map(|contender| contender.medians()[0]);
    format!(
        "Without reads, a lookup with async-trait took {:.1} ns. With value-future it was {},\n\
         and with #[ready] it was {}. Allocations per lookup: {:.3}, {:.3} and {:.3}.\n",
        boxed[0],
        compare(value[0], boxed[0]),
        compare(ready[0], boxed[0]),
        boxed[1],
        value[1],
        ready[1],
    )
}

fn compare(time: f64, base: f64) -> String {
    match base / time {
        ratio if ratio > 1.02 => format!("{ratio:.2} times as fast"),
        ratio if ratio < 0.98 => format!("{:.2} times as slow", ratio.recip()),
        _ => "as fast".to_owned(),
    }
}
