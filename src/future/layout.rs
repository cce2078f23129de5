//! Compile-time checks of sizes, niches and auto traits that callers rely on. With the feature `trace`, the sizes are larger, so this file
//! is not compiled.

use core::mem::size_of;

use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert_eq};

use crate::future::{LocalValueFuture, ValueFuture};

#[cfg(target_pointer_width = "64")]
mod sizes {
    use super::{LocalValueFuture, ValueFuture, const_assert_eq, size_of};

    const_assert_eq!(size_of::<ValueFuture<'_, ()>>(), 8);
    const_assert_eq!(size_of::<LocalValueFuture<'_, ()>>(), 8);
    const_assert_eq!(size_of::<ValueFuture<'_, bool>>(), 16);
    const_assert_eq!(size_of::<ValueFuture<'_, u32>>(), 16);
    const_assert_eq!(size_of::<ValueFuture<'_, u64>>(), 16);
    const_assert_eq!(size_of::<ValueFuture<'_, f64>>(), 16);
    const_assert_eq!(size_of::<ValueFuture<'_, &u8>>(), 16);
    const_assert_eq!(size_of::<LocalValueFuture<'_, u64>>(), 16);
    const_assert_eq!(size_of::<ValueFuture<'_, [u64; 8]>>(), 72);
    #[cfg(feature = "alloc")]
    const_assert_eq!(size_of::<ValueFuture<'_, alloc::boxed::Box<u8>>>(), 16);
    #[cfg(feature = "alloc")]
    const_assert_eq!(size_of::<ValueFuture<'_, alloc::sync::Arc<u8>>>(), 16);
}

const_assert_eq!(size_of::<Option<ValueFuture<'_, ()>>>(), size_of::<ValueFuture<'_, ()>>());
const_assert_eq!(size_of::<Option<ValueFuture<'_, u64>>>(), size_of::<ValueFuture<'_, u64>>());

assert_impl_all!(ValueFuture<'_, u8>: Send, Sync, Unpin);
assert_impl_all!(ValueFuture<'_, core::marker::PhantomPinned>: Unpin);
assert_not_impl_any!(ValueFuture<'_, *mut u8>: Send, Sync);
assert_not_impl_any!(LocalValueFuture<'_, u8>: Send, Sync);
