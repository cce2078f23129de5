use core::{error::Error, fmt};

/// The pool has as many operations as it was [bounded](crate::PoolBuilder::max_slots) to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PoolFull {
    pub(super) max_slots: u32,
}

impl PoolFull {
    /// The bound.
    #[must_use]
    pub const fn max_slots(&self) -> u32 {
        self.max_slots
    }
}

impl fmt::Display for PoolFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the pool is full: it was bounded to {} slots, and all of them are in use or retired",
            self.max_slots
        )
    }
}

impl Error for PoolFull {}

/// With the kind `WouldBlock`: a slot comes back when an operation ends.
#[cfg(feature = "std")]
impl From<PoolFull> for std::io::Error {
    fn from(full: PoolFull) -> Self {
        std::io::Error::new(std::io::ErrorKind::WouldBlock, full)
    }
}
