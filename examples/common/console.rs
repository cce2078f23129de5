//! Output that survives a closed pipe, such as that of `head`.

use std::io::{self, ErrorKind::BrokenPipe, Write};

/// Writes to stdout. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    if cfg!(test) {
        print!("{text}"); // The test harness captures the output of this macro only.
        return Ok(());
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes to stderr, and ignores errors.
pub(crate) fn print_error(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
