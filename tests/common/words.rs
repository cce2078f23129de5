//! Checks of sentences in the documentation.

#![allow(unused_macros, unused_imports, dead_code, reason = "each test file uses some of these")]

#[path = "../../benches/report/numbers.rs"]
mod numbers;

/// Returns a text without comment marks and without line breaks.
fn words(text: &str) -> String {
    let marks = ["//~ ///", "//!", "///", "//", "* ", "#[doc ="];
    let lines = text.lines().map(|line| {
        let line = line.trim();
        marks.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line)
    });
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Panics if the text of a file does not contain the sentence.
#[track_caller]
pub(crate) fn look_for(file: &str, text: &str, sentence: &str) {
    assert!(words(text).contains(&words(sentence)), "{file} does not contain: {sentence}");
}

/// Checks that a file of the crate contains a sentence, and panics if it does not. The sentence may have arguments, as in `format!`.
macro_rules! documented {
    ($file:literal, $($sentence:tt)+) => {
        crate::words::look_for(
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $file)),
            &format!($($sentence)+),
        )
    };
}
pub(crate) use documented;

/// Formats a number as the documentation does: 65,536.
#[allow(clippy::cast_precision_loss, reason = "the numbers are small")]
pub(crate) fn grouped(number: usize) -> String {
    numbers::grouped(number as f64)
}

/// Formats a number of bytes in KiB.
pub(crate) fn kib(bytes: isize) -> String {
    numbers::kib(bytes.try_into().expect("a size is not negative"))
}
