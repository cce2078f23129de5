//! Tests that the README and the chart have the figures of `docs/benchmarks.md`. The bench `ratios` writes this document and the chart.

#[path = "../benches/report/numbers.rs"]
mod numbers;

use numbers::{and, count, grouped, kib, nanoseconds, range, ratio};

const README: &str = include_str!("../README.md");
const REPORT: &str = include_str!("../docs/benchmarks.md");
const CHART: &str = include_str!("../docs/benchmarks.svg");

/// Returns the lines of the first table below a heading.
fn table<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let below = text.lines().skip_while(|line| *line != heading);
    let table = below.skip_while(|line| !line.starts_with('|'));
    table.take_while(|line| line.starts_with('|')).collect()
}

/// A new run of the bench changes the report. Then the table in the README has to be changed too.
#[test]
fn the_readme_has_the_table_of_the_report() {
    let table_of_readme = table(README, "## What it costs");
    assert_eq!(table_of_readme.len(), 10, "a header, a separator and eight rows");
    assert_eq!(table_of_readme, table(REPORT, "## In short"));
}

/// One run of the bench writes the report and the chart, so both must have the same figures.
#[test]
fn the_chart_has_the_figures_of_the_report() {
    let sections =
        ["The result is known before", "The body finds the result", "The body is pending once"];
    for section in sections {
        let heading = REPORT.lines().find(|line| line.starts_with(section)).unwrap();
        let rows = table(REPORT, heading);
        for contender in ["`async-trait`", "`BoxFuture`", "**`ours, async_trait`**"] {
            let row = rows.iter().find(|row| row.contains(contender)).unwrap();
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let (time, allocations) = (cells[2], cells[5]);
            let label = format!("{time} ns, {allocations} alloc.");
            assert!(CHART.contains(&label), "not in the chart: {label}");
        }
    }
    assert!(README.contains("](docs/benchmarks.svg)"));
    assert!(REPORT.contains("](benchmarks.svg)"));
}

#[test]
fn the_report_names_the_machine_the_compiler_the_date_and_the_command() {
    let head = REPORT.lines().nth(4).unwrap();
    for part in
        ["threads: ", "rustc ", "`cargo bench --bench ratios -- --markdown docs/benchmarks.md`"]
    {
        assert!(head.contains(part), "{head}");
    }
}

#[test]
fn numbers_are_formatted() {
    assert_eq!([nanoseconds(8.66), nanoseconds(999.94)], ["8.7", "999.9"]);
    assert_eq!([nanoseconds(1_039.4), nanoseconds(1e6)], ["1,039", "1,000,000"]);
    assert_eq!([grouped(0.0), grouped(12.0), grouped(65_536.0)], ["0", "12", "65,536"]);
    assert_eq!([count(1.0), count(1.004), count(0.25)], ["1", "1", "0.25"]);
    assert_eq!(ratio(1.456), "1.46");
    assert_eq!(range([3.0, 1.0, 2.0], count), "1 to 3");
    assert_eq!(range([1.001, 1.0], count), "1");
    assert_eq!([kib(4096), kib(4198), kib(6042)], ["4 KiB", "4.1 KiB", "5.9 KiB"]);
    let words = ["a", "b", "c"].map(String::from);
    assert_eq!([and(&words[..1]), and(&words[..2]), and(&words)], ["a", "a and b", "a, b and c"]);
}
