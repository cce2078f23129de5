//! `cargo bench --bench ratios`: all contenders in one process, interleaved round by round, one
//! table per result type or kind of work. Only ratios from one run count; `-- --rounds N` repeats more
//! often, `-- --only TITLE` measures the tables with that in their title.

mod contenders;
mod harness;

use std::alloc::System;

use contenders::{Counting, pending, ready};
use harness::{
    OPERATIONS, Row, Table, Targets, attribute, awaited, completions, find, machines, print_table,
    reusable, sharing, streams,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting(System);

/// The tables are gone through several times, so that none of them is taken in one bad minute.
const PASSES: usize = 10;

/// What the titles of the tables begin with whose results are ready.
const READY: &str = "ready, ";

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

fn ready_table<V: ready::Value, const N: usize>(tables: &mut Vec<Table>) {
    let title = format!("{READY}{} ({} bytes)", V::NAME, size_of::<V>());
    tables.push(Table::new(title, ready::cases::<V, N>, judge_ready::<V>));
}

fn judge_ready<V: ready::Value>(rows: &[Row], targets: &mut Targets) {
    let row = |name| find(rows, name);
    let forms = [ready::AWAIT, ready::MACRO].map(row);
    for ours in forms {
        targets.allocates(V::NAME, ours, 0.0);
    }
    let [by_await, _] = forms;
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
    match V::NAME {
        "io::Result<Arc<[u8]>>" => targets.at_most(V::NAME, by_await, row(ready::FLOOR), 1.0),
        // The types that methods return.
        "io::Result<usize>"
        | "Option<u64>"
        | "Result<u64, u64>"
        | "Vec<u8>"
        | "String"
        | "Option<String>"
        | "io::Result<Vec<u8>>"
        | "[u64; 8]" => {
            targets.at_most(V::NAME, by_await, row(ready::FLOOR), 2.6);
            targets.faster(V::NAME, by_await, row(ready::BOX_FUTURE), 2.7);
            for rival in [ready::EITHER, ready::OBVIOUS] {
                targets.faster(V::NAME, by_await, row(rival), 2.4);
            }
        }
        _ => {}
    }
}

fn pending_table<const BYTES: usize>(tables: &mut Vec<Table>) {
    let title = format!("pending once, u64, an async block that holds {BYTES} bytes");
    tables.push(Table::new(title, pending::cases::<BYTES>, judge_pending));
    let title = format!("pending once, u64, a future that brings {BYTES} bytes with it");
    tables.push(Table::new(title, pending::carrying_cases::<BYTES>, judge_pending));
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
        "{PASSES} passes over all tables, {rounds} rounds of {OPERATIONS} operations or more each, \
         contenders interleaved, one thread where no other number is given"
    );
    let mut tables = Vec::new();
    for_each_value!(ready_table, &mut tables);
    pending_table::<16>(&mut tables);
    pending_table::<240>(&mut tables);
    pending_table::<1000>(&mut tables);
    tables.append(&mut attribute::tables());
    tables.append(&mut awaited::tables());
    tables.append(&mut completions::tables());
    tables.append(&mut machines::tables());
    tables.append(&mut sharing::tables());
    tables.push(reusable::table());
    tables.extend(streams::tables());
    tables.retain(|table| table.title.contains(&only));
    for _ in 0..PASSES {
        for table in &mut tables {
            table.renew();
            table.run(rounds);
        }
    }
    let mut targets = Targets::default();
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
