//! What the documentation says.

#![allow(unused_macros, unused_imports, dead_code, reason = "each test uses its part")]

/// A text without the marks of comments and without line breaks.
fn words(text: &str) -> String {
    let marks = ["//~ ///", "//!", "///", "//", "* ", "#[doc ="];
    let lines = text.lines().map(|line| {
        let line = line.trim();
        marks.iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line)
    });
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// Fails unless the file with this text says the sentence.
#[track_caller]
pub(crate) fn look_for(file: &str, text: &str, sentence: &str) {
    assert!(words(text).contains(&words(sentence)), "{file} does not say: {sentence}");
}

/// Fails unless a file of the crate says a sentence, which is given as for `format!`.
macro_rules! said {
    ($file:literal, $($sentence:tt)+) => {
        crate::words::look_for(
            $file,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $file)),
            &format!($($sentence)+),
        )
    };
}
pub(crate) use said;

/// A number as the documentation writes it: 65,536.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in KiB.
pub(crate) fn kib(bytes: isize) -> String {
    let tenths = (bytes * 10 + 512) / 1024;
    if tenths % 10 == 0 {
        format!("{} KiB", tenths / 10)
    } else {
        format!("{}.{} KiB", tenths / 10, tenths % 10)
    }
}
