use core::{any::type_name, error::Error, fmt};

use super::sizes::{SIZES, capacity};
use crate::{affinity::OneThread, error::debug_as_text, slab::Block};

/// The reason why a future found no slot. It is a [`PooledError`] without the future.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PooledErrorKind {
    /// The future is larger than [`MAX_SIZE`](crate::LocalFuturePool::MAX_SIZE): no slot of any pool has room
    /// for it.
    TooLarge,
    /// The future is aligned to more than 16 bytes: no slot of any pool has this alignment.
    TooAligned,
    /// The [bound in bytes of each size](crate::future_pool::LocalFuturePoolBuilder::max_bytes_per_size) has no room for even one slot of
    /// the future's size class.
    NoneOfSize,
    /// The pool is bounded, and no vacant slot of the future's size class was found. A later call may find a vacant slot, unless the [bound
    /// of the whole pool](crate::future_pool::LocalFuturePoolBuilder::max_bytes) has no room for even one slot of this class.
    Full,
}

impl PooledErrorKind {
    /// Writes the reason, without the name of the future's type.
    fn rule(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PooledErrorKind::TooLarge => {
                write!(
                    f,
                    "the largest has room for {} bytes",
                    capacity::<OneThread>(SIZES.len() - 1)
                )
            }
            PooledErrorKind::TooAligned => {
                write!(f, "slots are aligned to {}", align_of::<Block<OneThread>>())
            }
            PooledErrorKind::NoneOfSize => {
                f.write_str("the bound in bytes allows no slot of its size")
            }
            PooledErrorKind::Full => f.write_str(
                "the pool is full: no slot of its size is vacant, and a bound allows no more slots",
            ),
        }
    }
}

debug_as_text!(PooledErrorKind);

impl fmt::Display for PooledErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no slot for the future: ")?;
        self.rule(f)
    }
}

impl Error for PooledErrorKind {}

/// [`PooledErrorKind::Full`] has the kind `WouldBlock`, because a slot is returned when a future completes or
/// is dropped. The other reasons have the kind `Unsupported`, because the pool would refuse the future at each attempt.
#[cfg(feature = "std")]
impl From<PooledErrorKind> for std::io::Error {
    fn from(reason: PooledErrorKind) -> Self {
        let kind = match reason {
            PooledErrorKind::Full => std::io::ErrorKind::WouldBlock,
            _ => std::io::ErrorKind::Unsupported,
        };
        std::io::Error::new(kind, reason)
    }
}

/// The error of [`try_pooled`](crate::LocalFuturePool::try_pooled). It contains the future that found no slot.
///
/// The error converts into its [`kind`](PooledError::kind) or into a `std::io::Error`. Both conversions drop the future.
pub struct PooledError<F> {
    pub(super) future: F,
    pub(super) kind: PooledErrorKind,
}

impl<F> PooledError<F> {
    /// Returns the future.
    #[must_use]
    pub fn into_future(self) -> F {
        self.future
    }

    /// Returns the reason why the future found no slot.
    #[must_use]
    pub const fn kind(&self) -> PooledErrorKind {
        self.kind
    }

    /// Returns `true` if the pool has no slots for the future. Then the future is larger or more aligned than every slot, or the bound in
    /// bytes of each size allows no slot of its class. Returns `false` if the pool can have such slots, but found none vacant.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.kind != PooledErrorKind::Full
    }
}

debug_as_text!(PooledError<F>);

impl<F> fmt::Display for PooledError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, size, align) = (type_name::<F>(), size_of::<F>(), align_of::<F>());
        write!(f, "no slot for `{name}` ({size} bytes, aligned to {align}): ")?;
        self.kind.rule(f)?;
        f.write_str("; `pooled` puts such a future into a box")
    }
}

impl<F> Error for PooledError<F> {}

/// Returns the [`kind`](PooledError::kind), and drops the future.
impl<F> From<PooledError<F>> for PooledErrorKind {
    fn from(refused: PooledError<F>) -> Self {
        refused.kind
    }
}

/// Converts the [`PooledErrorKind`], and drops the future.
#[cfg(feature = "std")]
impl<F> From<PooledError<F>> for std::io::Error {
    fn from(refused: PooledError<F>) -> Self {
        refused.kind.into()
    }
}
