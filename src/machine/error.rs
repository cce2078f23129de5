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

    /// No slot is large enough for the future, or aligned enough: it would be refused again. Otherwise
    /// all slots of its size were in use.
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
                "a slot has room for {} bytes, aligned to 16, and `{name}` is {size} bytes, aligned to \
                 {align}",
                self.max_size
            ),
            NoPlace::Full => write!(
                f,
                "the pool is full: all slots of the size for `{name}` ({size} bytes) are in use"
            ),
        }
    }
}

impl<F> Error for NotPooled<F> {}
