//! Tests that the README and the charts have the figures of `docs/benchmarks.md` and `docs/benchmarks_intel.md`. The bench `ratios` writes
//! these documents and their charts.

#[path = "../benches/report/numbers.rs"]
mod numbers;

use numbers::{and, count, grouped, kib, nanoseconds, range, ratio};

const README: &str = include_str!("../README.md");
const REPORT: &str = include_str!("../docs/benchmarks.md");
const CHART: &str = include_str!("../docs/benchmarks.svg");
const INTEL_REPORT: &str = include_str!("../docs/benchmarks_intel.md");
const INTEL_CHART: &str = include_str!("../docs/benchmarks_intel.svg");

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

/// In the README and in both reports, each pair of rows has a rival and this crate.
#[test]
fn the_readme_has_the_ratios_of_the_other_machine() {
    let rows = table(INTEL_REPORT, "## In short");
    let times = rows[2..].iter().map(|row| row.split('|').nth(2).unwrap().trim());
    let times: Vec<f64> = times.map(|time| time.parse().unwrap()).collect();
    let ratios: Vec<_> = times.chunks(2).map(|pair| format!("{:.1}", pair[0] / pair[1])).collect();
    let sentence = format!("On an Intel Xeon, the four pairs have the ratios {}", and(&ratios));
    assert!(README.replace('\n', " ").contains(&format!("{sentence} for `u64`")), "{sentence}");
}

/// One run of the bench writes the report and the chart, so both must have the same figures.
#[test]
fn each_chart_has_the_figures_of_its_report() {
    check_chart(REPORT, CHART);
    check_chart(INTEL_REPORT, INTEL_CHART);
    assert!(README.contains("](docs/benchmarks.svg)"));
    assert!(REPORT.contains("](benchmarks.svg)"));
    assert!(INTEL_REPORT.contains("](benchmarks_intel.svg)"));
}

fn check_chart(report: &str, chart: &str) {
    let sections =
        ["The result is known before", "The body finds the result", "The body is pending once"];
    for section in sections {
        let heading = report.lines().find(|line| line.starts_with(section)).unwrap();
        let rows = table(report, heading);
        for contender in ["`async-trait`", "`BoxFuture`", "**`ours, async_trait`**"] {
            let row = rows.iter().find(|row| row.contains(contender)).unwrap();
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let (time, allocations) = (cells[2], cells[5]);
            let label = format!("{time} ns, {allocations} alloc.");
            assert!(chart.contains(&label), "not in the chart: {label}");
        }
    }
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
