//! The report of the bench `ratios`: `docs/benchmarks.md` and its chart.
//!
//! Each file with a `section` has the tables of one subject, and the text that explains them. The other files are helpers. Figures in the
//! text are computed from the measured ones. `head`, `markdown` and `style` are shared with the other benches that write reports.

mod attribute;
mod awaited;
mod buffer;
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "coordinates of a small picture"
)]
pub(crate) mod chart;
mod comparison;
mod completions;
mod driver;
mod head;
pub(crate) mod load;
mod markdown;
mod measured;
mod numbers;
mod pool_memory;
mod ready;
mod reusable_source;
mod shared;
mod streams;
mod style;
mod summary;

pub(crate) use measured::Measured;

const COMMAND: &str = "cargo bench --bench ratios -- --markdown docs/benchmarks.md";

const OTHER_BENCHES: &str = "\
## Other benches

```sh
cargo bench --bench break_even   # the share of ready results from which on value futures pay: docs/break_even.md
cargo bench --bench cost         # code size and compile time of a method: docs/cost.md
cargo bench --bench flat         # what depends on the number of threads, pools and operations
cargo bench --bench ready_path   # the same cases as criterion groups
cargo bench --bench completions
cargo bench --bench machines
cargo run --release --manifest-path benches/allocators/Cargo.toml --bin mimalloc   # or jemalloc, system
```

With `-- --short`, `flat` fails if the cost of an operation grows with the number of threads, of pools or of pending operations. The last command
measures the futures with a buffer.
";

/// How a figure was measured.
pub(crate) struct Plan {
    pub(crate) passes: usize,
    pub(crate) rounds: usize,
    pub(crate) operations: u32,
    /// The load average before the run.
    pub(crate) load: Option<f64>,
}

/// Returns the report. `chart` is the name of the file with the chart.
pub(crate) fn report(measured: &Measured, plan: &Plan, chart: &str) -> String {
    let Plan { passes, rounds, operations, load } = plan;
    format!(
        "{}One process measures all contenders. They take turns in each round. Each time is the minimum of {} rounds ({passes} passes \
         over all tables with {rounds} rounds). Most rounds have {operations} operations. Only the ratios carry over to other \
         machines.{} `-- --only TITLE` prints the tables with that in their title.\n\n\
         `allocations` and `bytes` are those of an operation. If the columns differ, the cell has the least and the greatest number. \
         The names of the contenders of this crate begin with `ours`.\n\n\
         ![Time and allocations of a call: `async-trait`, `BoxFuture` and value futures]({chart})\n\n\
         {}{}{}{}{}{}{}{}{}{}{}{OTHER_BENCHES}",
        head::head("Benchmarks", COMMAND),
        passes * rounds,
        load::sentence(*load),
        summary::section(measured),
        attribute::section(measured),
        ready::section(measured),
        awaited::section(measured),
        driver::section(measured),
        buffer::section(measured),
        shared::section(measured),
        reusable_source::section(measured),
        streams::section(measured),
        completions::section(measured),
        pool_memory::section(),
    )
}
