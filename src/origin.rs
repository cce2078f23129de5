//! Where a future was made, for messages. Without the feature `trace` it is nothing, and takes no room.

use core::{fmt, panic::Location};
#[cfg(feature = "trace")]
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

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

/// The origin of the operation in a slot, or nothing. Any thread may read it at any time.
pub(crate) struct OriginCell {
    // ORDERING: relaxed, without a partner. It is for reports only, and what it points to is never written.
    #[cfg(feature = "trace")]
    location: AtomicPtr<Location<'static>>,
}

#[cfg_attr(
    not(feature = "trace"),
    expect(unused_variables, clippy::unused_self, reason = "the feature uses them")
)]
#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "pools use them"))]
impl OriginCell {
    pub(crate) const fn new() -> Self {
        OriginCell {
            #[cfg(feature = "trace")]
            location: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline(always)]
    pub(crate) fn set(&self, origin: Origin) {
        #[cfg(feature = "trace")]
        self.location.store(ptr::from_ref(origin.location).cast_mut(), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn clear(&self) {
        #[cfg(feature = "trace")]
        self.location.store(ptr::null_mut(), Relaxed);
    }

    pub(crate) fn get(&self) -> Option<&'static Location<'static>> {
        #[cfg(feature = "trace")]
        // SAFETY: it is null, or was a reference for ever.
        return unsafe { self.location.load(Relaxed).as_ref() };
        #[cfg(not(feature = "trace"))]
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
