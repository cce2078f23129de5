//! When does a `ValueFuture` pay? This bench compares it with `async-trait`, `BoxFuture` and `Either`. Between 0 and 100 % of the results
//! are ready.
//!
//! ```text
//! cargo bench --bench break_even             # prints the report; takes three minutes
//! cargo bench --bench break_even -- --short  # measures each figure once; takes some seconds
//! cargo bench --bench break_even -- --write  # also writes docs/break_even.md and docs/break_even.svg
//! ```
//!
//! In each round, the contenders take turns. The bench runs in several processes. Each process uses the system's allocator or mimalloc. The
//! report has the nanoseconds and the allocations of a call, the resident memory of pending calls, and the latency of single calls.

#[path = "break_even/mod.rs"]
mod break_even;
mod contenders;

use std::{env, fs, path::Path, process::ExitCode};

use break_even::{
    allocator::Chosen,
    chart, head,
    processes::{self, CHILD, Plan, Result},
    report,
};
use clap::Parser;
use contenders::Counting;

#[global_allocator]
static ALLOCATOR: Counting<Chosen> = Counting(Chosen);

const COMMAND: &str = "cargo bench --bench break_even -- --write";

#[derive(Parser)]
struct Options {
    /// Measures each figure once.
    #[arg(long, conflicts_with = "write")]
    short: bool,
    /// Also writes `docs/break_even.md` and `docs/break_even.svg`.
    #[arg(long)]
    write: bool,
    /// Cargo passes this option to every bench.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((first, request)) if first == CHILD => processes::child(request),
        _ => run(&Options::parse()),
    };
    if let Err(error) = result {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<()> {
    let plan = if options.short { Plan::SHORT } else { Plan::FULL };
    let figures = processes::measure(&plan)?;
    let (report, chart) = (report::report(&figures, &plan), chart::draw(&figures)?);
    if options.write {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let text = head::head("When does it pay?", COMMAND) + &report;
        fs::write(docs.join("break_even.md"), text.trim_end().to_owned() + "\n")?;
        fs::write(docs.join("break_even.svg"), chart)?;
    }
    println!("{report}");
    Ok(())
}
