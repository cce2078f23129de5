//! `cargo bench --bench ratios`: all contenders in one process, interleaved round by round, one
//! table per result type. Only ratios from one run count; `-- --rounds N` repeats more
//! often, `-- --only TITLE` measures the tables with that in their title.

mod contenders;

use std::{hint::black_box, time::Instant};

use contenders::{Case, Counting, allocations, pending, ready};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Short rounds: a minimum then has a chance to fall between two disturbances.
const OPERATIONS: u32 = 2_000;

/// The tables are gone through several times, so that none of them is taken in one bad minute.
const PASSES: usize = 10;

/// What the titles of the tables begin with whose results are ready.
const READY: &str = "ready, ";

/// What one contender took and allocated per operation.
struct Row {
    name: &'static str,
    min: f64,
    median: f64,
    allocations: f64,
    bytes: f64,
}

/// Chunks of every size that a contender may ask for. While they are held, its own boxes come from
/// other addresses than in the round before, so that nobody is stuck with an unlucky one.
fn hold_chunks(of_each: usize) -> Vec<Vec<u8>> {
    let sizes = (16..=1_280).step_by(16);
    sizes.flat_map(|size| (0..of_each).map(move |_| Vec::with_capacity(size))).collect()
}

/// The contenders for one piece of work, and every round they ran.
struct Table {
    title: String,
    cases: Vec<Case>,
    times: Vec<Vec<f64>>,
    judge: fn(&[Row], &mut Targets),
}

impl Table {
    fn new(title: String, cases: Vec<Case>, judge: fn(&[Row], &mut Targets)) -> Self {
        let times = vec![Vec::new(); cases.len()];
        Table { title, cases, times, judge }
    }

    fn run(&mut self, rounds: usize) {
        for round in 0..rounds {
            let _elsewhere = hold_chunks(round % 8);
            for (case, times) in self.cases.iter().zip(&mut self.times) {
                let start = Instant::now();
                black_box((case.run)(black_box(OPERATIONS.into())));
                times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(OPERATIONS));
            }
        }
    }

    fn rows(&mut self) -> Vec<Row> {
        let row = |(case, times): (&Case, &mut Vec<f64>)| {
            times.sort_by(f64::total_cmp);
            let (allocations, bytes) = allocations(case);
            let (min, median) = (times[0], times[times.len() / 2]);
            Row { name: case.name, min, median, allocations, bytes }
        };
        self.cases.iter().zip(&mut self.times).map(row).collect()
    }
}

fn find<'r>(rows: &'r [Row], name: &str) -> &'r Row {
    rows.iter().find(|row| row.name == name).expect("every contender has its row")
}

