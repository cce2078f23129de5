//! Percentages and ranges of the report. They are rounded so that the sentences stay true.

/// Formats a percentage from which on a statement holds. It is rounded up, so that the statement stays true.
pub(crate) fn from_percent(share: f64) -> String {
    let unit = unit(share);
    // Adding zero turns -0 into 0.
    format!("{} %", (share * unit - 1e-6).ceil() / unit + 0.0)
}

/// Formats a percentage below which a statement holds. It is rounded down, so that the statement stays true.
pub(crate) fn below_percent(share: f64) -> String {
    let unit = unit(share);
    format!("{} %", (share * unit + 1e-6).floor() / unit)
}

/// Returns the number of steps in one percent. A share near 100 % needs more digits.
fn unit(share: f64) -> f64 {
    match share {
        ..90.0 => 1.0,
        ..99.0 => 10.0,
        _ => 100.0,
    }
}

/// Formats the least and the greatest of several figures.
pub(crate) fn range([least, greatest]: [f64; 2]) -> String {
    let [least, greatest] = [least, greatest].map(|number| format!("{number:.2}"));
    if least == greatest { least } else { format!("{least} to {greatest}") }
}
