//! What the programs share: allocations, faults, latencies, progress, and one table at the end.

#![allow(dead_code, reason = "each program uses its part")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::{Duration, Instant},
};

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;

// Each thread counts its own allocations, so counting costs next to nothing.
thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to `System` with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may allocate when its counter is gone.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `GlobalAlloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Returns the number of allocations of this thread.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// How often a peer misbehaves, in percent of the replies.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Faults {
    /// Percentage of replies that the peer drops.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) drop: f64,
    /// Percentage of replies that the peer sends after the timeout.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) late: f64,
    /// Percentage of replies that the peer sends twice.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) twice: f64,
    /// Percentage of replies with an id that the peer made up.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) forge: f64,
}

impl Faults {
    pub(crate) fn is_hostile(self) -> bool {
        self.drop + self.late + self.twice + self.forge > 0.0
    }
}

fn percent(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("expected a number from 0 to 100".into()),
    }
}

/// Returns `true` in so many percent of the calls.
pub(crate) fn happens(percent: f64) -> bool {
    percent > 0.0 && fastrand::f64() * 100.0 < percent
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

    /// Returns the time in microseconds that so many percent of the calls take at most.
    pub(crate) fn micros(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1e3
    }
}

/// Prints how far a program has come, twice a second at most.
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
}
