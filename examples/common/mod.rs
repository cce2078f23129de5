//! The code that the programs share: options, faults, latencies, progress, contests, and the table at the end.

#![allow(dead_code, unused_imports, reason = "each program uses a part of it")]
#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

mod allocator;
mod contest;
mod load;
mod peer;
pub(crate) mod wire;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    time::{Duration, Instant},
};

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;

pub(crate) use allocator::{Allocated, allocated};
pub(crate) use contest::{Contender, Cost, contest};
pub(crate) use load::Load;
pub(crate) use peer::{Faults, Frame, Peer, answer, happens, percent, percent_of_repeats};
pub(crate) use wire::Outbox;

/// The number of calls and rounds.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Rounds {
    /// Calls of each contender in each round.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) calls: u64,
    /// Rounds, in which the contenders take turns.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
}

/// The times of calls, in nanoseconds.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        Latencies(Histogram::new(3).expect("three digits are supported"))
    }

    pub(crate) fn add(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.record(nanos).expect("the histogram grows");
    }

    pub(crate) fn merge(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("both have the same digits");
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Returns p50, p99 and p99.9 in microseconds.
    pub(crate) fn percentiles(&self) -> String {
        let micros = |percent| format!("{:.1}", self.0.value_at_percentile(percent) as f64 / 1e3);
        [50.0, 99.0, 99.9].map(micros).join(" / ")
    }
}

/// Counts events by name.
#[derive(Default)]
pub(crate) struct Counts(Mutex<BTreeMap<&'static str, u64>>);

impl Counts {
    pub(crate) fn add(&self, what: &'static str) {
        *self.0.lock().unwrap().entry(what).or_default() += 1;
    }

    pub(crate) fn get(&self, what: &str) -> u64 {
        self.0.lock().unwrap().get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap();
        let counts = counts.iter().map(|(what, count)| format!("{count} {what}"));
        f.write_str(&counts.collect::<Vec<_>>().join(", "))
    }
}

/// Prints the progress of a program, at most twice a second.
pub(crate) struct Progress {
    what: String,
    total: u64,
    printed: Instant,
}

impl Progress {
    pub(crate) fn new(what: impl Into<String>, total: u64) -> Self {
        Progress { what: what.into(), total, printed: Instant::now() }
    }

    pub(crate) fn at(&mut self, done: u64) {
        if done == self.total || self.printed.elapsed() > Duration::from_millis(500) {
            self.printed = Instant::now();
            eprintln!("{}: {done} of {}", self.what, self.total);
        }
    }
}

/// Prints a table. The first column is text, and the others are numbers.
pub(crate) fn print_table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    if header.contains(&"relative min") {
        eprintln!("relative min: the minimum, divided by that of the first row of its group");
    }
}

/// Prints a table of costs. Minima are relative to that of the first row.
pub(crate) fn print_costs(costs: &[Cost]) {
    print_table(&Cost::HEADER, costs.iter().map(|cost| cost.cells(&costs[0])));
}

/// Returns the exit code with which a program refuses arguments, or `None` if it accepts them. For tests.
pub(crate) fn refusal<P: clap::Parser>(arguments: &[&str]) -> Option<i32> {
    P::try_parse_from(["program"].iter().chain(arguments)).err().map(|error| error.exit_code())
}

/// Reads a file, or all files of a directory and of its subdirectories. Returns an error if there is no text.
pub(crate) fn read_all(path: PathBuf) -> io::Result<Vec<u8>> {
    let (mut paths, mut text) = (vec![path], Vec::new());
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                paths.push(entry?.path());
            }
        } else {
            text.append(&mut fs::read(path)?);
        }
    }
    if text.is_empty() { Err(io::Error::other("there is no text")) } else { Ok(text) }
}

/// Returns the exit code of a program: 0 if all results were right, 1 if one was wrong, and 2 after an I/O error.
pub(crate) fn exit(program: &str, outcome: io::Result<bool>) -> ExitCode {
    outcome.map_or_else(
        |error| {
            eprintln!("{program}: {error}");
            ExitCode::from(2)
        },
        |is_right| ExitCode::from(u8::from(!is_right)),
    )
}