fn print_table(title: &str, rows: &[Row]) {
    let ours = rows.iter().find(|row| row.name.starts_with("ours")).expect("we take part").min;
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

/// The minima of all results that were ready, as a Markdown table.
fn print_summary(tables: &[(&str, Vec<Row>)]) {
    let Some((_, rows)) = tables.first() else { return };
    let line = |name: &str, cells: Vec<String>| println!("| {name} | {} |", cells.join(" | "));
    println!("\nready, min ns");
    line("", tables.iter().map(|(title, _)| format!("`{}`", cut(title))).collect());
    line("---", vec!["---:".into(); tables.len()]);
    for Row { name, .. } in rows {
        line(name, tables.iter().map(|(_, rows)| format!("{:.1}", find(rows, name).min)).collect());
    }
}

/// A title without the size behind it.
fn cut(title: &str) -> &str {
    title.rsplit_once(" (").map_or(title, |(name, _)| name)
}

/// The targets, each a bound on a ratio of minima or on a count, and what was measured.
struct Targets {
    lines: Vec<String>,
    missed: usize,
}

impl Targets {
    fn check(&mut self, holds: bool, text: &str) {
        self.missed += usize::from(!holds);
        self.lines.push(format!("  {} {text}", if holds { "met   " } else { "MISSED" }));
    }

    /// `slow` takes at least `bound` times as long as `fast`.
    fn faster(&mut self, what: &str, fast: &Row, slow: &Row, bound: f64) {
        let ratio = slow.min / fast.min;
        let text = format!("{what}: {} / {} = {ratio:.2}, at least {bound}", slow.name, fast.name);
        self.check(ratio >= bound, &text);
    }

    /// `ours` takes at most `bound` times as long as `other`.
    fn at_most(&mut self, what: &str, ours: &Row, other: &Row, bound: f64) {
        let ratio = ours.min / other.min;
        let text = format!("{what}: {} / {} = {ratio:.2}, at most {bound}", ours.name, other.name);
        self.check(ratio <= bound, &text);
    }

    fn allocates(&mut self, what: &str, row: &Row, count: f64) {
        let Row { name, allocations, .. } = row;
        let text = format!("{what}: {name} allocates {allocations} times, expected {count}");
        #[expect(clippy::float_cmp, reason = "a whole number of allocations per operation")]
        self.check(*allocations == count, &text);
    }
}

fn ready_table<V: ready::Value, const N: usize>(tables: &mut Vec<Table>) {
    let title = format!("{READY}{} ({} bytes)", V::NAME, size_of::<V>());
    tables.push(Table::new(title, ready::cases::<V, N>(), judge_ready::<V>));
}

fn judge_ready<V: ready::Value>(rows: &[Row], targets: &mut Targets) {
    let row = |name| find(rows, name);
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
        if size_of::<V>() <= 16 {
            targets.at_most(V::NAME, ours, row(ready::FLOOR), 2.8);
            targets.faster(V::NAME, ours, row(ready::BOX_FUTURE), 3.0);
        } else {
            targets.faster(V::NAME, ours, row(ready::BOX_FUTURE), 1.4);
        }
    }
}

fn pending_table<const BYTES: usize>(tables: &mut Vec<Table>) {
    let title = format!("pending once, u64, an async block that holds {BYTES} bytes");
    tables.push(Table::new(title, pending::cases::<BYTES>(), judge_pending));
    let title = format!("pending once, u64, a future that brings {BYTES} bytes with it");
    tables.push(Table::new(title, pending::carrying_cases::<BYTES>(), judge_pending));
}

fn judge_pending(rows: &[Row], targets: &mut Targets) {
    let row = |name| find(rows, name);
    targets.at_most("pending", row(pending::BOXED), row(pending::BOX_FUTURE), 1.05);
    targets.allocates("pending", row(pending::BOXED), 1.0);
    targets.allocates("pending", row(pending::SOURCE), 0.0);
}

fn main() {
    let mut rounds = 200;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                rounds = number.filter(|rounds| *rounds > 0).expect("--rounds takes a number");
            }
            "--only" => only = arguments.next().expect("--only takes a part of a title"),
            // What cargo passes to every bench.
            "--bench" => {}
            other => {
                eprintln!("unknown argument `{other}`; there are `--rounds N` and `--only TITLE`");
                std::process::exit(2);
            }
        }
    }
    println!(
        "{PASSES} passes over all tables, {rounds} rounds of {OPERATIONS} operations each, \
         contenders interleaved, one thread"
    );
    let mut tables = Vec::new();
    for_each_value!(ready_table, &mut tables);
    pending_table::<16>(&mut tables);
    pending_table::<240>(&mut tables);
    pending_table::<1000>(&mut tables);
    tables.retain(|table| table.title.contains(&only));
    for _ in 0..PASSES {
        for table in &mut tables {
            table.run(rounds);
        }
    }
    let mut targets = Targets { lines: Vec::new(), missed: 0 };
    let mut ready = Vec::new();
    for table in &mut tables {
        let rows = table.rows();
        print_table(&table.title, &rows);
        (table.judge)(&rows, &mut targets);
        if let Some(title) = table.title.strip_prefix(READY) {
            ready.push((title, rows));
        }
    }
    print_summary(&ready);
    println!("\ntargets (ratios of minima): {} missed of {}", targets.missed, targets.lines.len());
    for line in targets.lines {
        println!("{line}");
    }
}
