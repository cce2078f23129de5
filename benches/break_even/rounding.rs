//! Formats the percentages and ranges of the report. Percentages are rounded so that the sentences with them stay true.

/// Formats a percentage for a statement that holds from this percentage on. The percentage is rounded up, so that the statement stays true.
pub(crate) fn from_percent(share: f64) -> String {
    let unit = unit(share);
    // Adding 0.0 converts -0.0 into 0.0.
    format!("{} %", (share * unit - 1e-6).ceil() / unit + 0.0)
}

/// Formats a percentage for a statement that holds below this percentage. The percentage is rounded down, so that the statement stays true.
pub(crate) fn below_percent(share: f64) -> String {
    let unit = unit(share);
    format!("{} %", (share * unit + 1e-6).floor() / unit)
}

/// Returns the number by which a percentage is multiplied before it is rounded to an integer. Percentages near 100 have more digits.
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
