//! The report of the bench `ratios`: `docs/benchmarks.md` and its chart.
//!
//! Each file with a function `section` has the tables of one subject, and the text that explains them. The other files are helpers. The
//! figures in the text are computed from the measured figures. If a text names an option `--only PART`, this option of the bench selects
//! the measured tables of the section: `PART` is a part of their titles. Other benches that write reports also use `head`, `markdown` and
//! `style`.

mod attribute;
mod awaited;
mod buffer;
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the coordinates of the small picture fit into all types"
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

use std::path::Path;

pub(crate) use measured::Measured;

/// The command that writes the report into a file.
fn command(file: &Path) -> String {
    format!("cargo bench --bench ratios -- --markdown {}", file.display())
}

const OTHER_BENCHES: &str = "\
## Other benches

```sh
cargo bench --bench break_even   # how many results must be ready for value futures to pay: docs/break_even.md
cargo bench --bench cost         # code size and compile time of a method: docs/cost.md
cargo bench --bench flat         # whether the time of an operation grows with the number of threads, pools and operations
cargo bench --bench ready_path   # ready and pending lookups, as criterion groups
cargo bench --bench completions  # completions, reusable sources and streams, as criterion groups
cargo bench --bench machines     # methods with large futures, the attribute and shared futures, as criterion groups
cargo run --release --manifest-path benches/allocators/Cargo.toml --bin mimalloc   # or jemalloc, system
```

With `-- --short`, `flat` fails if the time of an operation grows with the number of threads, of pools or of pending operations.
The last command measures the futures with a buffer. The name of its program is that of the global allocator.
";

/// The parameters of the measurement, for the text at the top of the report.
pub(crate) struct Plan {
    pub(crate) passes: usize,
    pub(crate) rounds: usize,
    pub(crate) operations: u32,
    /// The load average before the run.
    pub(crate) load: Option<f64>,
}

/// Returns the report for a file. `chart` is the name of the file with the chart.
pub(crate) fn report(measured: &Measured, plan: &Plan, file: &Path, chart: &str) -> String {
    let Plan { passes, rounds, operations, load } = plan;
    format!(
        "{}One process measures all contenders. In each round, the contenders take turns. Each time is the minimum of {} rounds: \
         {passes} passes over all tables, with {rounds} rounds in each pass. Most rounds have {operations} operations. Times do \
         not carry over to other machines, and ratios only roughly.{} `-- --only TITLE` measures only the tables whose title contains `TITLE`. Each section \
         names this option for its tables.\n\n\
         The columns `allocations` and `bytes` are for one operation. If the columns with times have different numbers of allocations \
         or bytes, the cell has the least and the greatest number. The names of the contenders of this crate begin with `ours`.\n\n\
         ![Time and allocations of a call: `async-trait`, `BoxFuture` and value futures]({chart})\n\n\
         {}{}{}{}{}{}{}{}{}{}{}{OTHER_BENCHES}",
        head::head("Benchmarks", &command(file)),
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
