//! The errors of functions that complete an operation.

use core::{error::Error, fmt};

use super::Key;
use crate::error::debug_as_text;

/// The reason why a key or a completer did not complete an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CompleteErrorKind {
    /// The operation of the key is over, and its slot has served another operation since. The call did not touch this other operation.
    Stale,
    /// The operation has already ended, with or without a value. For example, the key was used before, or the completer was used or
    /// dropped. The consumer can still take the result, has taken the result, or was dropped. (When the slot serves another operation, the
    /// key is [`Stale`](CompleteErrorKind::Stale).)
    AlreadyCompleted,
    /// Another producer has claimed the operation, and has not completed it yet. The consumer may still find the operation pending. From
    /// now on, only that producer can complete the operation.
    BeingCompleted,
    /// The consumer was dropped, which cancelled the operation. (When the slot serves another operation, the
    /// key is [`Stale`](CompleteErrorKind::Stale).)
    Closed,
    /// The pool or source has not created this key: it is forged, or belongs to another pool or source. (A forged key may also be refused
    /// as stale. A key of another pool or source may be equal to a key of this pool or source, and is then accepted. Before a completer
    /// issues the key of its operation, this key is also unknown.)
    Unknown,
}

debug_as_text!(CompleteErrorKind);

impl CompleteErrorKind {
    /// Returns the kind in one or two words, for tables and metrics: `stale`, `already completed`,
    /// `being completed`, `closed` or `unknown`. `Display` shows a longer text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CompleteErrorKind::Stale => "stale",
            CompleteErrorKind::AlreadyCompleted => "already completed",
            CompleteErrorKind::BeingCompleted => "being completed",
            CompleteErrorKind::Closed => "closed",
            CompleteErrorKind::Unknown => "unknown",
        }
    }
}

impl fmt::Display for CompleteErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            CompleteErrorKind::Stale => {
                "its operation is over, and its slot has served another operation since"
            }
            CompleteErrorKind::AlreadyCompleted => "its operation was completed or ended before",
            CompleteErrorKind::BeingCompleted => "another producer has claimed its operation",
            CompleteErrorKind::Closed => "the consumer of its operation was dropped",
            CompleteErrorKind::Unknown => "this pool or source did not create it",
        };
        write!(f, "{}: {reason}", self.name())
    }
}

impl Error for CompleteErrorKind {}

/// `Closed` becomes an error of the kind `BrokenPipe`, because the consumer was dropped. All other reasons become errors of the kind
/// `InvalidInput`.
#[cfg(feature = "std")]
impl From<CompleteErrorKind> for std::io::Error {
    fn from(error: CompleteErrorKind) -> Self {
        let kind = match error {
            CompleteErrorKind::Closed => std::io::ErrorKind::BrokenPipe,
            _ => std::io::ErrorKind::InvalidInput,
        };
        std::io::Error::new(kind, error)
    }
}

/// The error of a function that completes an operation: the key was refused, or the completer was too late. The error contains the value
/// that was not delivered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompleteError<T> {
    pub(crate) key: Key,
    pub(crate) kind: CompleteErrorKind,
    pub(crate) value: T,
}

impl<T> CompleteError<T> {
    /// Returns the key of the operation.
    #[must_use]
    pub const fn key(&self) -> Key {
        self.key
    }

    /// Returns the reason why the operation was not completed.
    #[must_use]
    pub const fn kind(&self) -> CompleteErrorKind {
        self.kind
    }

    /// Returns a reference to the value that was not delivered.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Returns the value that was not delivered.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }
}

debug_as_text!(CompleteError<T>);

impl<T> fmt::Display for CompleteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} refused as {}", self.key, self.kind)
    }
}

impl<T> Error for CompleteError<T> {}

/// Converts the [`CompleteErrorKind`], and drops the value.
#[cfg(feature = "std")]
impl<T> From<CompleteError<T>> for std::io::Error {
    fn from(error: CompleteError<T>) -> Self {
        error.kind.into()
    }
}
