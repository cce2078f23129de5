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
    alloc::System, env, error::Error, fs, path::PathBuf, process::ExitCode, result, time::Instant,
};

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

struct Options {
    rounds: usize,
    only: String,
    markdown: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Options { rounds: 100, only: String::new(), markdown: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rounds" => {
                    let number = arguments.next().and_then(|number| number.parse().ok());
                    let number = number.filter(|rounds| *rounds > 0);
                    options.rounds = number.ok_or("--rounds takes a number")?;
                }
                "--only" => {
                    options.only = arguments.next().ok_or("--only takes a part of a title")?;
                }
                "--markdown" => {
                    let file = arguments.next().ok_or("--markdown takes a file")?;
                    options.markdown = Some(file.into());
                }
                // Cargo passes this option to every bench.
                "--bench" => {}
                other => {
                    return Err(format!(
                        "unknown option {other}; the options are --rounds N, --only TITLE and --markdown FILE"
                    )
                    .into());
                }
            }
        }
        if options.markdown.is_some() && !options.only.is_empty() {
            return Err("the report needs all tables, so --markdown excludes --only".into());
        }
        Ok(options)
    }
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
    let plan = Plan { passes, rounds: options.rounds, operations: OPERATIONS, load: load::load() };
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
        let file = options.markdown.clone().unwrap_or_else(|| "benchmarks.md".into());
        let chart_file = file.with_extension("svg");
        let name = chart_file.file_name().unwrap_or_default().to_string_lossy();
        let report = report::report(&measured, &plan, &name);
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
    let options = match Options::parse(env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
