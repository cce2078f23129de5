//! Where a future was made, for messages. Without the feature `trace` it is nothing, and takes no room.

use core::{fmt, panic::Location};

/// The place in a program that has made a future or a completion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    #[cfg(feature = "trace")]
    location: &'static Location<'static>,
}

impl Origin {
    /// The caller of the function that calls this, and so on, as far as they are `track_caller`.
    #[inline(always)]
    #[cfg_attr(feature = "trace", track_caller)]
    pub(crate) const fn caller() -> Self {
        Origin {
            #[cfg(feature = "trace")]
            location: Location::caller(),
        }
    }

    #[cfg(feature = "trace")]
    #[expect(clippy::unnecessary_wraps, reason = "there is none without the feature")]
    pub(crate) const fn location(self) -> Option<&'static Location<'static>> {
        Some(self.location)
    }

    #[cfg(not(feature = "trace"))]
    #[expect(clippy::unused_self, reason = "the feature uses it")]
    pub(crate) const fn location(self) -> Option<&'static Location<'static>> {
        None
    }
}

/// The end of a message.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            Some(location) => write!(f, "; it was made at {location}"),
            None => Ok(()),
        }
    }
}
