//! `Origin`: the line that created a future or an operation, for messages. Without the feature `trace`, it has no size.

use core::{fmt, panic::Location};
#[cfg(feature = "trace")]
use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering::Relaxed},
};

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

/// The origin of the operation in a slot, or null. Any thread may read it at any time.
pub(crate) struct OriginCell {
    // ORDERING: relaxed, without a partner. It is for reports only, and points to a constant.
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
        // SAFETY: the pointer is null, or comes from a `&'static Location`.
        return unsafe { self.location.load(Relaxed).as_ref() };
        #[cfg(not(feature = "trace"))]
        None
    }
}

/// Writes the end of a message, or nothing without the feature `trace`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            Some(location) => write!(f, "; it was made at {location}"),
            None => Ok(()),
        }
    }
}
