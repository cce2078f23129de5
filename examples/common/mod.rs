//! Code that the programs share: options, measurements, a peer with faults, and output.

#![allow(dead_code, unused_imports, reason = "each program uses only a part of this module")]
#![allow(clippy::cast_precision_loss, reason = "counts and nanoseconds, all of them below 2^52")]

mod allocator;
pub(crate) mod connection;
mod console;
mod contender;
mod load;
mod peer;
mod words;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::PathBuf,
    process::{self, ExitCode},
    sync::Mutex,
    time::{Duration, Instant},
};

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;

pub(crate) use allocator::{Allocated, allocated};
pub(crate) use connection::Outbox;
pub(crate) use console::{print, print_to_stderr};
pub(crate) use contender::{Contender, Cost, measure};
pub(crate) use load::Load;
pub(crate) use peer::{Faults, Frame, Peer, answer, chance, percent, percent_of_repeats};
pub(crate) use words::{count_words, find_ends};

/// The options for the numbers of calls and rounds.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Rounds {
    /// Number of calls of each contender in each round.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) calls: u64,
    /// Number of rounds. In each round, each contender runs once.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
}

/// A histogram of latencies, in nanoseconds.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Self {
        Latencies(Histogram::new(3).expect("three digits are supported"))
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.record(nanos).expect("the histogram resizes automatically");
    }

    /// Returns p50, p99 and p99.9 in microseconds.
    pub(crate) fn percentiles(&self) -> String {
        let micros = |percent| format!("{:.1}", self.0.value_at_percentile(percent) as f64 / 1e3);
        [50.0, 99.0, 99.9].map(micros).join(" / ")
    }
}

/// Counts events by name.
#[derive(Default)]
pub(crate) struct EventCounts(Mutex<BTreeMap<&'static str, u64>>);

impl EventCounts {
    pub(crate) fn add(&self, event: &'static str) {
        *self.0.lock().unwrap().entry(event).or_default() += 1;
    }

    pub(crate) fn get(&self, event: &str) -> u64 {
        self.0.lock().unwrap().get(event).copied().unwrap_or(0)
    }
}

impl fmt::Display for EventCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap();
        let counts = counts.iter().map(|(event, count)| format!("{count} {event}"));
        f.write_str(&counts.collect::<Vec<_>>().join(", "))
    }
}

/// Prints the progress of a program, at most twice a second and at the end.
pub(crate) struct Progress {
    label: String,
    total: u64,
    last_printed: Instant,
}

impl Progress {
    pub(crate) fn new(label: impl Into<String>, total: u64) -> Self {
        Progress { label: label.into(), total, last_printed: Instant::now() }
    }

    pub(crate) fn update(&mut self, done: u64) {
        if done == self.total || self.last_printed.elapsed() > Duration::from_millis(500) {
            self.last_printed = Instant::now();
            eprintln!("{}: {done} of {}", self.label, self.total);
        }
    }
}

/// Prints a table. The first column is aligned to the left, and the other columns to the right.
pub(crate) fn print_table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    print(&format!("{table}\n")).expect("stdout is writable");
    if header.contains(&"relative min") {
        eprintln!(
            "relative min: the minimum, divided by the minimum of the first row of the group"
        );
    }
}

/// Prints a table of costs. `columns` are the titles of additional columns.
pub(crate) fn print_costs(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    print_table(&[&Cost::HEADER[..], columns].concat(), rows);
}

/// Returns the value of a result. If the result is an error, prints the error, and exits with code 1.
pub(crate) fn or_exit<T>(program: &str, result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        print_to_stderr(&format!("{program}: {error}\n"));
        process::exit(1)
    })
}

/// Returns the exit code with which a program rejects arguments, or `None` if it accepts them. Only tests call this function.
pub(crate) fn exit_code_of_arguments<P: clap::Parser>(arguments: &[&str]) -> Option<i32> {
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

/// Runs a program. Returns the exit code 0 if `run` returns `true`, and 1 otherwise. If `run` returns an error, prints the error.
pub(crate) fn exit_code(program: &str, run: impl FnOnce() -> io::Result<bool>) -> ExitCode {
    let is_success = run().unwrap_or_else(|error| {
        print_to_stderr(&format!("{program}: {error}\n"));
        false
    });
    if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
