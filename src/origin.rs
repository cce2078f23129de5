//! `Origin`: the line that created a future or an operation, for messages. Without the feature `trace`, it has no size.

use core::{fmt, panic::Location};

/// The line that created a future or an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    #[cfg(feature = "trace")]
    location: &'static Location<'static>,
}

impl Origin {
    /// Returns the line of the nearest caller that is not `#[track_caller]`.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) const fn caller() -> Self {
        Origin {
            #[cfg(feature = "trace")]
            location: Location::caller(),
        }
    }

    #[cfg(feature = "trace")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature, it is `None`")]
    pub(crate) const fn location(self) -> Option<&'static Location<'static>> {
        Some(self.location)
    }

    #[cfg(not(feature = "trace"))]
    #[expect(clippy::unused_self, reason = "the feature uses it")]
    pub(crate) const fn location(self) -> Option<&'static Location<'static>> {
        None
    }
}

/// Writes the end of a message, or nothing without the feature `trace`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            Some(location) => write!(f, "; it was created at {location}"),
            None => Ok(()),
        }
    }
}
