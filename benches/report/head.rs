//! Writes the first lines of a report: its title, the machine, the compiler, the date, and the command that writes the report.

use std::{
    fs,
    process::Command,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Returns the first lines of a report.
pub(crate) fn head(title: &str, command: &str) -> String {
    format!(
        "<!-- `{command}` wrote this file. Do not edit it. -->\n\n# {title}\n\n{}, {}, {}. `{command}`\n\n",
        machine(),
        compiler(),
        today(),
    )
}

/// Returns the name of the processor, the number of threads that the process can use, and the system.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, threads: {threads}, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// Returns the version of the `rustc` that is found in `PATH`.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or("unknown compiler".into(), |text| text.trim().into())
}

/// Returns the date in UTC.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// Returns the date of a day. `day` is the number of days since 1970-01-01.
pub(crate) fn date(mut day: u64) -> String {
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}
