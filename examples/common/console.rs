//! Writes to stdout and stderr. A program does not fail if the reader of its output, such as `head`, closes the pipe.

use std::io::{self, ErrorKind::BrokenPipe, Write};

/// Writes to stdout. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    if cfg!(test) {
        print!("{text}"); // The test harness captures only the output of this macro.
        return Ok(());
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes to stderr, and ignores errors.
pub(crate) fn print_to_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
