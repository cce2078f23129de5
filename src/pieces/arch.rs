//! Other targets, and loom: values are copied as the compiler copies them.

use core::mem::MaybeUninit;

/// About what is copied without a call.
pub(super) const LARGEST: usize = 128;

#[allow(clippy::extra_unused_type_parameters, reason = "it is a parameter elsewhere")]
pub(super) const fn is_in_pieces<P>() -> bool {
    false
}

#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn store<P>(to: &mut MaybeUninit<P>, value: P) {
    to.write(value);
}

/// # Safety
///
/// None is needed.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) unsafe fn with_piece_of_word<P>(value: P, _: usize) -> P {
    value
}

/// # Safety
///
/// As [`MaybeUninit::assume_init_read`].
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) unsafe fn load<P>(value: &MaybeUninit<P>, _: usize) -> P {
    // SAFETY: the caller's.
    unsafe { value.assume_init_read() }
}
