//! Sources for one operation at a time, in a field of a driver or in a `static`.
//!
//! The operations of these sources have the same states as the operations of a pool. The producer of an operation has a key or a completer.
//! The consumer's end is a value future.

mod inner;
mod local_reusable_source;
#[cfg(feature = "alloc")]
mod owned;
#[cfg(target_has_atomic = "64")]
mod reusable_source;

use core::{error::Error, fmt};

use crate::error::debug_as_text;

pub use self::local_reusable_source::{LocalReusableCompleter, LocalReusableSource};
#[cfg(target_has_atomic = "64")]
pub use self::reusable_source::{ReusableCompleter, ReusableSource};

/// The error of [`begin`](crate::LocalReusableSource::begin) and of the other methods that begin an operation: the source already has an
/// operation, which the call has not changed. (A source that has used all its keys always returns this error.)
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BeginError(());

debug_as_text!(BeginError);

impl fmt::Display for BeginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the source is busy: it has one operation at a time. Await or drop the future of that operation, and use or drop its completer if it has one; `clear` ends an operation whose future was leaked",
        )
    }
}

impl Error for BeginError {}

/// The error has the kind `WouldBlock`, because the next operation may begin when the current operation is over.
#[cfg(feature = "std")]
impl From<BeginError> for std::io::Error {
    fn from(busy: BeginError) -> Self {
        std::io::Error::new(std::io::ErrorKind::WouldBlock, busy)
    }
}
