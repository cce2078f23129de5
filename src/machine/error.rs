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
        write!(f, "no slot for `{name}` ({size} bytes, aligned to {align}): ")?;
        match self.why {
            NoPlace::Full => f.write_str("the pool is full, none of its size was found vacant"),
            NoPlace::TooLarge if align > 16 => f.write_str("slots are aligned to 16"),
            NoPlace::TooLarge if size > self.max_size => {
                write!(f, "the largest has room for {} bytes", self.max_size)
            }
            NoPlace::TooLarge => f.write_str("the bound in bytes leaves none of its size"),
        }?;
        f.write_str("; `future` boxes what has no slot")
    }
}

impl<F> Error for NotPooled<F> {}
