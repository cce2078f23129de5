//! `cargo bench --bench ratios`: all contenders in one process, interleaved round by round, one
//! table per result type. Only ratios from one run count; `-- --rounds N` repeats longer.

mod contenders;

use std::{hint::black_box, time::Instant};

use contenders::{Case, Counting, allocations, pending, ready};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const OPERATIONS: u64 = 20_000;

/// What one contender took and allocated per operation.
struct Row {
    name: &'static str,
    min: f64,
    median: f64,
    allocations: f64,
    bytes: f64,
}

fn measure(cases: &[Case], rounds: usize) -> Vec<Row> {
    let mut times = vec![Vec::with_capacity(rounds); cases.len()];
    for _ in 0..rounds {
        for (case, times) in cases.iter().zip(&mut times) {
            let start = Instant::now();
            black_box((case.run)(black_box(OPERATIONS)));
            times.push(start.elapsed().as_nanos() as f64 / OPERATIONS as f64);
        }
    }
    let row = |(case, mut times): (&Case, Vec<f64>)| {
        times.sort_by(f64::total_cmp);
        let (allocations, bytes) = allocations(case);
        let (min, median) = (times[0], times[times.len() / 2]);
        Row { name: case.name, min, median, allocations, bytes }
    };
    cases.iter().zip(times).map(row).collect()
}

fn find<'r>(rows: &'r [Row], name: &str) -> &'r Row {
    rows.iter().find(|row| row.name == name).expect("every contender has its row")
}

fn print_table(title: &str, rows: &[Row], ours: &str) {
    let ours = find(rows, ours).min;
    println!("\n{title}");
    println!(
        "  {:<22} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "contender", "min ns", "med ns", "min/ours", "allocs", "bytes"
    );
    for row in rows {
        println!(
            "  {:<22} {:>8.2} {:>8.2} {:>8.2}x {:>8.2} {:>8.1}",
            row.name,
            row.min,
            row.median,
            row.min / ours,
            row.allocations,
            row.bytes
        );
    }
}

/// The targets, each a bound on a ratio of minima or on a count, and what was measured.
struct Targets {
    lines: Vec<String>,
    missed: usize,
}

impl Targets {
    fn check(&mut self, holds: bool, text: String) {
        self.missed += usize::from(!holds);
        self.lines.push(format!("  {} {text}", if holds { "met   " } else { "MISSED" }));
    }

    /// `slow` takes at least `bound` times as long as `fast`.
    fn faster(&mut self, what: &str, fast: &Row, slow: &Row, bound: f64) {
        let ratio = slow.min / fast.min;
        let text = format!("{what}: {} / {} = {ratio:.2}, at least {bound}", slow.name, fast.name);
        self.check(ratio >= bound, text);
    }

    /// `ours` takes at most `bound` times as long as `other`.
    fn at_most(&mut self, what: &str, ours: &Row, other: &Row, bound: f64) {
        let ratio = ours.min / other.min;
        let text = format!("{what}: {} / {} = {ratio:.2}, at most {bound}", ours.name, other.name);
        self.check(ratio <= bound, text);
    }

    fn allocates(&mut self, what: &str, row: &Row, count: f64) {
        let Row { name, allocations, .. } = row;
        let text = format!("{what}: {name} allocates {allocations} times, expected {count}");
        #[expect(clippy::float_cmp, reason = "a whole number of allocations per operation")]
        self.check(*allocations == count, text);
    }
}

fn ready_table<V: ready::Value, const N: usize>(rounds: usize, targets: &mut Targets) {
    let rows = measure(&ready::cases::<V, N>(), rounds);
    let size = size_of::<V>();
    print_table(&format!("ready, {} ({size} bytes)", V::NAME), &rows, ready::AWAIT);

    let row = |name| find(&rows, name);
    let forms = [ready::AWAIT, ready::MACRO, ready::IN_PLACE].map(row);
    for ours in forms {
        targets.allocates(V::NAME, ours, 0.0);
    }
    let [by_await, by_macro, in_place] = forms;
    targets.at_most(V::NAME, by_await, row(ready::BOX_FUTURE), 1.08);
    let bound = match V::NAME {
        "()" | "bool" | "u32" | "u64" => Some(4.0),
        "f64" => Some(3.0),
        _ => None,
    };
    if let Some(bound) = bound {
        targets.at_most(V::NAME, by_await, row(ready::FLOOR), 2.0);
        let rivals = [ready::ASYNC_TRAIT, ready::BOX_FUTURE, ready::EITHER, ready::STACK_FUTURE];
        for rival in rivals.into_iter().chain([ready::OBVIOUS]) {
            targets.faster(V::NAME, by_await, row(rival), bound);
        }
    }
    for ours in [by_macro, in_place] {
        if size <= 16 {
            targets.at_most(V::NAME, ours, row(ready::FLOOR), 2.8);
            targets.faster(V::NAME, ours, row(ready::BOX_FUTURE), 3.0);
        } else {
            targets.faster(V::NAME, ours, row(ready::BOX_FUTURE), 1.4);
        }
    }
}

fn pending_table<const BYTES: usize>(rounds: usize, targets: &mut Targets) {
    let rows = measure(&pending::cases::<BYTES>(), rounds);
    let title = format!("pending once, u64, future of {BYTES} bytes and a few");
    print_table(&title, &rows, pending::BOXED);
    let row = |name| find(&rows, name);
    let what = format!("pending, {BYTES} bytes");
    targets.at_most(&what, row(pending::BOXED), row(pending::BOX_FUTURE), 1.05);
    targets.allocates(&what, row(pending::BOXED), 1.0);
    targets.allocates(&what, row(pending::SOURCE), 0.0);
}

fn main() {
    let mut rounds = 101;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                rounds = number.filter(|rounds| *rounds > 0).expect("--rounds takes a number");
            }
            // What cargo passes to every bench.
            "--bench" => {}
            other => {
                eprintln!("unknown argument `{other}`; there is `--rounds N`");
                std::process::exit(2);
            }
        }
    }
    println!("{rounds} rounds of {OPERATIONS} operations each, contenders interleaved, one thread");
    let mut targets = Targets { lines: Vec::new(), missed: 0 };
    for_each_value!(ready_table, rounds, &mut targets);
    pending_table::<16>(rounds, &mut targets);
    pending_table::<240>(rounds, &mut targets);
    pending_table::<1000>(rounds, &mut targets);
    println!("\ntargets (ratios of minima): {} missed of {}", targets.missed, targets.lines.len());
    for line in targets.lines {
        println!("{line}");
    }
}
