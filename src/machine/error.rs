use core::{any::type_name, error::Error, fmt};

use super::pooled::NoPlace;

/// A future was not put into a slot, and comes back.
pub struct NotPooled<F> {
    pub(super) future: F,
    pub(super) why: NoPlace,
    pub(super) max_size: usize,
}

impl<F> NotPooled<F> {
    /// The future.
    #[must_use]
    pub fn into_future(self) -> F {
        self.future
    }

    /// There is no slot of the size of the future, or none that is aligned enough: it would be refused
    /// again. Otherwise none of its size was found vacant.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.why == NoPlace::TooLarge
    }
}

/// The future is not shown, so that it need not be `Debug`.
impl<F> fmt::Debug for NotPooled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotPooled").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for NotPooled<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, size, align) = (type_name::<F>(), size_of::<F>(), align_of::<F>());
        match self.why {
            NoPlace::TooLarge => write!(
                f,
                "no slot for `{name}`: it is {size} bytes, aligned to {align}, and slots have room for {} \
                 bytes at most, aligned to 16, and less where the pool is bounded in bytes",
                self.max_size
            ),
            NoPlace::Full => write!(
                f,
                "the pool is full: no slot of the size for `{name}` ({size} bytes) is vacant"
            ),
        }
    }
}

impl<F> Error for NotPooled<F> {}
