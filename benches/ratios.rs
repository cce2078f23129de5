//! `cargo bench --bench ratios`: compares all contenders in one process. In each round, the contenders take turns.
//!
//! ```text
//! cargo bench --bench ratios                                       # prints a table for each kind of work, and for each type of results
//! cargo bench --bench ratios -- --only TITLE                       # measures only the tables whose title contains TITLE
//! cargo bench --bench ratios -- --rounds N                         # changes the number of rounds in each pass
//! cargo bench --bench ratios -- --markdown docs/benchmarks.md      # also writes the report and its chart, docs/benchmarks.svg
//! ```
//!
//! Compare only times of the same run.

mod contenders;
mod harness;
mod report;

use std::{
    alloc::System, error::Error, fs, path::PathBuf, process::ExitCode, result, time::Instant,
};

use clap::Parser;
use contenders::Counting;
use harness::{
    OPERATIONS, Table, Targets, attribute, awaited, buffer, completions, pending, print_table,
    ready, reusable_source, shared, streams,
};
use report::{Measured, Plan, chart, load};

#[global_allocator]
static ALLOCATOR: Counting = Counting(System);

/// The number of passes over all tables. Each pass measures each table once. So a disturbance of some seconds affects only one pass of a
/// table. (A run with `--rounds 1` has one pass. It checks that each case runs and that the report can be written. Its times mean nothing.)
const PASSES: usize = 10;

type Result<T> = result::Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Options {
    /// Number of rounds in each pass.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measures only the tables whose title contains this text.
    #[arg(long, value_name = "TITLE", default_value = "", hide_default_value = true)]
    only: String,
    /// Also writes the report to this file, and its chart beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "only")]
    markdown: Option<PathBuf>,
    /// Cargo passes this option to every bench.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

fn tables() -> Vec<Table> {
    let mut tables = ready::tables();
    tables.append(&mut pending::tables());
    tables.append(&mut attribute::tables());
    tables.append(&mut awaited::tables());
    tables.append(&mut completions::tables());
    tables.append(&mut buffer::tables());
    tables.append(&mut shared::tables());
    tables.push(reusable_source::table());
    tables.extend(streams::tables());
    tables
}

fn run(options: &Options) -> Result<()> {
    let begun = Instant::now();
    let passes = if options.rounds == 1 { 1 } else { PASSES };
    let plan = Plan {
        passes,
        rounds: options.rounds as usize,
        operations: OPERATIONS,
        load: load::load(),
    };
    if let Some(load) = plan.load.filter(|load| *load > 1.0) {
        eprintln!("the load average is {load}: other processes disturb the measurement");
    }
    println!(
        "{passes} passes over all tables; in each pass, {} rounds for each table; most rounds have {OPERATIONS} operations; the \
         contenders take turns, on one thread if the table does not say otherwise",
        plan.rounds
    );
    let mut tables = tables();
    tables.retain(|table| table.title.contains(&options.only));
    if tables.is_empty() {
        return Err(format!("there is no table whose title contains `{}`", options.only).into());
    }
    for pass in 1..=passes {
        eprintln!("pass {pass} of {passes}, after {:.0?}", begun.elapsed());
        for table in &mut tables {
            table.renew();
            table.run(plan.rounds);
        }
    }
    let mut targets = Targets::default();
    let measured: Vec<_> = tables
        .iter_mut()
        .map(|table| {
            let rows = table.rows();
            print_table(&table.title, &rows);
            (table.add_targets)(&rows, &mut targets);
            (table.title.clone(), rows)
        })
        .collect();
    println!("\ntargets (ratios of minima): {} missed of {}", targets.missed, targets.lines.len());
    for line in targets.lines {
        println!("{line}");
    }
    if options.only.is_empty() {
        let measured = Measured::new(measured);
        // The report is composed even if it is not written to a file. So a run with `--rounds 1` also tests the code that composes the
        // report.
        let chart = chart::draw(&measured)?;
        let file = options.markdown.clone().unwrap_or_else(|| "docs/benchmarks.md".into());
        let chart_file = file.with_extension("svg");
        let name = chart_file.file_name().unwrap_or_default().to_string_lossy();
        let report = report::report(&measured, &plan, &file, &name);
        if options.markdown.is_some() {
            // The path is relative to the directory of the package, because cargo runs a bench there.
            fs::write(&file, report)?;
            fs::write(&chart_file, chart)?;
        }
    }
    eprintln!("{:.0?} in all", begun.elapsed());
    Ok(())
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
