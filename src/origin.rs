//! `Origin`: the line of code that created a future or an operation, for messages. Without the feature `trace`, an `Origin` has no size.

use core::{fmt, panic::Location};

/// The line of code that created a future or an operation.
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
    #[expect(clippy::unnecessary_wraps, reason = "without the feature, the result is `None`")]
    pub(crate) const fn location(self) -> Option<&'static Location<'static>> {
        Some(self.location)
    }

    #[cfg(not(feature = "trace"))]
    #[expect(clippy::unused_self, reason = "with the feature, the function uses `self`")]
    pub(crate) const fn location(self) -> Option<&'static Location<'static>> {
        None
    }
}

/// Writes the end of a message: where the object was created. Without the feature `trace`, writes nothing.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            Some(location) => write!(f, "; it was created at {location}"),
            None => Ok(()),
        }
    }
}
