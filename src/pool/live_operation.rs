//! `LiveOperation`: the line of code that began an operation, and the state of the operation.

use core::{fmt, panic::Location};

use crate::slot::State;

/// An operation that uses a slot of a pool. [`Pool::live_operations`](crate::LocalPool::live_operations)
/// returns all live operations.
///
/// `Display` writes a sentence for a log.
#[derive(Clone, Copy)]
pub struct LiveOperation {
    pub(super) origin: &'static Location<'static>,
    pub(super) state: State,
}

impl LiveOperation {
    /// Returns the line of code that began the operation.
    #[must_use]
    pub fn origin(&self) -> &'static Location<'static> {
        self.origin
    }

    /// Returns `true` if the operation has its result.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        !self.state.is_pending()
    }

    /// Returns `true` if the operation has a consumer: a completion, or the value future into which the completion was converted.
    #[must_use]
    pub fn has_completion(&self) -> bool {
        !self.state.has_left()
    }

    /// Returns `true` if the operation has a completer.
    #[must_use]
    pub fn has_completer(&self) -> bool {
        self.state.is_held()
    }

    /// Returns `true` if a key can complete the operation.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.state.waits_for_key()
    }
}

impl fmt::Display for LiveOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = if self.is_completed() { "completed" } else { "pending" };
        write!(f, "operation rented at {}: {result}", self.origin)?;
        let ends = [
            (self.has_completion(), "completion"),
            (self.has_completer(), "completer"),
            (self.has_key(), "key"),
        ];
        let ends = ends.iter().filter(|(exists, _)| *exists).map(|(_, end)| end);
        for (n, end) in ends.enumerate() {
            write!(f, "{} a {end}", if n == 0 { "; it has" } else { " and" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for LiveOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveOperation").field(&format_args!("{self}")).finish()
    }
}
