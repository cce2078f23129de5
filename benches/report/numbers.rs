//! Formats the numbers in the sentences and tables of the report.

/// Formats nanoseconds.
pub(crate) fn nanoseconds(time: f64) -> String {
    if time < 1_000.0 { format!("{time:.1}") } else { grouped(time) }
}

/// Formats a whole number with commas: `65,536`.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a number of allocations of an operation.
pub(crate) fn count(number: f64) -> String {
    let whole = (number - number.round()).abs() < 0.005;
    if whole { format!("{number:.0}") } else { format!("{number:.2}") }
}

/// Formats a ratio.
pub(crate) fn ratio(ratio: f64) -> String {
    format!("{ratio:.2}")
}

/// Formats the least and the greatest of several numbers: `1 to 3`.
pub(crate) fn range(
    numbers: impl IntoIterator<Item = f64>,
    format: impl Fn(f64) -> String,
) -> String {
    let (least, greatest) = numbers
        .into_iter()
        .fold((f64::MAX, f64::MIN), |(least, greatest), it| (least.min(it), greatest.max(it)));
    let [least, greatest] = [least, greatest].map(format);
    if least == greatest { least } else { format!("{least} to {greatest}") }
}

/// Joins words to a list: `a, b and c`.
pub(crate) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Formats bytes in KiB.
pub(crate) fn kib(bytes: u64) -> String {
    let tenths = (bytes * 10 + 512) / 1024;
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} KiB"),
        (whole, tenth) => format!("{whole}.{tenth} KiB"),
    }
}
