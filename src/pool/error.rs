use core::{error::Error, fmt};

use crate::error::debug_as_text;

/// The error of [`rent_when_vacant`](crate::LocalPool::rent_when_vacant) and
/// [`try_rent`](crate::LocalPool::try_rent): the pool began no operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RentError {
    /// All slots that the pool may have (see [`max_slots`](crate::pool::PoolBuilder::max_slots)) are in use or retired. (A slot is retired
    /// when it has used all its keys.)
    #[non_exhaustive]
    Full {
        /// The bound of the pool, or 2³¹ − 512 for a pool without a bound.
        max_slots: u32,
    },
    /// The pool was [closed](crate::Pool::close).
    Closed,
}

impl fmt::Display for RentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RentError::Full { max_slots } => write!(
                f,
                "the pool is full: it can have {max_slots} slots, and all of them are in use or retired",
            ),
            RentError::Closed => {
                f.write_str("the pool is closed: `close` was called, and no operation can begin")
            }
        }
    }
}

debug_as_text!(RentError);

impl Error for RentError {}

/// `Full` has the kind `WouldBlock`, because a slot is returned when an operation ends. `Closed` has the kind `BrokenPipe`.
#[cfg(feature = "std")]
impl From<RentError> for std::io::Error {
    fn from(error: RentError) -> Self {
        let kind = match error {
            RentError::Full { .. } => std::io::ErrorKind::WouldBlock,
            RentError::Closed => std::io::ErrorKind::BrokenPipe,
        };
        std::io::Error::new(kind, error)
    }
}

/// The error of [`take`](crate::Completion::take): there is no result to take.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum TakeError {
    /// The operation is pending.
    Pending,
    /// The result was taken before.
    Taken,
}

impl fmt::Display for TakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TakeError::Pending => "there is no result yet: the operation is pending",
            TakeError::Taken => "the result was already taken, and a result is returned once",
        })
    }
}

debug_as_text!(TakeError);

impl Error for TakeError {}

/// `Pending` has the kind `WouldBlock`, and `Taken` has the kind `Other`.
#[cfg(feature = "std")]
impl From<TakeError> for std::io::Error {
    fn from(error: TakeError) -> Self {
        let kind = match error {
            TakeError::Pending => std::io::ErrorKind::WouldBlock,
            TakeError::Taken => std::io::ErrorKind::Other,
        };
        std::io::Error::new(kind, error)
    }
}
